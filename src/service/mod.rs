//! The use cases of this product: one function for each, a file per noun.
//!
//! Only this module joins storage and live. Every function that accesses customers' data takes the requesting
//! [`Actor`]. This module parses inputs, enforces limits, and converts a [`StoreError`] into a [`Problem`]. Called by
//! `http` and by the bodies of `api`.
//!
//! [`Actor`]: crate::domain::Actor

mod accounts;
mod answers;
mod attachments;
mod backup;
mod business;
mod closing;
mod conversations;
mod demo;
mod digests;
mod erasure;
mod error;
mod exchange;
mod export;
mod gaps;
mod guesses;
mod hours;
mod idle;
mod inboxes;
mod mail;
mod messages;
mod metrics;
mod nodes;
mod notices;
mod once;
mod passwords;
mod pictures;
mod previews;
mod publisher;
mod push;
mod rate;
mod requests;
mod rooms;
mod secrets;
mod sessions;
pub mod transcript;
mod uploads;

use std::sync::Arc;

pub use accounts::Confirming;
pub use attachments::{NewFile, Upload};
pub use backup::{BackupError, Contents, backup, restore};
pub use error::problem;
pub use export::ExportError;
pub use hours::zones;
pub use mail::Mail;
pub use messages::{MAX_ATTACHMENTS, NewMessage, too_many_attachments};
pub use push::{NewPush, PushKey};
pub use rate::{Network, Rate};
pub use rooms::Connection;
pub use secrets::{LinkKey, Secret};
pub use sessions::{CookieSession, SESSION_DAYS, Visitor};

use crate::{
    domain::{Epoch, Name, Problem},
    live::{Bus, BusChannel, BusEvent, Hub, Topic},
    settings::{Limits, Settings},
    storage::{Store, StoreError},
};

/// The configuration of a [`Service`]: the settings, and the values that a start derives from them.
pub struct Resolved {
    pub settings: Settings,
    /// The public address of the server: scheme, host and port, without a trailing slash.
    pub public_url: String,
    /// The name of the business, on pages and for guests.
    pub business: Name,
    /// Derives the secrets of shared links.
    pub link_key: LinkKey,
    /// Signs notifications.
    pub push_key: PushKey,
    pub mail: Mail,
}

/// Typing signs per person for each permitted send: a client renews one every few seconds.
const SIGNS_FOR_A_SEND: u32 = 2;
/// An hour, the period of most limits for creating things.
const HOUR: std::time::Duration = std::time::Duration::from_secs(3_600);

pub struct Service {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    /// The bus to other nodes, if the installation can have several.
    bus: Option<Arc<dyn Bus>>,
    settings: Settings,
    public_url: String,
    business: business::Current,
    /// How soon the business answers.
    median: answers::Median,
    /// The name of the business, unless admins have set one.
    default_name: Name,
    link_key: LinkKey,
    mail: Mail,
    epoch: Epoch,
    passwords: passwords::Passwords,
    outcomes: metrics::Sends,
    arrivals: metrics::Arrivals,
    /// Sends, edits and deletes of each sender.
    sends: Rate<crate::live::Person>,
    /// Typing signs of each person.
    signs: Rate<crate::live::Person>,
    /// Requests of each person on sockets, other than sends.
    asks: Rate<crate::live::Person>,
    /// Invalid frames of each socket.
    invalid: Rate<crate::live::ConnectionId>,
    /// Uploads in progress.
    uploads: uploads::Uploads,
    files: attachments::Files,
    mails: mail::MailBudgets,
    pushes: push::Pushes,
    /// Wrong passwords for each account.
    account_guesses: guesses::Guesses,
    /// Accounts registered from each network, and in all.
    registrations: (Rate<Network>, Rate<()>),
    /// Custom requests of each customer.
    requests: Rate<crate::domain::UserId>,
    /// Chats and custom requests that each admin opened.
    openings: Rate<crate::domain::UserId>,
    /// Wrong secrets from each network.
    guesses: Rate<Network>,
    /// Conversations whose summary has changed.
    dirty: tokio::sync::mpsc::UnboundedSender<inboxes::Changed>,
}

impl Service {
    /// Starts the tasks that broadcast every commit and update inboxes; they end with the store.
    ///
    /// # Errors
    /// If the database does not answer or another service was started on this store before.
    pub async fn start(store: Arc<dyn Store>, resolved: Resolved) -> Result<Arc<Self>, StoreError> {
        Self::start_with(store, resolved, None).await
    }

    /// The same for a node of a cluster with one database.
    ///
    /// # Errors
    /// As for [`Service::start`].
    pub async fn start_among(
        store: Arc<dyn Store>,
        resolved: Resolved,
        line: BusChannel,
    ) -> Result<Arc<Self>, StoreError> {
        Self::start_with(store, resolved, Some(line)).await
    }

