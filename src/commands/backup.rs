//! Backups of an SQLite database and the files beside it.

use std::path::PathBuf;

use bespoken::{
    service::{self, Contents},
    settings::{Data, Database},
};
use clap::Args;

use super::Failure;

#[derive(Args)]
pub struct Backup {
    /// The file to create: a tar archive
    file: PathBuf,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    data: Data,
}

#[derive(Args)]
pub struct Restore {
    /// A file created by `bespoken backup`
    file: PathBuf,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    data: Data,
}

impl Backup {
    pub async fn run(self) -> Result<(), Failure> {
        require_sqlite(&self.database)?;
        let Contents { files, missing } =
            service::backup(&self.database.database_url, &self.data.data_dir, &self.file).await?;
        println!("wrote the database and {files} attached files to {}", self.file.display());
        warn_of_missing(missing);
        Ok(())
    }
}

impl Restore {
    pub async fn run(self) -> Result<(), Failure> {
        require_sqlite(&self.database)?;
        let (contents, aside) = service::restore(&self.database.database_url, &self.data.data_dir, &self.file).await?;
        println!("restored the database and {} attached files; the previous ones are now …{aside}", contents.files);
        warn_of_missing(contents.missing);
        Ok(())
    }
}

fn warn_of_missing(files: usize) {
    if files > 0 {
        eprintln!("{files} attached files were missing already");
    }
}

/// PostgreSQL has its own tools for backups.
fn require_sqlite(database: &Database) -> Result<(), Failure> {
    if database.database_url.starts_with("postgres") {
        return Err("this is for SQLite; for PostgreSQL use pg_dump and pg_restore, see docs/operating.md".into());
    }
    Ok(())
}
