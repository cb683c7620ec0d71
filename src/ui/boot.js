// Written into every page, before its styles. It hydrates the islands, as Leptos' own script does, and keeps at it
// when something is in the way. What it needs stands in its own attributes: `data-client` (the address of the client
// without its ending), `data-answer` (the page answers a form, so loading it again would lose what was
// typed), `data-locale` (the page's language, for the client), and what it may have to say.
(() => {
  const root = document.documentElement;
  const { client, answer, locale, updated, broken, cutOff, reload } = document.currentScript.dataset;
  const PAUSES_MS = [100, 300, 700, 1500, 3000];
  const pause = (ms) => new Promise((done) => setTimeout(done, ms * (0.5 + Math.random())));
  const RELOADED = "bespoken:reloaded";

  // Loads the page again, once, unless somebody has begun to write on it; after that it says what is wrong.
  let reloading = false;
  const recover = (words, again) => {
    if (reloading) return;
    const fields = [...document.querySelectorAll("input, textarea")];
    const untouched = !answer && fields.every((field) => field.value === field.defaultValue);
    if (again && untouched && navigator.onLine) {
      try {
        const tried = sessionStorage.getItem(RELOADED);
        sessionStorage.setItem(RELOADED, client);
        reloading = tried !== client;
        if (reloading) return location.reload();
      } catch {
        // Without storage nothing would keep it from going on for ever.
      }
    }
    if (document.querySelector(".outdated")) return;
    const notice = document.createElement("p");
    notice.className = "notice notice--warn outdated";
    notice.setAttribute("role", "alert");
    const button = document.createElement("button");
    button.className = "button button--small";
    button.textContent = reload;
    button.addEventListener("click", () => location.reload());
    notice.append(`${words} `, button);
    document.body.append(notice);
  };
  const outdated = (again) => recover(updated, again);
  const whenRead = (act) =>
    document.readyState === "loading" ? addEventListener("DOMContentLoaded", act, { once: true }) : act();
  document.addEventListener("outdated", () => outdated(false));

  // After a panic nothing of the client can be relied on.
  let live = false;
  const panicked = (error) => error?.name === "RuntimeError" && recover(broken, !live);
  addEventListener("error", ({ error }) => panicked(error));
  addEventListener("unhandledrejection", ({ reason }) => panicked(reason));

  // While an update rolls out, two builds stand behind one address, and each knows only its own files. Asking
  // again may reach the right one.
  let stylesTried = 0;
  const styles = async (link) => {
    if (stylesTried === PAUSES_MS.length) return whenRead(() => outdated(true));
    await pause(PAUSES_MS[stylesTried++]);
    link.replaceWith(link.cloneNode());
  };
  addEventListener("error", ({ target }) => target.rel === "stylesheet" && styles(target), true);

  // The client is ten times as large as the page and its styles. It loads after they are painted, so that it takes no
  // bandwidth from them. What waits for that has `later` in place of its `rel`.
  const painted = new Promise((done) => {
    if (document.hidden || !self.PerformanceObserver?.supportedEntryTypes?.includes("paint")) return whenRead(done);
    new PerformanceObserver((_, observer) => {
      observer.disconnect();
      done();
    }).observe({ type: "paint", buffered: true });
    setTimeout(done, 2000);
  });
  painted.then(() => {
    for (const link of document.querySelectorAll("link[rel=later]")) link.rel = "preload";
  });

  // Tries until it works, or not any more.
  const insist = async (ask) => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await ask(attempt);
      } catch (error) {
        if (attempt === PAUSES_MS.length) throw error;
        await pause(PAUSES_MS[attempt]);
      }
    }
  };
  const wasm = (address) =>
    insist(async (attempt) => {
      const response = await fetch(address, attempt ? { cache: "reload" } : {});
      if (!response.ok) throw new Error(`${response.status}`);
      return response;
    });
  // Lazy islands load their part of the client with this (`xtask/src/client.rs`). Without its part an island waits.
  self.fetchPart = (address) =>
    wasm(address).catch(async (error) => {
      // The network is gone, not the file.
      if (error instanceof TypeError) return pause(PAUSES_MS.at(-1)).then(() => self.fetchPart(address));
      outdated(true);
      return new Promise(() => {});
    });
  const load = () => {
    // A browser may remember that a module could not be had. In another folder it asks again, for all that the
    // module loads too.
    const folder = (attempt) => (attempt ? client.replace(/[^/]*$/, `${attempt}/$&`) : client);
    return Promise.all([insist((attempt) => import(`${folder(attempt)}.js`)), wasm(`${client}_bg.wasm`)]);
  };

  // Puts back what the server wrote, and keeps what somebody typed.
  const restore = (island, html) => {
    const fields = () => [...island.querySelectorAll("input, textarea, select")];
    const name = (field) => `${field.localName} ${field.id} ${field.name}`;
    const typed = fields().filter((field) => field.value !== field.defaultValue || field === document.activeElement);
    const focused = document.activeElement;
    island.innerHTML = html;
    guard(island);
    for (const field of fields()) {
      const old = typed.find((old) => name(old) === name(field));
      if (!old || field.type === "file") continue;
      field.value = old.value;
      if (old !== focused) continue;
      field.focus({ preventScroll: true });
      if (old.selectionStart !== null) field.setSelectionRange?.(old.selectionStart, old.selectionEnd);
    }
  };
  // Hydration walks through what the server wrote. Translators and extensions may change it before that, so it is put
  // back when the walk begins, which is with the first child. A lazy island gets there when its part is loaded.
  const guard = (within) => {
    for (const island of within.querySelectorAll("leptos-island")) {
      const html = island.innerHTML;
      const get = () => {
        delete island.firstChild;
        if (island.innerHTML !== html) restore(island, html);
        return island.firstChild;
      };
      Object.defineProperty(island, "firstChild", { get, configurable: true });
    }
  };
  // The islands wake side by side: a lazy one keeps no other waiting.
  const wake = async (node, mod, children) => {
    const island = node.localName === "leptos-island" && mod[node.dataset.component];
    if (island) {
      children?.();
      await island(node);
    }
    const within = node.localName === "leptos-children" ? node.$$on_hydrate : children;
    await Promise.all([...node.children].map((child) => wake(child, mod, within)));
  };
  const start = async () => {
    let parts;
    try {
      parts = await load();
    } catch {
      return outdated(true);
    }
    try {
      const [mod, module_or_path] = parts;
      await mod.default({ module_or_path });
      // The browser handles keys and pointers between the steps.
      await pause(0);
      mod.hydrate(locale);
      await pause(0);
      await wake(document.body, mod);
      live = true;
    } catch (error) {
      recover(broken, true);
      throw error;
    }
    try {
      sessionStorage.removeItem(RELOADED);
    } catch {
      // Then nothing was kept there either.
    }
  };
  whenRead(() => {
    if (!document.getElementById("end")) return recover(cutOff, true);
    if (!document.querySelector("leptos-island")) return;
    guard(document);
    painted.then(start);
  });

  // A browser may keep a page as it was left, and show it again on Back: also after signing out. It is shown
  // only if the browser still has the session that it was written for.
  const { session } = root.dataset;
  if (session) {
    addEventListener("pagehide", (event) => {
      if (event.persisted) root.style.visibility = "hidden";
    });
    addEventListener("pageshow", async (event) => {
      if (!event.persisted) return;
      try {
        const response = await fetch("/session", { cache: "no-store" });
        if (response.ok && (await response.text()) === session) {
          root.style.visibility = "";
          return;
        }
      } catch {
        // Nobody can say whose page it may be.
      }
      location.reload();
    });
  }
})();
