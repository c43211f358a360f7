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

// A word that is longer than any of a language may be broken: after a sign in it, or where it is too long still.
const LONG = 15;
const BREAKS = /(?<=[@./_:?=&-])|(?<=[\p{L}\p{N}]{14})(?=[\p{L}\p{N}])/u;

function letBreak(text) {
  const parts = text.data.split(/(\s+)/).flatMap((word) => (word.length < LONG ? [[word]] : [word.split(BREAKS)]));
  const pieces = parts.flatMap(([first, ...rest]) => [first, ...rest.flatMap((piece) => [document.createElement("wbr"), piece])]);
  text.replaceWith(...pieces);
}

document.addEventListener("DOMContentLoaded", () => {
  for (const body of document.querySelectorAll("#result_list tbody")) {
    const texts = [], walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (/\S{15}/.test(walker.currentNode.data)) texts.push(walker.currentNode);
    texts.forEach(letBreak);
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
