// Ticking a chain ticks its locations; the summary says what Connect will do.
const form = document.getElementById("connect");
const summary = document.getElementById("summary");
const all = (name) => [...form.querySelectorAll(`[name=${name}]`)];
const ticked = (boxes) => boxes.filter((box) => box.checked).length;
const members = (chain) => [...chain.closest(".group").querySelectorAll("[name=location]")];
const unlisted = (chain) => Number(chain.dataset.count) - members(chain).length;

function tell() {
  const application = form.querySelector("[name=application]:checked");
  const chains = all("chain").filter((chain) => chain.checked);
  const count = ticked(all("location")) + chains.reduce((sum, chain) => sum + unlisted(chain), 0);
  const places = count === 1 ? "1 location" : `${count.toLocaleString("en")} locations`;
  summary.textContent = count ? `${application.dataset.name} · ${places}` : "Choose a location";
  form.querySelector("button.connect").disabled = count === 0;
}

function followLocation(box) {
  const chain = box.closest(".group").querySelector("[name=chain]");
  if (!chain) return;
  const complete = members(chain).every((member) => member.checked);
  chain.checked = complete && (chain.checked || unlisted(chain) === 0);
}

form.addEventListener("change", ({ target }) => {
  if (target.name === "chain") members(target).forEach((box) => { box.checked = target.checked; });
  if (target.name === "location") followLocation(target);
  tell();
});
window.addEventListener("pageshow", tell);
