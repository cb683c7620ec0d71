//! The form of texts in a sealed conversation. Browsers encrypt them with a key that the server never receives.
//!
//! A sealed text is base64url without padding (RFC 4648, section 5) of an initialisation vector, and the ciphertext and
//! tag of AES-256-GCM. The additional data is the conversation's id, in lower case with hyphens.

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Bytes of the initialisation vector, which begins a sealed text.
pub const IV_BYTES: usize = 12;
/// Bytes of the tag, which ends a sealed text.
const TAG_BYTES: usize = 16;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `bytes` in base64url without padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let bits = part.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - part.len()));
        text.extend((0..=part.len()).map(|at| char::from(DIGITS[bits >> (18 - 6 * at) & 63])));
    }
    text
}

/// The bytes that [`encode`] encodes as `text`; `None` if there are none.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0_usize, 0);
    for digit in text.bytes() {
        bits = bits << 6 | DIGITS.iter().position(|known| *known == digit)?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    // The bits after the last byte are zero, and fewer than a digit has. So each text has one form.
    (count < 6 && bits == 0).then_some(bytes)
}

/// Whether `text` has the form of a sealed text of at least one byte.
#[must_use]
pub fn is_sealed(text: &str) -> bool {
    // Most texts have a space near their beginning.
    let is_digit = |digit: u8| digit.is_ascii_alphanumeric() || matches!(digit, b'-' | b'_');
    text.bytes().all(is_digit) && decode(text).is_some_and(|bytes| bytes.len() > IV_BYTES + TAG_BYTES)
}

/// Maximum length in characters of the sealed form of a text of up to `chars` characters. The server cannot count them,
/// and UTF-8 takes up to four bytes for each.
#[must_use]
pub fn max_chars(chars: usize) -> usize {
    (chars.saturating_mul(4).saturating_add(IV_BYTES + TAG_BYTES)).div_ceil(3).saturating_mul(4)
}

/// What precedes the key in the address that people share: a browser sends nothing after the first character.
pub const BEFORE_KEY: &str = "#k=";

/// The key in a shared link, or `text` itself if it is a key; in the form of [`encode`].
#[must_use]
pub fn key_in(text: &str) -> Option<&str> {
    let text = text.trim();
    let key = text.find(BEFORE_KEY).map_or(text, |at| &text[at + BEFORE_KEY.len()..]);
    // What a mail program or a person put behind the link.
    let end = key.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))).unwrap_or(key.len());
    Some(&key[..end]).filter(|key| decode(key).is_some_and(|bytes| bytes.len() == KEY_BYTES))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_form_is_that_of_the_standard() {
        // RFC 4648, section 10, without padding; and the two digits that differ from plain base64.
        for (bytes, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
        for wrong in ["Zg==", "Z", "Zh", "Zm9", "Zm9vY", "Zm 8", "Zm8\n", "+/8", "Zmé"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_sealed_text_has_at_least_one_byte_of_text() {
        assert!(!is_sealed(&encode(&[7; IV_BYTES + TAG_BYTES])));
        assert!(is_sealed(&encode(&[7; IV_BYTES + TAG_BYTES + 1])));
        assert!(!is_sealed("Good morning, I would like an oak table please"));
        assert!(!is_sealed(""));
    }

    #[test]
    fn the_longest_text_fits_when_it_is_sealed() {
        for chars in [1, 7, 8_000] {
            let bytes = vec![0xff; IV_BYTES + chars * 4 + TAG_BYTES];
            assert!(encode(&bytes).len() <= max_chars(chars));
            assert!(encode(&[&bytes[..], &[1; 4]].concat()).len() > max_chars(chars));
        }
    }

    #[test]
    fn the_key_is_found_in_a_link() {
        let key = encode(&[0xfb; KEY_BYTES]);
        for text in [
            key.clone(),
            format!(" #k={key}\n"),
            format!("https://chat.example/chat?chatId=1#k={key}"),
            format!("<https://chat.example/chat?chatId=1#k={key}>."),
        ] {
            assert_eq!(key_in(&text), Some(&*key), "{text}");
        }
        let short = encode(&[0xfb; KEY_BYTES - 1]);
        for text in ["", "#k=", "https://chat.example/chat?chatId=1", &short, &format!("#k={key}A"), &key[1..]] {
            assert_eq!(key_in(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes: Vec<u8>) {
            let text = encode(&bytes);
            prop_assert_eq!(decode(&text).unwrap(), &*bytes);
            prop_assert_eq!(is_sealed(&text), bytes.len() > 28);
        }

        #[test]
        fn each_text_has_one_form(text in "[A-Za-z0-9_-]{0,12}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
