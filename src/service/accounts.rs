//! Accounts: registering, profiles, passwords, sessions, roles, invitations, and API tokens.

use std::{net::IpAddr, sync::Arc};

use super::{
    Secret, Service,
    conversations::{MAX_LIST, searchable},
    guesses::Guessed,
    mail::{Letter, Why},
    once::id_for,
    passwords::Passwords,
    problem,
    rate::held_back,
    sessions::{DAY_MS, Visitor, require_admin, seen_after},
};
use crate::{
    domain::{
        Actor, ClientId, Code, Email, InviteId, Name, Problem, Role, SessionId, Timestamp, TokenId, User, UserId,
    },
    locales::{self, Locale, t},
    protocol::close,
    storage::{ApiToken, Confirmation, Invite, NewUser, SessionEntry, StoreError, now},
};

/// Lifetime of a link to choose a new password.
const RESET_HOURS: i64 = 2;
/// Lifetime of a link that confirms an address.
const CONFIRM_HOURS: i64 = 24;
const HOUR_MS: i64 = 3_600_000;
/// Lifetime of an invitation.
const INVITE_DAYS: i64 = 7;

/// The step that confirms an address, for the person who opened the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirming {
    /// The person is signed in to the account here, so opening the link is enough.
    SignedIn,
    /// The address is the account's, and the person is not signed in to it here. The account may have been registered
    /// by a stranger, so the address's owner chooses a new password, which replaces all others.
    Password,
    /// The address is to become the account's, and the person is not signed in to it here. Access to the address is
    /// not enough: it may have been mistyped.
    SignIn,
}

