//! A whole conversation as plain text, an HTML page or JSON. All formats omit control characters except line breaks
//! and tabs, as a terminal may show the text. In plain text, only the server's own words begin a line; all other text
//! is indented.

use html_escape::encode_double_quoted_attribute as escaped;
use serde::Serialize;
use serde_json::Value;

use crate::{
    domain::{Conversation, Message, Timestamp, plain_line, plain_lines},
    locales::{self, Locale, t},
};

fn moment(time: Timestamp) -> String {
    // 2026-01-31T09:30:00.000Z
    let text = time.to_string();
    format!("{} {} UTC", &text[..10], &text[11..16])
}

/// The lines above all messages; the first names the customer.
fn heading(locale: Locale, conversation: &Conversation) -> Vec<String> {
    let title = t!(locale, transcript::chat_with(&plain_line(&conversation.customer_name)));
    let opened = t!(locale, transcript::opened(&moment(conversation.created_at)));
    let closed = conversation.closed_at.map(|at| t!(locale, transcript::closed(&moment(at))));
    [title, opened].into_iter().chain(closed).collect()
}

/// The lines after the name and time of a message. The server cannot read what people write in a sealed conversation.
fn lines(locale: Locale, conversation: &Conversation, message: &Message) -> Vec<String> {
    if message.deleted_at.is_some() {
        return vec![t!(locale, transcript::DELETED).to_owned()];
    }
    if conversation.sealed && !message.system {
        return vec![t!(locale, chat::SEALED_MESSAGE).to_owned()];
    }
    let words = message.words(locale);
    let text = plain_lines(&words).filter(|_| !words.is_empty());
    let files = message.attachments.iter().map(|file| t!(locale, transcript::file(&plain_line(&file.name))));
    text.chain(files).collect()
}

fn head(locale: Locale, message: &Message) -> String {
    let (name, moment) = (plain_line(&message.sender_name), moment(message.created_at));
    if message.edited_at.is_some() && message.deleted_at.is_none() {
        t!(locale, transcript::written_and_edited(&name, &moment))
    } else {
        t!(locale, transcript::written(&name, &moment))
    }
}

pub fn text(conversation: &Conversation, messages: &[Message]) -> String {
    let locale = locales::current();
    let mut text = String::new();
    for line in heading(locale, conversation) {
        text.push_str(&format!("{line}\n"));
    }
    for message in messages {
        text.push_str(&format!("\n{}\n", head(locale, message)));
        for line in lines(locale, conversation, message) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}

pub fn html(conversation: &Conversation, messages: &[Message]) -> String {
    let locale = locales::current();
    let heading = heading(locale, conversation);
    let mut heading = heading.iter().map(escaped);
    let (title, lang) = (heading.next().unwrap_or_default(), locale.tag());
    let mut html = format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>\n\
         body {{ max-width: 40rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }}\n\
         h1 {{ font-size: 1.5rem; }}\nh2 {{ margin: 1.5rem 0 0; font-size: .875rem; color: #555; }}\n\
         p {{ margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }}\n</style>\n</head>\n<body>\n"
    );
    html.push_str(&format!("<h1>{title}</h1>\n"));
    for line in heading {
        html.push_str(&format!("<p>{line}</p>\n"));
    }
    for message in messages {
        let (head, body) = (head(locale, message), lines(locale, conversation, message).join("\n"));
        let (head, body) = (escaped(&head), escaped(&body));
        html.push_str(&format!("<article><h2>{head}</h2><p>{body}</p></article>\n"));
    }
    html.push_str("</body>\n</html>\n");
    html
}

/// # Errors
/// Never, for values of this program.
pub fn json(all: &impl Serialize) -> serde_json::Result<String> {
    let mut all = serde_json::to_value(all)?;
    clean(&mut all);
    serde_json::to_string(&all)
}

/// Removes control characters from every text, but keeps line breaks.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) if text.contains(char::is_control) => {
            *text = text.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect();
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(members) => members.values_mut().for_each(clean),
        _ => {}
    }
}
