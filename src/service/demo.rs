//! `--demo`: fills an empty database with people and chats.

use super::{NewMessage, Secret, Service, problem};
use crate::{
    domain::{Actor, ConversationId, ConversationStatus, Email, Problem, RequestStatus, RequestText, Role, User},
    storage::ConversationFilter,
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

impl Service {
    /// Fills an empty database, and creates new links for the people of the demo. `None` if the database contains
    /// other data.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn demo(&self) -> Result<Option<DemoLinks>, Problem> {
        if self.needs_setup().await? {
            self.fill().await?;
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
        let admin = self.create_user(ADMIN.0, ADMIN.1, password.expose(), Role::Admin).await?;
        let customer = self.create_user(CUSTOMER.0, CUSTOMER.1, password.expose(), Role::Customer).await?;
        let (admin, customer) = (Actor::Admin(admin), customer);

        let table = self.open_chat(&admin, None, GUEST, None, None, false).await?;
        let guest = self.guest_of(&admin, table.id).await?;
        self.say(&guest, &table, "Hello! Could you make an oak table for a round bay window, about 140 cm across?")
            .await?;
        self.say(&admin, &table, "Good morning. Yes, gladly. Is it for every day, or mostly for guests?").await?;
        self.say(&guest, &table, "Every day, four people. Two small children, so rounded edges please.").await?;
        self.say(&guest, &table, "And something that forgives a spilled glass 🙂").await?;
        self.say(&admin, &table, "Then hard wax oil rather than lacquer: a mark can be sanded and oiled again where it is.\nI will draw two versions by tomorrow.").await?;

        let owner = Actor::Customer(customer, Vec::new());
        let shelf = RequestText::parse(
            "Shelf for the alcove",
            "Five boards of ash, 92 cm wide and 28 cm deep, oiled.\nThe alcove is not quite square: I can send a drawing.",
            Some(68_000),
            Some("2027-02-15"),
        )?;
        let shelf = self.create_request(&owner, None, None, shelf).await?;
        self.set_request_status(&admin, shelf.id, RequestStatus::InProgress).await?;
        let (chat, _) = self.open_request_conversation(&owner, shelf.id).await?;
        self.say(&owner, &chat, "Could the lowest board be 2 cm deeper than the others?").await?;
        self.say(&admin, &chat, "Yes. I am changing the drawing.").await?;
        self.say(&admin, &chat, "It is glued up and clamped now. It will be ready to collect on Friday.").await?;
        let stool = RequestText::parse(
            "Stool to match the kitchen table",
            "Three legs, seat about 32 cm across, the same oak as the table from two years ago.",
            None,
            None,
        )?;
        self.create_request(&owner, None, None, stool).await?;

        let lamp = self
            .open_chat(
                &admin,
                None,
                "Brass lamp repair",
                None,
                Some("Your lamp has a new switch and works again."),
                false,
            )
            .await?;
        self.set_status(&admin, lamp.id, ConversationStatus::Closed).await?;
        Ok(())
    }

    async fn say(&self, actor: &Actor, to: &crate::domain::Conversation, text: &str) -> Result<(), Problem> {
        self.post_message(actor, to.id, NewMessage::text(text)).await.map(|_| ())
    }

    async fn guest_of(&self, admin: &Actor, id: ConversationId) -> Result<Actor, Problem> {
        let seat = self.store.find_conversation(admin, id).await.map_err(problem)?;
        Ok(Actor::Guest(seat.link.into_iter().collect()))
    }
}
