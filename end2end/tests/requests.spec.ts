import type { Page } from "@playwright/test";

import { aboutRequest, entry, followed, makeRequest, register, statusOf } from "../support/account";
import { unread } from "../support/chat";
import { expect, refused, test } from "../support/test";

// What these tests do makes the browser complain.
test.use({ failures: refused(404, 422, 503) });

/** Gives a request a status in another tab, by the plain form. */
async function setElsewhere(admin: Page, address: string, status: string): Promise<void> {
  const answer = await admin.request.post(`${address}/status`, { form: { status }, headers: { "sec-fetch-site": "same-origin" } });
  expect(answer.ok()).toBe(true);
}

/** Does what a page translator does: puts elements with its own text in the place of every text. */
async function translate(page: Page): Promise<void> {
  await page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    while (walker.nextNode()) texts.push(walker.currentNode as Text);
    for (const text of texts) {
      if (!text.data.trim() || text.parentElement?.closest("script, style, textarea, option")) continue;
      const [outer, inner] = [document.createElement("font"), document.createElement("font")];
      inner.textContent = text.data;
      outer.append(inner);
      text.replaceWith(outer);
    }
  });
}

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
    const text = page.getByText("Oak bench, as plain as can be.");
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
    await expect(unread(entry(admin.page, "Oak bench"))).toContainText("2 unread");
    await expect(entry(admin.page, "Oak bench").getByText("Live", { exact: true })).toBeVisible();
    await entry(admin.page, "Oak bench").getByRole("link", { name: "Chat" }).click();
    await admin.chat.live();
    expect(await admin.chat.texts()).toEqual(["from its page", "from the account"]);
    await expect(unread(entry(admin.page, "Oak bench"))).toHaveCount(0);
    await admin.chat.say("from the table");
    await expect(chat.message("from the table")).toBeVisible();
    expect(await chat.texts()).toEqual(["from its page", "from the account", "from the table"]);

    // One conversation, wherever it was opened.
    const rooms = await Promise.all([chat, admin.chat].map(({ panel }) => panel.getAttribute("data-conversation")));
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
  await expect(statusOf(customer.page)).toHaveText("In progress");

  await row.getByRole("button", { name: "Chat" }).click();
  await admin.chat.live();
  await expect(admin.chat.events).toContainText("In progress");
  await admin.chat.say("We begin on Monday.");
  // The customer's page hears of the chat that the admin has opened.
  await expect(unread(customer.page)).toContainText("2 unread");
  await customer.page.getByRole("link", { name: "Chat with Admin" }).click();
  await customer.chat.live();
  await expect(customer.chat.message("We begin on Monday.")).toBeVisible();
  await expect(customer.chat.events).toHaveCount(1);

  await row.getByLabel("Status of Pear wood box").selectOption("Done");
  await row.getByRole("button", { name: "Set" }).click();
  await expect(customer.chat.events).toHaveCount(2);
  await expect(customer.chat.events.last()).toContainText("Done");
  await expect(statusOf(customer.page)).toHaveText("Done");

  await admin.page.goto("/admin/requests?status=done");
  await expect(entry(admin.page, "Pear wood box")).toBeVisible();
  await admin.page.goto("/admin/requests?status=new");
  await expect(entry(admin.page, "Pear wood box")).toHaveCount(0);
  await admin.page.getByLabel("Search requests").fill("PEAR wood");
  await admin.page.goto("/admin/requests?q=PEAR+wood&sort=title");
  const rows = admin.page.getByRole("row").filter({ has: admin.page.getByRole("cell") });
  await expect(rows).toHaveCount(1);
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
  await expect(unread(row)).toContainText("1 unread");
  await row.getByRole("link", { name: "Chat" }).hover();
  await admin.page.mouse.down();
  const fetched = admin.page.waitForResponse(/\/api\/list_requests$/);
  await customer.chat.say("second");
  await (await fetched).finished();
  await admin.page.mouse.up();
  await admin.chat.live();
  await expect(admin.chat.message("second")).toBeVisible();
});

