import { expect, type Locator, type Page } from "@playwright/test";

/** The chat panel, as an admin or a guest has it before them. */
export class Chat {
  readonly panel: Locator;
  readonly field: Locator;
  readonly send: Locator;
  readonly status: Locator;
  readonly banner: Locator;
  readonly bubbles: Locator;

  constructor(readonly page: Page) {
    this.panel = page.locator("section.chat");
    this.field = this.panel.locator(".composer__input");
    this.send = this.panel.locator(".composer__send");
    this.status = this.panel.locator(".status");
    this.banner = this.panel.locator(".chat__banner");
    this.bubbles = this.panel.locator(".message:not(.message--deleted) .bubble");
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
    return this.panel.locator(".message", { has: this.page.locator(".bubble", { hasText: text }) });
  }

  /** Every message's text from the first to the last, after loading all older ones. */
  async texts(): Promise<string[]> {
    return this.bubbles.evaluateAll((bubbles) =>
      bubbles.map((bubble) => {
        const copy = bubble.cloneNode(true) as Element;
        copy.querySelectorAll(".message__edited, .visually-hidden").forEach((part) => part.remove());
        return copy.textContent?.trim() ?? "";
      }),
    );
  }

  async choose(text: string, item: "Reply" | "Edit" | "Delete"): Promise<void> {
    const message = this.message(text);
    await message.hover();
    await message.locator(".menu__button").click();
    await message.getByRole("button", { name: item }).click();
  }
}

/** The list of chats beside it. */
export class Inbox {
  readonly rows: Locator;

  constructor(readonly page: Page) {
    this.rows = page.locator(".inbox .row");
  }

  row(name: string): Locator {
    return this.rows.filter({ has: this.page.locator(".row__name", { hasText: name }) });
  }
}
