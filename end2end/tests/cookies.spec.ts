import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { chromium, type BrowserContext } from "@playwright/test";

import { expect, test } from "../support/test";

/** A browser whose settings block all cookies, which takes the storage of pages away too. */
async function withoutCookies(baseURL: string, use: (context: BrowserContext) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "no-cookies-"));
  mkdirSync(path.join(folder, "Default"));
  const settings = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(path.join(folder, "Default", "Preferences"), JSON.stringify(settings));
  const { launchOptions } = test.info().project.use;
  const context = await chromium.launchPersistentContext(folder, { ...launchOptions, baseURL, locale: "en-GB" });
  try {
    await use(context);
  } finally {
    await context.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

test("where cookies are blocked, signing in says so", async ({ server }) => {
  await withoutCookies(server.url, async (context) => {
    const page = await context.newPage();
    const panics: string[] = [];
    page.on("pageerror", (error) => panics.push(String(error)));
    await page.goto("/register");
    await page.getByLabel("Your name").fill("Ada Long");
    await page.getByLabel("E-mail").fill("ada@example.com");
    await page.getByLabel("Password").fill("a long enough password");
    await page.getByRole("button", { name: "Create the account" }).click();
    await expect(page).toHaveURL(/\/login/);
    await expect(page.getByRole("alert")).toContainText("did not keep the cookie");
    expect(panics).toEqual([]);
  });
});

test("where cookies are blocked, a shared link says so", async ({ api, server }) => {
  const { link } = await api.openChat("Walnut tray");
  await withoutCookies(server.url, async (context) => {
    const page = await context.newPage();
    await page.goto(link);
    await expect(page.getByText("allow cookies for this site", { exact: false })).toBeVisible();
  });
});
