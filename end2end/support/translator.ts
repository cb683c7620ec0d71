import type { Page } from "@playwright/test";

/** Does to every text of the page what Chrome's translator does: elements of its own take the place of each text. */
export async function translate(page: Page): Promise<void> {
  await page.evaluate(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT, (text) =>
      /^(SCRIPT|STYLE|TEXTAREA)$/.test(text.parentElement?.tagName ?? "") || !text.nodeValue?.trim()
        ? NodeFilter.FILTER_REJECT
        : NodeFilter.FILTER_ACCEPT,
    );
    const found: Node[] = [];
    while (texts.nextNode()) found.push(texts.currentNode);
    for (const text of found) {
      const outer = document.createElement("font");
      const inner = document.createElement("font");
      outer.style.verticalAlign = inner.style.verticalAlign = "inherit";
      inner.textContent = `«${text.nodeValue}»`;
      outer.append(inner);
      text.parentNode?.replaceChild(outer, text);
    }
  });
}
