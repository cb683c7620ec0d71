import { type Person, expect, test } from "../support/test";

/** The switch for notifications. */
const notify = ({ chat }: Person) => chat.panel.getByRole("button", { name: "Notify me" });

/** A browser's push service is out of reach of these tests: this subscription stands for one of it. */
async function withPushService({ page }: Person): Promise<void> {
  await page.addInitScript(() => {
    const toJSON = () => ({
      endpoint: "https://8.8.8.8/subscription",
      expirationTime: null,
      keys: {
        p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        auth: "BTBZMqHH6r4Tts7J_aSIgg",
      },
    });
    PushManager.prototype.subscribe = async (options) => {
      if (!options?.userVisibleOnly || typeof options.applicationServerKey !== "string") throw new TypeError();
      return { toJSON, unsubscribe: async () => true } as unknown as PushSubscription;
    };
  });
}

test("notifications are switched on and off for one browser", async ({ api, person, server }) => {
  const { id, link } = await api.openChat("Walnut bed");
  const guest = await person();
  await withPushService(guest);
  await guest.context.grantPermissions(["notifications"], { origin: server.url });
  await guest.page.goto(link);
  await guest.chat.live();
  await expect(notify(guest)).toHaveAttribute("aria-pressed", "false");
  await notify(guest).click();
  await expect(notify(guest)).toHaveAttribute("aria-pressed", "true");
  await guest.page.reload();
  await expect(notify(guest)).toHaveAttribute("aria-pressed", "true");

  const other = await person();
  await other.page.goto(link);
  await expect(notify(other)).toHaveAttribute("aria-pressed", "false");

  await notify(guest).click();
  await expect(notify(guest)).toHaveAttribute("aria-pressed", "false");
  await guest.page.reload();
  await expect(notify(guest)).toHaveAttribute("aria-pressed", "false");
  expect(await api.messages(id)).toEqual([]);
});

test("a browser that forbids notifications says how to allow them", async ({ api, person }) => {
  const { link } = await api.openChat("Walnut bed");
  const guest = await person();
  await withPushService(guest);
  await guest.page.goto(link);
  await guest.chat.live();
  await notify(guest).click();
  await expect(guest.chat.panel.getByText("Your browser does not allow notifications").first()).toBeVisible();
  await expect(notify(guest)).toHaveAttribute("aria-pressed", "false");
});

test("the switch is absent where a browser has no notifications", async ({ api, person }) => {
  const { link } = await api.openChat("Walnut bed");
  const guest = await person();
  await guest.page.addInitScript(() => Reflect.deleteProperty(window, "PushManager"));
  await guest.page.goto(link);
  await guest.chat.live();
  await expect(notify(guest)).toBeHidden();
  const plain = await person({ javaScriptEnabled: false });
  await plain.page.goto(link);
  await expect(notify(plain)).toBeHidden();
});

test("several messages of a chat are one notification, which leads to it", async ({ api, person, server }) => {
  const { id, link } = await api.openChat("Walnut bed");
  const guest = await person();
  await guest.context.grantPermissions(["notifications"], { origin: server.url });
  const devtools = await guest.context.newCDPSession(guest.page);
  const registered = new Promise<string>((resolve) =>
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      if (registrations[0]) resolve(registrations[0].registrationId);
    }),
  );
  await devtools.send("ServiceWorker.enable");
  await guest.page.goto(link);
  await guest.chat.live();
  const registrationId = await registered;
  // Chromium drops what it delivers to a worker that is still being activated.
  const state = () => guest.page.evaluate(async () => (await navigator.serviceWorker.ready).active?.state);
  await expect.poll(state).toBe("activated");
  const deliver = (body: string, unread: number) =>
    devtools.send("ServiceWorker.deliverPushMessage", {
      origin: server.url,
      registrationId,
      data: JSON.stringify({ conversation_id: id, title: "Workshop", body, unread, url: `/chat/${id}`, tag: id }),
    });
  const shown = () =>
    guest.page.evaluate(async () => {
      const all = await (await navigator.serviceWorker.ready).getNotifications();
      return all.map(({ title, body, tag }) => ({ title, body, tag }));
    });
  await deliver("Which height?", 1);
  await expect.poll(shown).toEqual([{ title: "Workshop", body: "Which height?", tag: id }]);
  await deliver("And which width?", 2);
  await expect.poll(shown).toEqual([{ title: "Workshop", body: "And which width?", tag: id }]);

  // Only a person's click may move the focus or open a tab, so what the worker asks for is noted.
  const [worker] = guest.context.serviceWorkers();
  const click = () =>
    worker.evaluate(async () => {
      const scope = self as unknown as ServiceWorkerGlobalScopeLike;
      const asked: string[] = [];
      scope.WindowClient.prototype.focus = function (this: { url: string }) {
        asked.push(`focus ${new URL(this.url).pathname}`);
      };
      scope.clients.openWindow = (url: string) => asked.push(`open ${url}`);
      const [notification] = await scope.registration.getNotifications();
      const event = new scope.NotificationEvent("notificationclick", { notification });
      let done: unknown;
      event.waitUntil = (promise) => (done = promise);
      scope.dispatchEvent(event);
      await done;
      return asked;
    });
  expect(await click()).toEqual([`focus /chat/${id}`]);
  await expect.poll(shown).toEqual([]);
  await guest.page.goto("/");
  await guest.page.evaluate(() => navigator.serviceWorker.ready);
  await deliver("Are you there?", 3);
  await expect.poll(shown).toHaveLength(1);
  expect(await click()).toEqual([`open /chat/${id}`]);
});

/** The parts of a service worker's scope that the click needs; TypeScript's types are those of pages. */
interface ServiceWorkerGlobalScopeLike {
  registration: { getNotifications(): Promise<unknown[]> };
  clients: { openWindow: unknown };
  WindowClient: { prototype: { focus: unknown } };
  NotificationEvent: new (type: string, init: unknown) => Event & { waitUntil: (promise: unknown) => void };
  dispatchEvent(event: Event): void;
}
