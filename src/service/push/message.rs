//! A notification on its way: encrypted for one browser (RFC 8291), and signed with the server's key (RFC 8292).
//!
//! The crates for this do not fit. `web-push` and `ece` need OpenSSL or curl, and `web-push-native` brings a second
//! implementation of each algorithm. All algorithms are in ring, on which TLS is built here.

use std::{fmt, io, path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use ring::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral},
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::json;

use super::super::secrets::stored;
use crate::storage::{PushSubscription, now};

/// The size of a record. Push services accept 4,096 bytes in all, so a message is one record.
const RECORD_BYTES: u32 = 4_096;
/// Marks the end of the last record (RFC 8188, section 2).
const LAST: u8 = 2;
/// How long a signature is valid, in seconds. RFC 8292 permits a day.
const SIGNED_FOR_S: i64 = 12 * 3_600;

/// Encrypts for the browser of a subscription. `None` if its key is no point of the curve.
pub(super) fn encrypt(plain: &[u8], to: &PushSubscription) -> Option<Vec<u8>> {
    let random = SystemRandom::new();
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &random).ok()?;
    let own_public = own.compute_public_key().ok()?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, &to.public_key);
    agree_ephemeral(own, &theirs, |shared| seal(plain, to, shared, own_public.as_ref(), rand::random())).ok()
}

/// One record of the coding `aes128gcm` (RFC 8188), with keys from the secret that both sides share.
fn seal(plain: &[u8], to: &PushSubscription, shared: &[u8], own_public: &[u8], salt: [u8; 16]) -> Vec<u8> {
    let info = [b"WebPush: info\0", &*to.public_key, own_public].concat();
    let secret: [u8; 32] = derive(&to.auth_secret, shared, &info);
    let key: [u8; 16] = derive(&salt, &secret, b"Content-Encoding: aes128gcm\0");
    let nonce: [u8; 12] = derive(&salt, &secret, b"Content-Encoding: nonce\0");

    let mut record = [plain, &[LAST]].concat();
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).expect("the key has 16 bytes"));
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)
        .expect("the record is short");
    let key_bytes = u8::try_from(own_public.len()).expect("a point has 65 bytes");
    [&salt[..], &RECORD_BYTES.to_be_bytes(), &[key_bytes], own_public, &record].concat()
}

/// HKDF with SHA-256 (RFC 5869), for at most one block of output.
fn derive<const N: usize>(salt: &[u8], secret: &[u8], info: &[u8]) -> [u8; N] {
    let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), secret);
    let block = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref()), &[info, &[1]].concat());
    block.as_ref()[..N].try_into().expect("a block has 32 bytes")
}

/// The key by which push services recognise this server. Browsers bind their subscriptions to it, so it never changes.
#[derive(Clone)]
pub struct PushKey(Arc<EcdsaKeyPair>);

impl PushKey {
    /// Its name in the data directory.
    pub(in crate::service) const FILE: &str = "push.key";

    /// Reads the key from `push.key` in `data_dir`, or creates it there, readable by its owner only.
    ///
    /// # Errors
    /// If the file cannot be read or written, or is not a key.
    pub fn load(data_dir: &Path) -> io::Result<Self> {
        let bytes = stored(data_dir, Self::FILE, &new_key())?;
        Self::read(&bytes).ok_or_else(|| io::Error::other(format!("{} is damaged", Self::FILE)))
    }

    /// A random key, for tests and commands.
    ///
    /// # Panics
    /// If the system has no randomness.
    #[must_use]
    pub fn random() -> Self {
        Self::read(&new_key()).expect("a new key is sound")
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes, &SystemRandom::new()).ok()?;
        Some(Self(Arc::new(pair)))
    }

    /// As browsers take it (`applicationServerKey`), in base64url.
    #[must_use]
    pub fn public(&self) -> String {
        BASE64URL.encode(self.0.public_key())
    }

    /// The header `Authorization` for a push service at this origin, from the server at `public_url`. `None` if the
    /// system has no randomness.
    pub(super) fn authorization(&self, origin: &str, public_url: &str) -> Option<String> {
        let claims = json!({ "aud": origin, "exp": now().0 / 1_000 + SIGNED_FOR_S, "sub": public_url });
        let [head, claims] =
            [json!({ "typ": "JWT", "alg": "ES256" }), claims].map(|part| BASE64URL.encode(part.to_string()));
        let signed = format!("{head}.{claims}");
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        Some(format!("vapid t={signed}.{}, k={}", BASE64URL.encode(signature), self.public()))
    }
}

/// A new key in PKCS #8.
fn new_key() -> Vec<u8> {
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    key.expect("the system has randomness").as_ref().to_vec()
}

impl fmt::Debug for PushKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;
    use crate::locales::Locale;

    fn bytes(base64url: &str) -> Vec<u8> {
        BASE64URL.decode(base64url).unwrap()
    }

    /// RFC 8291, appendix A.
    #[test]
    fn a_message_is_sealed_as_the_standard_shows() {
        let to = PushSubscription {
            endpoint: String::new(),
            public_key: bytes(
                "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            ),
            auth_secret: bytes("BTBZMqHH6r4Tts7J_aSIgg"),
            locale: Locale::En,
        };
        let shared = bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let own_public =
            bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let sealed = seal(b"When I grow up, I want to be a watermelon", &to, &shared, &own_public, salt);
        assert_eq!(
            BASE64URL.encode(sealed),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6P\
             Bru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
        assert!(encrypt(b"", &to).is_some());
        assert!(encrypt(b"", &PushSubscription { public_key: vec![4; 65], ..to }).is_none(), "not on the curve");
    }

    #[test]
    fn a_push_service_can_verify_the_signature() {
        let key = PushKey::random();
        let header = key.authorization("https://push.example", "https://chat.example").unwrap();
        let (token, public) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(public, key.public());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes(public));
        public.verify(signed.as_bytes(), &bytes(signature)).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&bytes(signed.split_once('.').unwrap().1)).unwrap();
        assert_eq!((&claims["aud"], &claims["sub"]), (&json!("https://push.example"), &json!("https://chat.example")));
        let valid_for = claims["exp"].as_i64().unwrap() - now().0 / 1_000;
        assert!((1..=24 * 3_600).contains(&valid_for), "{claims}");
    }

    #[test]
    fn the_key_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let first = PushKey::load(dir.path()).unwrap().public();
        assert_eq!(PushKey::load(dir.path()).unwrap().public(), first);
        assert_ne!(PushKey::random().public(), first);
        std::fs::write(dir.path().join(PushKey::FILE), "short").unwrap();
        assert!(PushKey::load(dir.path()).is_err());
    }
}
