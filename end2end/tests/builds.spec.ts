// An update rolls out: some nodes behind the balancer are another build, and do not have this page's files.
import { expect, refused, test } from "../support/test";

// What these tests do makes the browser complain.
test.use({ failures: refused(404) });

const missing = { status: 404, headers: { "cache-control": "no-store", "content-type": "text/plain" }, body: "" };

test("files that the first node does not have are asked for again", async ({ api, person, server }) => {
  const { id, link } = await api.openChat("Oak table");
  for (const entrance of [link, server.link("admin")]) {
    const { page, chat } = await person();
    await page.context().request.get(entrance);
    const asked = new Map<string, number>();
    await page.route("**/pkg/**", async (route) => {
      const file = new URL(route.request().url()).pathname.replace(/.*\//, "");
      asked.set(file, (asked.get(file) ?? 0) + 1);
      await (asked.get(file)! <= 2 ? route.fulfill(missing) : route.continue());
    });
    await page.goto(entrance === link ? `/chat/${id}` : `/admin?chat=${id}`);
    await chat.live();
    await expect(page.getByText(/^Message to /)).toHaveCSS("position", "absolute");
    // All of them in the end, also the parts of lazy islands.
    await expect.poll(() => Math.min(...asked.values())).toBeGreaterThan(2);
    await expect(page.getByRole("alert")).toHaveCount(0);
    const styles = expect.stringMatching(/^(bespoken|chat)\.css$/);
    expect([...asked.keys()]).toEqual(expect.arrayContaining([styles, "bespoken.js", "bespoken_bg.wasm"]));
  }
});

test("a page whose build is gone is loaded again once, and then says so", async ({ api, person }) => {
  const { link } = await api.openChat("Oak table");
  const guest = await person();
  let gone = true;
  await guest.page.route("**/pkg/**", (route) => (gone ? route.fulfill(missing) : route.continue()));
  let loaded = 0;
  guest.page.on("load", () => (loaded += 1));
  await guest.page.goto(link);
  await expect(guest.page.getByRole("alert")).toContainText("was updated", { timeout: 40_000 });
  expect(loaded).toBe(2);
  gone = false;
  await guest.page.getByRole("button", { name: "Reload" }).click();
  await guest.chat.live();
});

test("what somebody has begun to write is not lost when the build is gone", async ({ api, person }) => {
  const { link } = await api.openChat("Oak table");
  const guest = await person();
  await guest.page.route(/\/pkg\/.*(js|wasm)/, (route) => route.fulfill(missing));
  await guest.page.goto(link);
  await guest.chat.field.fill("Half a thought");
  await expect(guest.page.getByRole("alert")).toContainText("was updated", { timeout: 20_000 });
  await expect(guest.chat.field).toHaveValue("Half a thought");
});
