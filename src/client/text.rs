//! The pieces of a message's text, never HTML. People's input reaches the page only as text nodes, and as the address
//! of a link that this module checks.

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    Text(String),
    /// An address that starts with `http://` or `https://`.
    Link(String),
}

/// Splits text into links and the text between them. Together the pieces are the text.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain_from = 0;
    let mut at = 0;
    while let Some(found) = text.as_bytes()[at..].windows(3).position(|three| three == b"://").map(|found| at + found) {
        at = found + 3;
        let Some(start) = scheme_start(&text[plain_from..found]).map(|start| plain_from + start) else { continue };
        let length = link_length(&text[at..]);
        if length == 0 {
            continue;
        }
        if plain_from < start {
            pieces.push(Piece::Text(text[plain_from..start].to_owned()));
        }
        at += length;
        pieces.push(Piece::Link(text[start..at].to_owned()));
        plain_from = at;
    }
    if plain_from < text.len() {
        pieces.push(Piece::Text(text[plain_from..].to_owned()));
    }
    pieces
}

/// A letter or digit; beyond ASCII everything counts as one, which spares the tables of Unicode.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || !c.is_ascii()
}

/// Where `http` or `https` begins, if that is what `before` ends with. Only an ASCII letter or digit before it makes it
/// a part of another word. Many scripts have no spaces between words, and an emoji is not a word.
fn scheme_start(before: &str) -> Option<usize> {
    ["https", "http"].into_iter().find_map(|scheme| {
        let start = before.len().checked_sub(scheme.len())?;
        let is_scheme = before.get(start..)?.eq_ignore_ascii_case(scheme);
        let is_word = !before[..start].ends_with(|c: char| c.is_ascii_alphanumeric());
        (is_scheme && is_word).then_some(start)
    })
}

/// Quotation marks, and the punctuation of scripts that put no space after it.
const ENDS: &str = "<>\"`“”„‟«»‹›「」『』《》〈〉【】（），。、；：！？";

/// How much of the text after `://` belongs to the address: up to white space, less the punctuation that ends the
/// sentence around it. 0 if it does not start like the name of a host.
fn link_length(rest: &str) -> usize {
    if !rest.starts_with(|c: char| is_letter(c) || c == '[') {
        return 0;
    }
    let end = rest.find(|c: char| c.is_whitespace() || c.is_control() || ENDS.contains(c));
    let mut link = &rest[..end.unwrap_or(rest.len())];
    loop {
        let Some(last) = link.chars().next_back() else { return 0 };
        let drop = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '’' | '*' | '_' | '…' => true,
            // A bracket stays if it closes one that belongs to the address.
            ')' => link.matches(')').count() > link.matches('(').count(),
            ']' => link.matches(']').count() > link.matches('[').count(),
            '}' => link.matches('}').count() > link.matches('{').count(),
            _ => false,
        };
        if !drop {
            return link.len();
        }
        link = &link[..link.len() - last.len_utf8()];
    }
}

/// Whether the text is one emoji and nothing else. By ranges, not by the full table of Unicode: the
/// price of a mistake is a small emoji.
#[must_use]
pub fn is_lone_emoji(text: &str) -> bool {
    const JOINER: char = '\u{200d}';
    let (mut symbols, mut regional, mut joined) = (0, 0, false);
    for c in text.chars() {
        match c {
            JOINER => {
                joined = true;
                continue;
            }
            // Variation selector, skin tones, tags of flags: they change the symbol before them.
            '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' => {}
            '\u{1f1e6}'..='\u{1f1ff}' => regional += 1,
            '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b05}'..='\u{2b55}' | '\u{231a}'..='\u{23ff}' => {
                if !joined {
                    symbols += 1;
                }
            }
            _ => return false,
        }
        joined = false;
    }
    matches!((symbols, regional), (1, 0) | (0, 2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn links(text: &str) -> Vec<String> {
        let link = |piece| if let Piece::Link(link) = piece { Some(link) } else { None };
        pieces(text).into_iter().filter_map(link).collect()
    }

    #[test]
    fn links_end_where_the_sentence_continues() {
        for (text, expected) in [
            ("see https://a.example/x?y=1&z=2#w.", vec!["https://a.example/x?y=1&z=2#w"]),
            ("(http://a.example/b_(c)), HTTPS://B.example!", vec!["http://a.example/b_(c)", "HTTPS://B.example"]),
            ("\"https://a.example\" <http://b.example/>", vec!["https://a.example", "http://b.example/"]),
            ("https://a.example\nhttps://ü.example", vec!["https://a.example", "https://ü.example"]),
            ("http://[::1]:3000/", vec!["http://[::1]:3000/"]),
            ("https://https://a.example", vec!["https://https://a.example"]),
            ("看https://a.example/x。好", vec!["https://a.example/x"]),
            ("👉https://a.example →https://b.example", vec!["https://a.example", "https://b.example"]),
            ("„https://a.example“ ‚https://b.example’", vec!["https://a.example", "https://b.example"]),
            ("um\u{a0}https://a.example\u{a0}da", vec!["https://a.example"]),
            ("（https://a.example）「https://b.example」", vec!["https://a.example", "https://b.example"]),
        ] {
            assert_eq!(links(text), expected, "{text}");
        }
    }

    #[test]
    fn other_things_are_no_links() {
        for text in [
            "javascript://a.example",
            "https:// a",
            "xhttp://a.example",
            "http://",
            "a.example",
            "ftp://a.example",
            "https://.",
        ] {
            assert_eq!(links(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn one_emoji_is_alone() {
        for text in ["👍", "❤️", "👍🏽", "👩‍👩‍👧", "🇫🇷", "🏳️‍🌈", "✅", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"]
        {
            assert!(is_lone_emoji(text), "{text}");
        }
        for text in ["", "👍👍", "a", "👍 ", "ok 👍", "🇫", "1", "\u{200d}", "©"] {
            assert!(!is_lone_emoji(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(text in "(https?://|[a-z.,()\\[\\] \\n<>é👍/:]){0,12}") {
            let mut joined = String::new();
            for piece in pieces(&text) {
                match piece {
                    Piece::Text(text) => joined += &text,
                    Piece::Link(link) => {
                        prop_assert!(link.starts_with("http://") || link.starts_with("https://"));
                        prop_assert!(!link.contains(char::is_whitespace));
                        joined += &link;
                    }
                }
            }
            prop_assert_eq!(joined, text);
        }
    }
}
