//! The words of messages, as search stores and queries them.
//!
//! This module splits and folds them, so results do not depend on PostgreSQL's locale or dictionaries. A word is a
//! sequence of letters and digits; case and accents do not count. That is what the index of SQLite, its `unicode61`,
//! does as well.

use std::collections::BTreeSet;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::domain::{is_visible, shorten};

/// Characters of a word that count, because PostgreSQL stores 2046 bytes at most.
const WORD_CHARS: usize = 500;
/// Bytes of all words of a message together, because PostgreSQL stores 1 MiB at most. Search does not find further
/// words; the limit is many times the default size of a message.
const MESSAGE_BYTES: usize = 512 * 1024;

/// Each word as written in the text.
fn written(text: &str) -> impl Iterator<Item = &str> {
    // An accent may be a character of its own, after its letter: it belongs to the word.
    text.split(|c: char| !(c.is_alphanumeric() || is_combining_mark(c)))
}

fn folded(word: &str) -> String {
    without_accents(word).take(WORD_CHARS).collect()
}

fn without_accents(text: &str) -> impl Iterator<Item = char> {
    text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase)
}

/// The folded form of a text, for searching any part of it. Case, accents, Unicode's compositions and invisible
/// characters do not count.
pub(super) fn fold(text: &str) -> String {
    let counts = |c: &char| is_visible(*c) || c.is_whitespace() || c.is_control();
    without_accents(text).filter(counts).collect()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    written(text).map(folded).filter(|word| !word.is_empty())
}

/// The words that a message is found by, each once.
pub(super) fn of(text: &str) -> Vec<String> {
    let mut bytes = 0;
    let words: BTreeSet<_> = words(text).collect();
    let fits = |word: &String| {
        bytes += word.len();
        bytes <= MESSAGE_BYTES
    };
    words.into_iter().take_while(fits).collect()
}

/// A text as a list shows it that was searched for it: on one line, cut around a word that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    pub before: String,
    pub found: String,
    pub after: String,
}

/// Characters of an excerpt before the match, and after it.
const BEFORE_CHARS: usize = 24;
const AFTER_CHARS: usize = 120;

/// The text around the first word that one of `query` finds.
#[must_use]
pub fn excerpt(text: &str, query: &str) -> Excerpt {
    let sought = Sought::all(query);
    // Words are slices of the text.
    let found = written(text).find(|word| sought.iter().any(|sought| sought.is_in(word))).map_or(0..0, |word| {
        let start = word.as_ptr().addr() - text.as_ptr().addr();
        start..start + word.len()
    });
    let (before, after) = (&text[..found.start], &text[found.end..]);
    let start = before.char_indices().rev().nth(BEFORE_CHARS - 1).map_or(0, |(at, _)| at);
    let (is_cut, before) = (start > 0, &before[start..]);
    // From the beginning of a word, if there is one.
    let before = if is_cut { before.split_once(char::is_whitespace).map_or(before, |(_, rest)| rest) } else { before };
    let space = |is: bool| if is { " " } else { "" };
    let gap = space(before.ends_with(char::is_whitespace));
    let start = if is_cut { "…" } else { "" };
    Excerpt {
        before: format!("{start}{}{gap}", shorten(before, BEFORE_CHARS)),
        found: text[found].to_owned(),
        after: format!("{}{}", space(after.starts_with(char::is_whitespace)), shorten(after, AFTER_CHARS)),
    }
}

/// A word that is searched for. It finds also what merely begins with it.
pub(super) struct Sought {
    /// As somebody wrote it: letters, digits and accents, and nothing else.
    pub(super) written: String,
    pub(super) folded: String,
}

impl Sought {
    /// The words of a query, each once. Messages that have all of them are found.
    pub(super) fn all(query: &str) -> Vec<Self> {
        let mut seen = BTreeSet::new();
        written(query)
            .map(|word| Self { written: word.to_owned(), folded: folded(word) })
            .filter(|word| !word.folded.is_empty() && seen.insert(word.folded.clone()))
            .collect()
    }

