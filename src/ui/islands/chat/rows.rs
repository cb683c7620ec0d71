//! The lines of the log as markup: the server writes them into the page, the browser keeps them true.

use crate::{
    client::{
        labels,
        log::{Body, Bubble, Delivery, Key, Line},
        markup::{Element, Words, el, icon as draw},
        text::Piece,
    },
    domain::{Attachment, MessageId},
    ui::components::icon,
};

/// What stands above the first message.
pub(super) struct Top<'a> {
    /// Where earlier messages are to be read without JavaScript; `None` if there are none.
    pub older: Option<String>,
    pub loading: bool,
    /// The name of the other side.
    pub name: &'a str,
    /// Whether an admin looks at it.
    pub admin: bool,
}

const TOP: u128 = u128::MAX;
const NEW: u128 = u128::MAX - 1;

/// All rows, each with a key of its own. Ids are the keys of messages, and far above the numbers of
/// days.
pub(super) fn rows(top: &Top, lines: Vec<Line>) -> Vec<(u128, Element)> {
    let mut rows = vec![(TOP, top_row(top))];
    rows.extend(lines.into_iter().map(|line| (key(&line), row(line))));
    rows
}

fn key(line: &Line) -> u128 {
    match line.key() {
        Key::Day(day) => day.unsigned_abs().into(),
        Key::New => NEW,
        Key::Own(id) => id.0.as_u128(),
        Key::Refused(id) => !id.0.as_u128(),
        Key::Message(id) => id.0.as_u128(),
    }
}

fn top_row(top: &Top) -> Element {
    match &top.older {
        None => {
            let who = if top.admin { "Only you, your colleagues and " } else { "Only you and " };
            let words = [who, top.name, " can read this chat. It is kept after it is closed."];
            el("li", "log__start").text(words.concat())
        }
        Some(_) if top.loading => {
            let words = el("span", "log__loading").text("Loading earlier messages…");
            el("li", "log__older").attr("aria-busy", "true").with(words)
        }
        Some(address) => {
            let link = el("a", "button button--quiet").attr("href", address.clone()).attr("data-act", "older");
            el("li", "log__older").with(link.text("Earlier messages"))
        }
    }
}

fn row(line: Line) -> Element {
    match line {
        Line::Day { date, label } => {
            el("li", "log__day").with(el("time", "").attr("datetime", labels::iso_date(date)).text(label))
        }
        Line::New => el("li", "log__new").attr("id", "new").with(el("span", "").text("New")),
        Line::Message(bubble) => message(bubble),
    }
}

/// What the server tells: a line across the log.
fn system(bubble: &Bubble, words: &str) -> Element {
    let mut row = el("li", "log__system");
    if let Some(seq) = bubble.seq.map(|seq| seq.to_string()) {
        row = row.attr("id", ["m-", &seq].concat()).attr("data-seq", seq);
    }
    let time = el("time", "")
        .attr("datetime", bubble.at.to_string())
        .attr("title", bubble.full_time.clone())
        .text(bubble.clock.clone());
    row.text([&*bubble.sender, ": ", words, " "].concat()).with(time)
}

fn message(bubble: Bubble) -> Element {
    if let Body::System(words) = &bubble.body {
        return system(&bubble, words);
    }
    let states = [
        ("message", true),
        (" message--own", bubble.own),
        (" message--first", bubble.first),
        (" message--deleted", bubble.body == Body::Deleted),
        (" message--editing", bubble.editing.is_some()),
        (" message--sending", matches!(bubble.delivery, Delivery::Sending | Delivery::Underway)),
        (" message--failed", matches!(bubble.delivery, Delivery::Failed(_))),
    ];
    let class: String = states.into_iter().filter(|(_, is)| *is).map(|(state, _)| state).collect();
    let mut row = el("li", class);
    row = match bubble.seq.map(|seq| seq.to_string()) {
        Some(seq) => row.attr("id", ["m-", &seq].concat()).attr("data-seq", seq),
        None => row.maybe("data-client-id", bubble.client_id.map(|id| id.to_string())),
    };

    let (who_class, who) =
        if bubble.own { ("visually-hidden", Words::from("You")) } else { ("message__sender", bubble.sender.into()) };
    let time = el("time", "message__time")
        .attr("datetime", bubble.at.to_string())
        .attr("title", bubble.full_time)
        .text(bubble.clock);
    let head = el("p", if bubble.first { "message__head" } else { "visually-hidden" });
    let menu = (bubble.may_edit || bubble.may_delete) && bubble.editing.is_none();
    let content = match bubble.editing {
        Some(text) => edit(bubble.id, text),
        None => {
            let content = body(bubble.body).with_all(bubble.files.iter().map(file));
            content.with_all(bubble.edited.then(|| el("span", "message__edited").text("edited")))
        }
    };
    row.with(head.with(el("span", who_class).text(who)).text(" ").with(time))
        .with(el("div", "message__row").with(content).with_all(menu.then(|| options(bubble.may_edit))))
        .with_all(delivery(bubble.delivery))
}

