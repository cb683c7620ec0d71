//! The words of messages, as search keeps and looks for them.
//!
//! They are taken apart and folded here, and not by PostgreSQL, so that what is found depends on neither
//! its locale nor its dictionaries: a word is a row of letters and digits, and case and accents do not
//! count. That is what SQLite's `unicode61` does as well.

use std::collections::BTreeSet;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Characters of a word that count, for PostgreSQL keeps 2046 bytes at most.
const WORD_CHARS: usize = 500;
/// Bytes of all words of a message together, for PostgreSQL keeps 1 MiB at most. What goes beyond, many
/// times what a message may have by default, is not found.
const MESSAGE_BYTES: usize = 512 * 1024;

fn words(text: &str) -> impl Iterator<Item = String> {
    // An accent may be a character of its own, after its letter: it belongs to the word.
    let words = text.split(|c: char| !(c.is_alphanumeric() || is_combining_mark(c)));
    let folded = words.map(|word| {
        word.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).take(WORD_CHARS).collect::<String>()
    });
    folded.filter(|word| !word.is_empty())
}

/// The words that a message is found by, each once.
pub(in crate::storage) fn of(text: &str) -> Vec<String> {
    let mut bytes = 0;
    let words: BTreeSet<_> = words(text).collect();
    let fits = |word: &String| {
        bytes += word.len();
        bytes <= MESSAGE_BYTES
    };
    words.into_iter().take_while(fits).collect()
}

/// What finds the messages that have all words of `text`, of each also what merely begins with it; as
/// PostgreSQL writes a `tsquery`. `None` if there are no words.
pub(super) fn query(text: &str) -> Option<String> {
    // A word has only letters and digits, so nothing in it ends the quotes.
    let words: Vec<_> = words(text).map(|word| format!("'{word}':*")).collect();
    (!words.is_empty()).then(|| words.join(" & "))
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
    fn a_query_has_every_word_quoted() {
        assert_eq!(query("Oak | 'Table").as_deref(), Some("'oak':* & 'table':*"));
        assert_eq!(query(" '& "), None);
    }
}
