//! The form that sends files without scripts; with them, [`tray`](super::tray) does.

use leptos::prelude::*;

use super::plain::Forms;
use crate::{
    locales::{self, t},
    ui::components::{Icon, icon},
};

#[component]
pub(super) fn FilesForm(forms: Forms) -> impl IntoView {
    let locale = locales::current();
    let Forms { id, me, key, from, .. } = forms;
    view! {
        <div class="dialog" id="files" popover="auto" role="dialog" aria-labelledby="files-title">
            <form class="form" method="post" action=format!("/chat/{id}/files") enctype="multipart/form-data">
                <input type="hidden" name="client_id" value=key.to_string() />
                <input type="hidden" name="as" value=me.to_string() />
                {from.map(|from| view! { <input type="hidden" name="from" value=from /> })}
                <header class="dialog__head">
                    <h2 class="dialog__title" id="files-title">
                        {t!(locale, chat::SEND_FILES)}
                    </h2>
                    <button
                        class="icon-button"
                        type="button"
                        popovertarget="files"
                        popovertargetaction="hide"
                        aria-label=t!(locale, chat::CLOSE)
                    >
                        <Icon d=icon::CLOSE />
                    </button>
                </header>
                <div class="field">
                    <label class="field__label" for="file">
                        {t!(locale, chat::FILES)}
                    </label>
                    <input
                        class="input input--file"
                        id="file"
                        type="file"
                        name="file"
                        multiple
                        required
                        autofocus
                        aria-describedby="file-help"
                    />
                    <p class="field__help" id="file-help">
                        {t!(locale, chat::FILES_HELP)}
                    </p>
                </div>
                <div class="field">
                    <label class="field__label" for="files-content">
                        {t!(locale, chat::MESSAGE)}
                        " "
                        <span class="field__optional">{t!(locale, form::OPTIONAL)}</span>
                    </label>
                    <textarea class="input" id="files-content" name="content" rows="2" dir="auto"></textarea>
                </div>
                <div class="dialog__foot">
                    <button class="button" type="button" popovertarget="files" popovertargetaction="hide">
                        {t!(locale, form::CANCEL)}
                    </button>
                    <button class="button button--primary" type="submit">
                        {t!(locale, chat::SEND)}
                    </button>
                </div>
            </form>
        </div>
    }
}
