// How much time is left, in the page's language; without a script it stands as it was at loading.
const clock = document.querySelector("[data-deadline]");
const unit = (count, name) =>
  new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: name, unitDisplay: "long" }).format(count);

function tell() {
  const minutes = Math.floor((Date.parse(clock.dataset.deadline) - Date.now()) / 60000);
  const words = clock.querySelector("b");
  if (minutes < 0) {
    clock.textContent = clock.dataset.over;
    return;
  }
  const hours = Math.floor(minutes / 60);
  const parts = [hours && unit(hours, "hour"), minutes % 60 && unit(minutes % 60, "minute")].filter(Boolean);
  const text = parts.join(", ") || clock.dataset.last;
  if (words && words.textContent !== text) words.textContent = text;
  setTimeout(tell, 5000);
}

if (clock?.querySelector("b")) tell();
