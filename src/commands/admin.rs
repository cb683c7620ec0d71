//! Accounts of admins.

use std::io::Read;

use bespoken::{domain::Role, settings::Database};
use clap::Subcommand;

use super::{Failure, open};

#[derive(Subcommand)]
pub enum Admin {
    /// Create an admin; the password is read from standard input
    Create {
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
        #[command(flatten)]
        database: Database,
    },
}

impl Admin {
    pub async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Create { email, name, database } => create(&database, &email, &name).await,
        }
    }
}

async fn create(database: &Database, email: &str, name: &str) -> Result<(), Failure> {
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password)?;
    let password = password.strip_suffix('\n').unwrap_or(&password);
    let password = password.strip_suffix('\r').unwrap_or(password);
    let service = open(database).await?;
    let user = service.create_user(email, name, password, Role::Admin).await?;
    service.close().await;
    println!("created the admin {} <{}>", user.name, user.email);
    Ok(())
}
