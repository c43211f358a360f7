// The host page of the Settings tab: what the framed portal may ask for by postMessage.
const host = document.querySelector(".host");
const toasts = host.querySelector(".toasts");
const modal = host.querySelector(".modal");

function words(value) {
  if (typeof value === "string") return value;
  if (!value || typeof value !== "object") return "";
  return String(value.message ?? value.text ?? value.title ?? value.content ?? value.url ?? JSON.stringify(value));
}

function showToast(type, text, link) {
  const toast = document.createElement(link ? "a" : "p");
  toast.className = `toast ${["success", "error", "warning", "info"].includes(type) ? type : "info"}`;
  toast.textContent = text;
  if (link) {
    toast.href = link;
    toast.target = "_blank";
    toast.rel = "noopener";
  }
  toasts.append(toast);
  setTimeout(() => toast.remove(), 6000);
}

function address(value) {
  const text = typeof value === "string" ? value : value?.url ?? value?.href ?? value?.link;
  try {
    const url = new URL(text, host.dataset.portal);
    return ["http:", "https:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

const actions = {
  show_toast: (payload) => showToast(payload?.type, words(payload?.options) || words(payload?.type)),
  open_tab: (payload) => {
    const url = address(payload);
    if (url && !window.open(url, "_blank", "noopener")) showToast("info", `Open ${url}`, url);
  },
  show_modal: (payload) => {
    modal.firstElementChild.textContent = words(payload);
    if (!modal.open) modal.showModal();
  },
  close_modal: () => modal.close(),
};

window.addEventListener("message", (event) => {
  if (event.origin !== host.dataset.portal) return;
  const action = actions[event.data?.action];
  if (action) action(event.data.payload);
});
