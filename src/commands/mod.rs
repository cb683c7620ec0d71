//! The commands of the program, a file for each.

mod admin;
mod backup;
mod copy;
mod customer;
mod migrate;
mod serve;
mod token;

use std::{path::Path, sync::Arc};

use bespoken::{
    domain::Name,
    service::{LinkKey, Mail, PushKey, Resolved, Service},
    settings::{Database, Settings},
    storage,
};
use clap::Subcommand;

/// An error, as one line for the terminal.
type Failure = Box<dyn std::error::Error>;

#[derive(Subcommand)]
pub enum Command {
    /// Run the server
    Serve(Box<Settings>),
    /// Create admins
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Create, list and revoke API tokens
    #[command(subcommand)]
    Token(token::Token),
    /// Export or erase the data of one customer
    #[command(subcommand)]
    Customer(customer::Customer),
    /// Migrate the database, without starting the server
    Migrate(Database),
    /// Copy an SQLite database to an empty PostgreSQL database, and compare both; an interrupted copy resumes
    Copy(copy::Copy),
    /// Back up all data to one file, also while the server runs
    Backup(backup::Backup),
    /// Replace all data with a backup, while the server is stopped; the old data is renamed
    Restore(backup::Restore),
}

impl Command {
    /// # Errors
    /// The error of the command.
    pub async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Serve(settings) => serve::run(*settings).await,
            Self::Admin(admin) => admin.run().await,
            Self::Token(token) => token.run().await,
            Self::Customer(customer) => customer.run().await,
            Self::Migrate(database) => migrate::run(&database).await,
            Self::Copy(copy) => copy.run().await,
            Self::Backup(backup) => backup.run().await,
            Self::Restore(restore) => restore.run().await,
        }
    }
}

/// The use cases without a server, with default settings. No command uses the keys.
async fn open(database: &Database) -> Result<Arc<Service>, Failure> {
    open_with(database, Settings::default()).await
}

/// The same for commands that access the data directory.
async fn open_with_files(database: &Database, data_dir: &Path) -> Result<Arc<Service>, Failure> {
    let mut settings = Settings::default();
    data_dir.clone_into(&mut settings.data.data_dir);
    open_with(database, settings).await
}

async fn open_with(database: &Database, settings: Settings) -> Result<Arc<Service>, Failure> {
    let store = storage::open(&database.database_url).await?;
    let resolved = Resolved {
        public_url: String::new(),
        business: Name::parse("business", &settings.business)?,
        link_key: LinkKey::random(),
        push_key: PushKey::random(),
        mail: Mail::new(None, "no-reply@localhost")?,
        settings,
    };
    Ok(Service::start(store, resolved).await?)
}
