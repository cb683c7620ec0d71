//! `--demo`: fills an empty database with a week in a small workshop.

use std::io::Cursor;

use futures_util::future::try_join_all;
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage, codecs::png};
use tokio::task::spawn_blocking;

use super::{HOUR, Network, Secret, Service, Upload, problem, sessions::DAY_MS};
use crate::{
    domain::{
        Actor, AttachmentId, Content, Conversation, ConversationId, ConversationStatus, Email, Problem, RequestId,
        RequestStatus, RequestText, Role, Timestamp, User,
    },
    storage::{ConversationFilter, Draft, Rewound, now},
};

/// Sign-in links, one for each kind of person.
#[derive(Clone, Debug)]
pub struct DemoLinks {
    pub admin: String,
    pub customer: String,
    pub guest: String,
}

const ADMIN: (&str, &str) = ("admin@demo.invalid", "Workshop");
const CUSTOMER: (&str, &str) = ("customer@demo.invalid", "Demo customer");
const GUEST: &str = "Oak table enquiry";

/// A moment of the last week.
#[derive(Clone, Copy)]
enum When {
    /// So many days ago, at this hour and minute in UTC.
    Day(i64, i64, i64),
    /// So many minutes ago.
    Ago(i64),
}

use When::{Ago, Day};

impl When {
    fn before(self, now: Timestamp) -> Timestamp {
        let minutes = |minutes: i64| minutes * 60_000;
        match self {
            Day(days, hour, minute) => Timestamp((now.0 / DAY_MS - days) * DAY_MS + minutes(hour * 60 + minute)),
            Ago(ago) => Timestamp(now.0 - minutes(ago)),
        }
    }
}

/// Who writes a line of a chat.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Them,
    Us,
}

use By::{Them, Us};

