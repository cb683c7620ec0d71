//! Passwords: Argon2id, a few at a time, because each takes 19 MiB and tens of milliseconds.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::domain::Problem;

/// Fewest characters of a password (NIST SP 800-63B asks for at least 8).
pub const MIN_CHARS: usize = 10;
/// Most bytes of a password: a bound on what is hashed.
const MAX_BYTES: usize = 1_024;
/// Hashes computed at once.
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
    /// Makes the PHC string of a new password.
    ///
    /// # Errors
    /// `invalid` if it is too short or too long.
    pub async fn hash(&self, password: &str) -> Result<String, Problem> {
        if password.chars().count() < MIN_CHARS {
            return Err(Problem::invalid("password", format!("A password needs at least {MIN_CHARS} characters.")));
        }
        if password.len() > MAX_BYTES {
            return Err(Problem::invalid("password", "This password is too long."));
        }
        let password = password.to_owned();
        self.compute(move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()))
            .await?
            .map_err(|_| Problem::unavailable())
    }

    /// Whether `password` belongs to `phc`. Without a `phc` the answer is no, after the same time,
    /// so that it does not tell whether an account exists.
    pub async fn verify(&self, password: &str, phc: Option<String>) -> Result<bool, Problem> {
        if password.len() > MAX_BYTES {
            return Ok(false);
        }
        let password = password.to_owned();
        self.compute(move || match phc.as_deref().map(PasswordHash::new) {
            Some(Ok(hash)) => Argon2::default().verify_password(password.as_bytes(), &hash).is_ok(),
            _ => {
                // Only the time it takes matters here.
                std::hint::black_box(Argon2::default().hash_password(password.as_bytes()).is_ok());
                false
            }
        })
        .await
    }

    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let _place = self.places.acquire().await.map_err(|_| Problem::unavailable())?;
        tokio::task::spawn_blocking(work).await.map_err(|_| Problem::unavailable())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
