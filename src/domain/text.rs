//! People's input: trimmed, bounded, and free of characters that databases and screens cannot handle.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Problem, sealed};
use crate::locales::{self, t};

/// Whether `c` is visible: no control, no space, no blank, and not ignored by default (Default_Ignorable_Code_Point of
/// Unicode's DerivedCoreProperties). Joiners, selectors and tags are invisible, but belong in words and emoji. So they
/// stay, but do not count as visible text.
#[must_use]
pub fn is_visible(c: char) -> bool {
    !(c.is_control() || c.is_whitespace() || is_ignorable(c) || is_blank(c))
}

/// Listed here, and not taken from a table of all properties, which browsers would have to load.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Braille without dots, anchors of annotations, and the note without a head.
fn is_blank(c: char) -> bool {
    matches!(c, '\u{2800}' | '\u{fff9}'..='\u{fffb}' | '\u{1d159}')
}

/// Whether `c` changes the direction of the following text until another character ends it (UAX #9, section 2.1 to
/// 2.5).
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether `c` controls the direction of text, also as a mark of its own.
fn is_direction_control(c: char) -> bool {
    turns_direction(c) || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')
}

/// Whether every display continues the text on another line after `c` (UAX #14: BK, CR, LF, NL).
fn breaks_line(c: char) -> bool {
    matches!(c, '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Each line of `text` as a terminal or a file can have it: without control characters but tabs, and without
/// what turns directions. No line of it can look like two.
pub fn plain_lines(text: &str) -> impl Iterator<Item = String> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (line, after) = match text.find(breaks_line) {
            Some(at) if text[at..].starts_with("\r\n") => (&text[..at], Some(&text[at + 2..])),
            Some(at) => (&text[..at], text[at..].char_indices().nth(1).map(|(next, _)| &text[at + next..])),
            None => (text, None),
        };
        rest = after;
        Some(line.chars().filter(|c| *c == '\t' || !(c.is_control() || turns_direction(*c))).collect())
    })
}

/// The same on one line.
#[must_use]
pub fn plain_line(text: &str) -> String {
    plain_lines(text).collect::<Vec<_>>().join(" ")
}

/// The name of a person or thing, for a line among others: without controls of direction, by which it could look
/// like another, and trimmed.
///
/// # Errors
/// The validation error.
fn line(text: &str, max_chars: usize) -> Result<String, LineError> {
    let text: String = text.chars().filter(|c| !is_direction_control(*c)).collect();
    let text = text.trim();
    if !text.chars().any(is_visible) {
        return Err(LineError::Empty);
    }
    if text.chars().count() > max_chars {
        return Err(LineError::TooLong);
    }
    if text.chars().any(|c| c.is_control() || breaks_line(c)) {
        return Err(LineError::Broken);
    }
    Ok(text.to_owned())
}

enum LineError {
    Empty,
    TooLong,
    /// It has line breaks or other controls.
    Broken,
}

/// The title of a custom request.
///
/// # Errors
/// `invalid`, naming the field `title`.
pub(super) fn title(text: &str, max_chars: usize) -> Result<String, Problem> {
    let message = |error| match error {
        LineError::Empty => t!(locales::current(), problem::TITLE_EMPTY).to_owned(),
        LineError::TooLong => t!(locales::current(), problem::title_too_long(max_chars)),
        LineError::Broken => t!(locales::current(), problem::TITLE_BROKEN).to_owned(),
    };
    line(text, max_chars).map_err(|error| Problem::invalid("title", message(error)))
}

/// A file's name, safe to show and save: without folders, controls, and characters that could make it look like another
/// (`bill\u{202e}fdp.exe`). `None` if nothing remains to be seen.
#[must_use]
pub fn file_name(path: &str) -> Option<String> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let fits = |c: &char| !(c.is_control() || breaks_line(*c) || is_direction_control(*c));
    let name: String = name.chars().filter(fits).collect();
    name.chars().any(is_visible).then(|| name.trim().to_owned())
}

/// `text` in its stored form: trimmed, with each line break as LF. Forms send CRLF and sockets send LF, as browsers
/// have it within a page (WHATWG HTML, "API value"). Checks of length and emptiness use this form.
pub(super) fn normalized(text: &str) -> String {
    // Not `replace`, whose search for a text would be the only one that browsers have to load.
    let mut parts = text.trim().split('\r');
    let mut normal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        if !part.starts_with('\n') {
            normal.push('\n');
        }
        normal.push_str(part);
    }
    normal
}

