import { expect, refused, test } from "../support/test";

// What these tests do makes the browser complain.
test.use({ failures: refused(401) });

const german = { locale: "de-DE" };

test("a customer and an admin talk in German", async ({ api, person, server }) => {
  const { id, link } = await api.openChat("Frau Ölmüller");
  const guest = await person(german);
  await guest.page.goto(link);
  await expect(guest.page.locator("html")).toHaveAttribute("lang", "de");
  await guest.chat.live();
  await expect(guest.chat.panel.getByLabel(/^Nachricht an /)).toHaveAttribute("placeholder", "Nachricht schreiben");
  await expect(guest.chat.panel.getByText("können diesen Chat lesen", { exact: false })).toBeVisible();
  await guest.chat.say("Können Sie einen Tisch bauen?");
  await expect(guest.chat.message("Können Sie einen Tisch bauen?").getByText("Gesendet")).toBeVisible();
  await expect(guest.chat.panel.getByText("Heute")).toBeVisible();
  await expect(guest.page.getByText("Alle Zeiten sind in UTC.")).toBeHidden();

  const admin = await person(german);
  await admin.page.goto(server.link("admin"));
  await admin.page.goto(`/admin?chat=${id}`);
  await admin.chat.live();
  await expect(admin.page.getByRole("heading", { name: "Über diesen Chat" })).toBeVisible();
  await expect(guest.chat.panel.getByText("ist hier", { exact: false })).toBeVisible();
  await expect(guest.chat.panel.getByText(/^Gelesen \d\d:\d\d$/)).toBeVisible();
  await admin.chat.say("Gern.");
  await expect(guest.chat.message("Gern.")).toBeVisible();

  await admin.page.getByRole("button", { name: "Chat schließen" }).click();
  await expect(guest.page.getByText(/Dieser Chat wurde am \d+\. \S+ .*geschlossen\./)).toBeVisible();
  await admin.page.getByRole("button", { name: "Chat wieder öffnen" }).click();
  await expect(guest.chat.field).toBeVisible();
});

test("a customer registers, asks for something and reads dates in German", async ({ person }) => {
  const { page } = await person(german);
  await page.goto("/register");
  await page.getByLabel("Ihr Name").fill("Änne Groß");
  await page.getByLabel("E-Mail").fill("aenne@example.com");
  await page.getByLabel("Passwort").fill("a long enough password");
  await page.getByRole("button", { name: "Konto anlegen" }).click();
  await expect(page).toHaveURL(/\/account$/);
  await expect(page.getByRole("heading", { name: "Mein Konto" })).toBeVisible();
  await page.getByRole("link", { name: "Anfrage stellen" }).click();
  await page.getByLabel("Was soll es werden?").fill("Regal");
  await page.getByLabel("Beschreibung").fill("Aus Eiche, für die Nische.");
  await page.getByLabel("Budget").fill("1.200,50");
  await page.getByLabel("Gewünscht bis").fill("2030-12-24");
  await page.getByRole("button", { name: "Anfrage senden" }).click();
  const about = page.getByRole("complementary", { name: "Über diese Anfrage" });
  await expect(about.getByText("24. Dezember 2030")).toBeVisible();
  await expect(about.getByText("1.200,50 EUR")).toBeVisible();
  await expect(about.getByText("vor 0 Min.")).toHaveCount(0);
});

test("a guest chooses a language in the chat", async ({ api, person }) => {
  const { link } = await api.openChat("Walnut tray");
  const { page, chat } = await person(german);
  await page.goto(link);
  await chat.live();
  await page.getByRole("button", { name: "English" }).click();
  await chat.live();
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await expect(chat.field).toHaveAttribute("placeholder", "Write a message");
});

test("the language that somebody chooses stays, and the page with it", async ({ person }) => {
  const { page } = await person(german);
  await page.goto("/login?next=/account");
  await expect(page.getByRole("button", { name: "Anmelden" })).toBeVisible();
  await page.getByRole("button", { name: "English" }).click();
  await expect(page).toHaveURL(/\/login\?next=\/account$/);
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await page.goto("/register");
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
});

test("without scripts, pages and refusals are German too", async ({ person }) => {
  const { page } = await person({ ...german, javaScriptEnabled: false });
  await page.goto("/login");
  await page.getByLabel("E-Mail").fill("niemand@example.com");
  await page.getByLabel("Passwort").fill("not the right one");
  await page.getByRole("button", { name: "Anmelden" }).click();
  await expect(page.getByRole("alert")).toContainText("Passwort");
  await page.getByRole("button", { name: "English" }).click();
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
});
