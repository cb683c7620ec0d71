//! Brings the schema up to date, and makes sure that row-level security will hold.

use sqlx::{
    AssertSqlSafe, PgConnection, SqlStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
use uuid::Uuid;

use super::{OLDEST_VERSION, acting::ROLE};
use crate::{
    domain::Epoch,
    storage::{Result, StoreError},
};

/// Every migration: its number, its name, its text. Listed here, and not found by sqlx's macro: that
/// would compile the databases' drivers a second time, for the compiler's own use.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "accounts and conversations", include_str!("../../../migrations/postgres/0001_accounts_and_conversations.sql")),
    (2, "requests files and search", include_str!("../../../migrations/postgres/0002_requests_files_and_search.sql")),
    (3, "operations", include_str!("../../../migrations/postgres/0003_operations.sql")),
    (4, "search of customers", include_str!("../../../migrations/postgres/0004_search_of_customers.sql")),
    (5, "confirmed addresses", include_str!("../../../migrations/postgres/0005_confirmed_addresses.sql")),
    (6, "form keys", include_str!("../../../migrations/postgres/0006_form_keys.sql")),
    (7, "search without accents", include_str!("../../../migrations/postgres/0007_search_without_accents.sql")),
    (8, "files", include_str!("../../../migrations/postgres/0008_files.sql")),
    (9, "replies", include_str!("../../../migrations/postgres/0009_replies.sql")),
    (10, "ratings", include_str!("../../../migrations/postgres/0010_ratings.sql")),
    (11, "push", include_str!("../../../migrations/postgres/0011_push.sql")),
    (12, "business", include_str!("../../../migrations/postgres/0012_business.sql")),
    (13, "request_files", include_str!("../../../migrations/postgres/0013_request_files.sql")),
    (14, "sealed", include_str!("../../../migrations/postgres/0014_sealed.sql")),
];

/// A table that is there while another database is being copied into this one, and then goes. It holds the
/// epoch of the other.
pub(super) const UNFINISHED_COPY: &str = "unfinished_copy";

/// Like [`bring_up_to_date`], for a database that is to be worked with: it must be whole.
///
/// # Errors
/// [`StoreError::Unfit`].
pub(super) async fn prepare(conn: &mut PgConnection) -> Result<Epoch> {
    let epoch = bring_up_to_date(conn).await?;
    if has_unfinished_copy(conn).await? {
        let sentence = "another database is being copied into this one, or that was interrupted: run the same \
                        `bespoken copy` again, or into a new database if it says that both are not the same";
        return Err(StoreError::Unfit(sentence.to_owned()));
    }
    Ok(epoch)
}

pub(super) async fn has_unfinished_copy(conn: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar("select to_regclass($1) is not null").bind(UNFINISHED_COPY).fetch_one(conn).await?)
}

/// Migrates if the login owns the tables or there are none; otherwise asserts that the schema is up to date. A schema
/// that is newer than this program is taken as it is, unless it says that it needs a newer program. Returns the epoch.
///
/// # Errors
/// [`StoreError::Unfit`].
pub(super) async fn bring_up_to_date(conn: &mut PgConnection) -> Result<Epoch> {
    if conn.server_version_num().is_some_and(|version| version / 10_000 < OLDEST_VERSION) {
        return Err(StoreError::Unfit(format!("PostgreSQL must be of version {OLDEST_VERSION} or later")));
    }
    let owns: Option<bool> = sqlx::query_scalar(
        "select pg_has_role(current_user, relowner, 'usage') from pg_class where oid = to_regclass('_sqlx_migrations')",
    )
    .fetch_optional(&mut *conn)
    .await?;
    if owns.unwrap_or(true) {
        migrate(conn).await?;
    } else {
        require_up_to_date(conn).await?;
    }
    require_safe_role(conn).await?;
    let (epoch, needs_level): (Uuid, i32) =
        sqlx::query_as("select epoch, needs_level from meta").fetch_one(conn).await?;
    if MIGRATIONS.iter().all(|(level, ..)| *level < i64::from(needs_level)) {
        return Err(StoreError::Unfit("the database needs a newer version of this program".to_owned()));
    }
    Ok(Epoch(epoch))
}

