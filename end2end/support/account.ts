import { expect, type Locator, type Page } from "@playwright/test";

/** Registers a new customer, who is on the account page then. */
export async function register(page: Page, name: string): Promise<void> {
  await page.goto("/register");
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("E-mail").fill(`${name.toLowerCase().replaceAll(" ", ".")}@example.com`);
  await page.getByLabel("Password").fill("a long enough password");
  await page.getByRole("button", { name: "Create the account" }).click();
  await expect(page).toHaveURL(/\/account$/);
}

/** Makes a request from the account page, and returns the address of its page. */
export async function makeRequest(page: Page, title: string): Promise<string> {
  await page.goto("/account");
  await page.getByRole("link", { name: /New request|Make a request/ }).click();
  await page.getByLabel("What is it?").fill(title);
  await page.getByLabel("Describe it").fill(`${title}, as plain as can be.`);
  await page.getByLabel("Budget").fill("1,200.50");
  await page.getByLabel("Wanted by").fill("2030-12-24");
  await page.getByRole("button", { name: "Send the request" }).click();
  await expect(page.getByRole("heading", { name: title })).toBeVisible();
  return new URL(page.url()).pathname;
}

/** The part of a page that hears of what happens to requests, while no chat is open beside it. Nothing names it. */
export function follower(page: Page): Locator {
  return page.getByRole("main").locator("[data-live]");
}

/** Waits until the page hears of what happens to requests. */
export async function followed(page: Page): Promise<void> {
  await expect(follower(page)).toHaveAttribute("data-live", "true");
}

/** The row or card of a request in a list: its title leads to the request. */
export function entry(page: Page, title: string): Locator {
  const has = page.getByRole("link", { name: title });
  return page.getByRole("row").or(page.getByRole("listitem")).filter({ has });
}

/** What is known of the request that the page is about. */
export function aboutRequest(page: Page): Locator {
  return page.getByRole("complementary", { name: "About this request" });
}

/** Which status the request has that the page is about. */
export function statusOf(page: Page): Locator {
  return aboutRequest(page).getByText("Status", { exact: true }).locator("+ dd");
}
