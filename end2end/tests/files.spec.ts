import { expect, test } from "../support/test";

const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const files = [
  { name: "sketch.png", mimeType: "image/png", buffer: picture },
  { name: "measures.txt", mimeType: "text/plain", buffer: Buffer.from("140 x 75") },
];

for (const javaScriptEnabled of [true, false]) {
  test(`a customer sends files${javaScriptEnabled ? "" : " without JavaScript"}`, async ({ admin, api, person }) => {
    const { id, link } = await api.openChat("Oak table");
    await admin.page.goto(`/admin?chat=${id}`);
    await admin.chat.live();
    const { page, chat } = await person({ javaScriptEnabled, phone: !javaScriptEnabled });
    await page.goto(link);
    if (javaScriptEnabled) {
      await chat.live();
      await chat.field.fill("not sent yet");
    }

    const form = page.getByRole("dialog", { name: "Send files" });
    await expect(form).toBeHidden();
    await page.getByRole("button", { name: "Send files" }).click();
    await expect(form).toBeVisible();
    await form.getByLabel("Files").setInputFiles(files);
    await form.getByLabel("Message").fill("As we said");
    await form.getByRole("button", { name: "Send", exact: true }).click();

    for (const shown of [chat, admin.chat]) {
      const message = shown.message("As we said");
      await expect(message.getByRole("img", { name: "sketch.png" })).toBeVisible();
      await expect(message.getByRole("link", { name: "measures.txt" })).toBeVisible();
    }
    await expect(page).toHaveURL(/\/chat\/[0-9a-f-]{36}$/);
    if (javaScriptEnabled) await expect(chat.field).toHaveValue("not sent yet");
    const address = await admin.chat.panel.getByRole("link", { name: "measures.txt" }).getAttribute("href");
    expect(await (await admin.page.request.get(address ?? "")).text()).toBe("140 x 75");
  });
}