type Line = (When, By, &'static str);

/// The end of a chat.
#[derive(Clone, Copy)]
enum End {
    /// Both sides have read everything.
    Read,
    /// The workshop has not read the customer's last lines.
    Unread,
    /// Closed, and rated with a score and a comment.
    Rated(When, i64, &'static str),
}

/// A chat by link: its name, its picture, its lines and its end. The line with this number has the picture.
type Session = (&'static str, Option<(usize, Picture)>, &'static [Line], End);

/// The pictures, in the order of [`Picture::DRAWINGS`].
#[derive(Clone, Copy)]
enum Picture {
    Alcove,
    Slope,
    Table,
}

impl Picture {
    const DRAWINGS: [Drawing; 3] = [draw_alcove, draw_slope, draw_table];
}

const SESSIONS: [Session; 9] = [
    (
        "Brass lamp repair",
        None,
        &[
            (Day(6, 8, 2), Us, "Good morning. Your lamp arrived safely: the switch is worn out, the wiring is fine."),
            (Day(6, 10, 41), Them, "That is good news. Can you find a switch that looks like the old one?"),
            (Day(6, 10, 46), Us, "Yes, a turned brass one. 38 euros with the work."),
            (Day(6, 10, 52), Them, "Please do."),
            (Day(5, 13, 20), Us, "Your lamp has a new switch and works again."),
        ],
        End::Rated(Day(5, 15, 8), 5, "It looks as if nobody had ever touched it."),
    ),
    (
        "Chair with a loose back",
        None,
        &[
            (Day(6, 9, 15), Them, "Hello, the back of an old beech chair comes off. Is it worth a repair?"),
            (Day(6, 9, 24), Us, "Usually yes. Is only the glue gone, or is a tenon broken?"),
            (Day(6, 9, 31), Them, "Nothing is broken, I think. It wobbles and creaks."),
            (Day(6, 9, 37), Us, "Then bring it along. Gluing it costs 45 euros and takes three days."),
            (Day(3, 14, 5), Us, "It is dry and can be collected until six."),
            (Day(3, 14, 30), Them, "On my way!"),
        ],
        End::Rated(Day(2, 9, 10), 4, ""),
    ),
    (
        "Cutting boards for a café",
        None,
        &[
            (
                Day(5, 7, 50),
                Them,
                "We would like twelve boards for serving bread, about 20 × 35 cm. What would they cost?",
            ),
            (Day(5, 7, 57), Us, "In maple 24 euros each, in cherry 31. Both with a groove and a hole to hang them."),
            (Day(5, 8, 10), Them, "Maple then. Could our logo be on them?"),
            (
                Day(5, 8, 18),
                Us,
                "Burnt in at the edge, yes: 2 euros for each board. Please send it as large as you have it.",
            ),
            (Day(4, 9, 2), Them, "Sent by e-mail just now."),
            (Day(4, 9, 45), Us, "It arrived and will work well. The boards will be ready a week from today."),
        ],
        End::Read,
    ),
    (
        "Garden bench",
        None,
        &[
            (Day(4, 15, 12), Them, "Which wood would you take for a bench that stays outside all year?"),
            (Day(4, 15, 22), Us, "Larch or oak, and both unoiled. They turn grey and last for twenty years."),
            (Day(4, 15, 40), Them, "Grey is fine. It should be 1.60 m wide."),
            (Day(3, 8, 35), Us, "Larch, 1.60 m, with a slightly tilted back: 540 euros, delivered in four weeks."),
            (Day(3, 18, 3), Them, "We talk about it at the weekend."),
        ],
        End::Read,
    ),
    (
        "Elm bed frame",
        None,
        &[
            (Day(4, 10, 5), Us, "Hello, here is the chat about your bed. I have reserved the planks."),
            (Day(4, 17, 44), Them, "Wonderful. Can the head be a little higher than in the drawing? I read a lot."),
            (Day(3, 7, 52), Us, "Sure. 95 cm instead of 80, and slanted so that you can lean on it?"),
            (Day(3, 11, 30), Them, "Yes please 😊"),
            (
                Day(1, 13, 15),
                Us,
                "The sides are planed, and the grain runs through all of them. Gluing begins tomorrow.",
            ),
        ],
        End::Read,
    ),
    (
        "Bookcase for a sloping wall",
        Some((0, Picture::Slope)),
        &[
            (Day(2, 12, 20), Them, "The wall under our roof leans like in the sketch. Can a bookcase follow it?"),
            (Day(2, 12, 29), Us, "It can. The sketch helps: how deep are the largest books?"),
            (Day(2, 12, 41), Them, "29 cm, and there are many of them."),
            (Day(2, 13, 0), Us, "Then five steps, 32 cm deep, with a back in ash. I am calculating it."),
            (Day(1, 8, 20), Us, "1,480 euros, with fitting. It would take six weeks from your order."),
            (Day(1, 19, 36), Them, "Agreed! When can you come to measure?"),
            (Ago(170), Us, "On Thursday at ten, if that suits you."),
        ],
        End::Read,
    ),
    (
        GUEST,
        None,
        &[
            (Day(1, 9, 3), Them, "Hello! Could you make an oak table for a round bay window, about 140 cm across?"),
            (Day(1, 9, 11), Us, "Good morning. Yes, gladly. Is it for every day, or mostly for guests?"),
            (Day(1, 9, 20), Them, "Every day, four people. Two small children, so rounded edges please."),
            (Day(1, 9, 21), Them, "And something that forgives a spilled glass 🙂"),
            (
                Day(1, 9, 34),
                Us,
                "Then hard wax oil rather than lacquer: a mark can be sanded and oiled again where it is.\nI will draw two versions by tomorrow.",
            ),
        ],
        End::Read,
    ),
    (
        "Kitchen drawer fronts",
        None,
        &[
            (Day(1, 14, 50), Them, "Do you also make new fronts for kitchen drawers? There are nine."),
            (Day(1, 14, 58), Us, "Yes. Please measure each one: width, height and thickness in millimetres."),
            (Ago(48), Them, "Six are 597 × 140 × 19, three are 597 × 283 × 19."),
            (Ago(46), Them, "And can the grain run through from drawer to drawer?"),
        ],
        End::Unread,
    ),
    (
        "Picture frames, six of them",
        None,
        &[(
            Ago(12),
            Them,
            "Good day, I am looking for six plain oak frames for prints of 50 × 70 cm. Do you have time before summer?",
        )],
        End::Unread,
    ),
];

impl Service {
    /// Fills an empty database, and creates new links for the people of the demo. `None` if the database contains
    /// other data.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn demo(&self) -> Result<Option<DemoLinks>, Problem> {
        if self.needs_setup().await? {
            self.fill().await?;
            self.learn_answers(now()).await.map_err(problem)?;
        }
        let (Some(admin), Some(customer)) = (self.demo_user(ADMIN.0).await?, self.demo_user(CUSTOMER.0).await?) else {
            return Ok(None);
        };
        let actor = Actor::Admin(admin.clone());
        let filter = ConversationFilter { search: Some(GUEST.into()), ..ConversationFilter::default() };
        let chats = self.store.list_conversations(&actor, &filter, None, 1).await.map_err(problem)?;
        let guest = match chats.into_iter().next() {
            Some(seat) if seat.link.is_some() => self.seen_by(&actor, seat),
            Some(seat) => self.make_link(&actor, seat.conversation.id).await?,
            None => self.open_chat(&actor, None, GUEST, None, None, false).await?,
        };
        Ok(Some(DemoLinks {
            admin: self.make_sign_in_link(&admin).await?,
            customer: self.make_sign_in_link(&customer).await?,
            guest: guest.link.unwrap_or_default(),
        }))
    }

    async fn demo_user(&self, email: &str) -> Result<Option<User>, Problem> {
        let email = Email::parse("email", email)?;
        Ok(self.store.find_user_by_email(&email).await.map_err(problem)?.map(|(user, _)| user))
    }

    async fn fill(&self) -> Result<(), Problem> {
        // Random and discarded: the demo's people sign in by link.
        let password = Secret::random("");
        let begin = now();
        let clock = Rewound::to(Day(7, 9, 0).before(begin));
        // Hashing and drawing take the longest.
        let drawn = try_join_all(Picture::DRAWINGS.map(|draw| spawn_blocking(move || drawn(draw))));
        let (admin, customer, drawn) = tokio::join!(
            self.create_user(ADMIN.0, ADMIN.1, password.expose(), Role::Admin),
            self.create_user(CUSTOMER.0, CUSTOMER.1, password.expose(), Role::Customer),
            drawn
        );
        let (admin, customer, pictures) = (Actor::Admin(admin?), customer?, drawn.unwrap_or_default());
        let demo = Demo { service: self, begin, clock, admin, pictures };
        for (name, picture, lines, end) in SESSIONS {
            demo.session(name, picture, lines, end).await?;
        }
        demo.requests(&Actor::Customer(customer, Vec::new())).await
    }
}

fn here() -> Network {
    std::net::IpAddr::from([127, 0, 0, 1]).into()
}

/// The week while it is made.
struct Demo<'a> {
    service: &'a Service,
    begin: Timestamp,
    clock: Rewound,
    admin: Actor,
    /// PNGs, by [`Picture`].
    pictures: Vec<Vec<u8>>,
}

