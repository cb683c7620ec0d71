// Pages that something changed before the islands wake, or that did not arrive in full.
import type { Page } from "@playwright/test";

import { expect, test } from "../support/test";
import { translate } from "../support/translator";

/** Opens the page, and holds the client back until the returned function is called. */
async function openAsleep(page: Page, link: string): Promise<() => void> {
  let wake = () => {};
  const awake = new Promise<void>((resolve) => (wake = resolve));
  await page.route("**/*_bg.wasm", async (route) => {
    await awake;
    await route.continue();
  });
  await page.goto(link);
  return wake;
}

test("a page that was translated before it woke goes live", async ({ api, person }) => {
  const { id, link } = await api.openChat("Oak table");
  await api.post(id, "How long should it be?");
  const guest = await person();
  const wake = await openAsleep(guest.page, link);
  await translate(guest.page);
  await expect(guest.page.locator("font").first()).toBeAttached();
  wake();
  await guest.chat.live();
  await api.post(id, "And how wide?");
  await expect(guest.chat.message("And how wide?")).toBeVisible();
  await guest.chat.say("Two metres");
  await expect(guest.chat.message("Two metres")).toBeVisible();
  await expect.poll(async () => (await api.messages(id)).length).toBe(3);
});

test("elements of an extension do not keep a page from waking", async ({ api, person }) => {
  const { id, link } = await api.openChat("Oak table");
  await api.post(id, "How long should it be?");
  const guest = await person();
  const wake = await openAsleep(guest.page, link);
  await guest.page.evaluate(() => {
    const foreign = () => Object.assign(document.createElement("extension-panel"), { textContent: "!" });
    document.body.prepend(foreign());
    document.body.append(foreign());
    for (const island of document.querySelectorAll("leptos-island")) {
      island.prepend(foreign());
      for (const element of [...island.querySelectorAll("*")]) element.before(foreign());
    }
    document.querySelector("textarea")?.setAttribute("data-extension", "on");
  });
  wake();
  await guest.chat.live();
  await guest.chat.say("Two metres");
  await expect(guest.chat.message("Two metres")).toBeVisible();
  await api.post(id, "And how wide?");
  await expect(guest.chat.message("And how wide?")).toBeVisible();
});

test("what was typed into a page that was changed before it woke is kept", async ({ api, person }) => {
  const { link } = await api.openChat("Oak table");
  const guest = await person();
  const wake = await openAsleep(guest.page, link);
  await guest.chat.field.fill("Half a thought");
  await guest.chat.field.evaluate((field: HTMLTextAreaElement) => field.setSelectionRange(4, 6));
  await translate(guest.page);
  wake();
  await guest.chat.live();
  await expect(guest.chat.field).toHaveValue("Half a thought");
  await expect(guest.chat.field).toBeFocused();
  expect(await guest.chat.field.evaluate((field: HTMLTextAreaElement) => field.selectionStart)).toBe(4);
});

/** Makes every island of the page throw where it should wake, while `isBroken`. */
async function breakIslands(page: Page, isBroken: () => boolean): Promise<void> {
  await page.route("**/bespoken.js", async (route) => {
    if (!isBroken()) return route.continue();
    const answer = await route.fetch();
    const body = (await answer.text()).replace(
      /export (async )?function \w+_\d+\(\w+\) \{/g,
      (begin) => `${begin} throw new WebAssembly.RuntimeError("unreachable");`,
    );
    await route.fulfill({ response: answer, body });
  });
}

test.describe("with islands that fail", () => {
  test.use({ failures: /unreachable/ });

  test("a page is loaded again once, and then says so", async ({ api, person }) => {
    const { link } = await api.openChat("Oak table");
    const guest = await person();
    let broken = true;
    await breakIslands(guest.page, () => broken);
    let loaded = 0;
    guest.page.on("load", () => (loaded += 1));
    await guest.page.goto(link);
    const notice = guest.page.getByRole("alert").filter({ hasText: "Something went wrong" });
    await expect(notice).toBeVisible();
    expect(loaded).toBe(2);
    broken = false;
    await notice.getByRole("button", { name: "Reload" }).click();
    await guest.chat.live();
    await expect(notice).toHaveCount(0);
  });

  test("a page that failed once goes live by itself", async ({ api, person }) => {
    const { link } = await api.openChat("Oak table");
    const guest = await person();
    let asked = 0;
    await breakIslands(guest.page, () => ++asked === 1);
    await guest.page.goto(link);
    await guest.chat.live();
    expect(asked).toBe(2);
  });
});

test("a page that was cut off on its way is loaded again once, and then says so", async ({ api, person }) => {
  const { id, link } = await api.openChat("Oak table");
  for (let at = 0; at < 5; at++) await api.post(id, `Message ${at}`);
  const guest = await person();
  let asked = 0;
  let cut = true;
  await guest.page.route(`**/chat/${id}`, async (route) => {
    asked += 1;
    if (!cut) return route.continue();
    const answer = await route.fetch();
    const body = await answer.text();
    // In the middle of the messages.
    await route.fulfill({ response: answer, body: body.slice(0, body.indexOf("Message 2")) });
  });
  // The link leads on, and what is led on passes no route.
  await guest.context.request.get(link);
  await guest.page.goto(`/chat/${id}`);
  const notice = guest.page.getByRole("alert").filter({ hasText: "did not arrive in full" });
  await expect(notice).toBeVisible();
  expect(asked).toBe(2);
  cut = false;
  await notice.getByRole("button", { name: "Reload" }).click();
  await guest.chat.live();
  await expect(notice).toHaveCount(0);
});
