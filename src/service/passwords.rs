//! Passwords: Argon2id, a few at a time, because each takes 19 MiB and tens of milliseconds.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use crate::{
    domain::Problem,
    locales::{self, t},
};

/// Minimum length of a password (NIST SP 800-63B requires at least 8).
pub const MIN_CHARS: usize = 10;
/// Maximum bytes of a password, which limits the cost of hashing.
const MAX_BYTES: usize = 1_024;
/// Number of concurrent hashes.
const AT_ONCE: usize = 2;

#[derive(Debug)]
pub(super) struct Passwords {
    places: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { places: Semaphore::new(AT_ONCE) }
    }
}

impl Passwords {
    /// A new password in its hashed form: NFC (RFC 8265, section 4.2), because keyboards encode the same letters
    /// differently.
    ///
    /// # Errors
    /// `invalid` if it is too short or too long.
    pub fn check(password: &str) -> Result<String, Problem> {
        if password.len() > MAX_BYTES {
            return Err(Problem::invalid("password", t!(locales::current(), problem::PASSWORD_TOO_LONG)));
        }
        let password: String = password.nfc().collect();
        if password.chars().count() < MIN_CHARS {
            return Err(Problem::invalid("password", t!(locales::current(), problem::password_too_short(MIN_CHARS))));
        }
        Ok(password)
    }

    /// Creates the PHC string of a new password.
    ///
    /// # Errors
    /// As for [`Passwords::check`].
    pub async fn hash(&self, password: &str) -> Result<String, Problem> {
        let password = Self::check(password)?;
        self.compute(move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()))
            .await?
            .map_err(|_| Problem::unavailable())
    }

    /// Whether `password` matches `phc`. Without a `phc` the result is false after the same time, so that the time
    /// does not reveal whether an account exists.
    pub async fn verify(&self, password: &str, phc: Option<String>) -> Result<bool, Problem> {
        if password.len() > MAX_BYTES {
            return Ok(false);
        }
        let forms = forms(password);
        self.compute(move || {
            let phc = phc.as_deref().map(PasswordHash::new);
            let fits = |form: &String| match &phc {
                Some(Ok(hash)) => Argon2::default().verify_password(form.as_bytes(), hash).is_ok(),
                _ => {
                    // Computed for its duration only.
                    std::hint::black_box(Argon2::default().hash_password(form.as_bytes()).is_ok());
                    false
                }
            };
            // Checks all of them, so that the time depends on the input only.
            forms.iter().fold(false, |found, form| fits(form) | found)
        })
        .await
    }

    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let _place = self.places.acquire().await.map_err(|_| Problem::unavailable())?;
        tokio::task::spawn_blocking(work).await.map_err(|_| Problem::unavailable())
    }
}

/// The forms of this password that may have been hashed: NFC, or, in old accounts, the typed bytes. There is one
/// form, unless it contains letters with diacritics.
fn forms(password: &str) -> Vec<String> {
    let mut forms: Vec<String> = vec![password.nfc().collect()];
    for form in [password.to_owned(), password.nfd().collect()] {
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_passwords_are_hashed_once() {
        for password in ["correct horse", "", "пароль из слов", "\u{1f40e} battery"] {
            assert_eq!(forms(password), [password]);
        }
        assert_eq!(forms("caf\u{e9}"), ["caf\u{e9}", "cafe\u{301}"]);
    }

    #[tokio::test]
    async fn a_password_fits_however_its_letters_are_composed() {
        let passwords = Passwords::default();
        let (composed, decomposed) = ("d\u{e9}j\u{e0} vu encore", "de\u{301}ja\u{300} vu encore");
        for set in [composed, decomposed] {
            let phc = passwords.hash(set).await.unwrap();
            for typed in [composed, decomposed] {
                assert!(passwords.verify(typed, Some(phc.clone())).await.unwrap(), "{set:?} {typed:?}");
            }
            assert!(!passwords.verify("deja vu encore", Some(phc)).await.unwrap());
        }
        assert!(passwords.hash("e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}").await.is_err(), "these are five letters");
    }

    #[tokio::test]
    async fn a_password_whose_bytes_were_hashed_as_they_were_typed_still_fits() {
        let passwords = Passwords::default();
        let (composed, decomposed) = ("d\u{e9}j\u{e0} vu encore", "de\u{301}ja\u{300} vu encore");
        for before in [composed, decomposed] {
            let phc = Argon2::default().hash_password(before.as_bytes()).unwrap().to_string();
            for typed in [composed, decomposed] {
                assert!(passwords.verify(typed, Some(phc.clone())).await.unwrap(), "{before:?} {typed:?}");
            }
        }
    }

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let passwords = Passwords::default();
        let phc = passwords.hash("correct horse").await.unwrap();
        assert!(phc.starts_with("$argon2id$"));
        assert!(passwords.verify("correct horse", Some(phc.clone())).await.unwrap());
        assert!(!passwords.verify("correct horsf", Some(phc)).await.unwrap());
        assert!(!passwords.verify("correct horse", None).await.unwrap());
        assert!(passwords.hash("short").await.is_err());
    }
}