impl Demo<'_> {
    fn at(&self, when: When) {
        self.clock.set(when.before(self.begin));
    }

    async fn session(
        &self,
        name: &str,
        picture: Option<(usize, Picture)>,
        lines: &[Line],
        end: End,
    ) -> Result<(), Problem> {
        let Some((first, ..)) = lines.first() else { return Ok(()) };
        // Opened before anything is said.
        self.clock.set(Timestamp(first.before(self.begin).0 - HOUR.as_millis() as i64 / 4));
        let chat = self.service.open_chat(&self.admin, None, name, None, None, false).await?;
        let guest = self.guest_of(chat.id).await?;
        for (n, (when, by, text)) in lines.iter().enumerate() {
            self.at(*when);
            let picture = picture.filter(|(line, _)| *line == n).map(|(_, picture)| picture);
            let actor = if *by == Us { &self.admin } else { &guest };
            self.say(actor, chat.id, text, picture).await?;
        }
        let seq = lines.len() as i64;
        match end {
            End::Unread => return Ok(()),
            End::Read => {}
            End::Rated(when, score, comment) => {
                self.at(when);
                self.service.set_status(&self.admin, chat.id, ConversationStatus::Closed).await?;
                self.service.rate(&guest, chat.id, score, Some(comment)).await?;
            }
        }
        for reader in [&self.admin, &guest] {
            self.service.store.read_up_to(reader, chat.id, seq).await.map_err(problem)?;
        }
        Ok(())
    }

    async fn requests(&self, owner: &Actor) -> Result<(), Problem> {
        let tray = RequestText::parse(
            "Tray for the hallway",
            "For keys and letters, 30 × 20 cm, with a low rim. Any light wood.",
            Some(6_000),
            None,
        )?;
        let tray = self.request(owner, Day(6, 16, 30), tray).await?;
        self.at(Day(5, 9, 5));
        self.service.set_request_status(&self.admin, tray, RequestStatus::InProgress).await?;
        self.at(Day(2, 15, 40));
        self.service.set_request_status(&self.admin, tray, RequestStatus::Done).await?;

        let shelf = RequestText::parse(
            "Shelf for the alcove",
            "Five boards of ash, 92 cm wide and 28 cm deep, oiled.\nThe alcove is not quite square: I can send a drawing.",
            Some(68_000),
            Some("2027-02-15"),
        )?;
        let shelf = self.request(owner, Day(5, 18, 10), shelf).await?;
        self.at(Day(4, 8, 15));
        self.service.set_request_status(&self.admin, shelf, RequestStatus::InProgress).await?;
        self.at(Day(4, 11, 2));
        let (Conversation { id: chat, .. }, _) = self.service.open_request_conversation(owner, shelf).await?;
        self.say(owner, chat, "Could the lowest board be 2 cm deeper than the others?", Some(Picture::Alcove)).await?;
        self.at(Day(4, 11, 9));
        self.say(&self.admin, chat, "Yes. I am changing the drawing.", None).await?;
        self.at(Day(4, 12, 40));
        // The first line is that of the status.
        self.service.store.read_up_to(owner, chat, 3).await.map_err(problem)?;
        self.at(Ago(95));
        self.say(&self.admin, chat, "It is glued up and clamped now. It will be ready to collect on Friday.", None)
            .await?;

        let stool = RequestText::parse(
            "Stool to match the kitchen table",
            "Three legs, seat about 32 cm across, the same oak as the table from two years ago.",
            None,
            None,
        )?;
        let stool = self.request(owner, Ago(205), stool).await?;
        let upload = self.service.begin_request_upload(owner, here(), stool).await?;
        self.draw(&upload, Picture::Table).await.map(drop)
    }

    async fn request(&self, owner: &Actor, when: When, text: RequestText) -> Result<RequestId, Problem> {
        self.at(when);
        Ok(self.service.create_request(owner, None, None, text).await?.id)
    }

    /// Posts without the limit of sends: the demo's people have all of theirs left.
    async fn say(
        &self,
        actor: &Actor,
        to: ConversationId,
        text: &str,
        picture: Option<Picture>,
    ) -> Result<(), Problem> {
        let attachments = match picture {
            Some(picture) => vec![self.upload(actor, to, picture).await?],
            None => Vec::new(),
        };
        let content = Content::parse(text, self.service.settings.limits.message_chars)?;
        let draft = Draft { conversation_id: to, client_id: None, content, attachments, reply_to: None };
        self.service.store.post_message(actor, draft).await.map(drop).map_err(problem)
    }

    async fn upload(&self, actor: &Actor, to: ConversationId, picture: Picture) -> Result<AttachmentId, Problem> {
        let upload = self.service.begin_upload(actor, here(), to).await?;
        self.draw(&upload, picture).await
    }

    async fn draw(&self, upload: &Upload<'_>, picture: Picture) -> Result<AttachmentId, Problem> {
        let mut file = upload.file("sketch.png").await?;
        file.write(self.pictures.get(picture as usize).map_or(&[], |png| png)).await?;
        Ok(file.finish().await?.id)
    }

    async fn guest_of(&self, id: ConversationId) -> Result<Actor, Problem> {
        let seat = self.service.store.find_conversation(&self.admin, id).await.map_err(problem)?;
        Ok(Actor::Guest(seat.link.into_iter().collect()))
    }
}