test("the chat beside a page opens and closes without a page load", async ({ person }) => {
  const { page, chat } = await person();
  await register(page, "Beside Customer");
  for (const title of ["Ash stool", "Elm shelf"]) {
    const address = await makeRequest(page, title);
    await followed(page);
    await page.evaluate(() => Object.assign(window, { kept: true }));
    await page.getByRole("button", { name: "Chat with Admin" }).click();
    await chat.live();
    await expect(page).toHaveURL(new RegExp(`${address}\\?chat=1$`));
    await chat.say(`about the ${title}`);
    await expect(chat.message(`about the ${title}`)).toContainText("Sent");
    await page.getByRole("link", { name: "Close the chat panel" }).click();
    await expect(chat.panel).toHaveCount(0);
    await expect(page).toHaveURL(new RegExp(`${address}$`));
    await expect(page.getByRole("link", { name: "Chat with Admin" })).toBeFocused();
    expect(await page.evaluate(() => "kept" in window)).toBe(true);
  }

  await page.goto("/account");
  await followed(page);
  await page.evaluate(() => Object.assign(window, { kept: true }));
  const [ash, elm] = ["Ash stool", "Elm shelf"].map((title) => ({
    button: entry(page, title).getByRole("link", { name: "Chat" }),
    message: chat.message(`about the ${title}`),
  }));
  await ash.button.click();
  await chat.live();
  await expect(ash.message).toBeVisible();
  await expect(ash.button).toHaveAttribute("aria-current", "true");
  await chat.field.fill("not sent yet");
  await elm.button.click();
  await expect(elm.message).toBeVisible();
  await expect(chat.panel).toHaveCount(1);
  await expect(elm.button).toHaveAttribute("aria-current", "true");
  await expect(ash.button).not.toHaveAttribute("aria-current", "true");

  await page.goBack();
  await expect(ash.message).toBeVisible();
  await expect(chat.field).toHaveValue("not sent yet");
  await page.goBack();
  await expect(chat.panel).toHaveCount(0);
  await expect(page).toHaveURL(/\/account$/);
  await page.goForward();
  await page.goForward();
  await expect(elm.message).toBeVisible();
  await chat.live();
  await chat.say("once more");
  await expect(chat.message("once more")).toContainText("Sent");
  await page.getByRole("link", { name: "Close the chat panel" }).click();
  await expect(chat.panel).toHaveCount(0);
  await expect(elm.button).toBeFocused();
  await expect(page).toHaveURL(/\/account$/);
  expect(await page.evaluate(() => "kept" in window)).toBe(true);

  // The address has a page.
  await page.goBack();
  await expect(elm.message).toBeVisible();
  await page.reload();
  await chat.live();
  await expect(elm.message).toBeVisible();
});

test("a table scrolled down stays where it is while chats open and close", async ({ person, admin }) => {
  const customer = await person();
  await register(customer.page, "Long Customer");
  for (let n = 0; n < 12; n++) {
    const form = { title: `Shelf ${n}`, description: "Plain." };
    const made = await customer.page.request.post("/requests/new", { form, headers: { "sec-fetch-site": "same-origin" } });
    expect(made.ok()).toBe(true);
  }
  for (const height of [500, 740]) {
    await admin.page.setViewportSize({ width: height === 500 ? 1440 : 360, height });
    await admin.page.goto("/admin/requests?sort=newest");
    await followed(admin.page);
    const button = entry(admin.page, "Shelf 1").last().getByRole(height === 500 ? "button" : "link", { name: "Chat" });
    await button.scrollIntoViewIfNeeded();
    const before = await admin.page.evaluate(() => scrollY);
    expect(before).toBeGreaterThan(0);
    await button.click();
    await admin.chat.live();
    await admin.page.getByRole("link", { name: "Close the chat panel" }).click();
    await expect(admin.chat.panel).toHaveCount(0);
    expect(await admin.page.evaluate(() => scrollY)).toBe(before);
  }
});

