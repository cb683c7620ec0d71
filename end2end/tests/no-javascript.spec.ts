import { Server } from "../support/server";
import { expect, refused, test } from "../support/test";

// What these tests do makes the browser complain.
test.use({ failures: refused(401) });

test("two people talk without JavaScript", async ({ person, server }) => {
  const admin = await person({ javaScriptEnabled: false });
  await admin.page.goto(server.link("admin"));
  await admin.page.getByRole("link", { name: "New chat" }).first().click();
  await admin.page.getByLabel("Customer’s name").fill("Plain table");
  await admin.page.getByRole("button", { name: "Open chat" }).click();
  await expect(admin.page).toHaveURL(/\/admin\?chat=/);
  const link = await admin.page.getByRole("textbox", { name: "Link to this chat" }).first().inputValue();

  const guest = await person({ javaScriptEnabled: false });
  await guest.page.goto(link);
  await guest.chat.field.fill("Hello without scripts");
  await guest.chat.send.click();
  await expect(guest.chat.message("Hello without scripts")).toBeVisible();
  await expect(guest.page.getByText("All times are in UTC.")).toBeVisible();

  await admin.page.reload();
  await expect(admin.chat.message("Hello without scripts")).toBeVisible();
  await admin.chat.field.fill("Good to read you");
  await admin.chat.send.click();
  await expect(admin.page).toHaveURL(/\/admin\?chat=/);
  await guest.page.reload();
  expect(await guest.chat.texts()).toEqual(["Hello without scripts", "Good to read you"]);

  await admin.page.getByRole("button", { name: "Close chat" }).click();
  await guest.page.reload();
  await expect(guest.chat.closed).toBeVisible();
  await admin.chat.panel.getByRole("button", { name: "Reopen" }).click();
  await guest.page.reload();
  await expect(guest.chat.field).toBeVisible();
});

test("a refused form comes back with what was typed", async ({ person }) => {
  const { page } = await person({ javaScriptEnabled: false });
  await page.goto("/login");
  await page.getByLabel("E-mail").fill("nobody@example.com");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("do not belong together")).toBeVisible();
  await expect(page.getByLabel("E-mail")).toHaveValue("nobody@example.com");
  await expect(page.getByLabel("Password")).toHaveValue("");
});

test("the first admin signs up, out and in again without JavaScript", async ({ browser }) => {
  const server = await Server.start([]);
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: server.url });
  try {
    const page = await context.newPage();
    const link = server.link("setup");
    await page.goto(link);
    await page.getByLabel("Your name").fill("First admin");
    await page.getByLabel("E-mail").fill("first@example.com");
    await page.getByLabel("Password").fill("a long enough password");
    await page.getByRole("button", { name: "Create the account" }).click();
    await expect(page).toHaveURL(/\/admin/);
    await page.goto("/logout");
    await page.getByRole("main").getByRole("button", { name: "Sign out" }).click();
    await page.goto("/admin");
    await expect(page).toHaveURL(/\/login\?next=/);
    await page.getByLabel("E-mail").fill("first@example.com");
    await page.getByLabel("Password").fill("a long enough password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(/\/admin/);
    expect((await page.goto(link))?.status()).toBe(404);
  } finally {
    await context.close();
    await server.stop();
  }
});
