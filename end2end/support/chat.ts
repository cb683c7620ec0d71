import { expect, type Locator, type Page } from "@playwright/test";

/** All that the chat can say of its connection, also in the quotes that the tests' page translator puts around it. */
const CONNECTION = /^\W*(Connecting|Live|Live \(slow|Reconnecting|Offline|Paused|Ended)\W*$/;

/** The chat panel, as an admin or a guest has it before them. */
export class Chat {
  readonly panel: Locator;
  readonly field: Locator;
  readonly send: Locator;
  /** What it says of its connection. */
  readonly status: Locator;
  /** What keeps messages from being sent. */
  readonly banner: Locator;
  readonly log: Locator;
  readonly messages: Locator;
  /** Messages that the server has not confirmed. */
  readonly unconfirmed: Locator;
  /** Those of them that will not be sent again by themselves. */
  readonly refused: Locator;
  /** The texts of the messages, without those of deleted ones. */
  readonly bubbles: Locator;
  /** Lines of the log that tell which status a request was given. */
  readonly events: Locator;
  /** Who of the others is here. */
  readonly here: Locator;
  readonly typing: Locator;
  /** What stands in the place of the field in a closed chat. */
  readonly closed: Locator;
  /** What an admin knows of the chat, beside it. */
  readonly about: Locator;

  constructor(readonly page: Page) {
    // In either language. One that is hidden counts as well.
    this.panel = page.getByRole("region", { name: /^Chat (with|mit) /, includeHidden: true });
    this.field = this.panel.getByLabel(/(Message to|Nachricht an) /);
    this.send = this.panel.getByRole("button", { name: "Send", exact: true });
    const told = this.panel.getByRole("status");
    this.status = told.filter({ hasText: CONNECTION });
    this.banner = told.filter({ hasNotText: CONNECTION });
    this.log = this.panel.getByRole("log");
    // A message begins with a paragraph that says who wrote it and when; no other line of the log does.
    const head = page.getByRole("paragraph").filter({ has: page.getByRole("time") });
    this.messages = this.log.getByRole("listitem").filter({ has: head });
    // Nothing visible tells them apart: only the last one says "Sending…".
    this.unconfirmed = this.messages.and(page.locator(":not([data-seq])"));
    this.refused = this.messages.filter({ has: page.getByRole("alert").filter({ hasText: "Not sent." }) });
    this.bubbles = words(this.messages).filter({ hasNotText: /^\W*Message deleted\W*$/ });
    this.events = this.log.getByText("Status set to");
    this.here = this.panel.getByText(/ (is|are) here$/);
    this.typing = this.panel.getByText(/ (is|are) typing…$/);
    this.closed = this.panel.getByText(/^This chat was closed/);
    this.about = page.getByRole("complementary", { name: "About this chat" });
  }

  /** Waits until the panel has joined its room and is up to date. */
  async live(): Promise<this> {
    await expect(this.panel).toHaveAttribute("data-live", "true");
    return this;
  }

  async say(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press("Enter");
  }

  message(text: string): Locator {
    return this.messages.filter({ has: words(this.page).filter({ hasText: text }) });
  }

  /** Every message's text from the first to the last, after loading all older ones. */
  async texts(): Promise<string[]> {
    return (await this.bubbles.allTextContents()).map((text) => text.trim());
  }

  async choose(text: string, item: "Reply" | "Edit" | "Delete"): Promise<void> {
    const message = this.message(text);
    await message.hover();
    await message.getByLabel("Message options").click();
    await message.getByRole("button", { name: item }).click();
  }
}

/** The texts of messages. Nothing names them; they run in the direction of their own language. */
function words(within: Page | Locator): Locator {
  return within.locator("div[dir=auto]");
}

/** The list of chats beside it. */
export class Inbox {
  readonly region: Locator;
  readonly list: Locator;
  readonly rows: Locator;

  constructor(readonly page: Page) {
    this.region = page.getByRole("region", { name: "Chats", exact: true });
    this.list = this.region.getByRole("list");
    // A chat's row says when something last happened there; the other links of the list do not.
    this.rows = this.list.getByRole("link").filter({ has: page.getByRole("time") });
  }

  /** The row of the chat with this name. */
  row(name: string): Locator {
    return this.rows.and(this.page.getByRole("link", { name: new RegExp(`^${name}`) }));
  }

  /** Waits until the list hears of what happens to chats. */
  async live(timeout?: number): Promise<this> {
    await expect(this.region).toHaveAttribute("data-live", "true", { timeout });
    return this;
  }
}

/** How many messages wait to be read. */
export function unread(within: Page | Locator): Locator {
  return within.getByText(/^, \d+ unread$/);
}
