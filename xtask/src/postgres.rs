//! The PostgreSQL server that tests use: the one that `BESPOKEN_TEST_POSTGRES` names, as a superuser, or
//! one of their own, which lives in target/ and listens on a Unix socket alone.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use crate::process::{Context, Failure, Outcome, output, say};
use crate::setup;
use crate::workspace::Workspace;

/// Where tests find the server; whoever sets it has one already.
const VARIABLE: &str = "BESPOKEN_TEST_POSTGRES";
/// Each test that runs has a store or two, with a dozen connections each.
const CONNECTIONS: &str = "max_connections=400";
const START_WITHIN: Duration = Duration::from_secs(60);

/// A server to test with. One that was started for it ends with this value.
pub struct Server {
    url: String,
    psql: PathBuf,
    /// Held until the tests are through.
    _running: Option<Running>,
}

impl Server {
    /// # Errors
    ///
    /// When none is given, and none can be had.
    pub fn provide(workspace: &Workspace) -> Outcome<Self> {
        if let Ok(url) = env::var(VARIABLE) {
            return Ok(Self { url, psql: "psql".into(), _running: None });
        }
        if cfg!(windows) {
            return Err(Failure::new(format!("name a PostgreSQL server for the tests in {VARIABLE}")));
        }
        let programs = setup::postgres()?;
        let running = Running::start(workspace, &programs)?;
        // A socket's folder stands in the place of a host, percent-encoded.
        let socket = running.socket.to_string_lossy().replace('%', "%25").replace('/', "%2F");
        let url = format!("postgres://postgres@{socket}/postgres");
        Ok(Self { url, psql: programs.join("psql"), _running: Some(running) })
    }

    /// Tells a program where the server is.
    pub fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env(VARIABLE, &self.url).env("BESPOKEN_PSQL", &self.psql)
    }
}

struct Running {
    process: Child,
    /// What it keeps, and where its socket is. Both are gone afterwards.
    data: PathBuf,
    socket: PathBuf,
}

impl Running {
    fn start(workspace: &Workspace, programs: &Path) -> Outcome<Self> {
        say("starting PostgreSQL");
        let user = User::find()?;
        let name = format!("bespoken-postgres-{}", process::id());
        let target = if user.may_enter(&workspace.target) { workspace.target.clone() } else { env::temp_dir() };
        // The path of a socket may have about a hundred characters.
        let (data, socket) = (target.join(&name), env::temp_dir().join(format!("{name}.socket")));
        for folder in [&data, &socket] {
            fs::create_dir(folder).context(format!("making {}", folder.display()))?;
            user.give(folder)?;
        }
        let log = data.with_extension("log");
        let log = || fs::File::options().create(true).append(true).open(&log).context("opening PostgreSQL's log");

        let mut initdb = user.command(&programs.join("initdb"), &data);
        initdb
            // In this locale PostgreSQL itself knows ASCII letters only, so that nothing comes to rely on more.
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
        // From here on it is stopped whatever happens.
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
        // Asked to end all connections and to shut down in order: its own children outlive a kill.
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

/// Whom the server runs as: it refuses to be root.
struct User {
    /// The ids of user and group, if they are not one's own.
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

    /// Makes a new folder this user's alone.
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

    /// Whether this user may go into a folder, and into those that it lies in.
    fn may_enter(&self, folder: &Path) -> bool {
        output(self.command(Path::new("test"), Path::new("/")).arg("-x").arg(folder)).is_some()
    }
}
