//! Accounts: the first admin, others by the command line, and API tokens.

use super::{Secret, Service, problem};
use crate::{
    domain::{Email, Name, Problem, Role, TokenId, User},
    storage::NewUser,
};

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
    pub async fn check_setup(&self, secret: &Secret, from: std::net::IpAddr) -> Result<(), Problem> {
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
        from: std::net::IpAddr,
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

    /// Makes an API token that acts as the admin with this address. The secret is shown only now.
    ///
    /// # Errors
    /// `invalid` if there is no such admin.
    pub async fn create_token(&self, email: &str) -> Result<(TokenId, Secret), Problem> {
        let email = Email::parse("email", email)?;
        let user = self.store.find_user_by_email(&email).await.map_err(problem)?;
        let Some((user, _)) = user.filter(|(user, _)| user.role == Role::Admin) else {
            return Err(Problem::invalid("email", "There is no admin with this e-mail address."));
        };
        let secret = Secret::random("bsp_");
        let id = self.store.create_token(secret.hash(), user.id).await.map_err(problem)?;
        Ok((id, secret))
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
