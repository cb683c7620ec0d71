// Inlined into every page, before its styles. It hydrates the islands, as Leptos' own script does, and retries after
// failures. Its attributes contain its input: `data-client` (the address of the client without its extension),
// `data-answer` (the page answers a form, so reloading it would lose the typed text), `data-locale` (the page's
// language, for the client), and the texts of its messages.
(() => {
  const root = document.documentElement;
  const { client, answer, locale, updated, broken, cutOff, reload } = document.currentScript.dataset;
  const PAUSES_MS = [100, 300, 700, 1500, 3000];
  const pause = (ms) => new Promise((done) => setTimeout(done, ms * (0.5 + Math.random())));
  const RELOADED = "bespoken:reloaded";

  // Reloads the page once, unless the person has typed something; after that it shows what is wrong.
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
        // Without storage it could reload forever.
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

  // After a panic the client's state is unreliable.
  let live = false;
  const panicked = (error) => error?.name === "RuntimeError" && recover(broken, !live);
  addEventListener("error", ({ error }) => panicked(error));
  addEventListener("unhandledrejection", ({ reason }) => panicked(reason));

  // During a rolling update, two builds are behind one address, and each serves only its own files. A repeated
  // request may reach the right one.
  let stylesTried = 0;
  const styles = async (link) => {
    if (stylesTried === PAUSES_MS.length) return whenRead(() => outdated(true));
    await pause(PAUSES_MS[stylesTried++]);
    link.replaceWith(link.cloneNode());
  };
  addEventListener("error", ({ target }) => target.rel === "stylesheet" && styles(target), true);

  // The client is ten times as large as the page and its styles. It loads after they are painted, so that it takes no
  // bandwidth from them. Links with `rel=later` wait for that.
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

  // Retries `ask` until it succeeds or the attempts are used up.
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
  // Lazy islands load their part of the client with this (`xtask/src/client.rs`). An island waits for its part.
  self.fetchPart = (address) =>
    wasm(address).catch(async (error) => {
      // The network is gone, not the file.
      if (error instanceof TypeError) return pause(PAUSES_MS.at(-1)).then(() => self.fetchPart(address));
      outdated(true);
      return new Promise(() => {});
    });
  const load = () => {
    // Browsers may cache the failure of a module. In another folder they request it again, and all modules that it
    // imports.
    const folder = (attempt) => (attempt ? client.replace(/[^/]*$/, `${attempt}/$&`) : client);
    return Promise.all([insist((attempt) => import(`${folder(attempt)}.js`)), wasm(`${client}_bg.wasm`)]);
  };

  // Restores the server's HTML, but not over typed text.
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
  // Hydration expects the server's HTML. Translators and extensions may change it earlier. So it is restored when
  // hydration begins, which is with the first child. A lazy island begins when its part is loaded.
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
  // The islands hydrate concurrently: a lazy one does not delay others.
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
      // Then nothing was stored there either.
    }
  };
  whenRead(() => {
    if (!document.getElementById("end")) return recover(cutOff, true);
    if (!document.querySelector("leptos-island")) return;
    guard(document);
    painted.then(start);
  });

  // A browser may cache a page and show it again on Back, also after signing out. The page is shown only if the
  // browser still has the session for which it was rendered.
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
        // The page's owner is unknown: reload it.
      }
      location.reload();
    });
  }
})();
