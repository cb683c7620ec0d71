//! Notifications by Web Push (RFC 8030). A new message notifies the browsers of the other side that asked for it, unless
//! their person reads the message soon or has its chat in front.
//!
//! Best effort: nothing of this is durable but the subscriptions. Each attempt reads the conversation anew as its
//! recipient. So it never reports what that person has read meanwhile, or may not see any more.

mod delivery;
mod message;

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use dashmap::{DashMap, Entry};
use hyper::header;
use serde::Serialize;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, sleep_until, timeout},
};

use self::delivery::{Answer, Delivery, Failure};
pub use self::message::PushKey;
use super::{Service, problem, sessions::seen_after};
use crate::{
    domain::{Actor, ConversationId, Message, Problem, PushId, SenderType, SessionId, shorten},
    locales::{self, Locale, t},
    settings::PushPace,
    storage::{PushRecipient, PushSubscription},
};

/// How long a push service stores a notification for a browser that is off, in seconds.
const STORED_FOR_S: u32 = 24 * 3_600;
/// Conversations whose recipients are looked up at once.
const LOOKED_UP: usize = 4;
/// Notifications under way at once, with those that wait for another attempt. Further ones are dropped.
const MOST_UNDER_WAY: usize = 1_000;
/// Maximum delay of a notification in a busy conversation, in multiples of the usual one.
const MOST_GRACES: u32 = 5;
/// Characters of a message in its notification.
const BODY_CHARS: usize = 200;
/// How long a new subscription waits for the addresses of its endpoint.
const RESOLVE_WITHIN: Duration = Duration::from_secs(3);

/// Browsers write base64url without padding; other clients may add it.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A browser's subscription as it describes it (`PushSubscription.toJSON()`), unchecked.
pub struct NewPush {
    pub endpoint: String,
    pub p256dh: String,
    pub auth: String,
}

/// The state of notifications in this process.
pub(super) struct Pushes {
    key: PushKey,
    delivery: Delivery,
    pace: PushPace,
    /// Whether there may be a subscription. While there is none, a message costs a look at this.
    is_used: AtomicBool,
    /// The conversations with a message that notifies soon.
    news: DashMap<ConversationId, News>,
    look_ups: Semaphore,
    under_way: Arc<Semaphore>,
}

/// The messages of a conversation that notify soon.
#[derive(Clone, Copy)]
struct News {
    from_admin: bool,
    from_customer: bool,
    /// When the last of them was posted.
    at: Instant,
}

impl News {
    fn of(sender: SenderType) -> Self {
        let (from_admin, from_customer) = (sender == SenderType::Admin, sender == SenderType::Customer);
        Self { from_admin, from_customer, at: Instant::now() }
    }

    fn add(&mut self, other: Self) {
        self.from_admin |= other.from_admin;
        self.from_customer |= other.from_customer;
        self.at = other.at;
    }

    /// Whether a message came from the other side.
    fn concerns(self, actor: &Actor) -> bool {
        if actor.is_admin() { self.from_customer } else { self.from_admin }
    }
}

/// The content of a notification, for `public/sw.js`.
#[derive(Serialize)]
struct Notification {
    conversation_id: ConversationId,
    title: String,
    body: String,
    unread: i64,
    url: String,
    /// The browser shows one notification for each tag: the latest.
    tag: ConversationId,
}

impl Pushes {
    pub(super) fn new(key: PushKey, allows_private: bool, pace: PushPace, is_used: bool) -> Self {
        Self {
            key,
            delivery: Delivery::new(allows_private),
            pace,
            is_used: AtomicBool::new(is_used),
            news: DashMap::new(),
            look_ups: Semaphore::new(LOOKED_UP),
            under_way: Arc::new(Semaphore::new(MOST_UNDER_WAY)),
        }
    }

    async fn send(
        &self,
        public_url: &str,
        to: &PushSubscription,
        notification: &Notification,
    ) -> Result<Answer, Failure> {
        let text = serde_json::to_vec(notification).unwrap_or_default();
        // Both were checked when the browser subscribed, under the settings of that time.
        let endpoint = self.delivery.endpoint(&to.endpoint).ok_or(Failure::Private)?;
        let sealed = message::encrypt(&text, to).ok_or(Failure::Private)?;
        let head = [
            (header::AUTHORIZATION, self.key.authorization(&endpoint.origin(), public_url).unwrap_or_default()),
            (header::CONTENT_ENCODING, "aes128gcm".to_owned()),
            (header::HeaderName::from_static("ttl"), STORED_FOR_S.to_string()),
            (header::HeaderName::from_static("urgency"), "high".to_owned()),
            // Replaces an undelivered notification of the same conversation: 32 characters, as many as may be.
            (header::HeaderName::from_static("topic"), notification.tag.0.simple().to_string()),
        ];
        self.delivery.send(&endpoint, head, sealed).await
    }
}