impl Service {
    /// Whether the server still waits for its first admin.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn needs_setup(&self) -> Result<bool, Problem> {
        Ok(!self.store.has_admin().await.map_err(problem)?)
    }

    /// Creates the secret of a new /setup link; invalidates the previous one.
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

    /// Creates an account whose address needs no confirmation: the operator vouches for it.
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
            is_confirmed: true,
            password_hash: self.passwords.hash(password).await?,
        })
    }

    /// Registers a customer, signs them in, and sends them a link to confirm their address.
    ///
    /// # Errors
    /// `invalid` for the fields, also when the e-mail address is taken; `rate_limited`.
    pub async fn register(
        self: &Arc<Self>,
        email: &str,
        name: &str,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<(User, Secret), Problem> {
        // Validated first: an invalid input creates and reveals nothing, so it does not count.
        let (name, email) = (Name::parse("name", name)?, Email::parse("email", email)?);
        Passwords::check(password)?;
        // A rejection reveals that an address has an account, so it counts as well.
        self.count_registration(visitor.address)?;
        let password_hash = self.passwords.hash(password).await?;
        let new = NewUser { name, email, role: Role::Customer, is_confirmed: false, password_hash };
        let user = self.store.create_user(new).await.map_err(problem)?;
        let secret = self.start_session(&user, visitor).await?;
        let to = user.clone();
        let (service, locale) = (self.clone(), locales::current());
        later(async move {
            if service.mails.send(&to.email, Why::Owner).is_err() {
                return Ok(());
            }
            service.mail_confirmation(locale, &to, &to.email).await
        });
        Ok((user, secret))
    }

    fn count_registration(&self, from: IpAddr) -> Result<(), Problem> {
        let (networks, all) = &self.registrations;
        let counted = networks.take(from.into()).and_then(|()| {
            all.take(()).inspect_err(|wait| {
                let seconds = wait.as_secs();
                tracing::warn!(seconds, "registration is closed for now: see --limit-accounts-total");
                networks.give_back(from.into());
            })
        });
        counted.map_err(|wait| held_back(wait, |seconds| t!(locales::current(), problem::too_many_accounts(seconds))))
    }

    /// Sends a mail that the limits have already counted.
    async fn mail(&self, to: &Email, subject: &str, text: String) -> Result<(), Problem> {
        let letter = Letter::new(subject.to_owned(), text);
        self.mail.send(&self.public_url, to, letter).await
    }

    /// Sends a link that confirms `email`: the user's current address, or its replacement.
    async fn mail_confirmation(&self, locale: Locale, user: &User, email: &Email) -> Result<(), Problem> {
        let secret = Secret::random("");
        let expires_at = Timestamp(now().0 + CONFIRM_HOURS * HOUR_MS);
        self.store.create_confirmation(secret.hash(), user.id, email.clone(), expires_at).await.map_err(problem)?;
        let business = &*self.business_name();
        let link = format!("{}/confirm?token={}", self.public_url, secret.expose());
        let text = if *email == user.email {
            t!(locale, mail::confirm(business, CONFIRM_HOURS, &link))
        } else {
            t!(locale, mail::confirm_new(business, CONFIRM_HOURS, &link))
        };
        self.mail(email, &t!(locale, mail::confirm_subject(business)), text).await
    }

    /// Sends the link that confirms the user's own address again.
    ///
    /// # Errors
    /// `rate_limited`.
    pub async fn ask_for_confirmation(self: &Arc<Self>, user: &User, visitor: Visitor<'_>) -> Result<(), Problem> {
        if user.is_confirmed {
            return Ok(());
        }
        self.mails.ask(visitor.address.into(), Some(user.id))?;
        self.mails.send(&user.email, Why::Owner)?;
        let user = user.clone();
        let (service, locale) = (self.clone(), locales::current());
        later(async move { service.mail_confirmation(locale, &user, &user.email).await });
        Ok(())
    }

    /// The address that a confirmation link is for, and the next step for the person who opened it.
    ///
    /// # Errors
    /// `not_found` for a wrong, used or expired secret; `rate_limited`.
    pub async fn check_confirmation(
        &self,
        secret: &Secret,
        visitor: Visitor<'_>,
    ) -> Result<(Email, Confirming), Problem> {
        let found = self.find_confirmation(secret, visitor.address).await?;
        Ok((found.email.clone(), confirming(&found, visitor)))
    }

    async fn find_confirmation(&self, secret: &Secret, from: IpAddr) -> Result<Confirmation, Problem> {
        self.secret_of(from, async {
            self.store.find_confirmation(secret.hash()).await.map_err(problem)?.ok_or_else(Problem::not_found)
        })
        .await
    }

    /// Confirms an address. Returns the account, and the secret of a new session for a person who was not signed in
    /// to it.
    ///
    /// # Errors
    /// `not_found` for a wrong, used or expired secret; `invalid` for a required password, or for another account's
    /// address; `unauthorized` if the person has to sign in first; `rate_limited`.
    pub async fn confirm_email(
        self: &Arc<Self>,
        secret: &Secret,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<(User, Option<Secret>), Problem> {
        let found = self.find_confirmation(secret, visitor.address).await?;
        match confirming(&found, visitor) {
            Confirming::SignedIn => {
                let done = self.store.confirm_email(secret.hash(), found.user.id).await.map_err(problem)?;
                let (before, after) = done.ok_or_else(Problem::not_found)?;
                if before.email != after.email {
                    // The clients reconnect at once, with the new address.
                    self.hub.close_user(after.id, close::RESTARTING);
                    let (service, locale) = (self.clone(), locales::current());
                    later(async move { service.mail_of_change(locale, &before).await });
                }
                Ok((after, None))
            }
            Confirming::Password => {
                let phc = self.passwords.hash(password).await?;
                let done = self.store.claim_account(secret.hash(), phc).await.map_err(problem)?;
                let (user, ended) = done.ok_or_else(Problem::not_found)?;
                for ended in ended {
                    self.hub.close_session(ended, close::NOT_ALLOWED);
                }
                let secret = self.start_session(&user, visitor).await?;
                Ok((user, Some(secret)))
            }
            Confirming::SignIn => Err(Problem::new(Code::Unauthorized, t!(locales::current(), problem::SIGN_IN_FIRST))),
        }
    }

    /// Notifies the previous address of an account that it was replaced. The limits do not count this mail, because
    /// the change required a counted one.
    async fn mail_of_change(&self, locale: Locale, before: &User) -> Result<(), Problem> {
        if !before.is_confirmed {
            return Ok(());
        }
        let business = &*self.business_name();
        let text = t!(locale, mail::address_changed(business, &self.public_url));
        self.mail(&before.email, &t!(locale, mail::address_changed_subject(business)), text).await
    }

    /// Changes a name, and sends a confirmation to a new e-mail address, which requires the password. Returns whether
    /// it did. The result does not depend on whether another account has the address.
    ///
    /// # Errors
    /// `invalid` for the fields; `rate_limited`.
    pub async fn set_profile(
        self: &Arc<Self>,
        user: &User,
        name: &str,
        email: &str,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<bool, Problem> {
        let name = Name::parse("name", name)?;
        let email = Email::parse("email", email)?;
        let is_new = email != user.email;
        if is_new {
            self.check_password(user.id, password, visitor.address).await?;
            self.mails.ask(visitor.address.into(), Some(user.id))?;
        }
        if name != user.name {
            self.store.rename_user(user.id, name).await.map_err(problem)?;
            // The clients reconnect at once, with the new name.
            self.hub.close_user(user.id, close::RESTARTING);
        }
        if is_new {
            let user = user.clone();
            let (service, locale) = (self.clone(), locales::current());
            later(async move { service.ask_new_address(locale, &user, &email).await });
        }
        Ok(is_new)
    }

    async fn ask_new_address(&self, locale: Locale, user: &User, email: &Email) -> Result<(), Problem> {
        if self.mails.send(email, Why::Wanted).is_err() {
            return Ok(());
        }
        if self.store.find_user_by_email(email).await.map_err(problem)?.is_none() {
            return self.mail_confirmation(locale, user, email).await;
        }
        let business = &*self.business_name();
        let text = t!(locale, mail::address_taken(business, &format!("{}/forgot", self.public_url)));
        self.mail(email, &t!(locale, mail::address_taken_subject(business)), text).await
    }

    /// # Errors
    /// `invalid`, naming `current_password`; `rate_limited`.
    async fn check_password(&self, id: UserId, password: &str, from: IpAddr) -> Result<(), Problem> {
        self.guess(from, Some(Guessed::Within(id)), async {
            let phc = self.store.find_user(id).await.map_err(problem)?.map(|(_, phc)| phc);
            let fits = self.passwords.verify(password, phc).await?;
            if fits {
                Ok(())
            } else {
                Err(Problem::new(Code::Unauthorized, t!(locales::current(), problem::PASSWORD_WRONG)))
            }
        })
        .await
        .map_err(|problem| match problem.code {
            Code::Unauthorized => Problem::invalid("current_password", problem.message),
            _ => problem,
        })
    }

    /// Changes a password, and ends all other sessions.
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

    /// Sends a link to choose a new password to this address, if it has an account. Neither the result nor the time
    /// reveals whether it has one.
    ///
    /// # Errors
    /// `invalid` for an invalid address; `rate_limited`.
    pub async fn ask_for_password_reset(self: &Arc<Self>, email: &str, from: IpAddr) -> Result<(), Problem> {
        let email = Email::parse("email", email)?;
        self.mails.ask(from.into(), None)?;
        let (service, locale) = (self.clone(), locales::current());
        later(async move { service.send_password_reset(locale, &email).await });
        Ok(())
    }

    async fn send_password_reset(&self, locale: Locale, email: &Email) -> Result<(), Problem> {
        let Some((user, _)) = self.store.find_user_by_email(email).await.map_err(problem)? else { return Ok(()) };
        if self.mails.send(&user.email, Why::Owner).is_err() {
            return Ok(());
        }
        // The confirmation includes the choice of a password.
        if !user.is_confirmed {
            return self.mail_confirmation(locale, &user, &user.email).await;
        }
        let secret = Secret::random("");
        let expires_at = Timestamp(now().0 + RESET_HOURS * HOUR_MS);
        self.store.create_password_reset(secret.hash(), user.id, expires_at).await.map_err(problem)?;
        let business = &*self.business_name();
        let link = format!("{}/reset?token={}", self.public_url, secret.expose());
        let text = t!(locale, mail::reset(business, RESET_HOURS, &link));
        self.mail(&user.email, &t!(locale, mail::reset_subject(business)), text).await
    }

    /// Whether a new password may be chosen with this secret.
    ///
    /// # Errors
    /// `not_found` for a wrong, used or expired secret; `rate_limited`.
    pub async fn check_password_reset(&self, secret: &Secret, from: IpAddr) -> Result<(), Problem> {
        self.secret_of(from, async {
            self.store.find_password_reset(secret.hash()).await.map_err(problem)?.ok_or_else(Problem::not_found)
        })
        .await
        .map(drop)
    }

    /// Sets a new password, ends all sessions, and signs in here.
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

    /// Changes another person's role, and makes their clients reconnect.
    ///
    /// # Errors
    /// `forbidden` unless the actor is an admin, and for one's own role; `not_found`.
    pub async fn set_role(&self, actor: &Actor, id: UserId, role: Role) -> Result<User, Problem> {
        let admin = require_admin(actor)?;
        if admin.id == id {
            return Err(Problem::forbidden(t!(locales::current(), problem::OWN_ROLE)));
        }
        let user = self.store.set_role(admin.id, id, role).await.map_err(problem)?;
        self.hub.close_user(id, close::NOT_ALLOWED);
        Ok(user)
    }

    /// Creates a link with which one person can become an admin. Only this call returns it.
    ///
    /// # Errors
    /// `conflict` if one was created with this `key`; `forbidden` unless the actor is an admin.
    pub async fn invite(&self, actor: &Actor, key: Option<ClientId>) -> Result<String, Problem> {
        let admin = require_admin(actor)?;
        let secret = Secret::random("");
        let expires_at = Timestamp(now().0 + INVITE_DAYS * DAY_MS);
        let id = InviteId(id_for(actor, key, "invitation"));
        self.store.create_invite(id, secret.hash(), admin.id, expires_at).await.map_err(|error| match error {
            StoreError::IdTaken => Problem::new(Code::Conflict, t!(locales::current(), problem::INVITED_BEFORE)),
            other => problem(other),
        })?;
        Ok(format!("{}/invite?token={}", self.public_url, secret.expose()))
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

    /// Checks the secret of an invitation.
    ///
    /// # Errors
    /// `not_found` for a wrong, used or expired secret; `rate_limited`.
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

    /// Creates an API token that acts as the admin with this address. Only this call returns its secret.
    ///
    /// # Errors
    /// `invalid` if there is no such admin, or for the name.
    pub async fn create_token(&self, email: &str, name: Option<&str>) -> Result<(TokenId, Secret), Problem> {
        let email = Email::parse("email", email)?;
        let user = self.store.find_user_by_email(&email).await.map_err(problem)?;
        let Some((user, _)) = user.filter(|(user, _)| user.role == Role::Admin) else {
            return Err(Problem::invalid("email", t!(locales::current(), problem::NO_SUCH_ADMIN)));
        };
        self.create_own_token(&Actor::Admin(user), None, name).await
    }

    /// Creates an API token that acts as this admin. Only this call returns its secret.
    ///
    /// # Errors
    /// `conflict` if one was created with this `key`; `forbidden` unless the actor is an admin; `invalid` for the name.
    pub async fn create_own_token(
        &self,
        actor: &Actor,
        key: Option<ClientId>,
        name: Option<&str>,
    ) -> Result<(TokenId, Secret), Problem> {
        let admin = require_admin(actor)?;
        let name = name.filter(|name| !name.trim().is_empty()).map(|name| Name::parse("name", name)).transpose()?;
        let secret = Secret::random("bsp_");
        let id = TokenId(id_for(actor, key, "token"));
        self.store.create_token(id, secret.hash(), admin.id, name).await.map_err(|error| match error {
            StoreError::IdTaken => Problem::new(Code::Conflict, t!(locales::current(), problem::TOKEN_MADE_BEFORE)),
            other => problem(other),
        })?;
        Ok((id, secret))
    }

    /// Valid API tokens, for admins, and for the operator, who needs no account.
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

fn confirming(found: &Confirmation, visitor: Visitor<'_>) -> Confirming {
    match visitor.session.and_then(|session| session.actor.user_id()) {
        Some(user) if user == found.user.id => Confirming::SignedIn,
        _ if found.is_own() => Confirming::Password,
        _ => Confirming::SignIn,
    }
}

/// Runs work in the background, so that neither the response nor its time reveals the result. The work gets the
/// request's language from its caller; errors are logged in English.
fn later(work: impl Future<Output = Result<(), Problem>> + Send + 'static) {
    tokio::spawn(async move {
        if let Err(problem) = work.await {
            tracing::warn!(%problem, "could not send a mail");
        }
    });
}
