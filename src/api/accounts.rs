//! Accounts, sessions, invitations and API tokens, for pages.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Json, PageClient};
use crate::domain::{InviteId, Problem, SessionId, Timestamp, TokenId, User};

/// A browser that is signed in to the viewer's account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    /// The browser's User-Agent.
    pub user_agent: Option<String>,
    pub created_at: Timestamp,
    /// Exact to the hour.
    pub last_seen_at: Timestamp,
    /// Whether it is the viewer's current session.
    pub is_this: bool,
}

/// An unused invitation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    pub id: InviteId,
    pub invited_by: String,
    pub expires_at: Timestamp,
}

/// People with an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct People {
    pub users: Vec<User>,
    pub invitations: Vec<Invitation>,
}

/// A valid API token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    pub id: TokenId,
    pub name: Option<String>,
    /// The admin as which it acts.
    pub acts_as: String,
    pub created_at: Timestamp,
}

/// The browsers that are signed in to the viewer's account.
#[server(input = Json, output = Json, endpoint = "list_sessions", client = PageClient)]
pub async fn list_sessions() -> Result<Vec<Session>, Problem> {
    let asker = crate::http::asker()?;
    let this = asker.session_id();
    let (service, actor) = asker.require()?;
    let user = actor.user().ok_or_else(Problem::unauthorized)?;
    let sessions = service.sessions(user).await?.into_iter().map(|session| Session {
        id: session.id,
        user_agent: session.user_agent,
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
        is_this: Some(session.id) == this,
    });
    Ok(sessions.collect())
}

/// All people with an account, and all invitations.
#[server(input = Json, output = Json, endpoint = "list_people", client = PageClient)]
pub async fn list_people(search: Option<String>) -> Result<People, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    let users = service.users(&actor, search.as_deref()).await?;
    let invitations = service.invites(&actor).await?.into_iter().map(|invite| Invitation {
        id: invite.id,
        invited_by: invite.invited_by.to_string(),
        expires_at: invite.expires_at,
    });
    Ok(People { users, invitations: invitations.collect() })
}

/// The valid API tokens.
#[server(input = Json, output = Json, endpoint = "list_tokens", client = PageClient)]
pub async fn list_tokens() -> Result<Vec<Token>, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    if !actor.is_admin() {
        return Err(Problem::forbidden(crate::locales::t!(crate::locales::current(), problem::ADMIN_NEEDED)));
    }
    let tokens = service.tokens().await?.into_iter().map(|token| Token {
        id: token.id,
        name: token.name.map(|name| name.to_string()),
        acts_as: token.user.name.to_string(),
        created_at: token.created_at,
    });
    Ok(tokens.collect())
}
