//! Accounts: registering, profiles, passwords, sessions, roles, invitations, and API tokens.

use std::{net::IpAddr, sync::Arc};

use super::{
    Secret, Service,
    conversations::{MAX_LIST, searchable},
    problem,
    sessions::{DAY_MS, Visitor, require_admin, seen_after},
};
use crate::{
    domain::{Actor, Code, Email, InviteId, Name, Problem, Role, SessionId, Timestamp, TokenId, User, UserId},
    protocol::close,
    storage::{ApiToken, Invite, NewUser, SessionEntry, now},
};

/// How long a link to choose a new password works.
const RESET_HOURS: i64 = 2;
const HOUR_MS: i64 = 3_600_000;
/// How long an invitation works.
const INVITE_DAYS: i64 = 7;

impl Service {
    /// Whether the server still waits for its first admin.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn needs_setup(&self) -> Result<bool, Problem> {
        Ok(!self.store.has_admin().await.map_err(problem)?)
    }

    /// Makes the secret of a new /setup link; the one before dies.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn make_setup_secret(&self) -> Result<Secret, Problem> {
        let secret = Secret::random("");
        self.store.put_setup_secret(secret.hash()).await.map_err(problem)?;
        Ok(secret)
    }

    /// Whether /setup may be opened with this secret.
    ///
    /// # Errors
    /// `not_found` if not, or when there is an admin already.
    pub async fn check_setup(&self, secret: &Secret, from: IpAddr) -> Result<(), Problem> {
        self.secret_of(from, async {
            let fits = self.store.is_setup_secret(secret.hash()).await.map_err(problem)?;
            if fits && self.needs_setup().await? { Ok(()) } else { Err(Problem::not_found()) }
        })
        .await
    }

    /// Creates the first admin with the secret of /setup.
    ///
    /// # Errors
    /// `not_found` for a wrong or used secret, `invalid` for the fields.
    pub async fn set_up(
        &self,
        secret: &Secret,
        from: IpAddr,
        email: &str,
        name: &str,
        password: &str,
    ) -> Result<User, Problem> {
        self.check_setup(secret, from).await?;
        let new = self.new_user(email, name, password, Role::Admin).await?;
        self.store.create_first_admin(new).await.map_err(problem)?.ok_or_else(Problem::not_found)
    }

    /// Creates an account.
    ///
    /// # Errors
    /// `invalid` for the fields, also when the e-mail address is taken.
    pub async fn create_user(&self, email: &str, name: &str, password: &str, role: Role) -> Result<User, Problem> {
        let new = self.new_user(email, name, password, role).await?;
        self.store.create_user(new).await.map_err(problem)
    }

    async fn new_user(&self, email: &str, name: &str, password: &str, role: Role) -> Result<NewUser, Problem> {
        Ok(NewUser {
            name: Name::parse("name", name)?,
            email: Email::parse("email", email)?,
            role,
            password_hash: self.passwords.hash(password).await?,
        })
    }

    /// Registers a customer and signs them in.
    ///
    /// # Errors
    /// `invalid` for the fields, also when the e-mail address is taken; `rate_limited`.
    pub async fn register(
        &self,
        email: &str,
        name: &str,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<(User, Secret), Problem> {
        // Each refusal may tell that an address has an account.
        self.count_guess(visitor.address)?;
        let user = self.create_user(email, name, password, Role::Customer).await?;
        self.guesses.give_back(visitor.address.into());
        let secret = self.start_session(&user, visitor).await?;
        Ok((user, secret))
    }

    /// Changes a name or an e-mail address; the latter needs the password.
    ///
    /// # Errors
    /// `invalid` for the fields; `rate_limited`.
    pub async fn set_profile(
        &self,
        user: &User,
        name: &str,
        email: &str,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<User, Problem> {
        let name = Name::parse("name", name)?;
        let email = Email::parse("email", email)?;
        if email != user.email {
            self.check_password(user.id, password, visitor.address).await?;
        }
        let user = self.store.set_profile(user.id, name, email).await.map_err(problem)?;
        // They come back at once, under the new name.
        self.hub.close_user(user.id, close::RESTARTING);
        Ok(user)
    }

    /// # Errors
    /// `invalid`, naming `current_password`; `rate_limited`.
    async fn check_password(&self, id: UserId, password: &str, from: IpAddr) -> Result<(), Problem> {
        self.guess(from, async {
            let phc = self.store.find_user(id).await.map_err(problem)?.map(|(_, phc)| phc);
            let fits = self.passwords.verify(password, phc).await?;
            if fits { Ok(()) } else { Err(Problem::new(Code::Unauthorized, "This is not your password.")) }
        })
        .await
        .map_err(|problem| match problem.code {
            Code::Unauthorized => Problem::invalid("current_password", problem.message),
            _ => problem,
        })
    }

    /// Changes a password, and signs out everywhere but here.
    ///
    /// # Errors
    /// `invalid` for the fields; `rate_limited`.
    pub async fn change_password(
        &self,
        user: &User,
        current: &str,
        new: &str,
        visitor: Visitor<'_>,
    ) -> Result<(), Problem> {
        self.check_password(user.id, current, visitor.address).await?;
        let phc = self.passwords.hash(new).await?;
        let keep = visitor.session.map(|session| session.id);
        for ended in self.store.set_password(user.id, phc, keep).await.map_err(problem)? {
            self.hub.close_session(ended, close::NOT_ALLOWED);
        }
        Ok(())
    }

    /// Sends a link to choose a new password to this address, if it has an account. Says nothing about
    /// whether it has, and takes no longer if so.
    ///
    /// # Errors
    /// `invalid` for what is no address; `rate_limited`.
    pub async fn ask_for_password_reset(self: &Arc<Self>, email: &str, from: IpAddr) -> Result<(), Problem> {
        let email = Email::parse("email", email)?;
        self.count_guess(from)?;
        let service = self.clone();
        tokio::spawn(async move {
            if let Err(problem) = service.send_password_reset(&email).await {
                tracing::warn!(%problem, "could not send a link to choose a new password");
            }
        });
        Ok(())
    }

    async fn send_password_reset(&self, email: &Email) -> Result<(), Problem> {
        let Some((user, _)) = self.store.find_user_by_email(email).await.map_err(problem)? else { return Ok(()) };
        // So that nobody fills somebody else's mailbox.
        if self.mails.take(user.id).is_err() {
            return Ok(());
        }
        let secret = Secret::random("");
        let expires_at = Timestamp(now().0 + RESET_HOURS * HOUR_MS);
        self.store.create_password_reset(secret.hash(), user.id, expires_at).await.map_err(problem)?;
        let business = &self.settings.business;
        let text = format!(
            "Hello {},\n\nsomebody, probably you, asked for a new password for your account at {business}.\n\n\
             To choose one, open this link within {RESET_HOURS} hours:\n{}/reset?token={}\n\n\
             If it was not you, there is nothing to do: your password stays as it is.\n",
            user.name,
            self.settings.public_url,
            secret.expose()
        );
        self.settings.mail.send(&user.name, &user.email, &format!("A new password for {business}"), text).await
    }

    /// Whether a new password may be chosen with this secret.
    ///
    /// # Errors
    /// `not_found` if it is wrong, used or expired; `rate_limited`.
    pub async fn check_password_reset(&self, secret: &Secret, from: IpAddr) -> Result<(), Problem> {
        self.secret_of(from, async {
            self.store.find_password_reset(secret.hash()).await.map_err(problem)?.ok_or_else(Problem::not_found)
        })
        .await
        .map(drop)
    }

    /// Sets a new password, signs out everywhere, and signs in here.
    ///
    /// # Errors
    /// `not_found` for a wrong, used or expired secret; `invalid` for the password; `rate_limited`.
    pub async fn reset_password(
        &self,
        secret: &Secret,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<(User, Secret), Problem> {
        self.check_password_reset(secret, visitor.address).await?;
        let phc = self.passwords.hash(password).await?;
        let done = self.store.reset_password(secret.hash(), phc).await.map_err(problem)?;
        let (user, ended) = done.ok_or_else(Problem::not_found)?;
        for ended in ended {
            self.hub.close_session(ended, close::NOT_ALLOWED);
        }
        let secret = self.start_session(&user, visitor).await?;
        Ok((user, secret))
    }

    /// The browsers that are signed in to this account, last seen first.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn sessions(&self, user: &User) -> Result<Vec<SessionEntry>, Problem> {
        self.store.list_sessions(user.id, seen_after()).await.map_err(problem)
    }

    /// Signs another browser of this account out.
    ///
    /// # Errors
    /// `not_found` if this account has no such session.
    pub async fn end_session(&self, user: &User, id: SessionId) -> Result<(), Problem> {
        if !self.store.end_session_of(user.id, id).await.map_err(problem)? {
            return Err(Problem::not_found());
        }
        self.hub.close_session(id, close::NOT_ALLOWED);
        Ok(())
    }

    /// People with an account, admins first.
    ///
    /// # Errors
    /// `forbidden` unless the actor is an admin.
    pub async fn users(&self, actor: &Actor, search: Option<&str>) -> Result<Vec<User>, Problem> {
        require_admin(actor)?;
        searchable("q", search.unwrap_or_default())?;
        self.store.list_users(search, MAX_LIST).await.map_err(problem)
    }

    /// Gives somebody else a role; they have to connect again.
    ///
    /// # Errors
    /// `forbidden` unless the actor is an admin, and for one's own role; `not_found`.
    pub async fn set_role(&self, actor: &Actor, id: UserId, role: Role) -> Result<User, Problem> {
        let admin = require_admin(actor)?;
        if admin.id == id {
            return Err(Problem::forbidden("Another admin has to change your role."));
        }
        let user = self.store.set_role(admin.id, id, role).await.map_err(problem)?;
        self.hub.close_user(id, close::NOT_ALLOWED);
        Ok(user)
    }

    /// Makes a link with which one person can become an admin. It is shown only now.
    ///
    /// # Errors
    /// `forbidden` unless the actor is an admin.
    pub async fn invite(&self, actor: &Actor) -> Result<String, Problem> {
        let admin = require_admin(actor)?;
        let secret = Secret::random("");
        let expires_at = Timestamp(now().0 + INVITE_DAYS * DAY_MS);
        self.store.create_invite(secret.hash(), admin.id, expires_at).await.map_err(problem)?;
        Ok(format!("{}/invite?token={}", self.settings.public_url, secret.expose()))
    }

    /// Invitations that can still be used.
    ///
    /// # Errors
    /// `forbidden` unless the actor is an admin.
    pub async fn invites(&self, actor: &Actor) -> Result<Vec<Invite>, Problem> {
        require_admin(actor)?;
        self.store.list_invites().await.map_err(problem)
    }

    /// # Errors
    /// `forbidden` unless the actor is an admin; `not_found`.
    pub async fn withdraw_invite(&self, actor: &Actor, id: InviteId) -> Result<(), Problem> {
        require_admin(actor)?;
        if self.store.delete_invite(id).await.map_err(problem)? { Ok(()) } else { Err(Problem::not_found()) }
    }

    /// Whether this secret is that of an invitation.
    ///
    /// # Errors
    /// `not_found` if it is wrong, used or expired; `rate_limited`.
    pub async fn check_invite(&self, secret: &Secret, from: IpAddr) -> Result<(), Problem> {
        self.secret_of(from, async {
            self.store.find_invite(secret.hash()).await.map_err(problem)?.ok_or_else(Problem::not_found)
        })
        .await
        .map(drop)
    }

    /// Creates an admin's account by invitation and signs in.
    ///
    /// # Errors
    /// `not_found` for a wrong, used or expired secret; `invalid` for the fields; `rate_limited`.
    pub async fn accept_invite(
        &self,
        secret: &Secret,
        email: &str,
        name: &str,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<(User, Secret), Problem> {
        self.check_invite(secret, visitor.address).await?;
        let new = self.new_user(email, name, password, Role::Admin).await?;
        let user = self.store.accept_invite(secret.hash(), new).await.map_err(problem)?;
        let user = user.ok_or_else(Problem::not_found)?;
        let secret = self.start_session(&user, visitor).await?;
        Ok((user, secret))
    }

    /// Makes an API token that acts as the admin with this address. The secret is shown only now.
    ///
    /// # Errors
    /// `invalid` if there is no such admin, or for the name.
    pub async fn create_token(&self, email: &str, name: Option<&str>) -> Result<(TokenId, Secret), Problem> {
        let email = Email::parse("email", email)?;
        let user = self.store.find_user_by_email(&email).await.map_err(problem)?;
        let Some((user, _)) = user.filter(|(user, _)| user.role == Role::Admin) else {
            return Err(Problem::invalid("email", "There is no admin with this e-mail address."));
        };
        self.create_own_token(&Actor::Admin(user), name).await
    }

    /// Makes an API token that acts as this admin. The secret is shown only now.
    ///
    /// # Errors
    /// `forbidden` unless the actor is an admin; `invalid` for the name.
    pub async fn create_own_token(&self, actor: &Actor, name: Option<&str>) -> Result<(TokenId, Secret), Problem> {
        let admin = require_admin(actor)?;
        let name = name.filter(|name| !name.trim().is_empty()).map(|name| Name::parse("name", name)).transpose()?;
        let secret = Secret::random("bsp_");
        let id = self.store.create_token(secret.hash(), admin.id, name).await.map_err(problem)?;
        Ok((id, secret))
    }

    /// API tokens that work. Asked by the operator, who needs no account, or by an admin.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn tokens(&self) -> Result<Vec<ApiToken>, Problem> {
        self.store.list_tokens().await.map_err(problem)
    }

    /// # Errors
    /// `not_found` if there is no such token or it was revoked before.
    pub async fn revoke_token(&self, id: TokenId) -> Result<(), Problem> {
        if !self.store.revoke_token(id).await.map_err(problem)? {
            return Err(Problem::not_found());
        }
        self.hub.close_token(id);
        Ok(())
    }
}
