import type { Server } from "./server";

export interface Message {
  id: string;
  seq: number;
  rev: number;
  content: string;
  sender_type: "admin" | "customer";
  deleted_at: string | null;
  attachments: { id: string; name: string }[];
  reply_to?: { id: string; seq: number; sender_name: string; excerpt: string };
}

export interface Conversation {
  id: string;
  link: string;
  customer_name: string;
}

/** The REST API, as another program uses it. */
export class Api {
  constructor(
    private readonly server: Server,
    private readonly token: string,
  ) {}

  static admin(server: Server): Api {
    return new Api(server, server.token());
  }

  static guest(server: Server, link: string): Api {
    return new Api(server, new URL(link).searchParams.get("chatId") ?? "");
  }

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.server.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }

  openChat(customer_name: string): Promise<Conversation> {
    return this.call("POST", "/conversations", { customer_name });
  }

  post(conversation: string, content: string, reply_to?: string): Promise<Message> {
    return this.call("POST", `/conversations/${conversation}/messages`, { content, reply_to });
  }

  edit(message: string, content: string): Promise<Message> {
    return this.call("PATCH", `/messages/${message}`, { content });
  }

  read(conversation: string, seq: number): Promise<unknown> {
    return this.call("POST", `/conversations/${conversation}/read`, { seq });
  }

  delete(message: string): Promise<Message> {
    return this.call("DELETE", `/messages/${message}`);
  }

  close(conversation: string): Promise<Conversation> {
    return this.call("PATCH", `/conversations/${conversation}`, { status: "closed" });
  }

  async revokeLink(conversation: string): Promise<void> {
    await fetch(`${this.server.url}/api/v1/conversations/${conversation}/link`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${this.token}` },
    });
  }

  async messages(conversation: string): Promise<Message[]> {
    const all: Message[] = [];
    for (let before: number | null = Number.MAX_SAFE_INTEGER; before !== null; ) {
      const page: { items: Message[]; next_before_seq: number | null } = await this.call(
        "GET",
        `/conversations/${conversation}/messages?limit=200&before_seq=${before}`,
      );
      all.unshift(...page.items);
      before = page.next_before_seq;
    }
    return all;
  }
}
