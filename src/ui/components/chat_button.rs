//! The way from a custom request to its chat, the same wherever a request is shown. A link to the page
//! with the chat beside it; before there is a chat, a form that opens it and leads there.

use leptos::prelude::*;

use crate::domain::CustomRequest;

/// `here` is the address of this page with the chat beside it.
#[component]
pub fn ChatButton(
    request: CustomRequest,
    here: String,
    #[prop(default = "Chat")] label: &'static str,
    /// The main thing to do on the page.
    #[prop(optional)]
    is_primary: bool,
    /// Its chat is the one that is open.
    #[prop(optional)]
    is_open: bool,
) -> impl IntoView {
    let class = if is_primary { "button button--primary chat-button" } else { "button button--small chat-button" };
    let id = format!("chat-{}", request.id);
    let about = format!(" about {}", request.title);
    let unread = (request.unread > 0).then(|| {
        view! {
            <span class="badge">
                <span aria-hidden="true">{request.unread}</span>
                <span class="visually-hidden">{format!(", {} unread", request.unread)}</span>
            </span>
        }
    });
    let content = view! {
        <span class="chat-button__label">
            {label} <span class="visually-hidden">{(!is_primary).then_some(about)}</span>
        </span>
        {unread}
        // Nothing is live without a script, so nothing is said about it.
        <span class="chat-button__live" hidden></span>
    };
    if request.conversation_id.is_some() {
        view! {
            <a class=class id=id href=here aria-current=is_open.then_some("true")>
                {content}
            </a>
        }
        .into_any()
    } else {
        view! {
            <form method="post" action=format!("/requests/{}/chat", request.id)>
                <input type="hidden" name="from" value=here />
                <button class=class id=id type="submit">
                    {content}
                </button>
            </form>
        }
        .into_any()
    }
}