async fn migrate(conn: &mut PgConnection) -> Result<()> {
    let all = MIGRATIONS.iter().map(|&(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, SqlStr::from_static(sql), false)
    });
    // Nodes that start at the same moment wait for each other here. A lock that waits may take longer than
    // a statement of the program's ever does, and so may a change of a large table.
    sqlx::raw_sql("set statement_timeout = 0; set lock_timeout = 0").execute(&mut *conn).await?;
    let mut migrator = Migrator::with_migrations(all.collect());
    migrator.set_ignore_missing(true).run_direct(None, &mut *conn, false).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            let reason =
                error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
            StoreError::Unfit(format!(
                "cannot bring the database up to date: {reason}; run `bespoken migrate` as a user who may, see \
                 docs/operating.md"
            ))
        }
        other => other.into(),
    })?;
    sqlx::query("insert into meta (epoch) values ($1) on conflict do nothing")
        .bind(Epoch::new().0)
        .execute(conn)
        .await?;
    Ok(())
}

async fn require_up_to_date(conn: &mut PgConnection) -> Result<()> {
    let applied: Vec<i64> = sqlx::query_scalar("select version from _sqlx_migrations where success")
        .fetch_all(conn)
        .await
        .map_err(|error| match error.as_database_error() {
            Some(error) => StoreError::Unfit(format!(
                "cannot use the database: {}; has `bespoken migrate` been run, and is this user {ROLE} or a member of it?",
                error.message()
            )),
            None => error.into(),
        })?;
    if MIGRATIONS.iter().any(|(version, ..)| !applied.contains(version)) {
        let sentence = "the database is not up to date: run `bespoken migrate` as the owner of its tables";
        return Err(StoreError::Unfit(sentence.to_owned()));
    }
    Ok(())
}

/// Asserts that the role as which everything is done can be taken, and is subject to the policies.
async fn require_safe_role(conn: &mut PgConnection) -> Result<()> {
    let take = format!("begin; select set_config('role', '{ROLE}', true); rollback");
    sqlx::raw_sql(AssertSqlSafe(take)).execute(&mut *conn).await.map_err(|error| match error.as_database_error() {
        Some(_) => StoreError::Unfit(format!("this user must be {ROLE}, or a member of it (`grant {ROLE} to …`)")),
        None => error.into(),
    })?;
    let (bypasses, owns): (bool, bool) = sqlx::query_as(
        "select rolsuper or rolbypassrls,
                exists (select from pg_class
                        where relowner = pg_roles.oid and relnamespace = current_schema()::regnamespace)
         from pg_roles where rolname = $1",
    )
    .bind(ROLE)
    .fetch_one(conn)
    .await?;
    if bypasses {
        return Err(StoreError::Unfit(format!("the role {ROLE} must be no superuser, and must not have BYPASSRLS")));
    }
    if owns {
        return Err(StoreError::Unfit(format!("the role {ROLE} must own nothing in this database")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::MIGRATIONS;

    #[test]
    fn every_migration_is_listed() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let names = |database: &str| {
            let mut names: Vec<_> = std::fs::read_dir(folder.join(database))
                .unwrap()
                .map(|file| file.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort_unstable();
            names
        };
        let files = names("postgres");
        assert_eq!(files, names("sqlite"), "both databases go the same steps");
        let texts = files.iter().map(|name| std::fs::read_to_string(folder.join("postgres").join(name)).unwrap());
        assert!(texts.eq(MIGRATIONS.iter().map(|(_, _, sql)| sql.to_owned())));
        assert!(MIGRATIONS.is_sorted_by_key(|(version, ..)| version));
    }
}
