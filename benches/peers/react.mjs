// A conversation's page with 50 messages, rendered for each request by react-dom/server from data in
// memory. Its markup is that of Bespoken's page, in what can be seen.
import { createServer } from "node:http";
import { createElement as h } from "react";
import { renderToString } from "react-dom/server";

const messages = Array.from({ length: 50 }, (_, index) => ({
  id: crypto.randomUUID(),
  own: index % 2 === 0,
  sender: index % 2 === 0 ? "You" : "Workshop",
  content: `Message ${index}: could the lowest board be two centimetres deeper than the others, as drawn?`,
  at: new Date(Date.now() - (50 - index) * 60_000),
}));

const time = (date) => date.toISOString().slice(11, 16);

function Line({ message }) {
  return h("li", { className: message.own ? "message message--own" : "message", id: `m-${message.id}` },
    h("div", { className: "message__head" },
      h("span", { className: "message__sender" }, message.sender),
      h("time", { dateTime: message.at.toISOString() }, time(message.at))),
    h("div", { className: "message__bubble" }, h("p", null, message.content)),
    h("div", { className: "message__actions" },
      h("button", { type: "button", "aria-label": "More about this message" }, "…")));
}

function Page() {
  return h("html", { lang: "en" },
    h("head", null,
      h("meta", { charSet: "utf-8" }),
      h("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
      h("title", null, "Chat with Workshop"),
      h("link", { rel: "stylesheet", href: "/pkg/bespoken.css" })),
    h("body", null,
      h("a", { className: "skip", href: "#main" }, "Skip to the content"),
      h("header", { className: "site-head" }, h("a", { href: "/" }, "Bespoken")),
      h("main", { id: "main" },
        h("section", { className: "chat", "aria-label": "Chat with Workshop" },
          h("header", { className: "chat__head" }, h("h1", null, "Workshop"), h("p", null, "Offline")),
          h("ol", { className: "chat__log" }, messages.map((message) => h(Line, { key: message.id, message }))),
          h("form", { className: "composer", method: "post" },
            h("label", { htmlFor: "content" }, "Message"),
            h("textarea", { id: "content", name: "content", rows: 1, placeholder: "Write a message" }),
            h("button", null, "Send"))))));
}

const server = createServer((_request, response) => {
  const page = `<!doctype html>${renderToString(h(Page))}`;
  response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-length": Buffer.byteLength(page) });
  response.end(page);
});
server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
