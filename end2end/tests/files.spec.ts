import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { Locator, Page } from "@playwright/test";

import { cutOff, expect, refused, test } from "../support/test";

const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const sketch = { name: "sketch.png", mimeType: "image/png", buffer: picture };
const measures = { name: "measures.txt", mimeType: "text/plain", buffer: Buffer.from("140 x 75") };

/** Chooses files by the paper clip. */
async function choose(page: Page, files: (typeof sketch)[] | string[]): Promise<void> {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Send files" }).click();
  await (await chooser).setFiles(files);
}

/** Pastes or drops files, with text beside them if there is any. */
async function bring(target: Locator, how: "paste" | "dragover" | "drop", names: string[], text = ""): Promise<void> {
  await target.evaluate(
    (element, { how, names, text, data }) => {
      const transfer = new DataTransfer();
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      for (const name of names) transfer.items.add(new File([bytes], name, { type: "image/png" }));
      if (text) transfer.setData("text", text);
      const options = { bubbles: true, cancelable: true };
      element.dispatchEvent(
        how === "paste"
          ? new ClipboardEvent(how, { ...options, clipboardData: transfer })
          : new DragEvent(how, { ...options, dataTransfer: transfer }),
      );
    },
    { how, names, text, data: picture.toString("base64") },
  );
}

function chips(page: Page): Locator {
  return page.getByRole("region", { name: "Files" }).getByRole("listitem");
}

test("a customer chooses files, removes one, and sends the others with a text", async ({ admin, api, person }) => {
  const { id, link } = await api.openChat("Oak table");
  await admin.page.goto(`/admin?chat=${id}`);
  await admin.chat.live();
  const { page, chat } = await person({ phone: true });
  await page.goto(link);
  await chat.live();

  await choose(page, [sketch, measures]);
  await choose(page, [{ ...measures, name: "wrong.txt" }]);
  await expect(chips(page)).toHaveCount(3);
  await expect(chips(page).first()).toContainText("Ready to send");
  await page.getByRole("button", { name: "Remove wrong.txt" }).click();
  await expect(chips(page)).toHaveCount(2);
  await expect(chat.field).toBeFocused();
  await chat.say("As we said");

  for (const shown of [chat, admin.chat]) {
    const message = shown.message("As we said");
    await expect(message.getByRole("img", { name: "sketch.png" })).toBeVisible();
    await expect(message.getByRole("link", { name: "measures.txt · 1 KB" })).toBeVisible();
    await expect(message.getByRole("link", { name: "wrong.txt" })).toBeHidden();
  }
  await expect(chips(page)).toHaveCount(0);
  const address = await admin.chat.panel.getByRole("link", { name: "measures.txt" }).getAttribute("href");
  expect(await (await admin.page.request.get(address ?? "")).text()).toBe("140 x 75");

  // Without a text, as a reply.
  await chat.field.press("Alt+ArrowUp");
  await choose(page, [sketch]);
  await chat.send.click();
  const reply = admin.chat.messages.filter({ has: admin.page.getByRole("link", { name: /As we said/ }) });
  await expect(reply.getByRole("img", { name: "sketch.png" })).toBeVisible();
});

test("files are sent without JavaScript", async ({ admin, api, person }) => {
  const { id, link } = await api.openChat("Oak table");
  await admin.page.goto(`/admin?chat=${id}`);
  await admin.chat.live();
  const { page, chat } = await person({ javaScriptEnabled: false, phone: true });
  await page.goto(link);
  const form = page.getByRole("dialog", { name: "Send files" });
  await expect(form).toBeHidden();
  await page.getByRole("button", { name: "Send files" }).click();
  await form.getByLabel("Files").setInputFiles([sketch, measures]);
  await form.getByLabel("Message").fill("As we said");
  await form.getByRole("button", { name: "Send", exact: true }).click();
  for (const shown of [chat, admin.chat]) {
    const message = shown.message("As we said");
    await expect(message.getByRole("img", { name: "sketch.png" })).toBeVisible();
    await expect(message.getByRole("link", { name: "measures.txt" })).toBeVisible();
  }
  await expect(page).toHaveURL(/\/chat\/[0-9a-f-]{36}$/);
});

