// Written into every page, before its styles. What it needs stands in its own attributes: `data-client`
// (the address of the client without its ending, if the page has anything for it to wake), `data-answer` (the
// page answers a form, so loading it again would lose what was typed).
(() => {
  const root = document.documentElement;
  const { client, answer } = document.currentScript.dataset;
  const PAUSES_MS = [100, 300, 700, 1500, 3000];
  const pause = (ms) => new Promise((done) => setTimeout(done, ms * (0.5 + Math.random())));

  // While an update rolls out, two builds stand behind one address, and each knows only its own files. Asking
  // again may reach the right one. If none is left, the page is loaded again, once, unless somebody has begun to
  // write on it; after that it says so.
  const outdated = (again) => {
    const fields = [...document.querySelectorAll("input, textarea")];
    const untouched = !answer && fields.every((field) => field.value === field.defaultValue);
    if (again && untouched && navigator.onLine) {
      try {
        const build = document.querySelector("link[rel=stylesheet]").href;
        const tried = sessionStorage.getItem("bespoken:reloaded");
        sessionStorage.setItem("bespoken:reloaded", build);
        if (tried !== build) return location.reload();
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
    button.textContent = "Reload";
    button.addEventListener("click", () => location.reload());
    notice.append("This site was updated while you had the page open. ", button);
    document.body.append(notice);
  };
  const whenRead = (act) =>
    document.readyState === "loading" ? addEventListener("DOMContentLoaded", act, { once: true }) : act();
  document.addEventListener("outdated", () => outdated(false));

  let stylesTried = 0;
  const styles = async (link) => {
    if (stylesTried === PAUSES_MS.length) return whenRead(() => outdated(true));
    await pause(PAUSES_MS[stylesTried++]);
    link.replaceWith(link.cloneNode());
  };
  addEventListener("error", ({ target }) => target.rel === "stylesheet" && styles(target), true);

  // Tries until it works, or not any more.
  const insist = async (ask) => {
    for (const ms of PAUSES_MS) {
      try {
        return await ask(ms !== PAUSES_MS[0]);
      } catch {
        await pause(ms);
      }
    }
    return ask(true);
  };
  const load = async () => {
    // A browser may remember that a module could not be had: under another address it asks again.
    const module = insist((again) => import(`${client}.js${again ? `?${Math.random()}` : ""}`));
    const wasm = insist(async (again) => {
      const response = await fetch(`${client}_bg.wasm`, again ? { cache: "reload" } : {});
      if (!response.ok) throw new Error(`${response.status}`);
      return response;
    });
    return Promise.all([module, wasm]);
  };
  const wake = async (node, mod, children) => {
    const island = node.localName === "leptos-island" && mod[node.dataset.component];
    if (island) {
      children?.();
      await island(node);
    }
    const within = node.localName === "leptos-children" ? node.$$on_hydrate : children;
    for (const child of node.children) await wake(child, mod, within);
  };
  const start = async () => {
    let parts;
    try {
      parts = await load();
    } catch {
      return outdated(true);
    }
    const [mod, wasm] = parts;
    await mod.default({ module_or_path: wasm });
    mod.hydrate();
    await wake(document.body, mod);
  };
  if (client) whenRead(() => (window.requestIdleCallback ?? setTimeout)(start));

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
