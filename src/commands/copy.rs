//! Copies an SQLite database into PostgreSQL.

use bespoken::storage::{self, DatabaseCopy};
use clap::Args;

use super::Failure;

#[derive(Args)]
pub struct Copy {
    /// The database to copy, sqlite:; preferably while the server is stopped
    #[arg(long)]
    from: String,
    /// The target database, postgres:, as the owner of its tables
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    to: String,
}

impl Copy {
    pub async fn run(self) -> Result<(), Failure> {
        let mut copy = DatabaseCopy::begin(&self.from, &self.to, storage::BATCH).await?;
        if copy.goes_on() {
            println!("resuming an interrupted copy");
        }
        let mut current = "";
        while let Some(table) = copy.step().await? {
            if table != current {
                println!("copying {table}");
                current = table;
            }
        }
        println!("comparing rows and their SHA-256");
        let compared = copy.finish().await?;
        for table in &compared {
            println!("{:<16} {:>10}  {}", table.table, table.source.rows, table.source.sha256);
            if !table.is_same() {
                println!("{:<16} {:>10}  {}", "  in the copy", table.target.rows, table.target.sha256);
            }
        }
        if !compared.iter().all(storage::Compared::is_same) {
            return Err(
                "the databases differ, and no server starts on the copy: something else has written to one of \
                        them; begin again with an empty database"
                    .into(),
            );
        }
        println!("the databases are the same; the attached files and link.key remain in the data directory");
        Ok(())
    }
}
