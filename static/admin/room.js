// A click into a recorded exchange selects all of it, ready to copy.
document.addEventListener("focusin", (event) => {
  if (event.target.matches("textarea.exchange")) event.target.select();
});