test("a status set elsewhere appears while a list of choices is open", async ({ admin, person }) => {
  const customer = await person();
  await register(customer.page, "Choosing Customer");
  const oak = await makeRequest(customer.page, "Oak tray");
  const ash = await makeRequest(customer.page, "Ash tray");
  await admin.page.goto("/admin/requests");
  await followed(admin.page);
  const [oakStatus, ashStatus] = ["Oak tray", "Ash tray"].map((title) => admin.page.getByLabel(`Status of ${title}`));
  await oakStatus.focus();
  await oakStatus.selectOption("Declined");
  await setElsewhere(admin.page, ash, "done");
  await expect(ashStatus).toHaveValue("done");
  await expect(oakStatus).toBeFocused();
  await expect(oakStatus).toHaveValue("declined");

  // What was chosen and not sent stays, also where the status itself changes.
  await setElsewhere(admin.page, oak, "in_progress");
  await expect(admin.page.getByRole("navigation", { name: "Which requests" })).toContainText("In progress 2");
  await ashStatus.focus();
  await expect(oakStatus).toHaveValue("declined");
  await entry(admin.page, "Oak tray").getByRole("button", { name: "Set" }).click();
  await customer.page.goto(oak);
  await expect(aboutRequest(customer.page)).toContainText("Declined by");
});

test("a status that the server refuses is said where it was set", async ({ admin, person }) => {
  const customer = await person();
  await register(customer.page, "Refused Customer");
  await makeRequest(customer.page, "Beech box");
  await admin.page.goto("/admin/requests");
  await followed(admin.page);
  const refusal = { code: "unavailable", message: "The server cannot do this right now." };
  await admin.page.route("**/api/set_request_status", (route) =>
    route.fulfill({ status: 503, headers: { serverfnerror: "/api/set_request_status" }, json: refusal }),
  );
  const row = entry(admin.page, "Beech box");
  await row.getByLabel("Status of Beech box").selectOption("Done");
  await row.getByRole("button", { name: "Set" }).click();
  await expect(row.getByRole("alert")).toHaveText(refusal.message);
  await expect(row.getByLabel("Status of Beech box")).toHaveValue("done");
  await admin.page.unroute("**/api/set_request_status");
  await row.getByRole("button", { name: "Set" }).click();
  await expect(row.getByRole("alert")).toHaveCount(0);
});

test("requests keep up on a translated page", async ({ admin, person }) => {
  const customer = await person();
  await register(customer.page, "Translated Customer");
  const address = await makeRequest(customer.page, "Cherry desk");
  await admin.page.goto("/admin/requests");
  for (const { page } of [customer, admin]) {
    await followed(page);
    await translate(page);
  }
  await setElsewhere(admin.page, address, "in_progress");
  const about = aboutRequest(customer.page);
  await expect(about.getByText("In progress", { exact: true }).first()).toBeVisible();
  await expect(about).toContainText("In progress by");
  await expect(admin.page.getByRole("navigation", { name: "Which requests" })).toContainText("In progress 2");

  await customer.page.goto("/account");
  await followed(customer.page);
  await translate(customer.page);
  await setElsewhere(admin.page, address, "done");
  await expect(entry(customer.page, "Cherry desk")).toContainText("Done");
  await entry(admin.page, "Cherry desk").getByRole("button", { name: "Chat" }).click();
  await admin.chat.live();
  await admin.chat.say("It is ready.");
  await expect(entry(customer.page, "Cherry desk")).toContainText("It is ready.");
  await expect(unread(entry(customer.page, "Cherry desk"))).toContainText("3 unread");
  await entry(customer.page, "Cherry desk").getByRole("link", { name: "Chat" }).click();
  await expect(customer.chat.message("It is ready.")).toBeVisible();
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
  await expect(other.chat.panel).toHaveCount(0);
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
  await expect(statusOf(admin.page)).toHaveText("New");
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
  await expect(page.getByText("Please enter an amount")).toBeVisible();
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
  await expect(entry(page, "Plain stool").getByText("Declined", { exact: true })).toBeVisible();
  await entry(page, "Plain stool").getByRole("link", { name: "Chat" }).click();
  expect(await chat.texts()).toEqual(["Hello without scripts", "We have no oak left."]);
});
