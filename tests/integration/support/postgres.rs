//! Databases on a PostgreSQL server: one for each test that wants one, gone when it ends.
//!
//! `cargo xtask test` provides a server. Tests that run by themselves take the one that
//! `BESPOKEN_TEST_POSTGRES` names, as a superuser, and without it leave PostgreSQL out, which they say.

use std::{
    env,
    io::Write,
    process,
    str::FromStr,
    sync::{Arc, OnceLock},
};

use bespoken::storage::{Database, postgres::PostgresStore};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::silence::{Place, Silence};

/// The user that owns the tables: no superuser, and subject to the policies like everybody.
const OWNER: &str = "bespoken_test_owner";

/// A database that has just been made. It goes away with the last that holds it.
#[derive(Clone)]
pub struct TestDatabase(Arc<Made>);

struct Made {
    server: PgConnectOptions,
    name: String,
}

/// The server as a superuser, if there is one.
fn server() -> Option<PgConnectOptions> {
    static SERVER: OnceLock<Option<PgConnectOptions>> = OnceLock::new();
    let find = || {
        let Ok(url) = env::var("BESPOKEN_TEST_POSTGRES") else {
            // Bypasses the capture of output: a reader of the result must know its gaps.
            let line =
                "PostgreSQL is left out: BESPOKEN_TEST_POSTGRES names no server (`cargo xtask test` starts one)\n";
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            return None;
        };
        Some(PgConnectOptions::from_str(&url).expect("BESPOKEN_TEST_POSTGRES is a URL of PostgreSQL"))
    };
    SERVER.get_or_init(find).clone()
}

async fn execute(conn: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The database that all others of this process are copied from, with the password of its owner.
async fn template(server: &PgConnectOptions) -> &'static (String, String) {
    static TEMPLATE: OnceCell<(String, String)> = OnceCell::const_new();
    let make = async || {
        let (name, password) = (format!("bespoken_test_{}", process::id()), Uuid::new_v4().to_string());
        let mut conn = server.connect().await.expect("the server that BESPOKEN_TEST_POSTGRES names");
        // The roles may be there already from other tests, and only who made them may pass them on.
        let roles = format!(
            "do $$
             declare known text;
             begin
                 begin
                     create role {OWNER} login createrole;
                 exception when duplicate_object or unique_violation then null;
                 end;
                 alter role {OWNER} password '{password}';
                 for known in select rolname from pg_roles where rolname in ('bespoken_app', 'bespoken_search') loop
                     execute format('grant %I to {OWNER}', known);
                 end loop;
             end $$"
        );
        execute(&mut conn, roles).await;
        execute(&mut conn, format!("drop database if exists {name} with (force)")).await;
        execute(&mut conn, format!("create database {name} owner {OWNER}")).await;
        let url = as_owner(server, &name, &password);
        PostgresStore::open(&url).await.unwrap_or_else(|error| panic!("{error}")).close().await;
        (name, password)
    };
    TEMPLATE.get_or_init(make).await
}

fn as_owner(server: &PgConnectOptions, database: &str, password: &str) -> String {
    server.clone().username(OWNER).password(password).database(database).to_url_lossy().to_string()
}

impl TestDatabase {
    /// With all tables; each has the same epoch. `None` if there is no server to make it on.
    pub async fn create() -> Option<Self> {
        let server = server()?;
        let (template, _) = template(&server).await;
        Some(Self::copy(server, template).await)
    }

    /// Without tables.
    pub async fn create_empty() -> Option<Self> {
        let server = server()?;
        // The creator of the template also creates the owner.
        template(&server).await;
        Some(Self::copy(server, "template1").await)
    }

    async fn copy(server: PgConnectOptions, template: &str) -> Self {
        let name = format!("bespoken_test_{}_{}", process::id(), Uuid::new_v4().simple());
        let mut conn = server.connect().await.unwrap();
        execute(&mut conn, format!("create database {name} template {template} owner {OWNER}")).await;
        Self(Arc::new(Made { server, name }))
    }

    /// As the owner of the tables.
    pub async fn url(&self) -> String {
        let (_, password) = template(&self.0.server).await;
        as_owner(&self.0.server, &self.0.name, password)
    }

    /// As another user.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        self.0.server.clone().username(user).password(password).database(&self.0.name).to_url_lossy().to_string()
    }

    /// The owner's way over a network that can fall silent.
    pub async fn behind_silence(&self) -> (Arc<Silence>, String) {
        let (server, (_, password)) = (&self.0.server, template(&self.0.server).await);
        let (host, port) = (server.get_host(), server.get_port());
        let folder = server.get_socket().cloned().or_else(|| host.starts_with('/').then(|| host.into()));
        let place = match folder {
            Some(folder) => Place::Socket(folder.join(format!(".s.PGSQL.{port}"))),
            None => Place::Tcp(host.to_owned(), port),
        };
        let (silence, port) = Silence::before(place).await;
        (silence, format!("postgres://{OWNER}:{password}@127.0.0.1:{port}/{}?sslmode=disable", self.0.name))
    }

    /// As a superuser, in the words of PostgreSQL's own programs: they know fewer options than sqlx writes.
    pub fn superuser_url(&self) -> String {
        let server = env::var("BESPOKEN_TEST_POSTGRES").expect("there is a database on it");
        let (place, options) = server.split_at(server.find('?').unwrap_or(server.len()));
        let (place, _) = place.rsplit_once('/').expect("a superuser's database");
        format!("{place}/{}{options}", self.0.name)
    }

    pub fn superuser_options(&self) -> PgConnectOptions {
        self.0.server.clone().database(&self.0.name)
    }

    /// As a superuser, who bypasses all policies.
    pub async fn superuser(&self) -> PgConnection {
        self.superuser_options().connect().await.unwrap()
    }

    /// As the application, with nobody acting.
    pub async fn application(&self) -> PgConnection {
        let mut conn = self.superuser().await;
        execute(&mut conn, "set session authorization bespoken_app".to_owned()).await;
        conn
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), std::mem::take(&mut self.name));
        // The test's own runtime is about to end, and cannot be waited for here.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut conn = server.connect().await.unwrap();
                execute(&mut conn, format!("drop database if exists {name} with (force)")).await;
                conn.close().await.unwrap();
            });
        });
        // A second panic would hide what the test has to say.
        let _ = dropping.join();
    }
}
