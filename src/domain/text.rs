//! Text that people type: trimmed, bounded, and free of what databases and screens choke on.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Problem;

/// The body of a message: within the limit, without NUL, and not empty unless files go with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content(String);

impl Content {
    /// Trims `text` and accepts 1 to `max_chars` characters.
    ///
    /// # Errors
    /// `invalid`, naming the field `content`.
    pub fn parse(text: &str, max_chars: usize) -> Result<Self, Problem> {
        match Self::beside_files(text, max_chars)? {
            Self(text) if text.is_empty() => Err(Problem::invalid("content", "A message needs some text.")),
            content => Ok(content),
        }
    }

    /// The same for a message with attachments, which needs no text.
    ///
    /// # Errors
    /// `invalid`, naming the field `content`.
    pub fn beside_files(text: &str, max_chars: usize) -> Result<Self, Problem> {
        let text = text.trim();
        let chars = text.chars().count();
        if chars > max_chars {
            return Err(Problem::invalid(
                "content",
                format!("A message can have {max_chars} characters; this one has {chars}. Please send it in parts."),
            ));
        }
        if text.contains('\0') {
            return Err(Problem::invalid("content", "A message cannot contain the NUL character."));
        }
        // Forms send line breaks as CRLF, sockets as LF: one message, one form. Not `replace`, whose
        // search for a text would be the only one that browsers have to load.
        let mut parts = text.split('\r');
        let mut content = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            if !part.starts_with('\n') {
                content.push('\r');
            }
            content.push_str(part);
        }
        Ok(Self(content))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

/// `text` as it can stand in an address or a header (RFC 3986, section 2.1): what is neither a letter or digit
/// of ASCII nor one of `kept` is encoded.
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

/// A person's name: 1 to 100 characters on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    pub const MAX_CHARS: usize = 100;

    /// Trims `text` and accepts 1 to 100 characters without line breaks or other controls.
    ///
    /// # Errors
    /// `invalid`, naming `field`.
    pub fn parse(field: &str, text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Problem::invalid(field, "Please enter a name."));
        }
        if text.chars().count() > Self::MAX_CHARS {
            return Err(Problem::invalid(field, format!("A name can have {} characters.", Self::MAX_CHARS)));
        }
        if text.chars().any(char::is_control) {
            return Err(Problem::invalid(field, "A name cannot contain line breaks or control characters."));
        }
        Ok(Self(text.to_owned()))
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
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
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
            Err(Problem::invalid(field, "Please enter an e-mail address, like name@example.com."))
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

/// The first `max_chars` characters on one line, with … where something was cut: for lists.
#[must_use]
pub fn shorten(text: &str, max_chars: usize) -> String {
    let mut short = String::new();
    for word in text.split_whitespace() {
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
    use super::*;
    use crate::domain::Code;

    #[test]
    fn content_is_trimmed_and_bounded() {
        assert_eq!(Content::parse("  hello \n", 5).unwrap().as_str(), "hello");
        assert_eq!(Content::parse("a\r\nb\rc\r\r\nd", 10).unwrap().as_str(), "a\nb\rc\r\nd");
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
    fn emails_are_lowered() {
        assert_eq!(Email::parse("email", " Ada@Example.COM ").unwrap().as_str(), "ada@example.com");
        for bad in ["", "a", "@", "a@", "@b", "a b@c.d", "a@b@c", "a@.b", "a@b."] {
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
