// Pages that a browser keeps as they were left, for its Back button. Playwright switches that off.
import config from "../playwright.config";
import { expect, test } from "../support/test";

const { launchOptions } = config.use ?? {};
test.use({ launchOptions: { ...launchOptions, ignoreDefaultArgs: ["--disable-back-forward-cache"] } });

for (const javaScriptEnabled of [true, false]) {
  test(`after signing out Back shows nothing private, ${javaScriptEnabled ? "with" : "without"} scripts`, async ({
    person,
    server,
  }) => {
    const { page } = await person({ javaScriptEnabled });
    // No socket: with one open a page is not kept.
    await page.routeWebSocket(/./, () => {});
    await page.goto(server.link("admin"));
    await page.goto("/admin/people");
    await expect(page.getByText("admin@demo.invalid").first()).toBeVisible();
    await page.goto("/logout");
    await page.getByRole("main").getByRole("button", { name: "Sign out" }).click();
    await expect(page).toHaveURL(`${server.url}/`);
    await page.goBack();
    await page.goBack();
    await expect(page).toHaveURL(/\/login\?next=/);
    await expect(page.getByText("admin@demo.invalid")).toHaveCount(0);
  });
}

test("Back shows nothing of a session that has ended elsewhere", async ({ person, server }) => {
  const { context: own, page } = await person();
  await page.goto(server.link("admin"));
  await page.goto("/admin/people");
  await expect(page.getByText("admin@demo.invalid").first()).toBeVisible();
  await page.goto("/docs/api");
  // The browser's cookie stays as it was, so the browser itself has no reason to drop the page that it kept.
  const [{ name, value }] = await own.cookies();
  const headers = { cookie: `${name}=${value}`, origin: server.url };
  await fetch(`${server.url}/logout`, { method: "POST", headers, redirect: "manual" });
  await page.goBack({ waitUntil: "commit" });
  await expect(page).toHaveURL(/\/login\?next=/);
  await expect(page.getByText("admin@demo.invalid")).toHaveCount(0);
});

test("Back brings a page as it was left while its session lasts", async ({ person, server }) => {
  const { page } = await person();
  await page.goto(server.link("customer"));
  await page.goto("/requests/new");
  await page.getByLabel("What is it?").fill("Half a thought");
  await page.goto("/account?tab=profile");
  // A page that was kept is not loaded again.
  await page.goBack({ waitUntil: "commit" });
  await expect(page.getByLabel("What is it?")).toBeVisible();
  await expect(page.getByLabel("What is it?")).toHaveValue("Half a thought");
});
