//! The command line: serve, and what an operator does beside it.

use std::{
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use bespoken::{
    domain::{Code, Name, Role, TokenId, plain_line},
    http::{Config, Deadlines, MetricsAccess, Running, TrustedProxies, serve},
    locales::Locale,
    service::{self, Contents, Limits, LinkKey, Mail, Retention, Service, Settings},
    storage::{self, DatabaseCopy, Erased, Expiry},
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Live chat between people who make things to order and their customers.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How the log is written to stderr
    #[arg(long, global = true, env = "BESPOKEN_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// For programs: one JSON object a line
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(Box<Serve>),
    /// Create admins
    #[command(subcommand)]
    Admin(Admin),
    /// Create, list and revoke API tokens
    #[command(subcommand)]
    Token(Token),
    /// Export or erase what is kept of one customer
    #[command(subcommand)]
    Customer(Customer),
    /// Bring the database up to date, and do nothing else
    Migrate(Database),
    /// Copy an SQLite database into an empty PostgreSQL database, and compare both; once interrupted, it goes on
    /// where it was
    Copy {
        /// The database to copy, sqlite:; best while the server is stopped
        #[arg(long)]
        from: String,
        /// Where to, postgres:, as the owner of its tables
        #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
        to: String,
    },
    /// Write everything that is kept into one file, also while the server runs
    Backup {
        /// The file to make: a tar archive
        file: PathBuf,
        #[command(flatten)]
        database: Database,
        #[command(flatten)]
        data: Data,
    },
    /// Put a backup in the place of what is kept, while the server is stopped; the old is kept aside
    Restore {
        /// What `bespoken backup` made
        file: PathBuf,
        #[command(flatten)]
        database: Database,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Args)]
struct Database {
    /// Where the database is, sqlite: or postgres:; it is created (SQLite) and migrated if need be
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite://data/bespoken.db", hide_env_values = true)]
    database_url: String,
}

#[derive(Args)]
struct Data {
    /// Where generated secrets and attached files are kept
    #[arg(long, env = "BESPOKEN_DATA_DIR", default_value = "data")]
    data_dir: PathBuf,
}

#[derive(Args)]
struct Serve {
    #[command(flatten)]
    database: Database,
    /// The address to listen on
    #[arg(long, env = "BESPOKEN_LISTEN", default_value = "127.0.0.1:3000")]
    listen: String,
    /// Where people reach the server: for links, the Origin check and cookies [default: http:// and the address]
    #[arg(long, env = "BESPOKEN_PUBLIC_URL")]
    public_url: Option<String>,
    /// The bus between several nodes, such as nats://host:4222; several servers with commas between
    #[arg(long, env = "NATS_URL", hide_env_values = true)]
    nats_url: Option<String>,
    #[command(flatten)]
    data: Data,
    /// The name that the business goes by
    #[arg(long, env = "BESPOKEN_BUSINESS", default_value = "Bespoken")]
    business: String,
    /// What budgets are in
    #[arg(long, env = "BESPOKEN_CURRENCY", default_value = "EUR")]
    currency: String,
    /// What people read whose browsers ask for no language that there is: en or de
    #[arg(long, env = "BESPOKEN_LANGUAGE", default_value = "en")]
    language: Locale,
    /// The mail server, such as smtps://user:password@host; without one, mail is written to the log
    #[arg(long, env = "SMTP_URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// Whom mail comes from [default: no-reply at the host of the public URL]
    #[arg(long, env = "BESPOKEN_MAIL_FROM")]
    mail_from: Option<String>,
    /// Fill an empty database with a demo, and print links to sign in with
    #[arg(long)]
    demo: bool,
    /// Seconds over which connections are closed, at most, when the server goes down
    #[arg(long, env = "BESPOKEN_DRAIN_SECONDS", default_value_t = 5)]
    drain_seconds: u64,
    /// Who may read /metrics [default: local if the public URL leads to this machine, else token]
    #[arg(long, env = "BESPOKEN_METRICS", value_enum)]
    metrics: Option<MetricsAccess>,
    /// Days without activity after which chats, and requests that are done or declined, are not kept any more;
    /// 0: for ever
    #[arg(long, env = "BESPOKEN_RETENTION_DAYS", default_value_t = 0)]
    retention_days: u32,
    /// What happens to them then
    #[arg(long, env = "BESPOKEN_RETENTION", value_enum, default_value_t = Expire::Delete)]
    retention: Expire,
    /// Proxies whose X-Forwarded-For or Forwarded header tells the client's address: addresses and networks such as
    /// 10.0.0.0/8, with commas between
    #[arg(long, env = "BESPOKEN_TRUSTED_PROXIES", default_value = "", hide_default_value = true)]
    trusted_proxies: TrustedProxies,
    #[command(flatten)]
    limits: Limits,
}

#[derive(Clone, Copy, ValueEnum)]
enum Expire {
    /// They are deleted, with everything about them
    Delete,
    /// Customers' names and addresses, all messages and all files are taken out
    Anonymise,
}

#[derive(Subcommand)]
enum Admin {
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

#[derive(Subcommand)]
enum Token {
    /// Create an API token that acts as an admin, and print it; it is shown only now
    Create {
        #[arg(long)]
        email: String,
        /// What it is for
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        database: Database,
    },
    /// List the API tokens that work
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

#[derive(Subcommand)]
enum Customer {
    /// Write everything that is kept of a customer into a file for them
    Export {
        #[arg(long)]
        email: String,
        /// The file to make: a tar archive
        file: PathBuf,
        #[command(flatten)]
        database: Database,
        #[command(flatten)]
        data: Data,
    },
    /// Erase a customer: the account, and their words, files and name in chats and requests
    Erase {
        #[arg(long)]
        email: String,
        /// Really do it: there is no way back
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        database: Database,
        #[command(flatten)]
        data: Data,
    },
}

/// What went wrong, as one line for the person at the terminal.
type Failure = Box<dyn std::error::Error>;

/// Ready tasks that do not fit into a worker's own queue wait in one for all, to which a worker turns this
/// often. With tokio's own measure a busy server serves some of its sockets again and again, and others
/// hardly ever.
const SHARED_QUEUE_EVERY: u32 = 1;

/// After so many tasks a worker asks the system again who has sent something. What they all set off is written
/// in one round (`live::rounds`), so more of them means fewer and longer writes.
const READ_EVERY: u32 = 256;

/// Faster than the system's with many small frames, and its memory does not fall to pieces when thousands of
/// sockets come and go.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What was free for a second goes back to the system when a thread takes new memory, or ends. A server at rest
/// does neither, and would keep what ten thousand people needed to come in.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(2);

async fn give_memory_back() {
    loop {
        tokio::time::sleep(GIVE_BACK_EVERY).await;
        // It has to take something, to have anything to end. If there can be no thread now, there is the next time.
        let some = || drop(std::hint::black_box(vec![0_u8; 64]));
        std::thread::Builder::new().name("give-back".to_owned()).spawn(some).ok();
    }
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .global_queue_interval(SHARED_QUEUE_EVERY)
        .event_interval(READ_EVERY)
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(obey_command_line()),
        Err(error) => {
            eprintln!("bespoken: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn obey_command_line() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.log_format);
    let done = match cli.command {
        Command::Serve(args) => run(*args).await,
        Command::Admin(Admin::Create { email, name, database }) => create_admin(&database, &email, &name).await,
        Command::Token(Token::Create { email, name, database }) => {
            create_token(&database, &email, name.as_deref()).await
        }
        Command::Token(Token::List { database }) => list_tokens(&database).await,
        Command::Token(Token::Revoke { id, database }) => revoke_token(&database, id).await,
        Command::Customer(Customer::Export { email, file, database, data }) => {
            export_customer(&database, &data, &email, &file).await
        }
        Command::Customer(Customer::Erase { email, yes, database, data }) => {
            erase_customer(&database, &data, &email, yes).await
        }
        Command::Migrate(database) => migrate(&database).await,
        Command::Copy { from, to } => copy_database(&from, &to).await,
        Command::Backup { file, database, data } => make_backup(&database, &data, &file).await,
        Command::Restore { file, database, data } => restore_backup(&database, &data, &file).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bespoken: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// What is logged is set by `RUST_LOG`.
fn start_log(format: LogFormat) {
    // What becomes of the bus the program says itself, once and not with every try.
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "warn,bespoken=info,async_nats=off".into());
    // https://no-color.org; and files have none.
    let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let has_colours = std::io::stderr().is_terminal() && !wants_none;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(has_colours);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).init(),
    }
}

async fn run(args: Serve) -> Result<(), Failure> {
    service::allow_open_files();
    let address = args.listen.clone();
    let listener = TcpListener::bind(&address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let how = match args.retention {
        Expire::Delete => Expiry::Delete,
        Expire::Anonymise => Expiry::Anonymise,
    };
    let retention = (args.retention_days > 0).then_some(Retention { days: args.retention_days, how });
    let config = Config {
        database_url: args.database.database_url,
        nats_url: args.nats_url.filter(|url| !url.is_empty()),
        data_dir: args.data.data_dir,
        public_url: args.public_url,
        business: Name::parse("business", &args.business)?,
        currency: args.currency,
        language: args.language,
        smtp_url: args.smtp_url,
        mail_from: args.mail_from,
        limits: args.limits,
        metrics: args.metrics,
        retention,
        drain: Duration::from_secs(args.drain_seconds),
        trusted_proxies: args.trusted_proxies,
        deadlines: Deadlines::DEFAULT,
    };
    let shutdown = CancellationToken::new();
    let Running { service, public_url, stopped, .. } = serve(config, listener, shutdown.clone()).await?;
    if args.demo {
        match service.demo().await? {
            Some(links) => {
                println!("sign in as an admin:    {}", links.admin);
                println!("sign in as a customer:  {}", links.customer);
                println!("come as a guest:        {}", links.guest);
            }
            None => println!("no demo: the database is not empty"),
        }
    } else if service.needs_setup().await? {
        println!("create the first admin: {public_url}/setup?token={}", service.make_setup_secret().await?.expose());
    }
    drop(service);
    println!("listening on {public_url}");
    tokio::spawn(give_memory_back());
    tokio::spawn(async move {
        wait_for_signal().await;
        shutdown.cancel();
    });
    stopped.await??;
    Ok(())
}

/// Resolves on Ctrl-C, and on SIGTERM where there is one.
async fn wait_for_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            },
            Err(_) => drop(interrupt.await),
        }
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
}

/// The use cases without a server around them. The link key is not used by any of these.
async fn open(database: &Database) -> Result<std::sync::Arc<Service>, Failure> {
    open_with_files(database, Path::new("data")).await
}

/// The same for commands that know where the files are.
async fn open_with_files(database: &Database, data_dir: &Path) -> Result<std::sync::Arc<Service>, Failure> {
    let store = storage::open(&database.database_url).await?;
    let settings = Settings {
        public_url: String::new(),
        business: Name::parse("business", "Bespoken")?,
        currency: String::new(),
        language: Locale::default(),
        limits: Limits::default(),
        data_dir: data_dir.to_owned(),
        link_key: LinkKey::random(),
        mail: Mail::new(None, "no-reply@localhost")?,
        retention: None,
    };
    Ok(Service::start(store, settings).await?)
}

async fn create_admin(database: &Database, email: &str, name: &str) -> Result<(), Failure> {
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

async fn list_tokens(database: &Database) -> Result<(), Failure> {
    let service = open(database).await?;
    for token in service.tokens().await? {
        let name = token.name.map(|name| name.to_string()).unwrap_or_default();
        println!("{}  {}  {}  {}", token.id, token.created_at, token.user.email, plain_line(&name));
    }
    service.close().await;
    Ok(())
}

async fn create_token(database: &Database, email: &str, name: Option<&str>) -> Result<(), Failure> {
    let service = open(database).await?;
    let (id, secret) = service.create_token(email, name).await?;
    service.close().await;
    eprintln!("id {id}; the token is shown only now:");
    println!("{}", secret.expose());
    Ok(())
}

async fn revoke_token(database: &Database, id: TokenId) -> Result<(), Failure> {
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

async fn migrate(database: &Database) -> Result<(), Failure> {
    let store = storage::open(&database.database_url).await?;
    store.close().await;
    println!("the database is up to date");
    Ok(())
}

async fn copy_database(from: &str, to: &str) -> Result<(), Failure> {
    let mut copy = DatabaseCopy::begin(from, to, storage::BATCH).await?;
    if copy.goes_on() {
        println!("going on with a copy that was interrupted");
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
        return Err("the databases differ, and no server starts on the copy: something else has written to one of \
                    them; begin again with an empty database"
            .into());
    }
    println!("the databases are the same; the attached files and link.key stay where they are, in the data directory");
    Ok(())
}

async fn make_backup(database: &Database, data: &Data, file: &Path) -> Result<(), Failure> {
    require_sqlite(database)?;
    let Contents { files, missing } = service::backup(&database.database_url, &data.data_dir, file).await?;
    println!("wrote the database and {files} attached files to {}", file.display());
    tell_missing(missing);
    Ok(())
}

async fn restore_backup(database: &Database, data: &Data, file: &Path) -> Result<(), Failure> {
    require_sqlite(database)?;
    let (contents, aside) = service::restore(&database.database_url, &data.data_dir, file).await?;
    println!("restored the database and {} attached files; what was there is kept as …{aside}", contents.files);
    tell_missing(contents.missing);
    Ok(())
}

fn tell_missing(files: usize) {
    if files > 0 {
        eprintln!("{files} files that messages name were missing already");
    }
}

/// PostgreSQL has tools of its own for this.
fn require_sqlite(database: &Database) -> Result<(), Failure> {
    if database.database_url.starts_with("postgres") {
        return Err("this is for SQLite; for PostgreSQL use pg_dump and pg_restore, as docs/operating.md says".into());
    }
    Ok(())
}

async fn export_customer(database: &Database, data: &Data, email: &str, file: &Path) -> Result<(), Failure> {
    let service = open_with_files(database, &data.data_dir).await?;
    let exported = service.export_customer(email, file).await;
    service.close().await;
    println!("wrote what is kept of {email}, with {} chats, to {}", exported?, file.display());
    Ok(())
}

async fn erase_customer(database: &Database, data: &Data, email: &str, yes: bool) -> Result<(), Failure> {
    if !yes {
        return Err("erasing a customer cannot be undone: say --yes to go on".into());
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