test("pictures are pasted and dropped, and text wins over a picture", async ({ api, person }) => {
  const { link } = await api.openChat("Oak table");
  const { page, chat } = await person();
  await page.goto(link);
  await chat.live();
  await bring(chat.field, "paste", ["cells.png"], "1\t2");
  await bring(chat.field, "paste", ["alcove.png"]);
  await expect(chips(page)).toHaveCount(1);
  await bring(chat.panel, "dragover", ["left.png"]);
  await expect(chat.panel).toHaveAttribute("data-drop", "");
  await bring(chat.panel, "drop", ["left.png", "right.png"]);
  await expect(chat.panel).not.toHaveAttribute("data-drop", "");
  await expect(chips(page)).toHaveText([/alcove\.png/, /left\.png/, /right\.png/]);
  await chat.send.click();
  for (const name of ["alcove.png", "left.png", "right.png"]) {
    await expect(chat.panel.getByRole("link", { name })).toBeVisible();
  }
  await bring(chat.panel, "drop", Array.from({ length: 11 }, (_, n) => `${n}.png`));
  await expect(chips(page)).toHaveCount(10);
  await expect(chat.panel.getByRole("alert")).toContainText("10 files");
});

test("pictures open over the page, with the keyboard", async ({ api, person }) => {
  const { link } = await api.openChat("Oak table");
  const { page, chat } = await person();
  await page.goto(link);
  await chat.live();
  await choose(page, [sketch, { ...sketch, name: "second.png" }]);
  await chat.say("Two pictures");
  const opener = chat.message("Two pictures").getByRole("link", { name: "sketch.png" });
  await opener.focus();
  await opener.getByRole("img").click();
  const viewer = page.getByRole("dialog", { name: "sketch.png" });
  await expect(viewer.getByRole("img", { name: "sketch.png" })).toBeVisible();
  await expect(viewer.getByRole("status")).toHaveText("1 / 2");
  await page.keyboard.press("ArrowRight");
  const second = page.getByRole("dialog", { name: "second.png" });
  await expect(second.getByRole("img", { name: "second.png" })).toBeVisible();
  await expect(second.getByRole("button", { name: "Next picture" })).toBeDisabled();
  const width = () => second.getByRole("img", { name: "second.png" }).evaluate((image) => image.clientWidth);
  const before = await width();
  await page.keyboard.press("+");
  await expect.poll(width).toBeGreaterThan(before);
  const download = page.waitForEvent("download");
  await second.getByRole("link", { name: "Save the picture" }).click();
  expect((await download).suggestedFilename()).toBe("second.png");
  await page.keyboard.press("Escape");
  await expect(second).toHaveCount(0);
  await expect(opener).toBeFocused();
});

test.describe("on a bad connection", () => {
  test.use({ failures: new RegExp(`${cutOff.source}|${refused(413).source}`) });

  test("a large file arrives once and complete after interruptions and a reload", async ({ api, person }) => {
    const { id, link } = await api.openChat("Oak table");
    const { page, chat, context } = await person();
    await page.goto(link);
    await chat.live();
    const large = { name: "alcove.bin", mimeType: "application/octet-stream", buffer: randomBytes(5_000_000) };
    let uploads = 0;
    await context.route("**/attachments", (route) => (++uploads <= 2 ? route.abort() : route.continue()));
    await choose(page, [large]);
    await chat.say("The whole alcove");
    await expect(page.getByText("will be sent when its files are uploaded")).toBeVisible();
    await expect.poll(() => uploads).toBe(2);
    await page.reload();
    await expect(chat.message("The whole alcove").getByRole("link", { name: "alcove.bin · 5.0 MB" })).toBeVisible();
    await expect(chips(page)).toHaveCount(0);
    await page.reload();
    await chat.live();
    await expect(chips(page)).toHaveCount(0);

    const sent = (await api.messages(id)).filter((message) => message.content === "The whole alcove");
    expect(sent.map((message) => message.attachments.length)).toEqual([1]);
    const stored = await page.request.get(`/api/v1/attachments/${sent[0].attachments[0].id}`);
    const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
    expect(digest(await stored.body())).toBe(digest(large.buffer));
  });

  test("a rejected file says why, and the others can be sent", async ({ api, person }, info) => {
    const { link } = await api.openChat("Oak table");
    const { page, chat } = await person();
    await page.goto(link);
    await chat.live();
    // From the disk: the tests' browser cannot take so large a file otherwise.
    const paths = [info.outputPath("huge.bin"), info.outputPath("sketch.png")];
    writeFileSync(paths[0], randomBytes(11_000_000));
    writeFileSync(paths[1], picture);
    await choose(page, paths);
    await expect(chips(page).first()).toContainText("Files can have up to 10 MiB");
    await page.getByRole("button", { name: "Remove huge.bin" }).click();
    await expect(chips(page).first()).toContainText("Ready to send");
    await chat.say("Only this one");
    await expect(chat.message("Only this one").getByRole("img", { name: "sketch.png" })).toBeVisible();
  });
});
