//! API tokens.

use bespoken::{
    domain::{Code, TokenId, plain_line},
    settings::Database,
};
use clap::Subcommand;

use super::{Failure, open};

#[derive(Subcommand)]
pub enum Token {
    /// Create an API token that acts as an admin, and print it once
    Create {
        #[arg(long)]
        email: String,
        /// The purpose of the token
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        database: Database,
    },
    /// List the valid API tokens
    List {
        #[command(flatten)]
        database: Database,
    },
    /// Revoke an API token by its id
    Revoke {
        id: TokenId,
        #[command(flatten)]
        database: Database,
    },
}

impl Token {
    pub async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Create { email, name, database } => create(&database, &email, name.as_deref()).await,
            Self::List { database } => list(&database).await,
            Self::Revoke { id, database } => revoke(&database, id).await,
        }
    }
}

async fn list(database: &Database) -> Result<(), Failure> {
    let service = open(database).await?;
    for token in service.tokens().await? {
        let name = token.name.map(|name| name.to_string()).unwrap_or_default();
        println!("{}  {}  {}  {}", token.id, token.created_at, token.user.email, plain_line(&name));
    }
    service.close().await;
    Ok(())
}

async fn create(database: &Database, email: &str, name: Option<&str>) -> Result<(), Failure> {
    let service = open(database).await?;
    let (id, secret) = service.create_token(email, name).await?;
    service.close().await;
    eprintln!("id {id}; the token is printed only once:");
    println!("{}", secret.expose());
    Ok(())
}

async fn revoke(database: &Database, id: TokenId) -> Result<(), Failure> {
    let service = open(database).await?;
    let revoked = service.revoke_token(id).await;
    service.close().await;
    revoked.map_err(|problem| match problem.code {
        Code::NotFound => Failure::from(format!("there is no token {id}, or it was revoked before")),
        _ => problem.into(),
    })?;
    println!("revoked {id}");
    Ok(())
}
