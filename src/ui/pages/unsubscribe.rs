//! Ends e-mail about a chat; a link in each such mail opens this page.

use leptos::prelude::*;

use super::with_viewer;
use crate::{
    app::FormState,
    locales::{self, t},
    ui::components::{Frame, Layout},
};

#[component]
pub fn UnsubscribePage() -> impl IntoView {
    with_viewer(|viewer| async move {
        let locale = locales::current();
        // The form goes to the address of the page, which contains the token; none after it was sent.
        let address = FormState::current().value("address");
        let content = if address.is_empty() {
            view! {
                <h1 class="sheet__title">{t!(locale, unsubscribe::DONE)}</h1>
                <p class="sheet__lead" role="status">
                    {t!(locale, unsubscribe::DONE_HELP)}
                </p>
            }
            .into_any()
        } else {
            view! {
                <h1 class="sheet__title">{t!(locale, unsubscribe::TITLE)}</h1>
                <p class="sheet__lead">{t!(locale, unsubscribe::HELP)}</p>
                <form class="form sheet__body" method="post" action=address>
                    <button class="button button--primary button--wide" type="submit">
                        {t!(locale, unsubscribe::STOP)}
                    </button>
                </form>
            }
            .into_any()
        };
        Ok(view! {
            <Frame viewer=viewer title=t!(locale, unsubscribe::TITLE) layout=Layout::Sheet class="sheet">
                {content}
            </Frame>
        }
        .into_any())
    })
}
