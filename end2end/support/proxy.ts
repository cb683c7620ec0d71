import { createHash } from "node:crypto";
import { createServer, request, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** A proxy between browser and server, as offices, hotels and mobile networks have them. */
export class Proxy {
  /**
   * What becomes of WebSockets: they get through, are answered with 400, are accepted and never hear anything, or are
   * never answered.
   */
  sockets: "pass" | "refuse" | "swallow" | "ignore" = "pass";
  /** Requests that were passed on, by path. */
  readonly asked: string[] = [];

  private port = 0;
  private readonly open = new Set<Socket>();

  private constructor(private readonly http: HttpServer) {}

  static async start(): Promise<Proxy> {
    const http = createServer();
    const proxy = new Proxy(http);
    http.on("request", (from, to) => {
      proxy.asked.push(from.url ?? "");
      const { method, url: path, headers } = from;
      const onward = request({ host: "127.0.0.1", port: proxy.port, method, path, headers }, (answer) => {
        to.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(to);
      });
      onward.on("error", () => to.destroy());
      from.pipe(onward);
    });
    http.on("upgrade", (from, socket: Socket, head) => {
      proxy.open.add(socket);
      socket.on("close", () => proxy.open.delete(socket));
      socket.on("error", () => socket.destroy());
      if (proxy.sockets === "refuse") return socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
      if (proxy.sockets === "ignore") return;
      if (proxy.sockets === "swallow") {
        const magic = `${from.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
        const accept = createHash("sha1").update(magic).digest("base64");
        const words = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
        return socket.write([...words, `Sec-WebSocket-Accept: ${accept}`, "", ""].join("\r\n"));
      }
      const onward = connect(proxy.port, "127.0.0.1", () => {
        const lines = Object.entries(from.headers).map(([name, value]) => `${name}: ${value}`);
        onward.write([`${from.method} ${from.url} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
        onward.write(head);
        onward.pipe(socket).pipe(onward);
      });
      onward.on("error", () => socket.destroy());
      socket.on("close", () => onward.destroy());
    });
    await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  /** Passes on to the server at this address from now on. */
  to(url: string): void {
    this.port = Number(new URL(url).port);
  }

  /** Ends the sockets that are open. */
  cut(): void {
    for (const socket of this.open) socket.destroy();
  }

  stop(): void {
    this.cut();
    this.http.close();
    this.http.closeAllConnections();
  }
}