// ---- Sketches

type Drawing = fn(&mut Sketch);

const WIDTH: i32 = 320;
const HEIGHT: i32 = 240;
const PAPER: Rgb<u8> = Rgb([250, 247, 240]);
const INK: Rgb<u8> = Rgb([52, 58, 72]);
const RED: Rgb<u8> = Rgb([190, 70, 52]);
const WOOD: Rgb<u8> = Rgb([214, 176, 124]);
const GRAIN: Rgb<u8> = Rgb([196, 154, 100]);

/// A sheet of paper.
struct Sketch(RgbImage);

/// The sketch as a PNG.
fn drawn(draw: Drawing) -> Vec<u8> {
    let mut sketch = Sketch(RgbImage::from_pixel(WIDTH as u32, HEIGHT as u32, PAPER));
    draw(&mut sketch);
    let mut bytes = Cursor::new(Vec::new());
    let encoder =
        png::PngEncoder::new_with_quality(&mut bytes, png::CompressionType::Default, png::FilterType::NoFilter);
    // Memory takes everything.
    let _ = encoder.write_image(&sketch.0, WIDTH as u32, HEIGHT as u32, ExtendedColorType::Rgb8);
    bytes.into_inner()
}

impl Sketch {
    fn dot(&mut self, x: i32, y: i32, colour: Rgb<u8>) {
        if (0..WIDTH).contains(&x) && (0..HEIGHT).contains(&y) {
            self.0.put_pixel(x as u32, y as u32, colour);
        }
    }

