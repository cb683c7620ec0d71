//! A push service on loopback, and the keys of browsers that subscribe there.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use p256::{PublicKey, SecretKey, ecdh::diffie_hellman, elliptic_curve::sec1::ToSec1Point};
use ring::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Salt},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};

use super::in_time;

/// Listens on loopback until the test ends.
pub struct PushService {
    pub url: String,
    requests: mpsc::UnboundedReceiver<Pushed>,
    answers: Answers,
}

/// The statuses of the next answers; then 201.
type Answers = Arc<Mutex<VecDeque<u16>>>;

#[derive(Debug)]
pub struct Pushed {
    pub path: String,
    pub headers: HeaderMap,
    body: Bytes,
}

impl PushService {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::unbounded_channel();
        let answers = Answers::default();
        let routes = Router::new().fallback(accept).with_state((sender, answers.clone()));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, requests, answers }
    }

    /// The next notification.
    pub async fn next(&mut self) -> Pushed {
        in_time("a notification", self.requests.recv()).await.unwrap()
    }

    /// Whether no notification has come that was not looked at.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    pub fn answer_next(&self, status: u16) {
        self.answers.lock().unwrap().push_back(status);
    }
}

async fn accept(
    State((sender, answers)): State<(mpsc::UnboundedSender<Pushed>, Answers)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, [(&'static str, &'static str); 1]) {
    sender.send(Pushed { path: uri.path().to_owned(), headers, body }).ok();
    let status = answers.lock().unwrap().pop_front().unwrap_or(201);
    (StatusCode::from_u16(status).unwrap(), [("location", "/elsewhere")])
}

/// The subscription of a browser, with its secret keys.
pub struct PushBrowser {
    pub endpoint: String,
    secret: SecretKey,
    auth: [u8; 16],
}

impl PushBrowser {
    pub fn new(endpoint: impl Into<String>) -> Self {
        let secret = SecretKey::from_slice(&rand::random::<[u8; 32]>()).unwrap();
        Self { endpoint: endpoint.into(), secret, auth: rand::random() }
    }

    fn public(&self) -> Vec<u8> {
        self.secret.public_key().to_sec1_point(false).as_bytes().to_vec()
    }

    /// What `PushSubscription.toJSON()` gives.
    pub fn subscription(&self) -> Value {
        let keys = json!({ "p256dh": BASE64URL.encode(self.public()), "auth": BASE64URL.encode(self.auth) });
        json!({ "endpoint": self.endpoint, "expirationTime": null, "keys": keys })
    }

    /// Decrypts a notification (RFC 8188 and 8291).
    pub fn read(&self, pushed: &Pushed) -> Value {
        let (salt, rest) = pushed.body.split_at(16);
        let (record_bytes, rest) = rest.split_at(4);
        assert_eq!(u32::from_be_bytes(record_bytes.try_into().unwrap()), 4_096);
        let (their_public, sealed) = rest[1..].split_at(rest[0].into());
        assert!(pushed.body.len() <= 4_096);
        let theirs = PublicKey::from_sec1_bytes(their_public).unwrap();
        let shared = diffie_hellman(self.secret.to_nonzero_scalar(), theirs.as_affine());

        let info = [b"WebPush: info\0", &*self.public(), their_public].concat();
        let secret = derive(&self.auth, shared.raw_secret_bytes(), &info, 32);
        let key = derive(salt, &secret, b"Content-Encoding: aes128gcm\0", 16);
        let nonce = derive(salt, &secret, b"Content-Encoding: nonce\0", 12);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
        let nonce = Nonce::try_assume_unique_for_key(&nonce).unwrap();
        let mut record = sealed.to_vec();
        let plain = key.open_in_place(nonce, Aad::empty(), &mut record).expect("it is sealed for this browser");
        let end = plain.iter().rposition(|byte| *byte != 0).unwrap();
        assert_eq!(plain[end], 2, "the last record");
        serde_json::from_slice(&plain[..end]).unwrap()
    }
}

fn derive(salt: &[u8], secret: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut output = vec![0; length];
    let extracted = Salt::new(HKDF_SHA256, salt).extract(secret);
    extracted.expand(&[info], Length(length)).unwrap().fill(&mut output).unwrap();
    output
}
