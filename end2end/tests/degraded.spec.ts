import type { Page } from "@playwright/test";

import { cutOff, expect, test } from "../support/test";

// What these tests do makes the browser complain.
test.use({ failures: cutOff });

/** What a browser lacks, by what takes it away before the page runs. */
const lacks: Record<string, () => void> = {
  "service workers": () => {
    delete (Navigator.prototype as { serviceWorker?: unknown }).serviceWorker;
  },
  "a storage": () => Object.defineProperty(window, "localStorage", { value: undefined }),
  "a storage that may be used": () =>
    Object.defineProperty(window, "localStorage", {
      get() {
        throw new DOMException("The operation is insecure.", "SecurityError");
      },
    }),
  "room in the storage": () => {
    Storage.prototype.setItem = () => {
      throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
    };
  },
  "randomUUID and a clipboard": () => {
    delete (Crypto.prototype as { randomUUID?: unknown }).randomUUID;
    delete (Navigator.prototype as { clipboard?: unknown }).clipboard;
  },
};

for (const [what, takeAway] of Object.entries(lacks)) {
  test(`a chat works in a browser without ${what}`, async ({ api, person }) => {
    const { id, link } = await api.openChat("Old browser");
    const { page, chat, context } = await person();
    await page.addInitScript(takeAway);
    await page.goto(link);
    await chat.live();
    await chat.say("hello");
    await expect(chat.message("hello")).toContainText("Sent");
    await api.post(id, "answer");
    await expect(chat.message("answer")).toBeVisible();
    await context.setOffline(true);
    await chat.say("later");
    await context.setOffline(false);
    await expect(chat.message("later")).toContainText("Sent");
    await expect.poll(async () => (await api.messages(id)).map(({ content }) => content)).toEqual(["hello", "answer", "later"]);
  });
}

for (const what of ["a storage", "a storage that may be used", "room in the storage"]) {
  test(`without ${what}, nothing is promised for after a reload`, async ({ api, person }) => {
    const { id, link } = await api.openChat("Full phone");
    const { page, chat, context } = await person();
    await page.addInitScript(lacks[what]);
    await page.goto(link);
    await chat.live();
    await context.setOffline(true);
    await chat.say("one");
    await expect(chat.banner).toContainText("Keep this page open until they are sent");
    await expect(chat.banner).not.toContainText("will be sent");
    await context.setOffline(false);
    await expect(chat.message("one")).toContainText("Sent");
    await expect(chat.banner).toBeHidden();
    await expect.poll(() => api.messages(id)).toHaveLength(1);
  });
}

/** Lets a test set the clock of the device: that of `Date`, not the steady one. */
async function settable(page: Page) {
  await page.addInitScript(() => {
    const Real = Date;
    let shift = 0;
    const Shifted = class extends Real {
      constructor(...given: []) {
        super(...(given.length ? given : ([Real.now() + shift] as unknown as [])));
      }
      static override now = () => Real.now() + shift;
    };
    window.Date = Shifted as DateConstructor;
    (window as unknown as { putClock: (ms: number) => void }).putClock = (ms) => (shift = ms);
  });
  return (ms: number) => page.evaluate((ms) => (window as unknown as { putClock: (ms: number) => void }).putClock(ms), ms);
}

const HOURS = 3_600_000;

for (const [how, shift] of [["back", -2 * HOURS], ["forward", 2 * HOURS]] as const) {
  test(`a clock that is put ${how} two hours while offline delays nothing`, async ({ api, person }) => {
    const { id, link } = await api.openChat("Traveller");
    const { page, chat, context } = await person();
    const putClock = await settable(page);
    await page.goto(link);
    await chat.live();
    await context.setOffline(true);
    await chat.say("one");
    await putClock(shift);
    await chat.say("two");
    await expect(chat.status).toContainText("Offline");
    await context.setOffline(false);
    await chat.live();
    await expect(chat.message("two")).toContainText("Sent");
    await chat.say("three");
    await expect(chat.message("three")).toContainText("Sent");
    await expect.poll(async () => (await api.messages(id)).map(({ content }) => content)).toEqual(["one", "two", "three"]);
    expect(await chat.texts()).toEqual(["one", "two", "three"]);
  });
}

test("what is seen is dated by the server's clock", async ({ admin, api, person }) => {
  const { id, link } = await api.openChat("Slow watch");
  const { page, chat } = await person();
  const putClock = await settable(page);
  await page.goto(link);
  await chat.live();
  await putClock(-5 * HOURS);
  await chat.say("look");
  await expect(chat.message("look")).toContainText("Sent");
  await admin.page.goto(`/admin?chat=${id}`);
  await expect(chat.message("look")).toContainText("Seen");
  const time = await chat.message("look").textContent();
  const [hour, minute] = time?.match(/Seen (\d\d):(\d\d)/)?.slice(1).map(Number) ?? [];
  const seen = hour * 60 + minute;
  const now = await admin.page.evaluate(() => new Date().getHours() * 60 + new Date().getMinutes());
  expect((now - seen + 1_440) % 1_440).toBeLessThanOrEqual(1);
});
