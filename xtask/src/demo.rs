//! A server with demo data and its own database, for tasks that need one.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::process::{Context, Failure, Outcome, without_cargo_variables};
use crate::workspace::Workspace;

/// The server, which is stopped on drop.
pub struct Demo {
    process: Child,
    pub url: String,
    pub database: String,
    /// The lines that it printed before it listened.
    said: Vec<String>,
}

impl Demo {
    /// Starts `program` with an empty database below `folder`, which is recreated.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn start(workspace: &Workspace, program: &Path, folder: &Path, settings: &[(&str, &str)]) -> Outcome<Self> {
        let data = folder.join("data");
        if data.exists() {
            fs::remove_dir_all(&data)?;
        }
        fs::create_dir_all(&data)?;
        let database = format!("sqlite://{}", data.join("bespoken.db").display());
        let mut command = Command::new(program);
        command
            .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--database-url", &database, "--data-dir"])
            .arg(&data)
            .envs(settings.iter().copied())
            .current_dir(&workspace.root)
            .stdout(Stdio::piped());
        without_cargo_variables(&mut command);
        let mut process = command.spawn().context("starting the server")?;
        let output = process.stdout.take().expect("it is piped");
        let mut said = Vec::new();
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(url) = line.strip_prefix("listening on ") {
                return Ok(Self { process, url: url.to_owned(), database, said });
            }
            said.push(line);
        }
        process.wait()?;
        Err(Failure::new(format!("the server did not start: {}", said.join("\n"))))
    }

    /// The printed link after `words`, such as `come as a guest:`.
    ///
    /// # Errors
    ///
    /// If it printed none.
    pub fn link(&self, words: &str) -> Outcome<&str> {
        let found = self.said.iter().find_map(|line| line.strip_prefix(words));
        found.map(str::trim).ok_or_else(|| Failure::new(format!("the server did not print `{words}`")))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A client that requests files from a server on this machine as a browser does: with cookies and compression.
#[derive(Default)]
pub struct Visitor {
    cookies: Vec<String>,
}

/// A response.
pub struct Answer {
    /// The path of the response, after redirects.
    pub path: String,
    headers: Vec<(String, String)>,
    /// As sent: compressed according to `encoding`.
    pub body: Vec<u8>,
}

impl Answer {
    fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

impl Visitor {
    /// The response at `address`, which is a path or a URL of the server at `url`, after redirects.
    ///
    /// # Errors
    ///
    /// If the request fails, or the status is not a success.
    pub fn get(&mut self, url: &str, address: &str, encodings: &str) -> Outcome<Answer> {
        let mut path = address.strip_prefix(url).unwrap_or(address).to_owned();
        for _ in 0..5 {
            let (status, answer) = self.ask(url, &path, encodings).context(format!("asking for {path}"))?;
            match status {
                200 => return Ok(answer),
                300..400 => {
                    let to = answer.headers("location").next().unwrap_or_default();
                    path = to.strip_prefix(url).unwrap_or(to).to_owned();
                }
                _ => return Err(Failure::new(format!("{path} answers {status}"))),
            }
        }
        Err(Failure::new(format!("{address} redirects in a loop")))
    }

    fn ask(&mut self, url: &str, path: &str, encodings: &str) -> Outcome<(u16, Answer)> {
        let host = url.strip_prefix("http://").unwrap_or(url);
        let mut connection = TcpStream::connect(host)?;
        // With HTTP/1.0 the body ends with the connection.
        write!(
            connection,
            "GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept-Encoding: {encodings}\r\nCookie: {}\r\n\r\n",
            self.cookies.join("; ")
        )?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer)?;
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or_else(|| Failure::new("no answer"))?;
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let mut lines = head.lines();
        // "HTTP/1.0 200 OK"
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let status = status.ok_or_else(|| Failure::new("no status"))?;
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let answer = Answer { path: path.to_owned(), headers, body: answer.split_off(end + 4) };
        let set = answer.headers("set-cookie").filter_map(|cookie| cookie.split(';').next());
        self.cookies.extend(set.map(str::to_owned));
        Ok((status, answer))
    }
}
