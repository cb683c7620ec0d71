//! A customer's own chat, as the shared link opens it.

use leptos::prelude::*;
use leptos_router::{
    components::Redirect,
    hooks::{use_params_map, use_query_map},
};

use super::{with_earlier, with_viewer};
use crate::{
    api::load_chat,
    app::FormState,
    domain::{Code, ParticipantKind, Problem},
    ui::{
        components::{Frame, Layout},
        islands::Chat,
    },
};

#[component]
pub fn GuestChatPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").and_then(|id| id.parse().ok());
    let before = use_query_map().get_untracked().get("before").and_then(|seq| seq.parse().ok());
    with_viewer(move |viewer| async move {
        let id = id.ok_or_else(Problem::not_found)?;
        let chat = match load_chat(id).await {
            Ok(chat) => with_earlier(chat, before).await?,
            // Somebody without any access learns nothing from the answer.
            Err(problem) if problem.code == Code::Unauthorized => return Err(Problem::not_found()),
            Err(problem) => return Err(problem),
        };
        let form = FormState::current();
        if chat.me.kind == ParticipantKind::Admin && form.problem.is_none() {
            return Ok(view! { <Redirect path=format!("/admin?chat={id}") /> }.into_any());
        }
        let business = viewer.business.clone();
        let (draft, problem) = (form.value("content"), form.problem.map(|problem| problem.message));
        Ok(view! {
            <Frame viewer=viewer title="Chat" layout=Layout::Bare class="guest">
                <Chat chat=chat business=business draft=draft problem=problem />
            </Frame>
        }
        .into_any())
    })
}