fn body(body: Body) -> Element {
    match body {
        Body::Text(pieces) => pieces.into_iter().fold(el("div", "bubble"), |bubble, piece| match piece {
            Piece::Text(text) => bubble.text(text),
            Piece::Link(address) => {
                let link = el("a", "").attr("href", address.clone()).attr("rel", "noopener noreferrer nofollow");
                bubble.with(link.attr("target", "_blank").text(address))
            }
        }),
        Body::Emoji(emoji) => el("div", "bubble bubble--emoji").text(emoji),
        Body::Deleted => el("div", "bubble").text("Message deleted"),
        Body::System(_) => el("div", ""),
    }
}

fn file(file: &Attachment) -> Element {
    let link = el("a", "file").attr("href", file.address()).attr("target", "_blank");
    if file.is_picture() {
        let picture = el("img", "file__picture").attr("src", file.address()).attr("alt", file.name.clone());
        link.with(picture.attr("loading", "lazy"))
    } else {
        link.text(file.name.clone())
    }
}

fn button(class: &'static str, act: &'static str, words: &'static str) -> Element {
    el("button", class).attr("type", "button").attr("data-act", act).text(words)
}

fn options(may_edit: bool) -> Element {
    let summary =
        el("summary", "icon-button menu__button").attr("aria-label", "Message options").with(draw(icon::MORE));
    let list = el("div", "menu__list").with_all(may_edit.then(|| button("menu__item", "edit", "Edit"))).with(button(
        "menu__item menu__item--danger",
        "delete",
        "Delete",
    ));
    el("details", "menu message__menu").attr("name", "message-menu").with(summary).with(list)
}

/// The form that takes a message's place while it is edited.
fn edit(id: Option<MessageId>, text: String) -> Element {
    let field = ["edit-", &id.map(|id| id.to_string()).unwrap_or_default()].concat();
    let save = el("button", "button button--primary button--small").attr("type", "submit").text("Save");
    let actions = el("p", "edit__actions")
        .with(el("span", "edit__hint").text("Esc to cancel"))
        .with(button("button button--quiet button--small", "cancel", "Cancel"))
        .with(save);
    el("form", "edit")
        .with(el("label", "visually-hidden").attr("for", field.clone()).text("Edit message"))
        .with(el("textarea", "edit__input").attr("id", field).attr("rows", "1").text(text))
        .with(actions)
}

fn delivery(delivery: Delivery) -> Option<Element> {
    let told = match delivery {
        Delivery::Untold | Delivery::Underway => return None,
        Delivery::Sending => Words::from("Sending…"),
        Delivery::Sent => "Sent".into(),
        Delivery::Seen(at) => ["Seen ", &at].concat().into(),
        Delivery::Failed(reason) => {
            let failed = el("p", "message__state message__state--failed").attr("role", "alert").attr("title", reason);
            let retry = button("link-button", "retry", "Retry");
            return Some(failed.text("Not sent. ").with(retry).text(" ").with(button(
                "link-button",
                "discard",
                "Delete",
            )));
        }
    };
    Some(el("p", "message__state").text(told))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{client::markup::to_html, domain::Timestamp};

    fn bubble(body: Body) -> Line {
        Line::Message(Bubble {
            key: Key::Message(MessageId(Uuid::nil())),
            id: Some(MessageId(Uuid::nil())),
            seq: Some(7),
            client_id: None,
            own: false,
            first: true,
            sender: "<Ada>".into(),
            at: Timestamp(0),
            clock: "00:00".into(),
            full_time: "Thursday 1 January 1970, 00:00".into(),
            body,
            files: Vec::new(),
            edited: false,
            delivery: Delivery::Untold,
            may_edit: false,
            may_delete: false,
            editing: None,
        })
    }

    #[test]
    fn what_people_write_is_never_markup() {
        let body = Body::Text(vec![Piece::Text("<b>\n".into()), Piece::Link("https://a.example/?\"><script>".into())]);
        let html = to_html([&row(bubble(body))]);
        assert!(
            html.contains("&lt;Ada&gt;") && html.contains("&lt;b&gt;\n<a href=\"https://a.example/?&quot;&gt;"),
            "{html}"
        );
        assert!(!html.contains("<b>") && !html.contains("<script>"));
        assert!(html.starts_with("<li class=\"message message--first\" id=\"m-7\" data-seq=\"7\"><p"), "{html}");
    }

    #[test]
    fn the_top_says_whether_there_is_more() {
        let top = |older: Option<&str>, loading| {
            to_html([&top_row(&Top { older: older.map(Into::into), loading, name: "Ada", admin: false })])
        };
        assert!(top(None, false).contains("Only you and Ada"));
        assert!(top(Some("/chat/1?before=51"), false).contains("href=\"/chat/1?before=51\""));
        assert!(top(Some("/chat/1?before=51"), true).contains("aria-busy"));
    }
}