/// The body of a message: within the limit, without NUL, and with something to be seen unless files go with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    text: String,
    /// The maximum length in characters that it exceeds: only a sealed conversation accepts it.
    exceeds: Option<usize>,
}

impl Content {
    /// Trims `text` and accepts up to `max_chars` characters, of which one must be visible.
    ///
    /// # Errors
    /// `invalid`, naming the field `content`.
    pub fn parse(text: &str, max_chars: usize) -> Result<Self, Problem> {
        Self::parse_as("content", text, max_chars)
    }

    /// The same for another field.
    ///
    /// # Errors
    /// `invalid`, naming `field`.
    pub fn parse_as(field: &str, text: &str, max_chars: usize) -> Result<Self, Problem> {
        match Self::bounded(field, text, max_chars)? {
            Self { text, .. } if !text.chars().any(is_visible) => {
                Err(Problem::invalid(field, t!(locales::current(), problem::CONTENT_EMPTY)))
            }
            content => Ok(content),
        }
    }

    /// The same for a conversation that may be sealed. The form of a sealed text is longer than the text, and can
    /// exceed `max_chars`; then only a sealed conversation accepts it.
    ///
    /// # Errors
    /// `invalid`, naming the field `content`.
    pub fn parse_any(text: &str, max_chars: usize) -> Result<Self, Problem> {
        Self::parse(text, max_chars).or_else(|problem| {
            let text = text.trim();
            let is_accepted = text.len() <= sealed::max_chars(max_chars) && sealed::is_sealed(text);
            let content = Self { text: text.to_owned(), exceeds: Some(max_chars) };
            is_accepted.then_some(content).ok_or(problem)
        })
    }

    /// Whether a conversation that `is_sealed`, or is not, accepts it.
    ///
    /// # Errors
    /// `invalid`, naming the field `content`.
    pub fn require_for(&self, is_sealed: bool) -> Result<(), Problem> {
        match self.exceeds {
            None if is_sealed && !sealed::is_sealed(&self.text) => {
                Err(Problem::invalid("content", t!(locales::current(), problem::NOT_SEALED)))
            }
            Some(max_chars) if !is_sealed => Err(too_long("content", &self.text, max_chars)),
            _ => Ok(()),
        }
    }

    /// The same for a message with attachments, which needs no text.
    ///
    /// # Errors
    /// `invalid`, naming the field `content`.
    pub fn beside_files(text: &str, max_chars: usize) -> Result<Self, Problem> {
        Self::bounded("content", text, max_chars)
    }

    fn bounded(field: &str, text: &str, max_chars: usize) -> Result<Self, Problem> {
        let content = normalized(text);
        if content.chars().count() > max_chars {
            return Err(too_long(field, &content, max_chars));
        }
        if content.contains('\0') {
            return Err(Problem::invalid(field, t!(locales::current(), problem::CONTENT_NUL)));
        }
        Ok(Self { text: content, exceeds: None })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn into_string(self) -> String {
        self.text
    }
}

fn too_long(field: &str, text: &str, max_chars: usize) -> Problem {
    let chars = text.chars().count();
    Problem::invalid(field, t!(locales::current(), problem::content_too_long(max_chars, chars)))
}

/// `text` encoded for an address or a header (RFC 3986, section 2.1): all characters except ASCII letters, digits and
/// `kept`.
#[must_use]
pub fn percent_encoded(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A person's name: up to 100 characters on one line, of which one is visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    pub const MAX_CHARS: usize = 100;

    /// Trims `text`, takes controls of direction out, and accepts up to 100 characters without line breaks or other
    /// controls.
    ///
    /// # Errors
    /// `invalid`, naming `field`.
    pub fn parse(field: &str, text: &str) -> Result<Self, Problem> {
        let message = |error| match error {
            LineError::Empty => t!(locales::current(), problem::NAME_EMPTY).to_owned(),
            LineError::TooLong => t!(locales::current(), problem::name_too_long(Self::MAX_CHARS)),
            LineError::Broken => t!(locales::current(), problem::NAME_BROKEN).to_owned(),
        };
        line(text, Self::MAX_CHARS).map(Self).map_err(|error| Problem::invalid(field, message(error)))
    }

    /// Takes a name that was checked before, as a database holds it.
    #[must_use]
    pub fn trusted(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// The longest address that SMTP can carry (RFC 5321, section 4.5.3.1.3, less the brackets).
    pub const MAX_CHARS: usize = 254;

    /// Trims `text` and lowers its case. Checks only what is wrong in every address: real proof is
    /// a mail that arrives.
    ///
    /// # Errors
    /// `invalid`, naming `field`.
    pub fn parse(field: &str, text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        let well_formed = text.chars().count() <= Self::MAX_CHARS
            && text.chars().all(is_visible)
            && text.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty()
                    && !domain.is_empty()
                    && !domain.contains('@')
                    && !domain.starts_with('.')
                    && !domain.ends_with('.')
            });
        if well_formed {
            Ok(Self(text.to_lowercase()))
        } else {
            Err(Problem::invalid(field, t!(locales::current(), problem::EMAIL)))
        }
    }