    async fn start_with(
        store: Arc<dyn Store>,
        resolved: Resolved,
        line: Option<BusChannel>,
    ) -> Result<Arc<Self>, StoreError> {
        let Resolved { settings, public_url, business: default_name, link_key, push_key, mail } = resolved;
        let epoch = store.epoch().await?;
        let has_pushes = store.has_pushes().await?;
        let last_notice = store.last_notice().await?;
        let business = business::load(&*store).await?;
        let commits = store.commits().ok_or_else(|| StoreError::Unfit("this store serves another service".into()))?;
        let (dirty, changed) = tokio::sync::mpsc::unbounded_channel();
        let (bus, heard) = line.map(|BusChannel { bus, heard }| (bus, heard)).unzip();
        let service = Arc::new(Self {
            hub: Arc::new(bus.clone().map(Hub::among).unwrap_or_default()),
            bus,
            epoch,
            passwords: passwords::Passwords::default(),
            outcomes: metrics::Sends::default(),
            arrivals: metrics::Arrivals::default(),
            sends: Rate::new(settings.limits.sends, std::time::Duration::from_secs(10)),
            signs: Rate::new(
                settings.limits.sends.saturating_mul(SIGNS_FOR_A_SEND),
                std::time::Duration::from_secs(10),
            ),
            // Counted per person, so that opening another socket gains nothing.
            asks: Rate::new(
                settings.limits.asks.saturating_mul(settings.limits.connections),
                std::time::Duration::from_secs(10),
            ),
            invalid: Rate::new(settings.limits.invalid_frames, std::time::Duration::from_secs(10)),
            uploads: uploads::Uploads::default(),
            files: attachments::Files::default(),
            mails: mail::MailBudgets::new(&settings.limits),
            pushes: push::Pushes::new(push_key, settings.push.private, settings.push.pace, has_pushes),
            account_guesses: guesses::Guesses::new(settings.limits.account_guesses),
            registrations: (Rate::new(settings.limits.accounts, HOUR), Rate::new(settings.limits.accounts_total, HOUR)),
            requests: Rate::new(settings.limits.requests, HOUR),
            openings: Rate::new(settings.limits.chats, HOUR),
            guesses: Rate::new(settings.limits.link_guesses, std::time::Duration::from_secs(60)),
            dirty,
            store,
            settings,
            public_url,
            business,
            median: answers::Median::default(),
            default_name,
            link_key,
            mail,
        });
        tokio::spawn(publisher::publish(Arc::downgrade(&service), commits));
        tokio::spawn(inboxes::update_all(Arc::downgrade(&service), changed));
        tokio::spawn(notices::hear(Arc::downgrade(&service), last_notice));
        if service.bus.is_some() || service.store.may_keep_silent() {
            tokio::spawn(nodes::compare_all(Arc::downgrade(&service)));
            tokio::spawn(push::look_for_others(Arc::downgrade(&service)));
            tokio::spawn(business::follow(Arc::downgrade(&service)));
        }
        if let Some(heard) = heard {
            tokio::spawn(nodes::listen(Arc::downgrade(&service), heard));
            tokio::spawn(nodes::show_signs(Arc::downgrade(&service)));
        }
        Ok(service)
    }

    /// Starts the periodic tasks of a server. They end with the service. Not for commands, as these do not know the
    /// server's data directory.
    pub fn keep_tidy(self: &Arc<Self>) {
        tokio::spawn(attachments::sweep(Arc::downgrade(self), self.files.discarded.clone()));
        let minutes = u64::from(self.settings.mail_after_minutes);
        // Without a mail server, mail goes to the log, which contains no messages. A demo's people do not exist.
        if minutes > 0 && self.mail.has_server() && !self.settings.demo {
            tokio::spawn(digests::keep(Arc::downgrade(self), std::time::Duration::from_secs(60 * minutes)));
        }
        tokio::spawn(answers::keep(Arc::downgrade(self)));
        tokio::spawn(erasure::keep(Arc::downgrade(self)));
        tokio::spawn(idle::keep(Arc::downgrade(self)));
    }

    /// Registers the metrics of the service and of the database.
    pub fn register_metrics(&self, registry: &mut prometheus_client::registry::Registry) {
        self.outcomes.register(registry);
        self.arrivals.register(registry, self.bus.is_some());
        self.store.metrics().register(registry);
    }

    /// Updates metrics that are only read on request. Call it before exporting metrics.
    pub fn refresh_metrics(&self) {
        if let Some(status) = self.bus_status() {
            self.arrivals.set_bus(status);
        }
    }

    /// Number of changes that wait to be written.
    #[must_use]
    pub fn waiting_writes(&self) -> usize {
        self.store.waiting_writes()
    }

    #[must_use]
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// The currency of budgets.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.settings.currency
    }

    /// # Errors
    /// `unavailable` if the database does not answer.
    pub async fn ping(&self) -> Result<(), Problem> {
        self.store.ping().await.map_err(problem)
    }

    /// Finishes queued database work and closes the database.
    pub async fn close(&self) {
        self.hub.publish(Topic::Nodes, || BusEvent::Leaving);
        self.store.close().await;
    }
}
