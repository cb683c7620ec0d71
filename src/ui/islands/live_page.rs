//! Pages of requests that keep up: what is in a `data-region` is fetched anew from the server, as it
//! would write the page now, whenever something happens that it may show.

use std::{cell::Cell, rc::Rc, time::Duration};

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Document, DomParser, Element, HtmlElement, HtmlSelectElement, Response, SupportedType};

use crate::{
    client::{
        page,
        paint::{say, set, show},
        socket::{self, Event},
    },
    protocol::{ClientFrame, ServerFrame},
};

/// Several reasons to fetch the page again become one.
const FETCH_AFTER: Duration = Duration::from_millis(250);

wakes! {
    /// Wakes the regions of the page. One of these stands on a page.
    pub LivePage, wake_up
}

fn wake_up() {
    let due = Rc::new(Cell::new(false));
    socket::listen(move |event| match event {
        Event::Connected(_) => {
            tell(true);
            socket::send(&ClientFrame::FollowRequests);
            // What happened since the page was written told nobody.
            fetch_soon(&due);
        }
        Event::Disconnected(_) => tell(false),
        Event::Frame(ServerFrame::Request { .. } | ServerFrame::Inbox { .. }) => fetch_soon(&due),
        _ => {}
    });
}

fn all(document: &Document, selector: &str) -> Vec<Element> {
    let found = document.query_selector_all(selector).ok();
    let count = found.as_ref().map_or(0, web_sys::NodeList::length);
    (0..count).filter_map(|at| found.as_ref()?.get(at)?.dyn_into().ok()).collect()
}

/// Says beside each button whether the page is live.
fn tell(live: bool) {
    for place in all(&document(), ".chat-button__live") {
        set(&place, "class", Some(if live { "chat-button__live is-live" } else { "chat-button__live" }));
        say(&place, if live { "Live" } else { "Offline" });
        show(&place, true);
    }
    for region in all(&document(), "[data-region]") {
        set(&region, "data-live", Some(if live { "true" } else { "false" }));
    }
}

fn fetch_soon(due: &Rc<Cell<bool>>) {
    if !due.replace(true) {
        let due = due.clone();
        set_timeout(
            move || {
                due.set(false);
                // No list is closed under somebody's fingers.
                if focus().is_some_and(|element| element.tag_name() == "SELECT") {
                    return set_timeout(move || fetch_soon(&due), FETCH_AFTER * 8);
                }
                spawn_local(async move {
                    if let Some(regions) = fetch().await {
                        take_over(&regions, &due);
                    }
                });
            },
            FETCH_AFTER,
        );
    }
}

/// What has the focus within a region.
fn focus() -> Option<Element> {
    document().active_element().filter(|element| element.closest("[data-region]").ok().flatten().is_some())
}

fn select(element: Option<Element>) -> Option<HtmlSelectElement> {
    element?.dyn_into().ok()
}

/// What was chosen in a region and not sent yet, by the ids of the fields: `data-was` is what the server
/// wrote there.
fn choices(region: &Element) -> Vec<(String, String)> {
    let fields = all(&document(), "[data-region] select").into_iter().filter(|field| region.contains(Some(field)));
    let choice = |field: Element| {
        let (id, was) = (field.id(), field.get_attribute("data-was"));
        let chosen = select(Some(field))?.value();
        (was.as_ref() != Some(&chosen)).then_some((id, chosen))
    };
    fields.filter_map(choice).collect()
}

/// Fetches the page, and returns its regions. `None` if that was not possible.
async fn fetch() -> Option<Vec<Element>> {
    let address = location().href().ok()?;
    let response: Response = JsFuture::from(window().fetch_with_str(&address)).await.ok()?.dyn_into().ok()?;
    if !response.ok() {
        return None;
    }
    let text: JsValue = JsFuture::from(response.text().ok()?).await.ok()?;
    let fresh = DomParser::new().ok()?.parse_from_string(&text.as_string()?, SupportedType::TextHtml).ok()?;
    let build = |page: &Document| page.query_selector("link[rel=stylesheet]").ok()??.get_attribute("href");
    if build(&fresh) != build(&document()) {
        // What another build wrote needs its styles and its client. See `ui/boot.js`.
        let _ = document().dispatch_event(&web_sys::Event::new("outdated").ok()?);
        return None;
    }
    // Its regions are only for whom this page was written.
    (page::viewer_of(&fresh) == page::viewer()).then(|| all(&fresh, "[data-region]"))
}

/// Puts `fresh` in the place of the regions that are there.
fn take_over(fresh: &[Element], due: &Rc<Cell<bool>>) {
    // What is being pressed has to be there until it is let go, or the click is lost.
    if !all(&document(), "[data-region]:active").is_empty() {
        return fetch_soon(due);
    }
    for region in all(&document(), "[data-region]") {
        let name = region.get_attribute("data-region");
        let Some(fresh) = fresh.iter().find(|fresh| fresh.get_attribute("data-region") == name) else { continue };
        let choices = choices(&region);
        let html = fresh.inner_html();
        let focused = focus().map(|element| element.id()).filter(|id| !id.is_empty());
        region.set_inner_html(&html);
        for (id, chosen) in choices {
            if let Some(select) = select(document().get_element_by_id(&id)) {
                select.set_value(&chosen);
            }
        }
        if let Some(element) = focused.and_then(|id| document().get_element_by_id(&id))
            && let Some(element) = element.dyn_ref::<HtmlElement>()
        {
            let _ = element.focus();
        }
    }
    tell(socket::is_live());
}
