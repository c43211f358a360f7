// Messages between this page and Altegio's page around it. Whoever may frame us is spoken with, and nobody else:
// never "*", and what anybody else says is not even looked at. Other scripts use two events of the document:
// "tell-host" with the message in `detail`, and "host-said" whenever Altegio's page said something.
const page = document.querySelector("[data-hosts]");
const allowed = page.dataset.hosts.split(" ").map((pattern) => {
  const [, scheme, wild, name, port] = /^(https?:)\/\/(\*\.)?([^:/]+)(?::(\d+))?$/.exec(pattern) ?? [];
  return { scheme, wild: Boolean(wild), name, port: port ?? "" };
});

function isAltegio(origin) {
  if (!/^https?:\/\//.test(origin ?? "")) return false;
  const { protocol, hostname, port } = new URL(origin);
  return allowed.some(
    (host) =>
      host.scheme === protocol &&
      host.port === port &&
      (host.wild ? hostname.endsWith(`.${host.name}`) : hostname === host.name),
  );
}

// Browsers that do not name the frames around a page leave the page it came from.
function hostOrigin() {
  const around = window.location.ancestorOrigins?.[0] ?? document.referrer;
  return isAltegio(around) ? new URL(around).origin : page.dataset.altegio;
}

document.addEventListener("tell-host", (event) => {
  if (window.parent !== window) window.parent.postMessage(event.detail, hostOrigin());
});

// Altegio's messages to a frame are not documented: any of them is a reason to look for news, and nothing more.
window.addEventListener("message", (event) => {
  if (event.source !== window.parent || event.source === window || !isAltegio(event.origin)) return;
  if (typeof event.data?.action !== "string") return;
  document.dispatchEvent(new CustomEvent("host-said"));
});
