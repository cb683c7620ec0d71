import { entry, followed, makeRequest, register } from "../support/account";
import { expect, test } from "../support/test";

for (const phone of [false, true]) {
  const width = phone ? " at a phone's width" : "";

  test(`a customer registers, makes a request and chats about it from three places${width}`, async ({ person, admin, server }) => {
    const customer = await person({ phone });
    const { page, chat } = customer;
    await register(page, "Request Customer");
    const address = await makeRequest(page, "Oak bench");
    await expect(page.getByText("1,200.50 EUR")).toBeVisible();
    await expect(page.getByText("24 December 2030")).toBeVisible();

    // From the request's page: whoever presses first opens the chat.
    await page.getByRole("button", { name: "Chat with Admin" }).click();
    await chat.live();
    await chat.say("from its page");
    await expect(chat.message("from its page")).toContainText("Sent");
    const text = page.locator(".request__text");
    if (phone) await expect(text).toBeHidden();
    else await expect(text).toBeVisible();
    await page.getByRole("link", { name: "Close the chat panel" }).click();
    await expect(page).toHaveURL(new RegExp(`${address}$`));
    await expect(text).toBeVisible();

    // From the account.
    await page.goto("/account");
    await entry(page, "Oak bench").getByRole("link", { name: "Chat" }).click();
    await chat.live();
    await chat.say("from the account");
    await expect(chat.message("from the account")).toContainText("Sent");

    // The admin, from the table.
    await admin.page.goto("/admin/requests");
    await followed(admin.page);
    await expect(entry(admin.page, "Oak bench").locator(".badge")).toContainText("2");
    await expect(entry(admin.page, "Oak bench").locator(".chat-button__live")).toHaveText("Live");
    await entry(admin.page, "Oak bench").getByRole("link", { name: "Chat" }).click();
    await admin.chat.live();
    expect(await admin.chat.texts()).toEqual(["from its page", "from the account"]);
    await expect(entry(admin.page, "Oak bench").locator(".badge")).toHaveCount(0);
    await admin.chat.say("from the table");
    await expect(chat.message("from the table")).toBeVisible();
    expect(await chat.texts()).toEqual(["from its page", "from the account", "from the table"]);

    // One conversation, wherever it was opened.
    const rooms = await Promise.all([page, admin.page].map((page) => page.locator("section.chat").getAttribute("data-conversation")));
    expect(new Set(rooms).size).toBe(1);
    expect(server.url).toContain("127.0.0.1");
  });
}

test("an admin sees a request come, sets its status and chats from the table", async ({ admin, person }) => {
  await admin.page.goto("/admin/requests");
  await followed(admin.page);
  const customer = await person();
  await register(customer.page, "Status Customer");
  const address = await makeRequest(customer.page, "Pear wood box");
  const row = entry(admin.page, "Pear wood box");
  await expect(row).toBeVisible();
  await expect(row).toContainText("Status Customer");

  await followed(customer.page);
  await row.getByLabel("Status of Pear wood box").selectOption("In progress");
  await row.getByRole("button", { name: "Set" }).click();
  await expect(customer.page.locator(".request__side .chip")).toHaveText("In progress");

  await row.getByRole("button", { name: "Chat" }).click();
  await admin.chat.live();
  await expect(admin.chat.panel.locator(".log__system")).toContainText("In progress");
  await admin.chat.say("We begin on Monday.");
  // The customer's page hears of the chat that the admin has opened.
  await expect(customer.page.locator(".badge")).toContainText("2");
  await customer.page.getByRole("link", { name: "Chat with Admin" }).click();
  await customer.chat.live();
  await expect(customer.chat.message("We begin on Monday.")).toBeVisible();
  await expect(customer.chat.panel.locator(".log__system")).toHaveCount(1);

  await row.getByLabel("Status of Pear wood box").selectOption("Done");
  await row.getByRole("button", { name: "Set" }).click();
  await expect(customer.chat.panel.locator(".log__system")).toHaveCount(2);
  await expect(customer.chat.panel.locator(".log__system").last()).toContainText("Done");
  await expect(customer.page.locator(".request__side .chip")).toHaveText("Done");

  await admin.page.goto("/admin/requests?status=done");
  await expect(entry(admin.page, "Pear wood box")).toBeVisible();
  await admin.page.goto("/admin/requests?status=new");
  await expect(entry(admin.page, "Pear wood box")).toHaveCount(0);
  await admin.page.getByLabel("Search requests").fill("PEAR wood");
  await admin.page.goto("/admin/requests?q=PEAR+wood&sort=title");
  await expect(admin.page.locator(".table__row")).toHaveCount(1);
  await customer.page.goto(address);
  await expect(customer.page.getByRole("button", { name: "Set" })).toHaveCount(0);
});

