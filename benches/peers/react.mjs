// The page of a conversation, rendered for each request by react-dom/server. It has the same elements, attributes and
// text as Bespoken's page, which is read from the given file. The tree and its data are in memory. React's elements,
// the data for the script, and the HTML are created for each request, as in an application.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { parse } from "parse5";
import { createElement } from "react";
import { renderToString } from "react-dom/server";

// Boolean attributes, which React omits when they are empty.
const FLAGS = new Set(["async", "autofocus", "checked", "defer", "disabled", "hidden", "multiple", "open", "readonly", "required", "selected"]);
const NAMES = { class: "className", for: "htmlFor", readonly: "readOnly", autofocus: "autoFocus", maxlength: "maxLength",
  tabindex: "tabIndex", autocomplete: "autoComplete", datetime: "dateTime", enctype: "encType" };
// Elements whose text React accepts only as HTML.
const RAW = new Set(["script", "style"]);

/** An application's data: components' types, their fixed properties, the data, and the children. */
function read(node) {
  if (node.nodeName === "#text") return node.value;
  const props = {};
  const data = [];
  for (const { name, value } of node.attrs) {
    if (name === "data-props" || value.startsWith('{"')) data.push([name, JSON.parse(value)]);
    else if (name === "style") props.style = Object.fromEntries(value.split(";").filter(Boolean).map((rule) => rule.split(":")));
    else props[NAMES[name] ?? name] = FLAGS.has(name) ? true : value;
  }
  const inner = (node.content ?? node).childNodes.filter((child) => child.nodeName !== "#comment");
  if (RAW.has(node.tagName)) {
    props.dangerouslySetInnerHTML = { __html: inner.map((child) => child.value).join("") };
    return { type: node.tagName, props, data, parts: [] };
  }
  return { type: node.tagName, props, data, parts: inner.map(read) };
}

function make(part) {
  if (typeof part === "string") return part;
  let props = part.props;
  for (const [name, value] of part.data) props = { ...props, [name]: JSON.stringify(value) };
  return createElement(part.type, props, ...part.parts.map(make));
}

const document = parse(readFileSync(process.argv[2], "utf8"));
const page = read(document.childNodes.find((node) => node.tagName === "html"));

const server = createServer((_request, response) => {
  const html = `<!doctype html>${renderToString(make(page))}`;
  response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-length": Buffer.byteLength(html) });
  response.end(html);
});
server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