    /// A line, two pixels thick.
    fn line(&mut self, (x, y): (i32, i32), (to_x, to_y): (i32, i32), colour: Rgb<u8>) {
        let steps = (to_x - x).abs().max((to_y - y).abs()).max(1);
        for step in 0..=steps {
            let (x, y) = (x + (to_x - x) * step / steps, y + (to_y - y) * step / steps);
            for (beside, below) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                self.dot(x + beside, y + below, colour);
            }
        }
    }

    /// Lines from each corner to the next.
    fn path(&mut self, corners: &[(i32, i32)], colour: Rgb<u8>) {
        corners.windows(2).for_each(|ends| self.line(ends[0], ends[1], colour));
    }

    /// A plank from one corner to the opposite one.
    fn plank(&mut self, (left, top): (i32, i32), (right, bottom): (i32, i32)) {
        for y in top..bottom {
            (left..right).for_each(|x| self.dot(x, y, if (y - top) % 4 == 2 { GRAIN } else { WOOD }));
        }
        self.path(&[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], INK);
    }

    /// A measure with marks at its ends.
    fn measure(&mut self, from: (i32, i32), to: (i32, i32)) {
        self.line(from, to, RED);
        let across = if from.1 == to.1 { (0, 5) } else { (5, 0) };
        for (x, y) in [from, to] {
            self.line((x - across.0, y - across.1), (x + across.0, y + across.1), RED);
        }
    }

    fn disc(&mut self, (x, y): (i32, i32), radius: i32, colour: impl Fn(i32) -> Rgb<u8>) {
        for dy in -radius..=radius {
            for dx in -radius..=radius {
                let square = dx * dx + dy * dy;
                if square <= radius * radius {
                    self.dot(x + dx, y + dy, colour(square.isqrt()));
                }
            }
        }
    }
}

/// An alcove that is not square, with five boards.
fn draw_alcove(sketch: &mut Sketch) {
    sketch.path(&[(20, 14), (78, 18), (84, 222), (20, 222)], INK);
    sketch.path(&[(300, 14), (240, 18), (247, 222), (300, 222)], INK);
    for (n, depth) in (0..5).zip([9, 9, 9, 9, 13]) {
        let y = 42 + n * 38;
        sketch.plank((80 + n, y), (241 + n, y + depth));
    }
    sketch.measure((86, 228), (246, 228));
    sketch.measure((268, 42), (268, 194));
}

/// A round table for four in a bay window, from above.
fn draw_table(sketch: &mut Sketch) {
    sketch.path(&[(24, 236), (24, 120), (92, 20), (228, 20), (296, 120), (296, 236)], INK);
    sketch.path(&[(34, 236), (34, 123), (97, 30), (223, 30), (286, 123), (286, 236)], INK);
    for chair in [(86, 130), (234, 130), (160, 58), (160, 202)] {
        sketch.disc(chair, 22, |from_middle| if from_middle > 19 { INK } else { PAPER });
    }
    sketch.disc((160, 130), 62, |from_middle| match from_middle {
        60.. => INK,
        far if far % 9 == 4 => GRAIN,
        _ => WOOD,
    });
    sketch.measure((98, 234), (222, 234));
}

/// A bookcase in five steps below a sloping roof.
fn draw_slope(sketch: &mut Sketch) {
    sketch.path(&[(14, 224), (306, 224), (306, 190), (92, 12), (14, 12), (14, 224)], INK);
    for n in 0..5 {
        let (left, top) = (22 + n * 48, 40 + n * 32);
        sketch.plank((left, top), (left + 46, top + 7));
        (1..5 - n).for_each(|board| sketch.plank((left, top + board * 36), (left + 46, top + board * 36 + 6)));
        sketch.path(&[(left, top), (left, 222)], INK);
        sketch.path(&[(left + 46, top), (left + 46, 222)], INK);
    }
    sketch.measure((22, 231), (262, 231));
}
