//! A piece of a page as data: made by one function, written as HTML by the server and as elements by
//! the browser. For what changes while people look at it; everything else is written with `view!`.
//! Text is only ever text: the server escapes it, the browser makes text nodes.

use std::borrow::Cow;

/// What an attribute says, or a text. Most are the same for every element of a kind, and not copied.
pub type Words = Cow<'static, str>;

/// An element with what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub tag: &'static str,
    pub attributes: Vec<(&'static str, Words)>,
    pub children: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Text(Words),
    Element(Element),
}

/// An element; `class` may be empty.
#[must_use]
pub fn el(tag: &'static str, class: impl Into<Words>) -> Element {
    let class = class.into();
    let element = Element { tag, attributes: Vec::new(), children: Vec::new() };
    if class.is_empty() { element } else { element.attr("class", class) }
}

impl Element {
    #[must_use]
    pub fn attr(mut self, name: &'static str, value: impl Into<Words>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// Sets the attribute if there is a value.
    #[must_use]
    pub fn maybe(self, name: &'static str, value: Option<impl Into<Words>>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// Adds text. Neighbouring texts become one, as they do when a browser reads HTML.
    #[must_use]
    pub fn text(mut self, text: impl Into<Words>) -> Self {
        let text = text.into();
        match self.children.last_mut() {
            Some(Node::Text(before)) => before.to_mut().push_str(&text),
            _ if text.is_empty() => {}
            _ => self.children.push(Node::Text(text)),
        }
        self
    }

    #[must_use]
    pub fn with(mut self, child: Self) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    /// Adds the children that there are.
    #[must_use]
    pub fn with_all(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children.into_iter().map(Node::Element));
        self
    }

    /// Appends this as HTML.
    pub fn write_html(&self, html: &mut String) {
        html.push('<');
        html.push_str(self.tag);
        for (name, value) in &self.attributes {
            for part in [" ", name, "=\""] {
                html.push_str(part);
            }
            escape(value, html);
            html.push('"');
        }
        html.push('>');
        if matches!(self.tag, "input" | "img") {
            return;
        }
        for child in &self.children {
            match child {
                Node::Text(text) => escape(text, html),
                Node::Element(element) => element.write_html(html),
            }
        }
        html.push_str("</");
        html.push_str(self.tag);
        html.push('>');
    }
}

/// Bytes that most of the elements in a list need.
const ROOM: usize = 1024;

/// Several elements as HTML.
#[must_use]
pub fn to_html<'a>(elements: impl IntoIterator<Item = &'a Element>) -> String {
    let elements = elements.into_iter();
    let mut html = String::with_capacity(elements.size_hint().0 * ROOM);
    for element in elements {
        element.write_html(&mut html);
    }
    html
}

fn escape(text: &str, html: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"')) {
        html.push_str(&rest[..at]);
        html.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => "&quot;",
        });
        rest = &rest[at + 1..];
    }
    html.push_str(rest);
}

/// An icon of `ui::components::icon`.
#[must_use]
pub fn icon(path: &'static str) -> Element {
    el("svg", "icon").attr("viewBox", "0 0 20 20").attr("aria-hidden", "true").with(el("path", "").attr("d", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_says_what_was_meant() {
        let element = el("p", "a")
            .attr("title", "\"<&>\"")
            .text("1 < ")
            .text("2")
            .with(el("b", "").text("&"))
            .maybe("id", None::<String>);
        assert_eq!(to_html([&element]), "<p class=\"a\" title=\"&quot;&lt;&amp;&gt;&quot;\">1 &lt; 2<b>&amp;</b></p>");
        assert_eq!(to_html([&el("input", "")]), "<input>");
    }

    #[test]
    fn texts_are_one_node_as_in_a_browser() {
        assert_eq!(el("p", "").text("").text("a").text("").text("b").children, [Node::Text("ab".into())]);
    }
}
