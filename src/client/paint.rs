//! Brings the elements of the page to what [`markup`](super::markup) says. What stays the same is not
//! touched, so that focus, open menus and what is being typed outlive every change around them.

use leptos::leptos_dom::helpers::document;
use wasm_bindgen::JsCast;
use web_sys::Element as DomElement;

use super::markup::{Element, Node};

/// Sets or removes an attribute, if that changes it.
pub fn set(element: &DomElement, name: &str, value: Option<&str>) {
    if element.get_attribute(name).as_deref() != value {
        // Fails only for names that are no names.
        let _ = match value {
            Some(value) => element.set_attribute(name, value),
            None => element.remove_attribute(name),
        };
    }
}

pub fn show(element: &DomElement, is_shown: bool) {
    set(element, "hidden", (!is_shown).then_some(""));
}

/// Sets the text of an element that has nothing else in it, if that changes it.
pub fn say(element: &DomElement, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

fn create(node: &Node) -> Option<web_sys::Node> {
    match node {
        Node::Text(text) => Some(document().create_text_node(text).into()),
        Node::Element(element) => create_element(element).map(Into::into),
    }
}

fn create_element(element: &Element) -> Option<DomElement> {
    let namespace = match element.tag {
        "svg" | "path" => "http://www.w3.org/2000/svg",
        _ => "http://www.w3.org/1999/xhtml",
    };
    let made = document().create_element_ns(Some(namespace), element.tag).ok()?;
    for (name, value) in &element.attributes {
        set(&made, name, Some(value));
    }
    for child in element.children.iter().filter_map(create) {
        made.append_child(&child).ok()?;
    }
    Some(made)
}

/// Turns `dom`, which shows `old`, into what shows `new`, and returns it or what took its place.
pub fn patch(dom: DomElement, old: &Element, new: &Element) -> DomElement {
    if old == new {
        return dom;
    }
    let children: Vec<_> = std::iter::successors(dom.first_child(), web_sys::Node::next_sibling).collect();
    // Something else has been at work in there.
    let is_foreign = children.len() != old.children.len();
    if old.tag != new.tag || is_foreign {
        return match create_element(new) {
            Some(made) => {
                let _ = dom.replace_with_with_node_1(&made);
                made
            }
            None => dom,
        };
    }
    for (name, _) in &old.attributes {
        if !new.attributes.iter().any(|(kept, _)| kept == name) {
            set(&dom, name, None);
        }
    }
    for (name, value) in &new.attributes {
        if !old.attributes.contains(&(name, value.clone())) {
            set(&dom, name, Some(value));
        }
    }
    let kept = old.children.len().min(new.children.len());
    for child in &children[kept..] {
        let _ = dom.remove_child(child);
    }
    for (child, (old, new)) in children.into_iter().zip(old.children.iter().zip(&new.children)) {
        match (old, new) {
            (Node::Text(old), Node::Text(new)) => {
                if old != new {
                    child.set_node_value(Some(new));
                }
            }
            (Node::Element(old), Node::Element(new)) if child.is_instance_of::<DomElement>() => {
                patch(child.unchecked_into(), old, new);
            }
            _ => {
                if let Some(made) = create(new) {
                    let _ = dom.replace_child(&made, &child);
                }
            }
        }
    }
    for child in new.children[kept..].iter().filter_map(create) {
        let _ = dom.append_child(&child);
    }
    dom
}

/// The children of an element, each with a key that it keeps wherever it moves.
pub struct List {
    parent: DomElement,
    rows: Vec<(u128, Element, DomElement)>,
}

impl List {
    /// Takes over what the server wrote from the same `rows`.
    #[must_use]
    pub fn adopt(parent: DomElement, rows: Vec<(u128, Element)>) -> Self {
        let written = parent.children();
        if written.length() as usize != rows.len() {
            parent.set_text_content(None);
            let mut list = Self { parent, rows: Vec::new() };
            list.update(rows);
            return list;
        }
        let rows = rows.into_iter().enumerate();
        let rows = rows.filter_map(|(at, (key, row))| Some((key, row, written.item(at as u32)?))).collect();
        Self { parent, rows }
    }

    /// Adds, moves, changes and removes children until they are `rows`, whose keys are all different.
    pub fn update(&mut self, rows: Vec<(u128, Element)>) {
        let mut known: Vec<_> = std::mem::take(&mut self.rows).into_iter().map(Some).collect();
        // Most rows stand where they stood, so the search begins there.
        let mut guess = 0;
        for (key, row) in rows {
            let is_it =
                |known: &Option<(u128, Element, DomElement)>| known.as_ref().is_some_and(|(known, ..)| *known == key);
            let behind = known[guess..].iter().position(is_it).map(|at| at + guess);
            let at = behind.or_else(|| known[..guess].iter().position(is_it));
            let dom = match at.and_then(|at| known[at].take()) {
                Some((_, old, dom)) => {
                    guess = at.map_or(guess, |at| at + 1);
                    Some(patch(dom, &old, &row))
                }
                None => create_element(&row),
            };
            self.rows.extend(dom.map(|dom| (key, row, dom)));
        }
        for (_, _, dom) in known.into_iter().flatten() {
            dom.remove();
        }
        // From the end, so that the one behind is always in its place.
        let mut behind: Option<&DomElement> = None;
        for (_, _, dom) in self.rows.iter().rev() {
            let is_there =
                dom.parent_element().as_ref() == Some(&self.parent) && dom.next_element_sibling().as_ref() == behind;
            if !is_there {
                let _ = self.parent.insert_before(dom, behind.map(AsRef::as_ref));
            }
            behind = Some(dom);
        }
    }
}
