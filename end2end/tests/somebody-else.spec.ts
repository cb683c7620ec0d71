import type { Page } from "@playwright/test";

import { follower, register } from "../support/account";
import type { Chat } from "../support/chat";
import { estranged, expect, refused, test } from "../support/test";

// What these tests do makes the browser complain.
test.use({ failures: refused(401, 403, 422) });

/** The sockets of a page, in the hands of the test. Call it before the page is opened. */
async function line(page: Page) {
  let isCut = false;
  const ends: (() => Promise<void>)[] = [];
  await page.routeWebSocket(/\/ws$/, async (socket) => {
    if (isCut) return socket.close();
    const server = socket.connectToServer();
    ends.push(async () => {
      await server.close();
      await socket.close();
    });
  });
  return {
    async cut() {
      isCut = true;
      for (const end of ends.splice(0)) await end();
    },
    async mend() {
      isCut = false;
      // Now, and not when the next try is due.
      await page.evaluate(() => dispatchEvent(new Event("online")));
    },
  };
}

async function expectEstranged(chat: Chat) {
  await expect(estranged(chat.page)).toBeVisible();
  await expect(chat.panel).toHaveAttribute("data-live", "false");
  await expect(chat.status).not.toContainText("Live");
}

test("what a guest writes is not sent by the admin who signs in in another tab", async ({ api, person, server }) => {
  const { id, link } = await api.openChat("Shared computer");
  const { page, chat, context } = await person();
  const { cut, mend } = await line(page);
  await page.goto(link);
  await chat.live();
  await cut();
  await chat.say("written while cut off");
  await expect(chat.unconfirmed).toHaveCount(1);

  const other = await context.newPage();
  await other.goto(server.link("admin"));
  await expect(other).toHaveURL(/\/admin/);
  await mend();
  await expectEstranged(chat);
  await chat.say("written afterwards");
  await chat.field.pressSequentially("a draft");
  await expect(chat.unconfirmed).toHaveCount(2);
  expect(await api.messages(id)).toEqual([]);

  // The admin's own page has nothing of it: neither what waits nor the draft.
  await page.getByRole("button", { name: "Reload" }).click();
  await expect(page).toHaveURL(/\/admin\?chat=/);
  await chat.live();
  await expect(chat.field).toHaveValue("");
  await expect(chat.unconfirmed).toHaveCount(0);
  await chat.say("from the admin");
  await expect(chat.message("from the admin")).toContainText("Sent");

  // It goes out when its author is back.
  await other.goto("/logout");
  await other.getByRole("main").getByRole("button", { name: "Sign out" }).click();
  await page.goto(link);
  await chat.live();
  await expect(chat.field).toHaveValue("a draft");
  await expect(chat.unconfirmed).toHaveCount(0);
  await expect(chat.bubbles).toHaveCount(3);
  await expect.poll(async () => (await api.messages(id)).map(({ sender_type, content }) => [sender_type, content])).toEqual([
    ["admin", "from the admin"],
    ["customer", "written while cut off"],
    ["customer", "written afterwards"],
  ]);
});

test("what an admin writes is not sent by the guest whose link is opened in another tab", async ({ api, person, server }) => {
  const { id, link } = await api.openChat("Borrowed computer");
  const { page, chat, context } = await person();
  const { cut, mend } = await line(page);
  await page.goto(server.link("admin"));
  await page.goto(`/admin?chat=${id}`);
  await chat.live();
  await cut();
  await chat.say("our lowest price");

  const other = await context.newPage();
  await other.goto("/logout");
  await other.getByRole("main").getByRole("button", { name: "Sign out" }).click();
  await other.goto(link);
  await expect(other).toHaveURL(/\/chat\//);
  await mend();
  await expectEstranged(chat);
  await chat.say("and our last");
  await expect(chat.unconfirmed).toHaveCount(2);

  // Nor does a button of the page act for the other, or a file go out.
  await chat.about.getByRole("button", { name: "Close chat" }).click();
  await expect(chat.about).toContainText("You are signed in as somebody else");
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Send files" }).first().click();
  await (await chooser).setFiles({ name: "plan.txt", mimeType: "text/plain", buffer: Buffer.from("oak") });
  await expect(page.getByText("Ready to send")).toBeVisible();
  await chat.say("see the plan");
  await expect(page.getByRole("region", { name: "Files" }).getByRole("status")).toContainText("signed in as somebody else");
  expect(await api.messages(id)).toEqual([]);

  await page.goto(server.link("admin"));
  await page.goto(`/admin?chat=${id}`);
  await chat.live();
  await expect(chat.bubbles).toHaveCount(3);
  await expect(chat.unconfirmed).toHaveCount(0);
  const sent = async () => (await api.messages(id)).map(({ sender_type, content }) => `${sender_type}: ${content}`);
  await expect.poll(async () => (await sent()).sort()).toEqual([
    "admin: and our last",
    "admin: our lowest price",
    "admin: see the plan",
  ]);
});

test("a guest who registers in another tab goes on in the first", async ({ api, person }) => {
  const { id, link } = await api.openChat("Two tabs");
  const { page, chat, context } = await person();
  const { cut, mend } = await line(page);
  await page.goto(link);
  await chat.live();
  await cut();
  await chat.say("written as a guest");
  await register(await context.newPage(), "Ada Registered");
  await mend();
  await chat.live();
  await expect(estranged(page)).toBeHidden();
  await chat.say("written with an account");
  await expect(chat.message("written with an account")).toContainText("Sent");
  await expect.poll(async () => (await api.messages(id)).map(({ content }) => content)).toEqual(["written as a guest", "written with an account"]);
});

test("the requests of a customer are not replaced by what the next person sees", async ({ person, server }) => {
  const { page, context } = await person();
  const { cut, mend } = await line(page);
  await page.goto(server.link("customer"));
  const region = follower(page);
  await expect(region).toHaveAttribute("data-live", "true");
  const shown = await region.textContent();
  await cut();
  const other = await context.newPage();
  await other.goto(server.link("admin"));
  await expect(other).toHaveURL(/\/admin/);
  await mend();
  await expect(estranged(page)).toBeVisible();
  await expect(region).toHaveAttribute("data-live", "false");
  expect((await region.textContent())?.replaceAll(/Live|Offline/g, "")).toEqual(shown?.replaceAll(/Live|Offline/g, ""));
});