test("a press counts though the table changes meanwhile", async ({ admin, person }) => {
  const customer = await person();
  await register(customer.page, "Slow Customer");
  await makeRequest(customer.page, "Walnut tray");
  await customer.page.getByRole("button", { name: "Chat with Admin" }).click();
  await customer.chat.live();
  await customer.chat.say("first");

  await admin.page.goto("/admin/requests");
  await followed(admin.page);
  const row = entry(admin.page, "Walnut tray");
  await expect(row.locator(".badge")).toContainText("1");
  await row.getByRole("link", { name: "Chat" }).hover();
  await admin.page.mouse.down();
  const fetched = admin.page.waitForResponse(/\/admin\/requests$/);
  await customer.chat.say("second");
  await (await fetched).finished();
  await admin.page.mouse.up();
  await admin.chat.live();
  await expect(admin.chat.message("second")).toBeVisible();
});

test("customers do not find each other's requests and chats", async ({ person, admin }) => {
  const one = await person();
  await register(one.page, "First Customer");
  const address = await makeRequest(one.page, "Secret box");
  await one.page.getByRole("button", { name: "Chat with Admin" }).click();
  await one.chat.live();
  const room = await one.chat.panel.getAttribute("data-conversation");

  const other = await person();
  await register(other.page, "Other Customer");
  for (const path of [address, `${address}?chat=1`, `/chat/${room}`, "/admin", "/admin/requests", "/admin/people", "/admin/tokens"]) {
    const answer = await other.page.goto(path);
    expect(answer?.status(), path).toBe(404);
    await expect(other.page.getByText("Secret box")).toHaveCount(0);
  }
  const id = address.split("/").pop();
  await other.page.goto(`/account?chat=${id}`);
  await expect(other.page.locator("section.chat")).toHaveCount(0);
  for (const [path, form] of [
    [`/requests/${id}/chat`, {}],
    [`/requests/${id}/status`, { status: "done" }],
    [`/chat/${room}`, { content: "let me in" }],
  ] as const) {
    const answer = await other.page.request.post(path, { form, headers: { "sec-fetch-site": "same-origin" } });
    expect(answer.status(), path).toBe(404);
  }
  await admin.page.goto(address);
  await expect(admin.page.getByRole("heading", { name: "Secret box" })).toBeVisible();
  await expect(admin.page.getByText("In progress", { exact: true }).and(admin.page.locator(".chip"))).toHaveCount(0);
});

test("requests are made, followed and talked about without JavaScript", async ({ person, server }) => {
  const customer = await person({ javaScriptEnabled: false });
  const { page, chat } = customer;
  await register(page, "Plain Customer");
  await page.goto("/requests/new");
  await page.getByLabel("What is it?").fill("Plain stool");
  await page.getByLabel("Describe it").fill("Three legs.");
  await page.getByLabel("Budget").fill("much");
  await page.getByRole("button", { name: "Send the request" }).click();
  await expect(page.getByText("Please give an amount")).toBeVisible();
  await expect(page.getByLabel("Describe it")).toHaveValue("Three legs.");
  await page.getByLabel("Budget").fill("80");
  await page.getByRole("button", { name: "Send the request" }).click();
  await page.getByRole("button", { name: "Chat with Admin" }).click();
  await chat.field.fill("Hello without scripts");
  await chat.send.click();
  await expect(page).toHaveURL(/\/requests\/[0-9a-f-]+\?chat=1$/);
  await expect(chat.message("Hello without scripts")).toBeVisible();

  const admin = await person({ javaScriptEnabled: false });
  await admin.page.goto(server.link("admin"));
  await admin.page.goto("/admin/requests");
  await entry(admin.page, "Plain stool").getByLabel("Status of Plain stool").selectOption("Declined");
  await entry(admin.page, "Plain stool").getByRole("button", { name: "Set" }).click();
  await entry(admin.page, "Plain stool").getByRole("link", { name: "Chat" }).click();
  await expect(admin.chat.message("Hello without scripts")).toBeVisible();
  await admin.chat.field.fill("We have no oak left.");
  await admin.chat.send.click();
  await expect(admin.page).toHaveURL(/\/admin\/requests\?chat=/);
  await page.goto("/account");
  await expect(entry(page, "Plain stool").locator(".chip")).toHaveText("Declined");
  await entry(page, "Plain stool").getByRole("link", { name: "Chat" }).click();
  expect(await chat.texts()).toEqual(["Hello without scripts", "We have no oak left."]);
});
