//! The PostgreSQL server for tests. It is the one in `BESPOKEN_TEST_POSTGRES`, with a superuser's URL, or a temporary
//! one in target/ that listens on a Unix socket only.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use crate::process::{Context, Failure, Outcome, output, say};
use crate::setup;
use crate::workspace::Workspace;

/// The variable with the server's URL; if it is set, no server is started.
const VARIABLE: &str = "BESPOKEN_TEST_POSTGRES";
/// Each running test has a store or two, with a dozen connections each.
const CONNECTIONS: &str = "max_connections=400";
const START_WITHIN: Duration = Duration::from_secs(60);

/// A server for tests. A temporary one is stopped on drop.
pub struct Server {
    url: String,
    psql: PathBuf,
    /// Held until the tests have finished.
    _running: Option<Running>,
}

impl Server {
    /// # Errors
    ///
    /// If none is given, and none can be started.
    pub fn provide(workspace: &Workspace) -> Outcome<Self> {
        if let Ok(url) = env::var(VARIABLE) {
            return Ok(Self { url, psql: "psql".into(), _running: None });
        }
        if cfg!(windows) {
            return Err(Failure::new(format!("name a PostgreSQL server for the tests in {VARIABLE}")));
        }
        let programs = setup::postgres()?;
        let running = Running::start(workspace, &programs)?;
        // A percent-encoded socket folder replaces the host.
        let socket = running.socket.to_string_lossy().replace('%', "%25").replace('/', "%2F");
        let url = format!("postgres://postgres@{socket}/postgres");
        Ok(Self { url, psql: programs.join("psql"), _running: Some(running) })
    }

    /// A new database, which is removed when the returned value is dropped.
    ///
    /// # Errors
    ///
    /// If the server cannot create it.
    pub fn database(&self, name: &str) -> Outcome<Database> {
        let database = Database { server: self.url.clone(), psql: self.psql.clone(), name: name.to_owned() };
        database.run(&format!("create database {name}"))?;
        Ok(database)
    }

    /// Passes the server's address to a program.
    pub fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env(VARIABLE, &self.url).env("BESPOKEN_PSQL", &self.psql)
    }
}

/// A database on a server.
pub struct Database {
    server: String,
    psql: PathBuf,
    name: String,
}

impl Database {
    pub fn url(&self) -> String {
        let (place, options) = self
            .server
            .split_once('?')
            .map_or((&*self.server, String::new()), |(place, options)| (place, format!("?{options}")));
        let place = place.rsplit_once('/').map_or(place, |(place, _)| place);
        format!("{place}/{}{options}", self.name)
    }

    fn run(&self, sql: &str) -> Outcome {
        let mut psql = Command::new(&self.psql);
        psql.args(["--no-psqlrc", "--quiet", "--dbname", &self.server, "--command", sql]);
        output(&mut psql).map(drop).ok_or_else(|| Failure::new(format!("psql could not `{sql}`")))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(failure) = self.run(&format!("drop database if exists {} with (force)", self.name)) {
            say(failure);
        }
    }
}

struct Running {
    process: Child,
    /// The folders of its data and its socket. Both are removed on drop.
    data: PathBuf,
    socket: PathBuf,
}

impl Running {
    fn start(workspace: &Workspace, programs: &Path) -> Outcome<Self> {
        say("starting PostgreSQL");
        let user = User::find()?;
        let name = format!("bespoken-postgres-{}", process::id());
        let target = if user.may_enter(&workspace.target) { workspace.target.clone() } else { env::temp_dir() };
        // The path of a socket is limited to about a hundred characters.
        let (data, socket) = (target.join(&name), env::temp_dir().join(format!("{name}.socket")));
        for folder in [&data, &socket] {
            fs::create_dir(folder).context(format!("making {}", folder.display()))?;
            user.give(folder)?;
        }
        let log = data.with_extension("log");
        let log = || fs::File::options().create(true).append(true).open(&log).context("opening PostgreSQL's log");

        let mut initdb = user.command(&programs.join("initdb"), &data);
        initdb
            // In this locale PostgreSQL itself supports ASCII letters only, so that the code cannot depend on more.
            .args(["--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"])
            .arg("--pgdata")
            .arg(data.join("data"))
            .stdout(log()?)
            .stderr(log()?);
        let made = initdb.status().context("starting initdb")?;
        if !made.success() {
            return Err(failed(&data));
        }
        let mut server = user.command(&programs.join("postgres"), &data);
        server
            .arg("-D")
            .arg(data.join("data"))
            .arg("-k")
            .arg(&socket)
            .args(["-c", "listen_addresses=", "-c", CONNECTIONS])
            .stdin(Stdio::null())
            .stdout(log()?)
            .stderr(log()?);
        // From here on it is stopped on every exit.
        let mut running = Self { process: server.spawn().context("starting PostgreSQL")?, data, socket };
        let give_up = Instant::now() + START_WITHIN;
        let mut is_ready = Command::new(programs.join("pg_isready"));
        is_ready.arg("--host").arg(&running.socket);
        while output(&mut is_ready).is_none() {
            if running.process.try_wait()?.is_some() || Instant::now() > give_up {
                return Err(failed(&running.data));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(running)
    }
}

fn failed(data: &Path) -> Failure {
    let log = fs::read_to_string(data.with_extension("log")).unwrap_or_default();
    let last = log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Failure::new(format!("PostgreSQL did not start: {last}"))
}

impl Drop for Running {
    fn drop(&mut self) {
        // Requests a fast, orderly shutdown: its own children survive a kill.
        let asked = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            self.process.kill().ok();
        }
        self.process.wait().ok();
        for folder in [&self.data, &self.socket] {
            fs::remove_dir_all(folder).ok();
        }
        fs::remove_file(self.data.with_extension("log")).ok();
    }
}

/// The user of the server, which refuses to run as root.
struct User {
    /// The ids of user and group, if they differ from the current ones.
    other: Option<(u32, u32)>,
}

impl User {
    fn find() -> Outcome<Self> {
        let id = |arguments: &[&str]| output(Command::new("id").args(arguments))?.parse::<u32>().ok();
        if id(&["-u"]) != Some(0) {
            return Ok(Self { other: None });
        }
        let known = ["postgres", "nobody"].into_iter().find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)));
        match known {
            Some(ids) => Ok(Self { other: Some(ids) }),
            None => Err(Failure::new("PostgreSQL does not run as root, and there is no user postgres or nobody")),
        }
    }

    #[cfg(unix)]
    fn command(&self, program: &Path, folder: &Path) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(program);
        command.current_dir(folder);
        if let Some((user, group)) = self.other {
            command.uid(user).gid(group);
        }
        command
    }

    #[cfg(not(unix))]
    fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder);
        command
    }

    /// Makes this user the only one with access to a new folder.
    #[cfg(unix)]
    fn give(&self, folder: &Path) -> Outcome {
        use std::os::unix::fs::{PermissionsExt, chown};
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        if let Some((user, group)) = self.other {
            chown(folder, Some(user), Some(group))?;
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn give(&self, _: &Path) -> Outcome {
        Ok(())
    }

    /// Whether this user may enter a folder and its parents.
    fn may_enter(&self, folder: &Path) -> bool {
        output(self.command(Path::new("test"), Path::new("/")).arg("-x").arg(folder)).is_some()
    }
}
