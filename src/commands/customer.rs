//! Export and erasure of a customer's data.

use std::path::{Path, PathBuf};

use bespoken::{
    settings::{Data, Database},
    storage::Erased,
};
use clap::Subcommand;

use super::{Failure, open_with_files};

#[derive(Subcommand)]
pub enum Customer {
    /// Export all data of a customer to a file for them
    Export {
        #[arg(long)]
        email: String,
        /// The file to create: a tar archive
        file: PathBuf,
        #[command(flatten)]
        database: Database,
        #[command(flatten)]
        data: Data,
    },
    /// Erase a customer: the account, and their messages, files and name in chats and requests
    Erase {
        #[arg(long)]
        email: String,
        /// Confirm the erasure, which cannot be undone
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        database: Database,
        #[command(flatten)]
        data: Data,
    },
}

impl Customer {
    pub async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Export { email, file, database, data } => export(&database, &data, &email, &file).await,
            Self::Erase { email, yes, database, data } => erase(&database, &data, &email, yes).await,
        }
    }
}

async fn export(database: &Database, data: &Data, email: &str, file: &Path) -> Result<(), Failure> {
    let service = open_with_files(database, &data.data_dir).await?;
    let exported = service.export_customer(email, file).await;
    service.close().await;
    println!("exported the data of {email}, with {} chats, to {}", exported?, file.display());
    Ok(())
}

async fn erase(database: &Database, data: &Data, email: &str, yes: bool) -> Result<(), Failure> {
    if !yes {
        return Err("erasing a customer cannot be undone: add --yes to confirm".into());
    }
    let service = open_with_files(database, &data.data_dir).await?;
    let erased = service.erase_customer(email).await;
    service.close().await;
    match erased? {
        None => Err("there is no customer with this e-mail address".into()),
        Some(Erased { conversations, messages, files }) => {
            println!("erased {email}: {messages} messages and {files} files in {conversations} chats");
            Ok(())
        }
    }
}