impl Service {
    /// The key with which browsers subscribe.
    #[must_use]
    pub fn push_key(&self) -> String {
        self.pushes.key.public()
    }

    /// Notifies this browser from now on. The same endpoint again replaces its subscription.
    ///
    /// # Errors
    /// `forbidden` without a session of a browser; `invalid`; `rate_limited` if the person has too many subscriptions.
    pub async fn subscribe(&self, actor: &Actor, session: Option<SessionId>, new: NewPush) -> Result<PushId, Problem> {
        let session = session.ok_or_else(no_browser)?;
        self.count_ask(actor)?;
        let invalid = |field| Problem::invalid(field, t!(locales::current(), problem::PUSH_INVALID));
        let delivery = &self.pushes.delivery;
        let endpoint = delivery.endpoint(&new.endpoint).ok_or_else(|| invalid("endpoint"))?;
        // An unknown name may be known later. Each request checks the address again.
        if let Ok(Err(Failure::Private)) = timeout(RESOLVE_WITHIN, delivery.resolve(&endpoint)).await {
            return Err(invalid("endpoint"));
        }
        let key = |text: &str| BASE64URL.decode(text).map_err(|_| invalid("keys"));
        let subscription = PushSubscription {
            endpoint: new.endpoint,
            public_key: key(&new.p256dh)?,
            auth_secret: key(&new.auth)?,
            locale: locales::current(),
        };
        if subscription.auth_secret.len() != 16 || message::encrypt(b"", &subscription).is_none() {
            return Err(invalid("keys"));
        }
        let most = self.settings.limits.push_subscriptions;
        let id = self.store.add_push(session, subscription, most.into()).await.map_err(problem)?;
        let too_many = || Problem::held_back(3_600, t!(locales::current(), problem::too_many_pushes(most)));
        self.pushes.is_used.store(true, Ordering::Relaxed);
        id.ok_or_else(too_many)
    }

    /// Ends a subscription of this browser.
    ///
    /// # Errors
    /// `forbidden` without a session of a browser; `not_found` if it has no such subscription.
    pub async fn unsubscribe(&self, session: Option<SessionId>, id: PushId) -> Result<(), Problem> {
        let session = session.ok_or_else(no_browser)?;
        let was_there = self.store.delete_push(session, id).await.map_err(problem)?;
        was_there.then_some(()).ok_or_else(Problem::not_found)
    }

    /// The subscription of a browser, if it has one.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn push_of(&self, session: Option<SessionId>) -> Result<Option<PushId>, Problem> {
        match session.filter(|_| self.pushes.is_used.load(Ordering::Relaxed)) {
            Some(session) => self.store.find_push(session).await.map_err(problem),
            None => Ok(None),
        }
    }

    /// Notifies soon of a message that is on disk.
    pub(super) fn notify_soon(self: &Arc<Self>, message: &Message) {
        if !self.pushes.is_used.load(Ordering::Relaxed) {
            return;
        }
        let news = News::of(message.sender_type);
        match self.pushes.news.entry(message.conversation_id) {
            Entry::Occupied(mut others) => others.get_mut().add(news),
            Entry::Vacant(place) => {
                place.insert(news);
                tokio::spawn(wait_and_notify(Arc::downgrade(self), message.conversation_id));
            }
        }
    }

    async fn notify(self: Arc<Self>, room: ConversationId, news: News) {
        let _turn = self.pushes.look_ups.acquire().await;
        // The callee logs a failure.
        let found = self.store.push_recipients(room, seen_after()).await.map_err(problem).unwrap_or_default();
        for recipient in found.into_iter().filter(|recipient| news.concerns(&recipient.actor)) {
            let Ok(place) = self.pushes.under_way.clone().try_acquire_owned() else {
                tracing::warn!("too many notifications are under way: some are dropped");
                return;
            };
            let service = Arc::downgrade(&self);
            tokio::spawn(async move {
                deliver(service, room, recipient).await;
                drop(place);
            });
        }
    }

    /// The notification of a conversation for this person; `None` if there is nothing to report.
    async fn notification(&self, room: ConversationId, actor: &Actor, locale: Locale) -> Option<Notification> {
        // `NotFound`: the person may not see it any more.
        let seat = self.store.find_conversation(actor, room).await.map_err(problem).ok()?;
        let chat = seat.conversation;
        if chat.unread <= 0 || self.hub.is_watched(room, seat.me.id) {
            return None;
        }
        let body = chat.latest_words(locale).unwrap_or_default();
        let (name, page) = match actor {
            Actor::Admin(_) => (chat.customer_name, "/admin?chat="),
            Actor::Customer(..) | Actor::Guest(_) => (self.business_name(), "/chat/"),
        };
        Some(Notification {
            conversation_id: room,
            title: t!(locale, push::title(&name, chat.unread)),
            body: shorten(&body, BODY_CHARS),
            unread: chat.unread,
            url: format!("{page}{room}"),
            tag: room,
        })
    }
}

