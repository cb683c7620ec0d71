//! A customer's own chat, as the shared link opens it.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{with_earlier, with_viewer};
use crate::{
    api::load_chat,
    domain::Problem,
    ui::{
        components::{Frame, Layout},
        islands::{Chat, Place},
    },
};

#[component]
pub fn GuestChatPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").and_then(|id| id.parse().ok());
    let before = use_query_map().get_untracked().get("before").and_then(|seq| seq.parse().ok());
    with_viewer(move |viewer| async move {
        let id = id.ok_or_else(Problem::not_found)?;
        let chat = with_earlier(load_chat(id).await?, before).await?;
        let business = viewer.business.clone();
        Ok(view! {
            <Frame viewer=viewer title="Chat" layout=Layout::Bare class="guest">
                <Chat chat=chat business=business place=Place::Own about=None />
            </Frame>
        }
        .into_any())
    })
}
