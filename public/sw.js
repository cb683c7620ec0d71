// Answers a page load without network with a page that says so. Pages with content are never kept:
// after signing out, nothing of them is left here. Also shows the server's notifications (src/service/push).

// The server puts the address of its build's page here. Another build does not have it, so that a page is kept
// only together with the script that it belongs to.
const PAGE = "/offline.html";
const CACHE = `offline ${PAGE}`;
// Files that wait to be sent, see src/ui/islands/chat/tray.rs.
const FILES = "bespoken-files";

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.add(new Request(PAGE, { cache: "reload" })))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const dropOld = caches
    .keys()
    .then((names) => Promise.all(names.filter((name) => name !== CACHE && name !== FILES).map((name) => caches.delete(name))));
  // Lets the browser ask the network while this script still starts.
  const preload = self.registration.navigationPreload?.enable();
  event.waitUntil(Promise.all([dropOld, preload, self.clients.claim()]));
});

self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && event.request.mode === "navigate") {
    event.respondWith(load(event).catch(() => caches.match(PAGE)));
  }
});

async function load(event) {
  return (await event.preloadResponse) || fetch(event.request);
}

self.addEventListener("push", (event) => {
  const { title, body, tag, url } = event.data.json();
  // One notification for each chat: a later one replaces it, and is heard again.
  event.waitUntil(self.registration.showNotification(title, { body, tag, renotify: true, data: url }));
});

self.addEventListener("notificationclick", (event) => {
  const { tag, data } = event.notification;
  event.notification.close();
  event.waitUntil(show(tag, data));
});

// Focuses a tab that shows the chat, or opens one.
async function show(chat, url) {
  const tabs = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const tab = tabs.find((tab) => tab.url.includes(chat));
  return tab ? tab.focus() : self.clients.openWindow(url);
}
