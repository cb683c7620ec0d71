//! Who asks: cookies, tokens and links, and how one gets and loses them.

use std::net::IpAddr;

use super::{Secret, Service, guesses::Guessed, problem, rate};
use crate::{
    domain::{Actor, Code, ConversationId, Email, LinkId, Problem, Role, SessionId, Timestamp, TokenId, User, shorten},
    locales::{self, t},
    protocol::close,
    storage::{LoginSession, NewSession, StoreError, now},
};

/// Days after which a browser has to sign in or open its link again, whatever happens.
pub const SESSION_DAYS: i64 = 90;
/// Days after which it has to if it was not seen meanwhile.
const IDLE_DAYS: i64 = 30;
/// A customer's link is good for as long as it is not revoked.
pub(super) const DAY_MS: i64 = 86_400_000;
/// Characters that are kept of what a browser calls itself.
const MAX_USER_AGENT_CHARS: usize = 300;

/// A browser session that was found by its cookie.
#[derive(Clone, Debug)]
pub struct CookieSession {
    pub id: SessionId,
    pub actor: Actor,
    pub expires_at: Timestamp,
}

/// The browser that a request came from.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    pub address: IpAddr,
    /// What it calls itself.
    pub user_agent: Option<&'a str>,
    pub session: Option<&'a CookieSession>,
}

/// Sessions that were seen before this are over.
pub(super) fn seen_after() -> Timestamp {
    Timestamp(now().0 - IDLE_DAYS * DAY_MS)
}

impl Service {
    /// Who the cookie stands for; `None` if it is unknown or expired, or everything that it stood
    /// for is gone.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn session(&self, cookie: &Secret) -> Result<Option<CookieSession>, Problem> {
        let session = self.store.find_session(cookie.hash(), seen_after()).await.map_err(problem)?;
        Ok(session.and_then(|LoginSession { id, user, links, expires_at }| {
            let actor = match user {
                Some(user) if user.role == Role::Admin => Actor::Admin(user),
                Some(user) => Actor::Customer(user, links),
                None if links.is_empty() => return None,
                None => Actor::Guest(links),
            };
            Some(CookieSession { id, actor, expires_at })
        }))
    }

    /// Makes one session of those that a browser shows at once: the first that holds takes over the links
    /// of the guests' sessions after it, which end. A new browser gets several when it opens several links
    /// at the same moment. Returns what is left, and for each cookie whether the browser is to keep it.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn merge_sessions(&self, cookies: &[Secret]) -> Result<(Option<CookieSession>, Vec<bool>), Problem> {
        // From the last on: another request may merge the same ones meanwhile. Who finds one of them ended
        // then finds its links with the first.
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
                // The first has ended since.
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

    /// Who a bearer token stands for: an API token acts as its admin, the secret of a link as the
    /// guest of its conversation.
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
    /// `unauthorized`, without telling which of the two is wrong; `rate_limited`.
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

    /// Signs in with a link as `--demo` prints it.
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

    /// Starts a session for someone who has just proved who they are. The links of the browser's
    /// session so far come along, and chats among them that belong to nobody become the account's; that
    /// session itself ends, so that a planted cookie is worth nothing.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn start_session(&self, user: &User, visitor: Visitor<'_>) -> Result<Secret, Problem> {
        let (id, secret) = self.new_session(Some(user), &[], visitor).await?;
        self.account_guesses.signed_in(&user.email, visitor.address.into());
        match visitor.session {
            // What an admin tries in passing is nobody else's.
            Some(CookieSession { id: before, actor: Actor::Admin(_), .. }) => self.sign_out(*before).await?,
            // In one step, so that a link that is opened at the same moment comes along too.
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

    /// Makes the chats that these links lead to the account's, as far as they are nobody's.
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

    /// Opens a shared link: this browser may see its conversation from now on. Returns the secret
    /// for a cookie if the browser has no session.
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
                // Somebody signs in or out in another tab at this moment: the session is not there any more.
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(problem(error)),
            }
        }
        let (_, secret) = self.new_session(None, &[link.id], visitor).await?;
        Ok((link.conversation_id, Some(secret)))
    }

    /// Makes a link that signs `user` in for a day.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn make_sign_in_link(&self, user: &User) -> Result<String, Problem> {
        let secret = Secret::random("");
        let expires_at = Timestamp(now().0 + DAY_MS);
        self.store.create_sign_in_link(secret.hash(), user.id, expires_at).await.map_err(problem)?;
        Ok(format!("{}/login?token={}", self.public_url, secret.expose()))
    }

    /// Runs a check of a password that came from `from`. A wrong one counts; after too many from there, or for
    /// this account, nothing is checked any more for a while, so that guessing tells nothing. It counts for an
    /// address without an account too, so that this tells nothing either.
    pub(super) async fn guess<T>(
        &self,
        from: IpAddr,
        whose: Option<Guessed>,
        check: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        // Counted beforehand: of many at once no more are answered than one after the other.
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

    /// Runs a check of a random secret that came from `from`. Wrong ones count; after too many, they
    /// are answered with `rate_limited`. The right one always fits: nobody can guess it, and whoever
    /// has it must not suffer from a neighbour behind the same address.
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

/// Only an admin may go on.
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
