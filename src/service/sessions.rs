//! Authentication by cookies, tokens and links, and their issue and revocation.

use std::net::IpAddr;

use super::{Secret, Service, guesses::Guessed, problem, rate};
use crate::{
    domain::{Actor, Code, ConversationId, Email, LinkId, Problem, Role, SessionId, Timestamp, TokenId, User, shorten},
    locales::{self, t},
    protocol::close,
    storage::{LoginSession, NewSession, StoreError, now},
};

/// Days after which a browser must sign in or open its link again.
pub const SESSION_DAYS: i64 = 90;
/// Days after which an inactive browser must do so.
const IDLE_DAYS: i64 = 30;
/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;
/// Maximum stored length of a browser's User-Agent.
const MAX_USER_AGENT_CHARS: usize = 300;

/// The session of a valid cookie.
#[derive(Clone, Debug)]
pub struct CookieSession {
    pub id: SessionId,
    pub actor: Actor,
    pub expires_at: Timestamp,
}

/// The browser that sent a request.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    pub address: IpAddr,
    /// Its User-Agent.
    pub user_agent: Option<&'a str>,
    pub session: Option<&'a CookieSession>,
}

/// Sessions that were last seen before this time have expired.
pub(super) fn seen_after() -> Timestamp {
    Timestamp(now().0 - IDLE_DAYS * DAY_MS)
}

