// A click into a recorded exchange selects all of it, ready to copy.
document.addEventListener("focusin", (event) => {
  if (event.target.matches("textarea.exchange")) event.target.select();
});

// Moments in the reader's own zone, with how long ago they were.
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const written = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
const since = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto", style: "short" });

function ago(moment) {
  const seconds = Math.round((moment - Date.now()) / 1000);
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS.at(-1);
  return since.format(Math.trunc(seconds / length), unit);
}

document.addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll(".results time[datetime]")) {
    const moment = new Date(element.dateTime);
    element.title = element.textContent + " UTC";
    element.textContent = written.format(moment);
    if (Math.abs(moment - Date.now()) > 7 * 86400e3) continue;
    const small = document.createElement("small");
    small.textContent = ago(moment);
    element.append(" ", small);
  }
});

// How far the download of a list is: asked each second, until it is over.
document.addEventListener("submit", ({ target: form }) => {
  if (!form.matches("form.export")) return;
  const ticket = form.elements.ticket.value = Math.random().toString(36).slice(2);
  const bar = form.querySelector("progress");
  const ask = async () => {
    // Nothing is said of one that has not begun yet.
    const { text = "", handed_out = 0, is_over = false } = await (await fetch(`${form.dataset.progress}?ticket=${ticket}`)).json();
    form.querySelector("output").textContent = text;
    bar.value = handed_out;
    bar.hidden = is_over;
    if (!is_over && form.elements.ticket.value === ticket) setTimeout(ask, 1000);
  };
  setTimeout(ask, 300);
});

// A secret that is shown once is copied with one click.
document.addEventListener("click", async ({ target: button }) => {
  if (!button.matches("button[data-copy]")) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = button.dataset.copied;
});

// Django's tooltips beside a choice of many have a name, but nothing that says what they are.
addEventListener("load", () => {
  for (const tooltip of document.querySelectorAll("span.help-tooltip[aria-label]")) tooltip.setAttribute("role", "img");
});
