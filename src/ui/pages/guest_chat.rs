//! A customer's own chat, which the shared link opens.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::with_viewer;
use crate::{
    api::load_chat,
    client::page,
    domain::Problem,
    locales::{self, t},
    ui::{
        components::{Frame, Layout},
        islands::{Chat, MessageForm, name_of},
    },
};

#[component]
pub fn GuestChatPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").and_then(|id| id.parse().ok());
    let before = use_query_map().get_untracked().get("before").and_then(|seq| seq.parse().ok());
    with_viewer(move |viewer| async move {
        let id = id.ok_or_else(Problem::not_found)?;
        let chat = load_chat(id, before).await?;
        let name = name_of(&chat, &viewer.business);
        Ok(view! {
            <Frame viewer=viewer title=t!(locales::current(), guest_chat::TITLE) layout=Layout::Bare class="guest">
                <Chat chat name form=MessageForm::current() now=page::now() />
            </Frame>
        }
        .into_any())
    })
}
