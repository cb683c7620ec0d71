import { test as base, type BrowserContext, type Locator, type Page } from "@playwright/test";

import { Api } from "./api";
import { Chat } from "./chat";
import { Server } from "./server";

/** Someone in front of a browser of their own. */
export interface Person {
  context: BrowserContext;
  page: Page;
  chat: Chat;
}

interface Fixtures {
  /** Errors of pages that the test itself makes: what a page says on its console, or throws. */
  failures: RegExp | undefined;
  /** Sends per 10 s for each sender: as every server has it, unless a test fills a chat first. */
  sends: number;
  server: Server;
  api: Api;
  /** A new person: own cookies, own storage. */
  person: (options?: { javaScriptEnabled?: boolean; phone?: boolean; locale?: string; timezoneId?: string }) => Promise<Person>;
  /** Someone signed in as an admin, on the dashboard. */
  admin: Person;
}

export const test = base.extend<Fixtures>({
  failures: [undefined, { option: true }],
  sends: [30, { option: true }],
  server: async ({ sends }, use) => {
    const server = await Server.start(["--demo", "--limit-sends", String(sends)]);
    await use(server);
    await server.stop();
  },
  api: async ({ server }, use) => use(Api.admin(server)),
  person: async ({ browser, server, failures }, use) => {
    const contexts: BrowserContext[] = [];
    const unexpected: string[] = [];
    await use(async ({ javaScriptEnabled = true, phone = false, locale = "en-GB", timezoneId } = {}) => {
      const context = await browser.newContext({
        baseURL: server.url,
        javaScriptEnabled,
        locale,
        timezoneId,
        permissions: ["clipboard-read", "clipboard-write"],
        viewport: phone ? { width: 360, height: 740 } : { width: 1440, height: 900 },
      });
      contexts.push(context);
      const page = await context.newPage();
      // Whatever a page has to complain about is a failure of any test.
      page.on("pageerror", (error) => unexpected.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error") unexpected.push(`${message.text()} (${message.location().url})`);
      });
      return { context, page, chat: new Chat(page) };
    });
    for (const context of contexts) await context.close();
    base.expect(unexpected.filter((error) => !failures?.test(error))).toEqual([]);
  },
  admin: async ({ person, server }, use) => {
    const admin = await person();
    await admin.page.goto(server.link("admin"));
    await use(admin);
  },
});

export const expect = test.expect;

/** What a page says when its browser was signed in as somebody else. */
export function estranged(page: Page): Locator {
  const reload = page.getByRole("button", { name: "Reload" });
  return page.getByRole("alert").filter({ hasText: "You are signed in as somebody else", has: reload });
}

/** What the browser says of answers with these statuses, also to the opening of a socket. */
export function refused(...statuses: number[]): RegExp {
  return new RegExp(`status of (${statuses.join("|")}) |^WebSocket connection to .* failed`);
}

/** What the browser says of a network that is gone. */
export const cutOff = /net::ERR_|^WebSocket connection to .* failed/;