fn no_browser() -> Problem {
    Problem::forbidden(t!(locales::current(), problem::PUSH_NEEDS_BROWSER))
}

/// Notifies once the last message is old enough, so that a reader has had time to read it.
async fn wait_and_notify(service: Weak<Service>, room: ConversationId) {
    let Some(grace) = service.upgrade().map(|service| service.pushes.pace.grace) else { return };
    let latest = Instant::now() + grace * MOST_GRACES;
    let mut due = Instant::now() + grace;
    loop {
        sleep_until(due).await;
        let Some(service) = service.upgrade() else { return };
        let is_due = |news: &News| due >= latest || news.at + grace <= due;
        match service.pushes.news.remove_if(&room, |_, news| is_due(news)) {
            Some((_, news)) => return service.notify(room, news).await,
            None => due = service.pushes.news.get(&room).map_or(latest, |news| news.at + grace).min(latest),
        }
    }
}

/// Sends one notification, and again after a temporary failure. Ends with the service.
async fn deliver(service: Weak<Service>, room: ConversationId, mut recipient: PushRecipient) {
    let Some(retries) = service.upgrade().map(|service| service.pushes.pace.retries) else { return };
    let mut pauses = retries.into_iter();
    loop {
        let wait = {
            let Some(service) = service.upgrade() else { return };
            let PushRecipient { id, actor, subscription } = &recipient;
            let Some(notification) = service.notification(room, actor, subscription.locale).await else { return };
            match service.pushes.send(&service.public_url, subscription, &notification).await {
                Ok(Answer::Accepted) => return,
                Ok(Answer::Gone) => {
                    // The callee logs a failure; the next notification tries again.
                    service.store.forget_push(*id).await.map_err(problem).ok();
                    return;
                }
                Ok(Answer::Later(wait)) => wait,
                Ok(Answer::Refused(status)) => {
                    tracing::warn!(%status, "a push service refused a notification");
                    return;
                }
                Err(Failure::Private) => {
                    tracing::warn!("an endpoint of a push subscription has no public address");
                    return;
                }
                Err(error) => {
                    tracing::info!(%error, "a push service could not be reached");
                    Duration::ZERO
                }
            }
        };
        let Some(pause) = pauses.next() else {
            tracing::warn!("a notification was given up after several attempts");
            return;
        };
        sleep(pause.max(wait)).await;
        let Some(service) = service.upgrade() else { return };
        // The browser may have signed out or unsubscribed meanwhile.
        let found = service.store.push_recipients(room, seen_after()).await.map_err(problem).unwrap_or_default();
        let Some(same) = found.into_iter().find(|other| other.id == recipient.id) else { return };
        recipient = same;
    }
}

/// Looks for subscriptions that other processes have stored. Ends with the service or its store.
pub(super) async fn look_for_others(service: Weak<Service>) {
    let Some(every) = service.upgrade().map(|service| service.pushes.pace.look_every) else { return };
    loop {
        sleep(every).await;
        let Some(service) = service.upgrade() else { return };
        match service.store.has_pushes().await {
            Ok(is_used) => service.pushes.is_used.store(is_used, Ordering::Relaxed),
            Err(error) if error.is_closed() => return,
            Err(error) => tracing::warn!(%error, "could not look for push subscriptions"),
        }
    }
}
