import type { Page } from "@playwright/test";

import { expect, refused, test } from "../support/test";

// The answer to a rejected form.
test.use({ failures: refused(422) });

/** Sets office hours in Tokyo, whose clock never changes, with days on which the business is closed. */
async function setHours(page: Page, closed: string): Promise<void> {
  await page.goto("/admin/settings");
  for (const day of ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]) {
    await page.getByLabel(`${day} from`).fill("09:00");
    await page.getByLabel(`${day} to`).fill("17:00");
  }
  await page.getByLabel("Time zone of the hours").fill("Asia/Tokyo");
  await page.getByLabel("Closed days").fill(closed);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").filter({ hasText: "The settings are saved." })).toBeVisible();
  await expect(page.getByLabel("Friday to")).toHaveValue("17:00");
}

const ALWAYS_CLOSED = "2000-01-01 – 2099-12-31";

test("customers read the opening hours on their own clock", async ({ admin, api, person }) => {
  await setHours(admin.page, ALWAYS_CLOSED);
  const { link } = await api.openChat("Walnut bed");
  const plain = await person({ javaScriptEnabled: false });
  await plain.page.goto(link);
  await expect(plain.chat.panel).toContainText("We answer Mon–Fri 9:00–17:00 (Tokyo time)");
  for (const [timezoneId, words] of [
    ["Asia/Tokyo", "We answer Mon–Fri 9:00–17:00"],
    ["Asia/Kolkata", "We answer Mon–Fri 5:30–13:30"],
    ["Pacific/Honolulu", "We answer Sun–Thu 14:00–22:00"],
  ]) {
    const guest = await person({ timezoneId });
    await guest.page.goto(link);
    await expect(guest.chat.panel.getByText(words, { exact: true })).toBeVisible();
  }
  const german = await person({ timezoneId: "Asia/Kolkata", locale: "de-DE", phone: true });
  await german.page.goto(link);
  await expect(german.chat.panel.getByText("Wir antworten Mo–Fr 5:30–13:30", { exact: true })).toBeVisible();
});

test("a chat that stays open learns of other hours", async ({ admin, api, person }) => {
  const { link } = await api.openChat("Oak stool");
  const guest = await person({ timezoneId: "Asia/Tokyo" });
  await guest.page.clock.install();
  await guest.page.goto(link);
  await guest.chat.live();
  await setHours(admin.page, ALWAYS_CLOSED);
  const words = guest.chat.panel.getByText("We answer Mon–Fri 9:00–17:00", { exact: true });
  await expect(words).toBeHidden();
  // It asks once an hour at least, and when the business opens or closes.
  await guest.page.clock.fastForward("01:01:00");
  await expect(words).toBeVisible();
});

test("customers read how soon the business usually answers, unless somebody is here", async ({ admin, person, server }) => {
  const guest = await person();
  await guest.page.goto(server.link("guest"));
  await guest.chat.live();
  const words = guest.chat.panel.getByText("Usually answers within 10 minutes");
  await expect(words).toBeVisible();
  await admin.page.goto(`/admin?chat=${guest.page.url().split("/").pop()}`);
  await expect(guest.chat.here).toHaveText(/Workshop is here/);
  await expect(words).toBeHidden();
  await expect(admin.chat.panel.getByText("Usually answers")).toHaveCount(0);
  await admin.page.goto("/admin/people");
  await expect(words).toBeVisible();
});

test("wrong hours are explained beside their day", async ({ admin: { page } }) => {
  await page.goto("/admin/settings");
  await page.getByLabel("Tuesday from").fill("17:00");
  await page.getByLabel("Tuesday to").fill("09:00");
  await page.getByLabel("Time zone of the hours").fill("Europe/Berlin");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toHaveText(/closing time after the opening time/);
  await expect(page.getByLabel("Tuesday to")).toBeFocused();
  await expect(page.getByLabel("Tuesday to")).toHaveValue("09:00");
  await expect(page.getByLabel("Tuesday from")).toHaveValue("17:00");
});
