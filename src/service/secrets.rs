//! Secrets: random for sessions and tokens, derived for shared links. The database contains hashes.

use std::{
    fmt,
    io::{self, Write},
    path::Path,
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    domain::{LinkId, is_visible},
    storage::{SecretHash, private},
};

/// A secret in plain text. Shown to its owner once and never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// 256 random bits in hex, after a `prefix` that shows people the kind of secret.
    #[must_use]
    pub fn random(prefix: &str) -> Self {
        let bytes: [u8; 32] = rand::random();
        Self(bytes.iter().fold(prefix.to_owned(), |text, byte| text + &format!("{byte:02x}")))
    }

    /// A secret from a client, unchanged.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The secret in its original form, if it is from a link that was changed in transit.
    #[must_use]
    pub fn as_link(&self) -> Self {
        Self::in_text(&self.0).unwrap_or_else(|| Self(self.0.trim().to_lowercase()))
    }

    /// The link secret at the beginning of `text`, after other characters: a UUID, or 256 bits in hex. Case, hyphens
    /// and invisible characters are ignored; a further ASCII letter or digit makes it invalid.
    #[must_use]
    pub fn in_text(text: &str) -> Option<Self> {
        let mut digits = String::new();
        for c in text.chars() {
            let is_whole = matches!(digits.len(), 32 | 64);
            match c {
                _ if c.is_ascii_hexdigit() => digits.push(c.to_ascii_lowercase()),
                _ if c.is_ascii_alphanumeric() => return None,
                _ if digits.is_empty() => {}
                _ if !is_whole && (is_hyphen(c) || c.is_whitespace() || !is_visible(c)) => {}
                _ => break,
            }
            if digits.len() > 64 {
                return None;
            }
        }
        match digits.len() {
            32 => Uuid::parse_str(&digits).ok().map(|id| Self(id.to_string())),
            64 => Some(Self(digits)),
            _ => None,
        }
    }

    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

/// Includes the hyphens that word processors insert.
fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The key from which the secrets of all shared links are derived. With it, an admin can copy a link at any time
/// although the database contains only hashes. It is in the data directory, outside of the database: a stolen
/// database opens no chat.
#[derive(Clone)]
pub struct LinkKey([u8; 32]);

impl LinkKey {
    /// Its name in the data directory.
    pub(super) const FILE: &str = "link.key";

    /// Reads the key from `link.key` in `data_dir`, or creates it there, readable by its owner only.
    ///
    /// # Errors
    /// If the file cannot be read or written, or is not 32 bytes long.
    pub fn load(data_dir: &Path) -> io::Result<Self> {
        let bytes = stored(data_dir, Self::FILE, &rand::random::<[u8; 32]>())?;
        let damaged = |_| io::Error::other(format!("{} is damaged: it must have 32 bytes", Self::FILE));
        bytes.try_into().map_err(damaged).map(Self)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// A random key, for tests.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// The secret in the address of this link: a UUID (version 8) of 122 bits that cannot be
    /// guessed without the key.
    #[must_use]
    pub fn secret(&self, link: LinkId) -> Secret {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(link.0.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Secret(uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string())
    }
}

/// The secret in the file `name` of the data directory, which only its owner can read. Stores `new` if there is none.
/// The second of two concurrent writers uses the first one's secret.
///
/// # Errors
/// If the file cannot be read or written.
pub(super) fn stored(data_dir: &Path, name: &str, new: &[u8]) -> io::Result<Vec<u8>> {
    private::folder(data_dir)?;
    let path = data_dir.join(name);
    if !path.exists() {
        // The whole file before its name, so that readers never see a part.
        let draft = data_dir.join(format!("{name}.{}", Uuid::new_v4()));
        let mut file = private::file(&draft)?;
        file.write_all(new)?;
        file.sync_all()?;
        let linked = std::fs::hard_link(&draft, &path);
        std::fs::remove_file(&draft)?;
        linked.or_else(|error| if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) })?;
    }
    std::fs::read(path)
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_key_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let link = LinkId::new();
        let first = LinkKey::load(dir.path()).unwrap().secret(link);
        assert_eq!(LinkKey::load(dir.path()).unwrap().secret(link), first);
        assert_ne!(LinkKey::random().secret(link), first);
        assert!(Uuid::parse_str(first.expose()).is_ok());
        std::fs::write(dir.path().join("link.key"), "short").unwrap();
        assert!(LinkKey::load(dir.path()).is_err());
    }

    #[test]
    fn secrets_do_not_show_in_logs() {
        let secret = Secret::random("bsp_");
        assert_eq!(secret.expose().len(), 4 + 64);
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