    /// For SQL's `like`: what is all ASCII and does not match has no such word.
    pub(super) fn pattern(&self) -> String {
        if self.folded.is_ascii() { format!("%{}%", self.folded) } else { String::new() }
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        if !text.is_ascii() {
            return words(text).any(|word| word.starts_with(&self.folded));
        }
        let begins = |word: &[u8]| {
            let start = word.get(..self.folded.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(self.folded.as_bytes()))
        };
        text.as_bytes().split(|byte| !byte.is_ascii_alphanumeric()).any(begins)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_folded_and_nothing_else_remains() {
        assert_eq!(of("An OAK table, an oak"), ["an", "oak", "table"]);
        assert_eq!(of("Élan e\u{301}lan ELAN"), ["elan"]);
        assert_eq!(of("Größe: 140cm"), ["140cm", "große"]);
        assert_eq!(of("'a' & !b | (c):* \\ \u{301} 😀 _"), ["a", "b", "c"]);
        assert_eq!(of(&"x".repeat(9_999))[0].len(), WORD_CHARS);
        assert!(of("").is_empty());
        let many = (0..200_000).map(|n| format!("{n:06} ")).collect::<String>();
        assert!(of(&many).iter().map(String::len).sum::<usize>() <= MESSAGE_BYTES);
    }

    #[test]
    fn folded_text_has_no_accents_in_either_form() {
        for name in ["Andr\u{e9}", "Andre\u{301}", "ANDR\u{c9}", "an\u{ad}dre\u{200b}"] {
            assert_eq!(fold(name), "andre", "{name:?}");
        }
        assert_eq!(fold("Nguy\u{1ec5}n\n\u{130}zmir 100%_"), "nguyen\nizmir 100%_");
        assert_eq!(fold("\u{d64d}\u{ae38}"), fold("\u{1112}\u{1169}\u{11bc}\u{1100}\u{1175}\u{11af}"));
    }

    proptest! {
        #[test]
        fn every_form_of_a_text_folds_to_the_same(text in "\\PC{0,12}") {
            let folded = fold(&text);
            prop_assert_eq!(&fold(&text.nfc().collect::<String>()), &folded);
            prop_assert_eq!(&fold(&text.nfd().collect::<String>()), &folded);
            prop_assert_eq!(&fold(&folded), &folded);
        }
    }

    #[test]
    fn a_word_is_in_a_text_that_has_one_which_begins_like_it() {
        for (query, text, is_in) in [
            ("oak", "An OAK table", true),
            ("TAB", "An OAK table", true),
            ("able", "An OAK table", false),
            ("tables", "An OAK table", false),
            ("elan", "Élan vital", true),
            ("e\u{301}l", "Élan vital", true),
            ("Élan", "elan", true),
            ("größe", "GRÖSSE, größer", true),
            ("oak", "Größe, oaken", true),
            ("oa", "", false),
        ] {
            assert_eq!(Sought::all(query)[0].is_in(text), is_in, "{query:?} in {text:?}");
        }
    }

    #[test]
    fn an_excerpt_shows_the_first_word_that_was_found() {
        let parts = |text: &str, query| {
            let Excerpt { before, found, after } = excerpt(text, query);
            (before, found, after)
        };
        let part = |before: &str, found: &str, after: &str| (before.to_owned(), found.to_owned(), after.to_owned());
        assert_eq!(parts("An OAK\n\n table", "tab oa"), part("An ", "OAK", " table"));
        assert_eq!(parts("Größe, (Élan)!", "elan"), part("Größe, (", "Élan", ")!"));
        assert_eq!(parts("nothing here", "oak"), part("", "", "nothing here"));
        assert_eq!(parts("", "oak"), part("", "", ""));
        let far = format!("{} before the oak, and {}", "far ".repeat(50), "then ".repeat(50));
        let (before, found, after) = parts(&far, "oak");
        assert_eq!((&*before, &*found), ("…far far before the ", "oak"));
        assert!(
            after.starts_with(", and then") && after.ends_with('…') && after.chars().count() <= AFTER_CHARS,
            "{after}"
        );
        assert_eq!(parts(&format!("{}-oak", "x".repeat(99)), "oak").0, format!("…{}-", "x".repeat(23)));
    }

    #[test]
    fn a_query_has_each_word_once() {
        let written = |query| Sought::all(query).into_iter().map(|word| word.written).collect::<Vec<_>>();
        assert_eq!(written("Oak | 'Tablé oak OAK"), ["Oak", "Tablé"]);
        assert!(written(" '& \u{301} ").is_empty());
    }
}
