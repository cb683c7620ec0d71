//! The settings of a server: each flag and variable is declared here once, with its default and its help. `http` and
//! `service` read this struct; nothing copies its fields.

mod limits;
mod networks;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Command, FromArgMatches, ValueEnum};

pub use limits::{Limits, allow_open_files};
pub use networks::{NoNetwork, TrustedProxies};

use crate::{locales::Locale, storage::Expiry};

/// The settings of `bespoken serve`. Its default contains every flag's default, regardless of the environment.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    #[command(flatten)]
    pub database: Database,
    /// The address to listen on
    #[arg(long, env = "BESPOKEN_LISTEN", default_value = "127.0.0.1:3000")]
    pub listen: String,
    /// The public address, for links, the Origin check and cookies [default: http:// and the address]
    #[arg(long, env = "BESPOKEN_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// The bus between several nodes, such as nats://host:4222; several servers are separated by commas
    #[arg(long, env = "NATS_URL", hide_env_values = true)]
    pub nats_url: Option<String>,
    #[command(flatten)]
    pub data: Data,
    /// The name of the business
    #[arg(long, env = "BESPOKEN_BUSINESS", default_value = "Bespoken")]
    pub business: String,
    /// The currency of budgets
    #[arg(long, env = "BESPOKEN_CURRENCY", default_value = "EUR")]
    pub currency: String,
    /// The language for browsers that ask for neither English nor German: en or de
    #[arg(long, env = "BESPOKEN_LANGUAGE", default_value = "en")]
    pub language: Locale,
    /// The mail server, such as smtps://user:password@host; without one, mail is logged
    #[arg(long, env = "SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// The sender of mail [default: no-reply at the host of the public URL]
    #[arg(long, env = "BESPOKEN_MAIL_FROM")]
    pub mail_from: Option<String>,
    /// Minutes after which absent people get an e-mail about unread messages; 0: never. Needs a mail server
    #[arg(long, env = "BESPOKEN_MAIL_AFTER_MINUTES", default_value_t = 10)]
    pub mail_after_minutes: u32,
    /// Fill an empty database with demo data, and print sign-in links
    #[arg(long)]
    pub demo: bool,
    /// Maximum number of seconds over which the server closes connections when it shuts down
    #[arg(long, env = "BESPOKEN_DRAIN_SECONDS", default_value_t = 5)]
    pub drain_seconds: u64,
    /// Who may read /metrics [default: local if the public URL leads to this machine, else token]
    #[arg(long, env = "BESPOKEN_METRICS", value_enum)]
    pub metrics: Option<MetricsAccess>,
    #[command(flatten)]
    pub retention: Retention,
    /// Proxies whose X-Forwarded-For or Forwarded header counts for the client's address: addresses and networks such
    /// as 10.0.0.0/8, separated by commas
    #[arg(long, env = "BESPOKEN_TRUSTED_PROXIES", default_value = "", hide_default_value = true)]
    pub trusted_proxies: TrustedProxies,
    #[command(flatten)]
    pub push: Push,
    #[command(flatten)]
    pub limits: Limits,
    /// Not a flag: only tests change them.
    #[arg(skip)]
    pub deadlines: Deadlines,
}

/// The settings of the database.
#[derive(Args, Clone, Debug)]
pub struct Database {
    /// The URL of the database, sqlite: or postgres:; it is created (SQLite) and migrated if necessary
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite://data/bespoken.db", hide_env_values = true)]
    pub database_url: String,
}

/// The settings of the files beside the database.
#[derive(Args, Clone, Debug)]
pub struct Data {
    /// The directory of generated secrets and attached files
    #[arg(long, env = "BESPOKEN_DATA_DIR", default_value = "data")]
    pub data_dir: PathBuf,
}

/// The settings of data retention.
#[derive(Args, Clone, Copy, Debug)]
pub struct Retention {
    /// Days without activity after which the server removes chats, and requests that are done or declined; 0: never
    #[arg(
        long = "retention-days",
        env = "BESPOKEN_RETENTION_DAYS",
        value_name = "RETENTION_DAYS",
        default_value_t = 0
    )]
    pub days: u32,
    /// How the server removes them
    #[arg(long = "retention", env = "BESPOKEN_RETENTION", value_name = "RETENTION", value_enum, default_value_t = Expiry::Delete)]
    pub how: Expiry,
}

/// The settings of notifications.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Push {
    /// Also call push services by http and at private addresses: for tests, and for a push service of your own network
    #[arg(long = "push-private", env = "BESPOKEN_PUSH_PRIVATE")]
    pub private: bool,
    /// Not a flag: only tests change it.
    #[arg(skip)]
    pub pace: PushPace,
}

/// The times of notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushPace {
    /// The time that a person who looks at a chat has for reading a message before it notifies.
    pub grace: Duration,
    /// How often a node looks for subscriptions that another one has stored.
    pub look_every: Duration,
    /// The pauses before further attempts, after temporary failures.
    pub retries: [Duration; 3],
}

impl Default for PushPace {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(2),
            look_every: Duration::from_secs(5),
            retries: [10, 60, 300].map(Duration::from_secs),
        }
    }
}

/// Access to `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MetricsAccess {
    /// Requests with an admin's API token
    Token,
    /// Also all requests from this machine; not for a proxy on this machine
    Local,
    /// All requests
    Public,
}

/// Time limits for peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Limit for a request's head, from its first byte.
    pub head: Duration,
    /// Total time for which a peer may delay a body or a response, plus the time that its bytes take at
    /// `bytes_per_second`.
    pub grace: Duration,
    pub bytes_per_second: u32,
    /// Limit for a connection without traffic. Longer than proxies retain idle connections, as otherwise a request
    /// could arrive while the connection closes.
    pub silent: Duration,
}

impl Deadlines {
    pub const DEFAULT: Self = Self {
        head: Duration::from_secs(10),
        grace: Duration::from_secs(10),
        bytes_per_second: 1_024,
        silent: Duration::from_secs(180),
    };
}

impl Default for Deadlines {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Default for Settings {
    fn default() -> Self {
        defaults()
    }
}

/// The defaults of flags, parsed by clap.
///
/// # Panics
/// Never for flags of this module: each has a valid default or is optional.
fn defaults<T: Args + FromArgMatches>() -> T {
    let command =
        T::augment_args(Command::new("defaults")).no_binary_name(true).mut_args(|flag| flag.env(None::<&str>));
    T::from_arg_matches(&command.get_matches_from([""; 0])).expect("defaults are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_has_a_default() {
        let settings = Settings::default();
        assert_eq!(settings.listen, "127.0.0.1:3000");
        assert_eq!((settings.limits.sends, settings.retention.days, settings.drain_seconds), (30, 0, 5));
        assert_eq!(settings.limits, Limits::default());
    }
}
