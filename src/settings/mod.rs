//! The settings of a server: each flag and variable is declared here once, with its default and its help. `http` and
//! `service` read this struct; nothing copies its fields.

mod limits;
mod networks;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Command, FromArgMatches, ValueEnum};

pub use limits::{Limits, allow_open_files};
pub use networks::{NoNetwork, TrustedProxies};

use crate::{locales::Locale, storage::Expiry};

/// What `bespoken serve` can be set to. The default has every flag's default, whatever the environment says.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    #[command(flatten)]
    pub database: Database,
    /// The address to listen on
    #[arg(long, env = "BESPOKEN_LISTEN", default_value = "127.0.0.1:3000")]
    pub listen: String,
    /// Where people reach the server: for links, the Origin check and cookies [default: http:// and the address]
    #[arg(long, env = "BESPOKEN_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// The bus between several nodes, such as nats://host:4222; several servers with commas between
    #[arg(long, env = "NATS_URL", hide_env_values = true)]
    pub nats_url: Option<String>,
    #[command(flatten)]
    pub data: Data,
    /// The name that the business goes by
    #[arg(long, env = "BESPOKEN_BUSINESS", default_value = "Bespoken")]
    pub business: String,
    /// What budgets are in
    #[arg(long, env = "BESPOKEN_CURRENCY", default_value = "EUR")]
    pub currency: String,
    /// What people read whose browsers ask for no language that there is: en or de
    #[arg(long, env = "BESPOKEN_LANGUAGE", default_value = "en")]
    pub language: Locale,
    /// The mail server, such as smtps://user:password@host; without one, mail is written to the log
    #[arg(long, env = "SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// Whom mail comes from [default: no-reply at the host of the public URL]
    #[arg(long, env = "BESPOKEN_MAIL_FROM")]
    pub mail_from: Option<String>,
    /// Fill an empty database with a demo, and print links to sign in with
    #[arg(long)]
    pub demo: bool,
    /// Seconds over which connections are closed, at most, when the server goes down
    #[arg(long, env = "BESPOKEN_DRAIN_SECONDS", default_value_t = 5)]
    pub drain_seconds: u64,
    /// Who may read /metrics [default: local if the public URL leads to this machine, else token]
    #[arg(long, env = "BESPOKEN_METRICS", value_enum)]
    pub metrics: Option<MetricsAccess>,
    #[command(flatten)]
    pub retention: Retention,
    /// Proxies whose X-Forwarded-For or Forwarded header tells the client's address: addresses and networks such as
    /// 10.0.0.0/8, with commas between
    #[arg(long, env = "BESPOKEN_TRUSTED_PROXIES", default_value = "", hide_default_value = true)]
    pub trusted_proxies: TrustedProxies,
    #[command(flatten)]
    pub limits: Limits,
    /// Not a flag: only tests shorten them.
    #[arg(skip)]
    pub deadlines: Deadlines,
}

/// The database.
#[derive(Args, Clone, Debug)]
pub struct Database {
    /// Where the database is, sqlite: or postgres:; it is created (SQLite) and migrated if need be
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite://data/bespoken.db", hide_env_values = true)]
    pub database_url: String,
}

/// The files beside the database.
#[derive(Args, Clone, Debug)]
pub struct Data {
    /// Where generated secrets and attached files are kept
    #[arg(long, env = "BESPOKEN_DATA_DIR", default_value = "data")]
    pub data_dir: PathBuf,
}

/// How long things are kept.
#[derive(Args, Clone, Copy, Debug)]
pub struct Retention {
    /// Days without activity after which chats, and requests that are done or declined, are not kept any more;
    /// 0: for ever
    #[arg(
        long = "retention-days",
        env = "BESPOKEN_RETENTION_DAYS",
        value_name = "RETENTION_DAYS",
        default_value_t = 0
    )]
    pub days: u32,
    /// What happens to them then
    #[arg(long = "retention", env = "BESPOKEN_RETENTION", value_name = "RETENTION", value_enum, default_value_t = Expiry::Delete)]
    pub how: Expiry,
}

/// Who may read `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MetricsAccess {
    /// Whoever brings an admin's API token
    Token,
    /// Also everyone on this machine; not behind a proxy beside the server
    Local,
    /// Everyone who reaches the server
    Public,
}

/// How long peers may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// From its first byte, a request's head has to be complete within this time.
    pub head: Duration,
    /// A peer may keep a body or an answer waiting for so long in all, and as much longer as its bytes take at
    /// `bytes_per_second`.
    pub grace: Duration,
    pub bytes_per_second: u32,
    /// A connection ends on which nothing moved for so long. Longer than proxies keep theirs for the next
    /// request, or one would be sent while the connection ends.
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

/// The defaults of flags, as clap reads them.
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
