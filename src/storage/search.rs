//! The words of messages, as search keeps and looks for them.
//!
//! They are taken apart and folded here, and not by PostgreSQL, so that what is found depends on neither
//! its locale nor its dictionaries: a word is a row of letters and digits, and case and accents do not
//! count. That is what the index of SQLite, its `unicode61`, does as well.

use std::collections::BTreeSet;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Characters of a word that count, for PostgreSQL keeps 2046 bytes at most.
const WORD_CHARS: usize = 500;
/// Bytes of all words of a message together, for PostgreSQL keeps 1 MiB at most. What goes beyond, many
/// times what a message may have by default, is not found.
const MESSAGE_BYTES: usize = 512 * 1024;

/// Each word as it stands in the text.
fn written(text: &str) -> impl Iterator<Item = &str> {
    // An accent may be a character of its own, after its letter: it belongs to the word.
    text.split(|c: char| !(c.is_alphanumeric() || is_combining_mark(c)))
}

fn folded(word: &str) -> String {
    word.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).take(WORD_CHARS).collect()
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
    fn a_query_has_each_word_once() {
        let written = |query| Sought::all(query).into_iter().map(|word| word.written).collect::<Vec<_>>();
        assert_eq!(written("Oak | 'Tablé oak OAK"), ["Oak", "Tablé"]);
        assert!(written(" '& \u{301} ").is_empty());
    }
}
