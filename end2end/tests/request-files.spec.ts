import { aboutRequest, register, statusOf } from "../support/account";
import { expect, refused, test } from "../support/test";

test.use({ failures: refused(409, 413) });

const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

for (const javaScriptEnabled of [true, false]) {
  const way = javaScriptEnabled ? "" : ", without JavaScript";

  test(`a request comes with pictures, is edited and withdrawn${way}`, async ({ person, admin }) => {
    const { page } = await person({ javaScriptEnabled, phone: !javaScriptEnabled });
    await register(page, "Request Customer");
    await page.goto("/requests/new");
    await page.getByLabel("What is it?").fill("Shelf for the alcove");
    await page.getByLabel("Describe it").fill("Five boards of ash.");
    await page.getByLabel("Pictures and drawings").setInputFiles([
      { name: "alcove.png", mimeType: "image/png", buffer: picture },
      { name: "measures.txt", mimeType: "text/plain", buffer: Buffer.from("92 x 28") },
    ]);
    await page.getByRole("button", { name: "Send the request" }).click();
    await expect(page.getByRole("heading", { name: "Shelf for the alcove" })).toBeVisible();
    const address = new URL(page.url()).pathname;

    await admin.page.goto(address);
    for (const shown of [page, admin.page]) {
      const files = shown.getByRole("region", { name: "Files", exact: true });
      await expect(files.getByRole("img", { name: "alcove.png" })).toBeVisible();
      await expect(files.getByRole("link", { name: "measures.txt · 1 KB" })).toBeVisible();
    }
    await expect(aboutRequest(admin.page)).toHaveAttribute("data-live", "true");

    // Another file, which the admin sees at once.
    await page.getByText("Add files").first().click();
    await page.getByLabel("Pictures and drawings").setInputFiles({ name: "more.png", mimeType: "image/png", buffer: picture });
    await page.getByRole("button", { name: "Add files" }).click();
    for (const shown of [page, admin.page]) {
      await expect(shown.getByRole("img", { name: "more.png" })).toBeVisible();
    }

    await page.getByRole("link", { name: "Edit" }).click();
    await expect(page.getByLabel("Describe it")).toHaveValue("Five boards of ash.");
    await page.getByLabel("Describe it").fill("Six boards of ash.");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page).toHaveURL(new RegExp(`${address}$`));
    await expect(page.getByText("Six boards of ash.")).toBeVisible();
    await admin.page.getByRole("link", { name: "Show the new text" }).click();
    await expect(admin.page.getByText("Six boards of ash.")).toBeVisible();
    await expect(aboutRequest(admin.page)).toContainText("Edited");

    await page.getByText("Withdraw", { exact: true }).click();
    await page.getByRole("button", { name: "Withdraw the request" }).click();
    await expect(aboutRequest(page)).toContainText("Withdrawn by Request Customer");
    await expect(statusOf(admin.page)).toHaveText("Declined");
    await expect(page.getByText("Add files")).toHaveCount(0);
    expect((await page.goto(`${address}/edit`))?.status()).toBe(409);
  });
}

test("a file of the chat is among the files of its request, with a link to its message", async ({ person }) => {
  const { page, chat } = await person();
  await register(page, "Request Customer");
  await page.goto("/requests/new");
  await page.getByLabel("What is it?").fill("Shelf");
  await page.getByLabel("Describe it").fill("Of ash.");
  await page.getByRole("button", { name: "Send the request" }).click();
  await page.getByRole("button", { name: "Chat with Admin" }).click();
  await chat.live();
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Send files" }).click();
  await (await chooser).setFiles({ name: "later.png", mimeType: "image/png", buffer: picture });
  await chat.say("see the picture");
  await expect(chat.message("see the picture")).toBeVisible();
  await page.getByRole("link", { name: "Close the chat panel" }).click();
  const files = page.getByRole("region", { name: "Files", exact: true });
  await expect(files.getByRole("img", { name: "later.png" })).toBeVisible();
  await files.getByRole("link", { name: "Show in the chat" }).click();
  await expect(chat.message("see the picture")).toBeInViewport();
});

test("a file that is too large leaves the request as it is, and its page says why", async ({ person }) => {
  const { page } = await person();
  await register(page, "Request Customer");
  await page.goto("/requests/new");
  await page.getByLabel("What is it?").fill("Shelf");
  await page.getByLabel("Describe it").fill("Of ash.");
  await page.getByLabel("Pictures and drawings").setInputFiles([
    { name: "fits.png", mimeType: "image/png", buffer: picture },
    { name: "huge.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(11_000_000, 1) },
  ]);
  await page.getByRole("button", { name: "Send the request" }).click();
  await expect(page.getByRole("alert")).toContainText("Files can have up to 10 MiB");
  await expect(page.getByRole("heading", { name: "Shelf" })).toBeVisible();
  await expect(page.getByRole("img", { name: "fits.png" })).toBeVisible();
});