impl Service {
    /// The session of a cookie; `None` if it is unknown or expired, or all of its links and its account no longer
    /// exist.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn session(&self, cookie: &Secret) -> Result<Option<CookieSession>, Problem> {
        let session = self.store.find_session(cookie.hash(), seen_after()).await.map_err(problem)?;
        Ok(session.and_then(|LoginSession { id, user, links, expires_at }| {
            Some(CookieSession { id, actor: Actor::of_browser(user, links)?, expires_at })
        }))
    }

    /// Merges the sessions of a browser that sends several cookies. The first valid one takes over the links of the
    /// guest sessions after it, which end. A new browser gets several sessions when it opens several links at once.
    /// Returns the remaining session, and for each cookie whether the browser should retain it.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn merge_sessions(&self, cookies: &[Secret]) -> Result<(Option<CookieSession>, Vec<bool>), Problem> {
        // Reads the last cookie first, because another request may merge the same sessions concurrently. If it has
        // ended one of them, the later read of the first finds its links there.
        let mut found = Vec::with_capacity(cookies.len());
        for cookie in cookies.iter().rev() {
            found.push(self.session(cookie).await?);
        }
        let mut kept = vec![false; cookies.len()];
        let mut first: Option<(usize, CookieSession)> = None;
        for (at, session) in found.into_iter().rev().enumerate() {
            let Some(session) = session else { continue };
            let Some((first_at, into)) = &first else {
                kept[at] = true;
                first = Some((at, session));
                continue;
            };
            if !matches!(session.actor, Actor::Guest(_)) {
                continue;
            }
            match self.store.merge_session(session.id, into.id).await {
                Ok(()) => self.hub.close_session(session.id, close::RESTARTING),
                // The first has ended meanwhile.
                Err(StoreError::NotFound) => {
                    kept[*first_at] = false;
                    kept[at] = true;
                    first = Some((at, session));
                }
                Err(error) => return Err(problem(error)),
            }
        }
        let Some((at, _)) = first else { return Ok((None, kept)) };
        let session = self.session(&cookies[at]).await?;
        if let Some(Actor::Customer(user, links)) = session.as_ref().map(|session| &session.actor) {
            self.adopt(user, links).await?;
        }
        Ok((session, kept))
    }

    /// The actor of a bearer token: an API token acts as its admin, the secret of a link as the guest of its
    /// conversation.
    ///
    /// # Errors
    /// `unauthorized` if it is neither, `rate_limited` after too many wrong ones.
    pub async fn bearer(&self, token: &Secret, from: IpAddr) -> Result<(Actor, Option<TokenId>), Problem> {
        self.secret_of(from, async {
            if let Some(token) = self.store.find_token(token.hash()).await.map_err(problem)? {
                return Ok((Actor::Admin(token.user), Some(token.id)));
            }
            match self.store.find_link(token.as_link().hash()).await.map_err(problem)? {
                Some(link) => Ok((Actor::Guest(vec![link.id]), None)),
                None => Err(Problem::new(Code::Unauthorized, t!(locales::current(), api::TOKEN))),
            }
        })
        .await
    }

    /// Signs in with e-mail address and password.
    ///
    /// # Errors
    /// `unauthorized`, without revealing which of the two is wrong; `rate_limited`.
    pub async fn sign_in(&self, email: &str, password: &str, visitor: Visitor<'_>) -> Result<(User, Secret), Problem> {
        let email = Email::parse("email", email).ok();
        let whose = email.clone().map(|email| self.account_guesses.at(email, visitor.address.into()));
        let user = self
            .guess(visitor.address, whose, async {
                let found = match &email {
                    Some(email) => self.store.find_user_by_email(email).await.map_err(problem)?,
                    None => None,
                };
                let (user, phc) = found.unzip();
                let fits = self.passwords.verify(password, phc).await?;
                user.filter(|_| fits)
                    .ok_or_else(|| Problem::new(Code::Unauthorized, t!(locales::current(), problem::SIGN_IN_WRONG)))
            })
            .await?;
        let secret = self.start_session(&user, visitor).await?;
        Ok((user, secret))
    }

    /// Signs in with a link that `--demo` has printed.
    ///
    /// # Errors
    /// `not_found` if it is wrong or expired; `rate_limited`.
    pub async fn sign_in_by_link(&self, secret: &Secret, visitor: Visitor<'_>) -> Result<(User, Secret), Problem> {
        let user = self
            .secret_of(visitor.address, async {
                self.store.find_sign_in_link(secret.hash()).await.map_err(problem)?.ok_or_else(Problem::not_found)
            })
            .await?;
        let secret = self.start_session(&user, visitor).await?;
        Ok((user, secret))
    }

    /// Starts a session for an authenticated person. It takes over the links of the browser's previous session. Chats
    /// of these links that have no owner become the account's. The previous session ends, so that a planted cookie is
    /// worthless.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn start_session(&self, user: &User, visitor: Visitor<'_>) -> Result<Secret, Problem> {
        let (id, secret) = self.new_session(Some(user), &[], visitor).await?;
        self.account_guesses.signed_in(&user.email, visitor.address.into());
        match visitor.session {
            // Links that an admin has opened must not pass to another account.
            Some(CookieSession { id: before, actor: Actor::Admin(_), .. }) => self.sign_out(*before).await?,
            // In one transaction, so that a concurrently opened link is included.
            Some(CookieSession { id: before, .. }) => {
                self.store.merge_session(*before, id).await.map_err(problem)?;
                self.hub.close_session(*before, close::NOT_ALLOWED);
                if let Some(session) = self.session(&secret).await? {
                    self.adopt(user, session.actor.links()).await?;
                }
            }
            None => {}
        }
        Ok(secret)
    }

    /// Assigns the chats of these links to the account, if they have no owner.
    async fn adopt(&self, user: &User, links: &[LinkId]) -> Result<(), Problem> {
        if !links.is_empty() && user.role == Role::Customer {
            for id in self.store.adopt_links(user.id, links).await.map_err(problem)? {
                self.inbox_changed(id);
            }
        }
        Ok(())
    }

    async fn new_session(
        &self,
        user: Option<&User>,
        links: &[LinkId],
        visitor: Visitor<'_>,
    ) -> Result<(SessionId, Secret), Problem> {
        let secret = Secret::random("");
        let new = NewSession {
            hash: secret.hash(),
            user: user.map(|user| user.id),
            links: links.to_vec(),
            user_agent: visitor.user_agent.map(|name| shorten(name, MAX_USER_AGENT_CHARS)),
            expires_at: Timestamp(now().0 + SESSION_DAYS * DAY_MS),
        };
        let id = self.store.create_session(new).await.map_err(problem)?;
        Ok((id, secret))
    }

    /// Ends a session and closes its sockets.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn sign_out(&self, session: SessionId) -> Result<(), Problem> {
        self.store.end_session(session).await.map_err(problem)?;
        self.hub.close_session(session, close::NOT_ALLOWED);
        Ok(())
    }

    /// Opens a shared link: from now on this browser may see its conversation. Returns the secret for a cookie if the
    /// browser has no session.
    ///
    /// # Errors
    /// `not_found` if the link is wrong, revoked or expired; `rate_limited`.
    pub async fn open_link(
        &self,
        secret: &Secret,
        visitor: Visitor<'_>,
    ) -> Result<(ConversationId, Option<Secret>), Problem> {
        let link = self
            .secret_of(visitor.address, async {
                self.store.find_link(secret.as_link().hash()).await.map_err(problem)?.ok_or_else(Problem::not_found)
            })
            .await?;
        if let Some(session) = visitor.session {
            match self.store.grant_link(session.id, link.id).await {
                Ok(()) => {
                    if let Actor::Customer(user, _) = &session.actor {
                        self.adopt(user, &[link.id]).await?;
                    }
                    return Ok((link.conversation_id, None));
                }
                // A concurrent sign-in or sign-out in another tab has ended the session.
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(problem(error)),
            }
        }
        let (_, secret) = self.new_session(None, &[link.id], visitor).await?;
        Ok((link.conversation_id, Some(secret)))
    }

    /// Creates a link that is valid for a day and signs `user` in.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn make_sign_in_link(&self, user: &User) -> Result<String, Problem> {
        let secret = Secret::random("");
        let expires_at = Timestamp(now().0 + DAY_MS);
        self.store.create_sign_in_link(secret.hash(), user.id, expires_at).await.map_err(problem)?;
        Ok(format!("{}/login?token={}", self.public_url, secret.expose()))
    }

    /// Runs a password check for a request from `from`. Wrong passwords count. Above the limit of this network or
    /// account, none is checked for a while, so that further guesses reveal nothing. Addresses without an account
    /// count too, so that the limit does not reveal accounts.
    pub(super) async fn guess<T>(
        &self,
        from: IpAddr,
        whose: Option<Guessed>,
        check: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        // Counted beforehand, so that concurrent guesses are limited like consecutive ones.
        self.count_guess(from)?;
        if let Some(whose) = whose.clone()
            && let Err(refused) = self.account_guesses.count(whose)
        {
            self.guesses.give_back(from.into());
            return Err(refused);
        }
        let result = check.await;
        if !result.as_ref().is_err_and(is_wrong) {
            self.guesses.give_back(from.into());
            if let Some(whose) = whose {
                self.account_guesses.give_back(whose);
            }
        }
        result
    }

    /// Runs the check of a random secret for a request from `from`. Wrong ones count; above the limit they are
    /// answered with `rate_limited`. The right secret always passes: it cannot be guessed, and its owner must not
    /// suffer from others behind the same address.
    pub(super) async fn secret_of<T>(
        &self,
        from: IpAddr,
        check: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let result = check.await;
        if result.as_ref().is_err_and(is_wrong) {
            self.count_guess(from)?;
        }
        result
    }

    pub(super) fn count_guess(&self, from: IpAddr) -> Result<(), Problem> {
        self.guesses.take(from.into()).map_err(|wait| Problem::rate_limited(rate::seconds(wait)))
    }
}

/// Requires an admin.
///
/// # Errors
/// `forbidden`.
pub(super) fn require_admin(actor: &Actor) -> Result<&User, Problem> {
    match actor {
        Actor::Admin(user) => Ok(user),
        _ => Err(Problem::forbidden(t!(locales::current(), problem::ADMIN_NEEDED))),
    }
}

fn is_wrong(problem: &Problem) -> bool {
    matches!(problem.code, Code::Unauthorized | Code::NotFound)
}
