//! The form that sends files. A plain one also where there are scripts: the server answers with the page of the
//! chat, and what was being written there waits as a draft.

use leptos::prelude::*;

use crate::{
    domain::{ClientId, ConversationId, ParticipantId},
    ui::components::{Icon, icon},
};

#[component]
pub(super) fn FilesForm(id: ConversationId, me: ParticipantId, key: ClientId, from: Option<String>) -> impl IntoView {
    view! {
        <div class="dialog" id="files" popover="auto" role="dialog" aria-labelledby="files-title">
            <form class="form" method="post" action=format!("/chat/{id}/files") enctype="multipart/form-data">
                <input type="hidden" name="client_id" value=key.to_string() />
                <input type="hidden" name="as" value=me.to_string() />
                {from.map(|from| view! { <input type="hidden" name="from" value=from /> })}
                <header class="dialog__head">
                    <h2 class="dialog__title" id="files-title">
                        "Send files"
                    </h2>
                    <button
                        class="icon-button"
                        type="button"
                        popovertarget="files"
                        popovertargetaction="hide"
                        aria-label="Close"
                    >
                        <Icon d=icon::CLOSE />
                    </button>
                </header>
                <div class="field">
                    <label class="field__label" for="file">
                        "Files"
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
                        "Ten at most. Pictures show in the chat, everything else can be saved."
                    </p>
                </div>
                <div class="field">
                    <label class="field__label" for="files-content">
                        "Message "
                        <span class="field__optional">"optional"</span>
                    </label>
                    <textarea class="input" id="files-content" name="content" rows="2" dir="auto"></textarea>
                </div>
                <div class="dialog__foot">
                    <button class="button" type="button" popovertarget="files" popovertargetaction="hide">
                        "Cancel"
                    </button>
                    <button class="button button--primary" type="submit">
                        "Send"
                    </button>
                </div>
            </form>
        </div>
    }
}
