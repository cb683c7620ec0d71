//! The key of a sealed conversation, as a client holds it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use bespoken::domain::{Conversation, ConversationId};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::json;

use super::{Chat, TestApp};

pub struct SealKey {
    key: LessSafeKey,
    conversation: ConversationId,
}

impl SealKey {
    pub fn new(conversation: ConversationId) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &rand::random::<[u8; 32]>()).unwrap();
        Self { key: LessSafeKey::new(key), conversation }
    }

    fn data(&self) -> Aad<String> {
        Aad::from(self.conversation.to_string())
    }

    pub fn seal(&self, text: &str) -> String {
        let iv: [u8; 12] = rand::random();
        let mut sealed = text.as_bytes().to_vec();
        let nonce = Nonce::assume_unique_for_key(iv);
        self.key.seal_in_place_append_tag(nonce, self.data(), &mut sealed).unwrap();
        BASE64URL.encode([&iv[..], &sealed].concat())
    }

    #[track_caller]
    pub fn open(&self, content: &str) -> String {
        let mut bytes = BASE64URL.decode(content).unwrap();
        let iv: [u8; 12] = bytes[..12].try_into().unwrap();
        let nonce = Nonce::assume_unique_for_key(iv);
        let text = self.key.open_within(nonce, self.data(), &mut bytes, 12..).expect("the key opens it");
        String::from_utf8(text.to_vec()).unwrap()
    }
}

impl TestApp {
    /// Opens a sealed conversation for a customer with this address.
    pub async fn open_sealed(&self, email: Option<&str>) -> (Chat, SealKey) {
        let body = json!({ "customer_name": "Cleo", "customer_email": email, "sealed": true });
        let conversation: Conversation = self.admin().post("/conversations", body).await.expect(201).read();
        let chat_id = conversation.link.as_deref().unwrap().split_once("chatId=").unwrap().1.to_owned();
        let key = SealKey::new(conversation.id);
        (Chat { id: conversation.id, chat_id, conversation }, key)
    }
}
