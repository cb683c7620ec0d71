import { register } from "../support/account";
import { expect, refused, test } from "../support/test";

// What these tests do makes the browser complain.
test.use({ failures: refused(401, 404, 422) });

const PASSWORD = "a long enough password";

test("a guest who registers keeps the chat", async ({ api, person }) => {
  const { link } = await api.openChat("Guest to be a customer");
  const { page, chat, context } = await person();
  await page.goto(link);
  await chat.live();
  await chat.say("written as a guest");
  await expect(chat.message("written as a guest")).toContainText("Sent");
  await register(page, "Guest Customer");
  await expect(page.getByText("written as a guest")).toBeVisible();
  await page.getByRole("link", { name: "Chat", exact: true }).click();
  await chat.live();
  await chat.say("written with an account");
  await expect(chat.message("written with an account")).toContainText("Sent");

  // Also in another browser, which never saw the link.
  await context.clearCookies();
  await page.goto("/login");
  await page.getByLabel("E-mail").fill("guest.customer@example.com");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "Chat", exact: true }).click();
  await chat.live();
  expect(await chat.texts()).toEqual(["written as a guest", "written with an account"]);
});

test("sessions are listed and ended, and a changed password ends the others", async ({ person }) => {
  const [desk, phone] = [await person(), await person({ phone: true })];
  await register(desk.page, "Careful Customer");
  const signIn = async (password: string) => {
    await phone.page.goto("/login");
    await phone.page.getByLabel("E-mail").fill("careful.customer@example.com");
    await phone.page.getByLabel("Password").fill(password);
    await phone.page.getByRole("button", { name: "Sign in" }).click();
  };
  await signIn(PASSWORD);
  await expect(phone.page).toHaveURL(/\/account/);

  await desk.page.goto("/account?tab=security");
  const sessions = desk.page.getByRole("main").getByRole("listitem");
  await expect(sessions).toHaveCount(2);
  await sessions.filter({ hasNotText: "This browser" }).getByRole("button").click();
  await expect(sessions).toHaveCount(1);
  await phone.page.goto("/account");
  await expect(phone.page).toHaveURL(/\/login/);

  await signIn(PASSWORD);
  await desk.page.getByLabel("Current password").fill("not the password");
  await desk.page.getByLabel("New password").fill("another long password");
  await desk.page.getByRole("button", { name: "Change the password" }).click();
  await expect(desk.page.getByText("This is not your password.")).toBeVisible();
  await desk.page.getByLabel("Current password").fill(PASSWORD);
  await desk.page.getByLabel("New password").fill("another long password");
  await desk.page.getByRole("button", { name: "Change the password" }).click();
  await expect(desk.page.getByText("Your password is changed.")).toBeVisible();
  await phone.page.goto("/account");
  await expect(phone.page).toHaveURL(/\/login/);
  await signIn("another long password");
  await expect(phone.page).toHaveURL(/\/account/);
});

test("an admin invites another, makes one of a customer, and hands out a token", async ({ admin, person, server }) => {
  await admin.page.goto("/admin/people");
  await admin.page.getByRole("button", { name: "Make an invitation" }).click();
  const link = await admin.page.getByRole("textbox", { name: "Link of the invitation" }).inputValue();
  const second = await person();
  await second.page.goto(link);
  await second.page.getByLabel("Your name").fill("Second Admin");
  await second.page.getByLabel("E-mail").fill("second@example.com");
  await second.page.getByLabel("Password").fill(PASSWORD);
  await second.page.getByRole("button", { name: "Create the account" }).click();
  await expect(second.page).toHaveURL(/\/admin$/);
  expect((await admin.page.goto(link))?.status(), "it works once").toBe(404);

  const customer = await person();
  await register(customer.page, "Rising Customer");
  await second.page.goto("/admin/people");
  const mine = second.page.getByRole("listitem").filter({ hasText: "Second Admin" });
  await expect(mine.getByRole("button")).toHaveCount(0);
  await second.page.getByRole("button", { name: "Make an admin: Rising Customer" }).click();
  expect((await customer.page.goto("/admin"))?.status()).toBe(200);

  await second.page.goto("/admin/tokens");
  await second.page.getByLabel("What is it for?").fill("The till");
  await second.page.getByRole("button", { name: "Make a token" }).click();
  const token = await second.page.getByRole("textbox", { name: "The new token" }).inputValue();
  const ask = () => fetch(`${server.url}/api/v1/requests`, { headers: { authorization: `Bearer ${token}` } });
  expect((await ask()).status).toBe(200);
  await second.page.goto("/admin/tokens");
  await second.page.getByRole("button", { name: "Revoke The till" }).click();
  await expect(second.page.getByRole("main").getByRole("listitem")).toHaveCount(0);
  expect((await ask()).status).toBe(401);
});

test("the API's description can be read, and comes from this server alone", async ({ person, server }) => {
  const { page } = await person();
  const foreign: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url)) foreign.push(request.url());
  });
  await page.goto("/docs/api");
  await expect(page.getByRole("heading", { name: "Open the conversation of a custom request" })).toBeVisible();
  expect(foreign).toEqual([]);
});
