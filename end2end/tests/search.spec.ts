import { Api } from "../support/api";
import { Inbox } from "../support/chat";
import { expect, test } from "../support/test";

// Some of these fill a chat first.
test.use({ sends: 100_000 });

test("a search of the dashboard finds customers and what was said, and leads there", async ({ admin, api, server }) => {
  const { page, chat } = admin;
  const cleo = await api.openChat("Cleo Ashwood");
  const other = await api.openChat("Dora Smith");
  await Api.guest(server, other.link).post(other.id, "A walnut tray, as wide as the window");
  // So much that the message is not among the latest.
  for (let n = 1; n <= 60; n++) await api.post(other.id, `line ${n}`);

  await page.goto("/admin");
  const { list } = await new Inbox(page).live();
  const field = page.getByLabel("Search chats and messages");
  await field.fill("ashw");
  await expect(list.getByRole("link")).toHaveCount(1);
  await expect(list).toContainText("Cleo Ashwood");
  await expect(list.getByRole("heading", { name: "Messages" })).toHaveCount(0);

  await field.fill("WALN");
  await expect(list.getByRole("heading", { name: "Messages" })).toBeVisible();
  await expect(list.getByRole("link")).toHaveCount(1);
  await expect(list.getByRole("mark")).toHaveText("walnut");
  await list.getByRole("link").click();
  await chat.live();
  await expect(page).toHaveURL(/q=WALN/);
  const found = chat.message("A walnut tray");
  await expect(found).toBeInViewport();
  await expect(chat.message("line 60")).not.toBeInViewport();
  // What was found is still beside it.
  await expect(field).toHaveValue("WALN");
  await expect(list.getByRole("mark")).toHaveText("walnut");

  await field.fill("nothing of this kind");
  await expect(list).toContainText("Nothing found");
  await list.getByRole("link", { name: "Show all" }).click();
  await expect(list).toContainText("Dora Smith");
  expect(cleo.id).not.toBe(other.id);
});

test("a search works without JavaScript", async ({ api, person, server }) => {
  const { page, chat } = await person({ javaScriptEnabled: false });
  const { id } = await api.openChat("Cleo Ashwood");
  await api.post(id, "The sketchbook & its price");
  await api.openChat("Dora Smith");
  await page.goto(server.link("admin"));
  const field = page.getByLabel("Search chats and messages");
  await field.fill("sketchb & its");
  await field.press("Enter");
  const { list } = new Inbox(page);
  await expect(list.getByRole("link")).toHaveCount(1);
  await list.getByRole("link").click();
  await expect(page).toHaveURL(/q=sketchb%20%26%20its.*#m-1$/);
  await expect(field).toHaveValue("sketchb & its");
  await expect(chat.message("The sketchbook & its price")).toBeVisible();
});
