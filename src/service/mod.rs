//! What can be done with this product: one function for each use case, a file per noun.
//!
//! The only place that joins storage and live. Every function that touches customers' data takes
//! the [`Actor`] who asks. Inputs are parsed here, limits are enforced here, and a [`StoreError`]
//! becomes a [`Problem`] here. Called by `http` and by the bodies of `api`.
//!
//! [`Actor`]: crate::domain::Actor

mod accounts;
mod attachments;
mod backup;
mod conversations;
mod demo;
mod erasure;
mod error;
mod exchange;
mod export;
mod gaps;
mod guesses;
mod inboxes;
mod mail;
mod messages;
mod metrics;
mod nodes;
mod notices;
mod once;
mod passwords;
mod pictures;
mod publisher;
mod rate;
mod requests;
mod rooms;
mod secrets;
mod sessions;
mod uploads;

use std::sync::Arc;

pub use accounts::Confirming;
pub use attachments::{NewFile, Upload};
pub use backup::{BackupError, Contents, backup, restore};
pub use error::problem;
pub use export::ExportError;
pub use mail::Mail;
pub use messages::{MAX_ATTACHMENTS, NewMessage, too_many_attachments};
pub use rate::{Network, Rate};
pub use rooms::Connection;
pub use secrets::{LinkKey, Secret};
pub use sessions::{CookieSession, SESSION_DAYS, Visitor};

use crate::{
    domain::{Epoch, Name, Problem},
    live::{Bus, BusChannel, BusEvent, Hub, Topic},
    locales::Locale,
    settings::{Limits, Settings},
    storage::{Store, StoreError},
};

/// What a [`Service`] is made from, beside its database: the settings, and what a start makes of them.
pub struct Resolved {
    pub settings: Settings,
    /// Where people reach the server: scheme, host and port, without a slash at the end.
    pub public_url: String,
    /// The name that the business goes by, on pages and to guests.
    pub business: Name,
    /// Makes the secrets of shared links.
    pub link_key: LinkKey,
    pub mail: Mail,
}

/// Signs of typing that each person may give for every send: a client renews one every few seconds.
const SIGNS_FOR_A_SEND: u32 = 2;
/// An hour, over which most of what makes something new is counted.
const HOUR: std::time::Duration = std::time::Duration::from_secs(3_600);

pub struct Service {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    /// The way to other nodes, if there may be any.
    bus: Option<Arc<dyn Bus>>,
    settings: Settings,
    public_url: String,
    business: Name,
    link_key: LinkKey,
    mail: Mail,
    epoch: Epoch,
    passwords: passwords::Passwords,
    outcomes: metrics::Sends,
    arrivals: metrics::Arrivals,
    /// Sends, edits and deletes of each sender.
    sends: Rate<crate::live::Person>,
    /// Signs of typing of each person.
    signs: Rate<crate::live::Person>,
    /// What each person asks for on sockets beside sending.
    asks: Rate<crate::live::Person>,
    /// Frames of each socket that could not be understood.
    invalid: Rate<crate::live::ConnectionId>,
    /// Uploads that are under way.
    uploads: uploads::Uploads,
    files: attachments::Files,
    mails: mail::MailBudgets,
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

    /// The same for a node among others on the same database.
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
        let Resolved { settings, public_url, business, link_key, mail } = resolved;
        let epoch = store.epoch().await?;
        let last_notice = store.last_notice().await?;
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
            // Counted for the person, so that it is no use to open another socket.
            asks: Rate::new(
                settings.limits.asks.saturating_mul(settings.limits.connections),
                std::time::Duration::from_secs(10),
            ),
            invalid: Rate::new(settings.limits.invalid_frames, std::time::Duration::from_secs(10)),
            uploads: uploads::Uploads::default(),
            files: attachments::Files::default(),
            mails: mail::MailBudgets::new(&settings.limits),
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
            link_key,
            mail,
        });
        tokio::spawn(publisher::publish(Arc::downgrade(&service), commits));
        tokio::spawn(inboxes::update_all(Arc::downgrade(&service), changed));
        tokio::spawn(notices::hear(Arc::downgrade(&service), last_notice));
        if service.bus.is_some() || service.store.may_keep_silent() {
            tokio::spawn(nodes::compare_all(Arc::downgrade(&service)));
        }
        if let Some(heard) = heard {
            tokio::spawn(nodes::listen(Arc::downgrade(&service), heard));
            tokio::spawn(nodes::show_signs(Arc::downgrade(&service)));
        }
        Ok(service)
    }

    /// Starts what keeps a server tidy in the long run. Ends with the service. Not for commands, which do
    /// not know where the server keeps its files.
    pub fn keep_tidy(self: &Arc<Self>) {
        tokio::spawn(attachments::sweep(Arc::downgrade(self), self.files.discarded.clone()));
        if self.settings.retention.days > 0 {
            tokio::spawn(erasure::keep(Arc::downgrade(self), self.settings.retention));
        }
    }

    /// Makes what is counted here and in the database part of what is shown.
    pub fn register_metrics(&self, registry: &mut prometheus_client::registry::Registry) {
        self.outcomes.register(registry);
        self.arrivals.register(registry, self.bus.is_some());
        self.store.metrics().register(registry);
    }

    /// Brings up to date what is asked for only when somebody looks. Call it before showing metrics.
    pub fn refresh_metrics(&self) {
        if let Some(status) = self.bus_status() {
            self.arrivals.set_bus(status);
        }
    }

    /// How many changes wait to be written.
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

    #[must_use]
    pub fn business_name(&self) -> String {
        self.business.to_string()
    }

    /// What people read whose browsers ask for no language that there is.
    #[must_use]
    pub fn locale(&self) -> Locale {
        self.settings.language
    }

    /// What budgets are in.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.settings.currency
    }

    /// # Errors
    /// `unavailable` if the database does not answer.
    pub async fn ping(&self) -> Result<(), Problem> {
        self.store.ping().await.map_err(problem)
    }

    /// Finishes what is queued for the database and closes it.
    pub async fn close(&self) {
        self.hub.publish(Topic::Nodes, || BusEvent::Leaving);
        self.store.close().await;
    }
}
