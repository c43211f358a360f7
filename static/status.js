// What happens with each location, live: asks every two seconds, less often while nothing changes, not at all
// while nobody looks, and no more once nothing is pending.
const page = document.querySelector(".live");
const headline = document.querySelector("h1");
const clock = document.querySelector("[data-deadline]");
const lead = document.querySelector(".lead");
const bar = document.querySelector("progress");
const rows = new Map([...document.querySelectorAll("[data-salon]")].map((row) => [row.dataset.salon, row]));
const counts = new Map([...document.querySelectorAll(".filter [data-state]")].map((item) => [item.dataset.state, item]));
const AGAIN = ["expired", "failed", "uninstalled"];
const FASTEST = rows.size > 200 ? 4000 : 2000;
const SLOWEST = 10000;
let wait = FASTEST;
let timer;
let asking = false;
let state = headline.dataset.state;
let seen = "";

function write(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

function showAgain(row, location) {
  const link = row.querySelector("a[target=_top]");
  if (!AGAIN.includes(location.state)) link?.remove();
  else if (!link) {
    const added = document.createElement("a");
    added.href = location.reconnect_url;
    added.target = "_top";
    const where = document.createElement("span");
    where.className = "unseen";
    where.textContent = ` · ${row.querySelector("b").textContent}`;
    added.append(page.dataset.again, where);
    row.firstElementChild.append(added);
  }
}

function showRow(location) {
  const row = rows.get(String(location.salon_id));
  if (!row) return;
  write(row.querySelector("p"), location.message);
  if (row.dataset.state === location.state) return;
  row.dataset.state = location.state;
  write(row.querySelector(".pill"), counts.get(location.state).querySelector("span").textContent);
  showAgain(row, location);
}

function showCounts(locations) {
  const found = {};
  for (const location of locations) found[location.state] = (found[location.state] ?? 0) + 1;
  for (const [name, item] of counts) {
    write(item.querySelector("b"), String(found[name] ?? 0));
    item.hidden = !found[name] && !item.querySelector("input").checked;
  }
  if (bar) bar.value = found.active ?? 0;
  return found.active ?? 0;
}

function showPage(answer) {
  answer.locations.forEach(showRow);
  const done = showCounts(answer.locations);
  const text = headline.dataset[answer.state].replace("{done}", done);
  write(headline, text);
  document.title = text;
  headline.dataset.state = answer.state;
  write(lead, lead.dataset[answer.state]);
  clock.dataset.deadline = answer.deadline;
  clock.classList.toggle("gone", answer.state !== "pending");
}

// Altegio's page around this frame is told once; host.js knows whether it is Altegio's.
function tellHost(name, text) {
  const type = name === "active" ? "success" : "error";
  const message = { action: "show_toast", payload: { type, options: text } };
  document.dispatchEvent(new CustomEvent("tell-host", { detail: message }));
}

// Titles are known a moment after the activation; they come with the page, not with the answers.
async function showTitles() {
  const answer = await fetch(window.location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const open = fresh.querySelector("[data-open] form");
  if (open) page.querySelector("[data-open]")?.replaceChildren(document.adoptNode(open));
  for (const row of fresh.querySelectorAll("[data-salon]")) {
    const mine = rows.get(row.dataset.salon);
    write(mine?.querySelector("b"), row.querySelector("b").textContent);
    write(mine?.querySelector(".soft"), row.querySelector(".soft").textContent);
  }
}

function finish(name) {
  state = name;
  tellHost(name, headline.textContent);
  setTimeout(() => showTitles().catch(() => {}), 3000);
}

async function answerNow() {
  const answer = await fetch(window.location.href, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (answer.status === 410) {
    state = "old";
    write(headline, page.dataset.old);
    return;
  }
  if (!answer.ok) return;
  const text = await answer.text();
  if (text !== seen) wait = FASTEST;
  seen = text;
  const now = JSON.parse(text);
  showPage(now);
  if (now.state !== "pending") finish(now.state);
}

async function ask() {
  if (asking || document.hidden) return;
  asking = true;
  wait = Math.min(wait * 1.3, SLOWEST);
  // When the connection breaks, or the portal restarts, the next question tells.
  await answerNow().catch(() => {});
  asking = false;
  if (state === "pending") timer = setTimeout(ask, wait);
}

function askNow() {
  if (document.hidden || state !== "pending") return;
  wait = FASTEST;
  clearTimeout(timer);
  ask();
}

if (state === "pending" && page.dataset.live) {
  timer = setTimeout(ask, wait);
  document.addEventListener("visibilitychange", askNow);
  document.addEventListener("host-said", askNow);
}

// All was decided before the page was drawn: the host has not been told.
if (state !== "pending" && page.dataset.news) tellHost(state, headline.textContent);
