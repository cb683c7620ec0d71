//! The people and their rooms. For Bespoken these are real accounts with tokens and real conversations with links.
//! They are created through its command line and API. The other servers accept any name.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    Outcome,
    server::{Places, Server, sqlite},
};

/// Maximum number of admins in a room, besides its guest.
pub const ADMINS: usize = 100;

/// The password of every admin.
pub const PASSWORD: &str = "correct horse battery staple";

pub fn admin_email(number: usize) -> String {
    format!("admin-{number}@bench.invalid")
}

/// A database with people and rooms, to be copied for each measurement.
pub struct World {
    pub rooms: Vec<Room>,
    /// API tokens of admins.
    tokens: Vec<String>,
    folder: tempfile::TempDir,
}

pub struct Room {
    pub id: String,
    /// The secret of the guest's link.
    link: String,
}

/// Someone with a socket, and the rooms that it is in.
pub struct Person {
    pub secret: String,
    /// The id, for servers that accept any.
    pub id: String,
    pub rooms: Vec<usize>,
}

impl World {
    /// Creates an SQLite database with `admins` accounts and `rooms` conversations.
    pub fn create(places: &Places, scratch: &Path, admins: usize, rooms: usize) -> Outcome<Self> {
        let folder = tempfile::tempdir_in(scratch)?;
        let database = sqlite(folder.path());
        Self::create_on(places, folder, &database, admins, rooms)
    }

    /// The same in an empty database; the files beside it are in `folder`.
    pub fn create_on(
        places: &Places,
        folder: tempfile::TempDir,
        database: &str,
        admins: usize,
        rooms: usize,
    ) -> Outcome<Self> {
        let tokens = (0..admins).map(|number| create_admin(places, database, number)).collect::<Outcome<Vec<_>>>()?;
        let server = Server::start_node(places, folder.path(), database, None)?;
        let agent = ureq::Agent::new_with_defaults();
        let rooms = (0..rooms)
            .map(|number| {
                let opened: serde_json::Value = agent
                    .post(format!("http://{}/api/v1/conversations", server.address))
                    .header("authorization", format!("Bearer {}", tokens[0]))
                    .send_json(serde_json::json!({ "customer_name": format!("Customer {number}") }))?
                    .body_mut()
                    .read_json()?;
                let id = opened["id"].as_str().ok_or("a conversation has no id")?.to_owned();
                let link = opened["link"].as_str().and_then(|link| link.split_once("chatId=")).ok_or("no link")?;
                Ok(Room { id, link: link.1.to_owned() })
            })
            .collect::<Outcome<Vec<_>>>()?;
        drop(server);
        Ok(Self { rooms, tokens, folder })
    }

    /// The folder that nodes share besides their database.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A folder with a copy of the initial database.
    pub fn copy(&self, scratch: &Path) -> Outcome<tempfile::TempDir> {
        let copy = tempfile::tempdir_in(scratch)?;
        for entry in fs::read_dir(self.folder.path())? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
            }
        }
        Ok(copy)
    }

    /// A guest and `members - 1` admins in each of the first `rooms` rooms, each on their own socket.
    pub fn each_on_a_socket(&self, rooms: usize, members: usize) -> Vec<Person> {
        let mut people = Vec::with_capacity(rooms * members);
        for room in 0..rooms {
            people.push(self.guest(room, people.len()));
            for member in 1..members {
                // All admins have equally many rooms.
                people.push(self.admin(room * (members - 1) + member, people.len(), vec![room]));
            }
        }
        people
    }

    /// `members` people in each of the first `rooms` rooms, all by its link.
    pub fn by_link(&self, rooms: usize, members: usize) -> Vec<Person> {
        (0..rooms * members).map(|number| self.guest(number / members, number)).collect()
    }

    /// A guest in each of the first `rooms` rooms on its own socket, and two of `agents` admins. An admin has all
    /// their rooms on one socket.
    pub fn with_agents(&self, rooms: usize, agents: usize) -> Vec<Person> {
        let mut people: Vec<_> = (0..rooms).map(|room| self.guest(room, room)).collect();
        for agent in 0..agents {
            let rooms = (0..rooms).filter(|room| [room % agents, (room + 1) % agents].contains(&agent)).collect();
            people.push(self.admin(agent, people.len(), rooms));
        }
        people
    }

    /// Sockets of admins who divide the first `rooms` rooms among them, one in each.
    pub fn writers(&self, rooms: usize, sockets: usize) -> Vec<Person> {
        (0..sockets).map(|socket| self.admin(socket, socket, (socket..rooms).step_by(sockets).collect())).collect()
    }

    /// The secret of a room's guest in the shared link.
    pub fn link(&self, room: usize) -> &str {
        &self.rooms[room].link
    }

    /// An admin's API token.
    pub fn token(&self) -> &str {
        &self.tokens[0]
    }

    fn guest(&self, room: usize, number: usize) -> Person {
        Person { secret: self.rooms[room].link.clone(), id: made_id(number), rooms: vec![room] }
    }

    fn admin(&self, admin: usize, number: usize, rooms: Vec<usize>) -> Person {
        Person { secret: self.tokens[admin % self.tokens.len()].clone(), id: made_id(number), rooms }
    }
}

fn made_id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

fn create_admin(places: &Places, database: &str, number: usize) -> Outcome<String> {
    let email = admin_email(number);
    let mut process = Command::new(&places.bespoken)
        .args(["admin", "create", "--email", &email, "--name", &format!("Admin {number}")])
        .args(["--database-url", database])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    process.stdin.take().ok_or("no input")?.write_all(PASSWORD.as_bytes())?;
    if !process.wait()?.success() {
        return Err("an admin could not be created".into());
    }
    let token = Command::new(&places.bespoken)
        .args(["token", "create", "--email", &email, "--database-url", database])
        .output()?;
    let said = String::from_utf8(token.stdout)?;
    said.split_whitespace().last().map(str::to_owned).ok_or_else(|| "no token was printed".into())
}
