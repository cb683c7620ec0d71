// Answers a page load without network with a page that says so. Pages with content are never kept:
// after signing out, nothing of them is left here.
const CACHE = "offline-1";
const FILES = ["/offline.html", "/offline.js"];

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: "reload" }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const dropOld = caches
    .keys()
    .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))));
  // Lets the browser ask the network while this script still starts.
  const preload = self.registration.navigationPreload?.enable();
  event.waitUntil(Promise.all([dropOld, preload, self.clients.claim()]));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && request.mode === "navigate") {
    event.respondWith(load(event).catch(() => caches.match("/offline.html")));
  } else if (new URL(request.url).pathname === "/offline.js") {
    event.respondWith(fetch(request).catch(() => caches.match("/offline.js")));
  }
});

async function load(event) {
  return (await event.preloadResponse) || fetch(event.request);
}
