//! Repairs damaged links: mail programs, chats and people add punctuation, change case, encode characters needlessly,
//! and drop or repeat parts. A link opens as long as its secret is recognisable.
//!
//! Guessing gets no easier: the whole secret is looked up, and only its digits count.

use axum::http::Uri;
use percent_encoding::percent_decode_str;

use crate::service::Secret;

/// How often an address may have been encoded in transit.
const ENCODINGS: usize = 3;

/// Pages that links in mails and messages open, with the parameter that contains the secret.
const PAGES: [(&str, &str); 6] = [
    ("chat", "chatId"),
    ("login", "token"),
    ("reset", "token"),
    ("confirm", "token"),
    ("invite", "token"),
    ("setup", "token"),
];

/// Path and query, decoded, with ASCII in lower case.
fn decoded(uri: &Uri) -> String {
    let mut text = uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
    for _ in 0..ENCODINGS {
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            break;
        }
        text = decoded;
    }
    text.to_ascii_lowercase()
}

/// The first value of the parameter `key` that is a secret.
pub(super) fn secret_in(uri: &Uri, key: &str) -> Option<Secret> {
    let (text, key) = (decoded(uri), key.to_ascii_lowercase());
    text.match_indices(&key).find_map(|(at, _)| Secret::in_text(&text[at + key.len()..]))
}

/// A page that a link with a secret opens.
pub(super) struct Target {
    /// Its path without the slash.
    pub page: &'static str,
    pub secret: Secret,
    key: &'static str,
}

impl Target {
    /// The address in this server's form.
    pub fn address(&self) -> String {
        format!("/{}?{}={}", self.page, self.key, self.secret.expose())
    }
}

/// The page that `uri` means, for a misspelt path.
pub(super) fn meant(uri: &Uri) -> Option<Target> {
    let text = decoded(uri);
    let path = text.trim_start_matches('/');
    PAGES.into_iter().find_map(|(page, key)| {
        let rest = path.strip_prefix(page)?;
        // Between path and query, only characters that are not part of a name are allowed.
        let before_key = rest.split(['?', '&']).next().unwrap_or_default();
        let is_path = !before_key.contains(|c: char| c.is_alphanumeric());
        is_path.then(|| Some(Target { page, key, secret: secret_in(uri, key)? }))?
    })
}

/// The redirect target for a `uri` whose secret is intact but whose form is not this server's.
pub(super) fn tidied(uri: &Uri) -> Option<String> {
    let address = meant(uri)?.address();
    (uri.path_and_query().map(|path| path.as_str()) != Some(&address)).then_some(address)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "0a1b2c3d-4e5f-8a6b-9c7d-8e9f0a1b2c3d";

    fn shared(address: &str) -> Option<String> {
        let target = meant(&address.parse().unwrap()).filter(|target| target.page == "chat")?;
        Some(target.secret.expose().to_owned())
    }

    #[test]
    fn a_shared_link_is_understood_however_it_was_passed_on() {
        let bare = ID.replace('-', "");
        for address in [
            format!("/chat?chatId={ID}"),
            format!("/chat?chatId={ID}."),
            format!("/chat?chatId={ID})"),
            format!("/chat?chatId={ID}%3E"),
            format!("/chat?chatId=%3C{ID}%3E"),
            format!("/chat?chatId=%22{ID}%22,"),
            format!("/chat?chatId=%E2%80%9C{ID}%E2%80%9D"),
            format!("/chat?chatId={ID}%E2%80%8B"),
            format!("/chat?chatId=%E2%80%8B{ID}"),
            format!("/chat?chatId={ID}%C2%A0now"),
            format!("/chat?chatId={ID}%E8%AF%B7"),
            format!("/chat?chatId={ID}&fbclid=IwAR0abc"),
            format!("/chat?fbclid=IwAR0abc&chatId={ID}"),
            format!("/chat?utm_source=mail&amp;chatId={ID}&amp;x=1"),
            format!("/chat?chatId={ID}?x=1"),
            format!("/chat?chatId={ID}%26fbclid=1"),
            format!("/chat?chatId={ID}&chatId={ID}"),
            format!("/chat?chatId=&chatId={ID}"),
            format!("/chat?chatId={bare}"),
            format!("/chat?chatId={}", bare.to_uppercase()),
            format!("/chat?chatId={}", ID.replace('-', "%E2%80%90")),
            format!("/chat?chatId={}", ID.replace('-', "%2D")),
            format!("/chat?chatId={}%0D%0A{}", &ID[..20], &ID[20..]),
            format!("/CHAT?CHATID={}", ID.to_uppercase()),
            format!("/chat?chatid={ID}"),
            format!("/chat?chatId%3D{ID}"),
            format!("/chat%3FchatId={ID}"),
            format!("/chat%3FchatId%3D{ID}"),
            format!("/chat%253FchatId%253D{ID}"),
            format!("/chat/?chatId={ID}"),
            format!("/chat/%3FchatId={ID}"),
            format!("//chat?chatId={ID}"),
            format!("/chat./?chatId=+{ID}+"),
        ] {
            assert_eq!(shared(&address).as_deref(), Some(ID), "{address}");
        }
    }

    #[test]
    fn invalid_secrets_stay_invalid() {
        for address in [
            "/chat".to_owned(),
            "/chat?chatId=".to_owned(),
            "/chat?chatId=x".to_owned(),
            format!("/chat?chatId={ID}0"),
            format!("/chat?chatId=0{ID}"),
            format!("/chat?chatId={ID}x"),
            format!("/chat?chatId=x{ID}"),
            format!("/chat?chatId={}", &ID[1..]),
            format!("/chat?id={ID}"),
            format!("/chats?chatId={ID}"),
            format!("/chat/{ID}?chatId={ID}"),
            format!("/admin?chatId={ID}"),
            format!("/{ID}"),
        ] {
            assert_eq!(shared(&address), None, "{address}");
        }
    }

    #[test]
    fn links_in_mails_are_tidied() {
        let token = "0123456789abcdef".repeat(4);
        for page in ["login", "reset", "confirm", "invite", "setup"] {
            let address = format!("/{page}?token={token}");
            assert_eq!(tidied(&address.parse().unwrap()), None);
            for broken in [
                format!("{address}."),
                format!("{address}%3E"),
                format!("{address}%E2%80%8B"),
                format!("{address}&fbclid=1"),
                format!("{address}&token={token}"),
                format!("/{page}/?token={token}"),
                format!("/{page}?token=%20{token}"),
                address.to_uppercase(),
            ] {
                assert_eq!(tidied(&broken.parse().unwrap()).as_ref(), Some(&address), "{broken}");
            }
        }
        assert_eq!(tidied(&"/reset?token=0123".parse().unwrap()), None);
    }

    proptest! {
        #[test]
        fn any_link_with_anything_but_letters_and_digits_of_ascii_around_is_understood(
            bytes: [u8; 16], before in "[^0-9A-Za-z%]{0,8}", after in "([^0-9A-Za-z%][^%]{0,20})?", upper: bool,
        ) {
            let id = uuid::Uuid::from_bytes(bytes).to_string();
            let sent = if upper { id.to_uppercase() } else { id.clone() };
            let part = |text| crate::domain::percent_encoded(text, b"-._~");
            let address = format!("/chat?chatId={}{sent}{}", part(&before), part(&after));
            prop_assert_eq!(shared(&address), Some(id));
        }

        #[test]
        fn no_address_breaks_it(address in "/[!-~]{0,80}") {
            if let Ok(uri) = address.parse::<Uri>() {
                meant(&uri);
                tidied(&uri);
            }
        }
    }
}
