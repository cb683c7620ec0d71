//! When a customer can expect an answer, on the clock of this browser.

use js_sys::{Array, Intl, Object, Reflect};
use leptos::prelude::*;

use super::panel::Panel;
use crate::api;

/// Asks for the current words. After an error the panel keeps the old ones.
pub(super) async fn ask(panel: Panel) {
    let options = Intl::DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
    let zone = Reflect::get(&options, &"timeZone".into()).ok().and_then(|zone| zone.as_string());
    if let Ok(answers) = api::load_answers(zone.unwrap_or_default()).await {
        panel.if_alive(|| {
            panel.answers.set(answers.words);
            panel.answers_until.set(answers.until);
        });
    }
}