    /// Takes an address that was checked before, as a database holds it.
    #[must_use]
    pub fn trusted(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first `max_chars` characters on one line, with … after a cut. It has no direction controls, so lists can show it
/// beside other text.
#[must_use]
pub fn shorten(text: &str, max_chars: usize) -> String {
    let mut short = String::new();
    for word in text.split(|c: char| c.is_whitespace() || turns_direction(c)).filter(|word| !word.is_empty()) {
        // A character has four bytes at most.
        if short.len() > 4 * max_chars {
            break;
        }
        if !short.is_empty() {
            short.push(' ');
        }
        short.push_str(word);
    }
    let mut places = short.char_indices().skip(max_chars.saturating_sub(1));
    if let (Some((last, _)), Some(_)) = (places.next(), places.next()) {
        short.truncate(last);
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Code;

    #[test]
    fn content_is_trimmed_and_bounded() {
        assert_eq!(Content::parse("  hello \n", 5).unwrap().as_str(), "hello");
        assert_eq!(Content::parse("a\r\nb\rc\r\r\nd", 10).unwrap().as_str(), "a\nb\nc\n\nd");
        for bad in ["", " \n\t ", "123456", "a\0b"] {
            assert_eq!(Content::parse(bad, 5).unwrap_err().code, Code::Invalid, "{bad:?}");
        }
        assert!(Content::parse("ééééé", 5).is_ok(), "the limit counts characters, not bytes");
    }

    #[test]
    fn names_stay_on_one_line() {
        assert_eq!(Name::parse("name", " Ada ").unwrap().as_str(), "Ada");
        for bad in ["", "   ", "a\nb", &"x".repeat(101)] {
            assert_eq!(Name::parse("name", bad).unwrap_err().field.as_deref(), Some("name"));
        }
    }

    #[test]
    fn lengths_count_the_stored_text() {
        // As a form sends it: each line break is two characters on the way, and one in the end.
        let lines = "1234567\r\n".repeat(1_000);
        let stored = Content::parse(&lines, 7_999).unwrap();
        assert_eq!(stored.as_str().chars().count(), 7_999);
        assert!(Content::parse(&"\r\n".repeat(9_000), 8_000).is_err(), "nothing but line breaks is nothing");
        assert!(Content::parse(&format!("a{}b", "\r\n".repeat(7_998)), 8_000).is_ok());
        assert!(Content::parse(&format!("a{}b", "\r\n".repeat(7_999)), 8_000).is_err());
        assert!(Content::parse(&format!("  {}\r\n ", "x".repeat(8_000)), 8_000).is_ok());
        assert!(Name::parse("name", &format!(" {}\u{202e} ", "é".repeat(100))).is_ok());
    }

    #[test]
    fn invisible_characters_are_neither_a_text_nor_a_name() {
        for invisible in [
            "\u{200b}",
            "\u{3164}",
            "\u{2800}",
            "\u{115f}\u{1160}",
            "\u{ffa0}",
            "\u{e0041}",
            "\u{ad}",
            "\u{feff}",
            "\u{200d}\u{fe0f}",
            "\u{2028}",
            "\u{85}",
            "\u{202e}\u{202c}",
            "\u{2066}\u{2069}",
            "\u{34f}",
            "\u{180e}",
            "\u{2060}",
            "\u{1d159}",
            "\u{17b4}",
            "\u{1b}",
            " \u{a0}\u{3000} ",
        ] {
            assert!(Content::parse(invisible, 10).is_err(), "{invisible:?}");
            assert!(Name::parse("name", invisible).is_err(), "{invisible:?}");
            assert_eq!(file_name(invisible), None, "{invisible:?}");
        }
        // A family, a heart, a flag of tags, a keycap; Persian, Sinhala, Hangul.
        for visible in [
            "👨\u{200d}👩\u{200d}👧",
            "❤\u{fe0f}",
            "🏴\u{e0067}\u{e007f}",
            "1\u{fe0f}\u{20e3}",
            "می\u{200c}خواهم",
            "ශ්\u{200d}රී",
            "홍",
            "\u{301}",
        ] {
            assert_eq!(Content::parse(visible, 20).unwrap().as_str(), visible);
            assert_eq!(Name::parse("name", visible).unwrap().as_str(), visible);
        }
    }

    #[test]
    fn names_have_no_controls_of_direction() {
        assert_eq!(Name::parse("name", "\u{202e}nimdA\u{202c}").unwrap().as_str(), "nimdA");
        assert_eq!(Name::parse("name", "a\u{61c}\u{200e}\u{200f}\u{2067}b\u{2069}").unwrap().as_str(), "ab");
        for bad in ["a\u{2028}b", "a\u{2029}b", "a\u{85}b", "a\u{1b}[31mb", "a\u{9b}b"] {
            assert!(Name::parse("name", bad).is_err(), "{bad:?}");
        }
        assert_eq!(file_name("C:\\bills\\bill\u{202e}fdp.exe").as_deref(), Some("billfdp.exe"));
        assert_eq!(file_name("/tmp/a\r\n\u{2028}\u{1b}b.txt").as_deref(), Some("ab.txt"));
        assert_eq!(Content::parse("a \u{202e}b", 9).unwrap().as_str(), "a \u{202e}b", "messages keep theirs");
    }

    #[test]
    fn plain_lines_cannot_look_like_others() {
        let lines = |text| plain_lines(text).collect::<Vec<_>>();
        assert_eq!(lines("a\r\nb\rc\n\nd\te"), ["a", "b", "c", "", "d\te"]);
        assert_eq!(lines("a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f"), ["a", "b", "c", "d", "e", "f"]);
        assert_eq!(lines("\u{1b}[2J\u{9b}31m\u{202e}x\u{7f}\u{8}"), ["[2J31mx"]);
        assert_eq!(plain_line("a\n\u{1b}b"), "a b");
    }

    #[test]
    fn shortened_text_turns_nothing_beside_it() {
        assert_eq!(shorten("a \u{202e}b\u{2066} c", 20), "a b c");
        assert_eq!(shorten("\u{202e}", 20), "");
    }

    #[test]
    fn ignorable_characters_match_unicode() {
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        for c in '\0'..=char::MAX {
            assert_eq!(is_ignorable(c), ignorable.contains(c), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn a_stored_text_is_stored_again_unchanged(text in "[ab \r\n\t\u{85}\u{200b}\u{2028}]{0,12}", crlf: bool) {
            let sent = if crlf { text.replace('\n', "\r\n") } else { text };
            let stored = normalized(&sent);
            prop_assert!(!stored.contains('\r') && stored.chars().count() <= sent.chars().count());
            // As a form would show it and send it back.
            prop_assert_eq!(&normalized(&stored.replace('\n', "\r\n")), &stored);
            prop_assert_eq!(&normalized(&stored), &stored);
        }

        #[test]
        fn a_name_that_is_taken_is_taken_again(text in "\\PC{0,9}|[\u{200b}-\u{206f}\u{feff}a ]{0,9}") {
            if let Ok(name) = Name::parse("name", &text) {
                prop_assert_eq!(Name::parse("name", name.as_str()), Ok(name.clone()));
                prop_assert!(name.as_str().chars().any(is_visible) && !name.as_str().contains(is_direction_control));
            }
        }

        #[test]
        fn no_plain_line_has_a_control(text in "\\PC*|[\0-\u{9f}\u{2028}-\u{202e}\u{2066}-\u{2069}a]{0,20}") {
            for line in plain_lines(&text) {
                prop_assert!(!line.contains(|c: char| c != '\t' && c.is_control() || breaks_line(c) || turns_direction(c)));
            }
        }
    }

    #[test]
    fn emails_are_lowered() {
        assert_eq!(Email::parse("email", " Ada@Example.COM ").unwrap().as_str(), "ada@example.com");
        for bad in ["", "a", "@", "a@", "@b", "a b@c.d", "a@b@c", "a@.b", "a@b.", "a\u{202e}@b.c", "a\u{200b}@b.c"] {
            assert!(Email::parse("email", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn shortened_text_is_one_line() {
        assert_eq!(shorten("one\n two", 20), "one two");
        assert_eq!(shorten("abcdef", 6), "abcdef");
        assert_eq!(shorten("abcdefg", 6), "abcde…");
        assert_eq!(shorten("éé éé éé", 6), "éé éé…");
        assert_eq!(shorten("éé éé éé", 8), "éé éé éé");
        assert_eq!(shorten(&"😀 ".repeat(9), 3), "😀 …");
    }
}
