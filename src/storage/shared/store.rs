//! The methods of [`Store`], each once: the contract, and the body for both databases.
//!
//! The compiler reads this file three times. `storage` generates the trait from it, without the bodies; each database
//! generates its implementation. The differences are behind the names in the bodies: see `dialect` and the methods of
//! `SqliteStore` and `PostgresStore`.

use super::*;

methods! {
    // The journal of notices for every process. A transaction adds to it when it ends a session, token or link, or
    // changes a user. It also adds to it when it changes a conversation without publishing each change as a commit. No
    // entry becomes visible after a later one. The journal stores entries for a day.

    /// The number of the latest entry; 0 before the first.
    async fn last_notice(&self) -> Result<i64> {
        journal::last(&mut *self.read(Acting::System).await?).await
    }

    /// The entries after number `after` in their order, each with its number.
    async fn list_notices(&self, after: i64, limit: i64) -> Result<Vec<(i64, Notice)>> {
        notices::list(&mut *self.read(Acting::System).await?, after, limit).await
    }

    /// What admins have set for the business.
    async fn find_business(&self) -> Result<Business> {
        business::find(&mut *self.read(Acting::System).await?).await
    }

    /// Admins only, else [`StoreError::Forbidden`].
    async fn put_business(&self, actor: &Actor, new: Business) -> Result<()> {
        let by = actor.clone();
        self.change(Acting::System, move |conn| Box::pin(async move { business::put(conn, &by, &new).await })).await
    }

    // Accounts

    /// # Errors
    /// [`StoreError::EmailTaken`].
    async fn create_user(&self, new: NewUser) -> Result<User> {
        self.change(Acting::System, move |conn| Box::pin(users::create(conn, new))).await
    }

    /// Creates the first admin, unless there is one: then `Ok(None)`. Two callers at once make one.
    /// Uses up the setup secret.
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`].
    async fn create_first_admin(&self, new: NewUser) -> Result<Option<User>> {
        self.change(Acting::System, move |conn| Box::pin(users::create_first_admin(conn, new))).await
    }

    async fn has_admin(&self) -> Result<bool> {
        users::has_admin(&mut *self.read(Acting::System).await?).await
    }

    /// The user with the PHC string of the password.
    async fn find_user_by_email(&self, email: &Email) -> Result<Option<(User, String)>> {
        users::find_by_email(&mut *self.read(Acting::System).await?, email).await
    }

    async fn find_user(&self, id: UserId) -> Result<Option<(User, String)>> {
        users::find(&mut *self.read(Acting::System).await?, id).await
    }

    /// Admins first, then by name; with `search` those whose name or e-mail has it.
    async fn list_users(&self, search: Option<&str>, limit: i64) -> Result<Vec<User>> {
        users::list(&mut *self.read(Acting::System).await?, search, limit).await
    }

    /// Gives `id` a role. Only by a current admin, and never their own: [`StoreError::Forbidden`].
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user.
    async fn set_role(&self, by: UserId, id: UserId, role: Role) -> Result<User> {
        self.change(Acting::System, move |conn| Box::pin(users::set_role(conn, by, id, role))).await
    }

    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user.
    async fn rename_user(&self, id: UserId, name: Name) -> Result<User> {
        self.change(Acting::System, move |conn| Box::pin(users::rename(conn, id, name))).await
    }

    /// Remembers a secret that confirms `email` for its user: their own address, or one that is to take its place.
    /// Takes the place of any secret before for the same address, and of one address to come the place of any other.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user.
    async fn create_confirmation(
        &self,
        hash: SecretHash,
        user: UserId,
        email: Email,
        expires_at: Timestamp,
    ) -> Result<()> {
        self.change(Acting::System, move |conn| {
            Box::pin(users::create_confirmation(conn, hash, user, email, expires_at))
        })
        .await
    }

    async fn find_confirmation(&self, hash: SecretHash) -> Result<Option<Confirmation>> {
        users::find_confirmation(&mut *self.read(Acting::System).await?, hash, now()).await
    }

    /// Uses up the secret: its address is the user's now, and confirmed. Invalidates all other links that confirm or
    /// regain the account. Returns the user before and after; `None` if the secret is wrong, expired, used, or another
    /// user's.
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`].
    async fn confirm_email(&self, hash: SecretHash, user: UserId) -> Result<Option<(User, User)>> {
        self.change(Acting::System, move |conn| Box::pin(users::confirm_email(conn, hash, user, now()))).await
    }

    /// Uses up a secret for the user's own address, which is confirmed then; sets the PHC string and ends all sessions.
    /// `None` if the secret is wrong, expired, used, or for another address than the user's.
    async fn claim_account(&self, hash: SecretHash, phc: String) -> Result<Option<(User, Vec<SessionId>)>> {
        self.change(Acting::System, move |conn| Box::pin(users::claim(conn, hash, phc, now()))).await
    }

    /// Sets the PHC string and ends the user's sessions except `keep`; returns those that ended. Invalidates the links
    /// for another address or password of the account.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user.
    async fn set_password(&self, id: UserId, phc: String, keep: Option<SessionId>) -> Result<Vec<SessionId>> {
        self.change(Acting::System, move |conn| Box::pin(users::set_password(conn, id, phc, keep))).await
    }

    /// Remembers a secret that lets its user choose a new password, in place of any before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user.
    async fn create_password_reset(&self, hash: SecretHash, user: UserId, expires_at: Timestamp) -> Result<()> {
        self.change(Acting::System, move |conn| Box::pin(users::create_password_reset(conn, hash, user, expires_at)))
            .await
    }

    async fn find_password_reset(&self, hash: SecretHash) -> Result<Option<User>> {
        users::find_password_reset(&mut *self.read(Acting::System).await?, hash, now()).await
    }

    /// Uses up the secret, sets the PHC string, ends all sessions of its user and confirms their address. `None` if the
    /// secret is wrong, expired or used.
    async fn reset_password(&self, hash: SecretHash, phc: String) -> Result<Option<(User, Vec<SessionId>)>> {
        self.change(Acting::System, move |conn| Box::pin(users::reset_password(conn, hash, phc, now()))).await
    }

    // Invitations of admins

    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user; [`StoreError::IdTaken`].
    async fn create_invite(&self, id: InviteId, hash: SecretHash, by: UserId, expires_at: Timestamp) -> Result<()> {
        self.change(Acting::System, move |conn| Box::pin(invites::create(conn, id, hash, by, expires_at))).await
    }

    async fn find_invite(&self, hash: SecretHash) -> Result<Option<Invite>> {
        invites::find(&mut *self.read(Acting::System).await?, hash, now()).await
    }

    async fn list_invites(&self) -> Result<Vec<Invite>> {
        invites::list(&mut *self.read(Acting::System).await?, now()).await
    }

    /// False if there is no such invitation.
    async fn delete_invite(&self, id: InviteId) -> Result<bool> {
        self.change(Acting::System, move |conn| Box::pin(invites::delete(conn, id))).await
    }

    /// Uses up the invitation and creates its user; `None` if it is wrong, expired or used.
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`]; the invitation can then still be used.
    async fn accept_invite(&self, hash: SecretHash, new: NewUser) -> Result<Option<User>> {
        self.change(Acting::System, move |conn| Box::pin(invites::accept(conn, hash, new, now()))).await
    }

    // Login sessions, found by the hash of the secret in the cookie

    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user.
    async fn create_session(&self, new: NewSession) -> Result<SessionId> {
        self.change(Acting::System, move |conn| Box::pin(sessions::create(conn, new))).await
    }

    /// The session if it has not expired and was seen after `seen_after`. `links` has only valid ones. Notes that it was seen, at
    /// most once an hour.
    async fn find_session(&self, hash: SecretHash, seen_after: Timestamp) -> Result<Option<LoginSession>> {
        let now = now();
        let found = sessions::find(&mut *self.read(Acting::System).await?, hash, seen_after, now).await?;
        let Some((session, is_due)) = found else { return Ok(None) };
        if is_due {
            self.note_seen(session.id, now).await?;
        }
        Ok(Some(session))
    }

    async fn end_session(&self, id: SessionId) -> Result<()> {
        self.change(Acting::System, move |conn| Box::pin(sessions::end(conn, id))).await
    }

    /// The user's sessions that can still be used, last seen first.
    async fn list_sessions(&self, user: UserId, seen_after: Timestamp) -> Result<Vec<SessionEntry>> {
        sessions::list(&mut *self.read(Acting::System).await?, user, seen_after, now()).await
    }

    /// False if this user has no such session.
    async fn end_session_of(&self, user: UserId, id: SessionId) -> Result<bool> {
        self.change(Acting::System, move |conn| Box::pin(sessions::end_of(conn, user, id))).await
    }

    /// Adds a link to a session; adding it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no such session or link.
    async fn grant_link(&self, session: SessionId, link: LinkId) -> Result<()> {
        self.change(Acting::System, move |conn| Box::pin(sessions::grant_link(conn, session, link))).await
    }

    /// Ends a session and gives its links to another, in one step: none that it is given meanwhile is lost.
    /// One that has ended before has nothing to give.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no session `into`; the other continues.
    async fn merge_session(&self, from: SessionId, into: SessionId) -> Result<()> {
        self.change(Acting::System, move |conn| Box::pin(sessions::merge(conn, from, into))).await
    }

    /// Gives the user the conversations of these links that belong to nobody yet; returns them.
    async fn adopt_links(&self, user: UserId, links: &[LinkId]) -> Result<Vec<ConversationId>> {
        let links = links.to_vec();
        self.change(Acting::System, move |conn| {
            Box::pin(async move { conversations::adopt(conn, user, &links, now()).await })
        })
        .await
    }

    /// A secret that signs its user in until it expires, as printed by `--demo`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user.
    async fn create_sign_in_link(&self, hash: SecretHash, user: UserId, expires_at: Timestamp) -> Result<()> {
        self.change(Acting::System, move |conn| Box::pin(sessions::create_sign_in_link(conn, hash, user, expires_at)))
            .await
    }

    async fn find_sign_in_link(&self, hash: SecretHash) -> Result<Option<User>> {
        sessions::find_sign_in_link(&mut *self.read(Acting::System).await?, hash, now()).await
    }

    /// Remembers the hash of the one secret that opens /setup, in place of any before.
    async fn put_setup_secret(&self, hash: SecretHash) -> Result<()> {
        self.change(Acting::System, move |conn| Box::pin(users::put_setup_secret(conn, hash))).await
    }

    async fn is_setup_secret(&self, hash: SecretHash) -> Result<bool> {
        users::is_setup_secret(&mut *self.read(Acting::System).await?, hash).await
    }

    // Subscriptions to notifications. Each belongs to a session and ends with it.

    /// Stores a subscription, in place of any before with the same endpoint. `None` if the session's person has `most`
    /// others.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no such session.
    async fn add_push(&self, session: SessionId, new: PushSubscription, most: i64) -> Result<Option<PushId>> {
        self.change(Acting::System, move |conn| Box::pin(pushes::add(conn, session, new, most))).await
    }

    /// Whether there is any subscription.
    async fn has_pushes(&self) -> Result<bool> {
        pushes::any(&mut *self.read(Acting::System).await?).await
    }

    /// The latest subscription of a session.
    async fn find_push(&self, session: SessionId) -> Result<Option<PushId>> {
        pushes::find(&mut *self.read(Acting::System).await?, session).await
    }

    /// False if this session has no such subscription.
    async fn delete_push(&self, session: SessionId, id: PushId) -> Result<bool> {
        self.change(Acting::System, move |conn| Box::pin(pushes::delete(conn, session, id))).await
    }

    /// Deletes a subscription that its push service does not know any more.
    async fn forget_push(&self, id: PushId) -> Result<()> {
        self.change(Acting::System, move |conn| Box::pin(pushes::forget(conn, id))).await
    }

    /// The subscriptions of all admins and of the customer side of a conversation, in sessions that can still be used.
    async fn push_recipients(&self, id: ConversationId, seen_after: Timestamp) -> Result<Vec<PushRecipient>> {
        pushes::recipients(&mut *self.read(Acting::System).await?, id, seen_after, now()).await
    }

    // E-mail to absent people

    /// Open conversations whose last activity was after `since` and at the latest at `until`, and that have messages
    /// which were not considered for an e-mail; least recent first.
    async fn list_quiet(&self, since: Timestamp, until: Timestamp, limit: i64) -> Result<Vec<Quiet>> {
        digests::list_quiet(&mut *self.read(Acting::System).await?, since, until, limit, now()).await
    }

    /// Notes that the messages up to `seq` are considered for an e-mail. False if another call has noted that.
    async fn claim_digest(&self, id: ConversationId, seq: i64) -> Result<bool> {
        self.change(Acting::System, move |conn| Box::pin(digests::claim(conn, id, seq))).await
    }

    /// Takes a claim back whose e-mail could not be sent, so that another attempt follows.
    async fn release_digest(&self, id: ConversationId, considered_seq: i64) -> Result<()> {
        self.change(Acting::System, move |conn| Box::pin(digests::release(conn, id, considered_seq))).await
    }

    /// The customer side gets no further e-mails about this conversation. False if there is no such conversation.
    async fn unsubscribe_digest(&self, id: ConversationId) -> Result<bool> {
        self.change(Acting::System, move |conn| Box::pin(digests::unsubscribe(conn, id))).await
    }

    // API tokens

    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user; [`StoreError::IdTaken`].
    async fn create_token(&self, id: TokenId, hash: SecretHash, user: UserId, name: Option<Name>) -> Result<()> {
        self.change(Acting::System, move |conn| Box::pin(tokens::create(conn, id, hash, user, name))).await
    }

    /// Those that work, newest first.
    async fn list_tokens(&self) -> Result<Vec<ApiToken>> {
        tokens::list(&mut *self.read(Acting::System).await?).await
    }

    /// The token if its user is an admin.
    async fn find_token(&self, hash: SecretHash) -> Result<Option<ApiToken>> {
        tokens::find(&mut *self.read(Acting::System).await?, hash).await
    }

    /// False if there is no such token or it was revoked before.
    async fn revoke_token(&self, id: TokenId) -> Result<bool> {
        self.change(Acting::System, move |conn| Box::pin(tokens::revoke(conn, id))).await
    }

    // Shared links

    async fn find_link(&self, hash: SecretHash) -> Result<Option<Link>> {
        links::find(&mut *self.read(Acting::System).await?, hash, now()).await
    }

    /// Makes `new` the conversation's link; returns the links that died, also one that had just
    /// expired. Admins only, else [`StoreError::Forbidden`].
    async fn replace_link(&self, actor: &Actor, id: ConversationId, new: NewLink) -> Result<Vec<LinkId>> {
        self.change_seated(actor, id, move |tx, seated, now| {
            Box::pin(async move { links::replace(tx, &seated, new, now).await })
        })
        .await
    }

    /// Returns the links that died, also one that had just expired. Admins only, else
    /// [`StoreError::Forbidden`].
    async fn revoke_links(&self, actor: &Actor, id: ConversationId) -> Result<Vec<LinkId>> {
        self.change_seated(actor, id, move |tx, seated, now| {
            Box::pin(async move { links::revoke(tx, &seated, now).await })
        })
        .await
    }

    // Conversations

    /// Opens a `session` conversation (rev 1). Admins only, else [`StoreError::Forbidden`].
    ///
    /// # Errors
    /// [`StoreError::IdTaken`].
    async fn open_conversation(&self, actor: &Actor, new: NewConversation) -> Result<Seat> {
        let by = actor.clone();
        self.write(new.id, Acting::Actor(actor), move |tx| {
            Box::pin(async move { conversations::open(tx, &by, new).await })
        })
        .await
    }

    async fn find_conversation(&self, actor: &Actor, id: ConversationId) -> Result<Seat> {
        conversations::find(&mut *self.read(Acting::Actor(actor)).await?, actor, id).await
    }

    /// Those of `ids` that the actor may see, in no order.
    async fn find_conversations(&self, actor: &Actor, ids: &[ConversationId]) -> Result<Vec<Seat>> {
        conversations::load_some(&mut *self.read(Acting::Actor(actor)).await?, actor, ids).await
    }

    /// Latest activity first, after `cursor`. Admins: all; others: their own.
    async fn list_conversations(
        &self,
        actor: &Actor,
        filter: &ConversationFilter,
        cursor: Option<Cursor>,
        limit: i64,
    ) -> Result<Vec<Seat>> {
        conversation_lists::list(&mut *self.read(Acting::Actor(actor)).await?, actor, filter, cursor, limit).await
    }

    async fn count_conversations(&self, actor: &Actor) -> Result<StatusCounts> {
        conversations::count(&mut *self.read(Acting::Actor(actor)).await?, actor).await
    }

    /// The heads of those of `ids` that exist, in any order. Reveals nothing else about them.
    async fn heads(&self, ids: &[ConversationId]) -> Result<Vec<(ConversationId, i64)>> {
        conversations::heads(&mut *self.read(Acting::System).await?, ids).await
    }

    /// The conversations in which something was posted, or whose status was set, at `since` or later, with their heads;
    /// latest first. Reveals nothing else about them.
    async fn list_active(&self, since: Timestamp, limit: i64) -> Result<Vec<(ConversationId, i64)>> {
        conversations::list_active(&mut *self.read(Acting::System).await?, since, limit).await
    }

    /// Closes or reopens. Admins only, else [`StoreError::Forbidden`]. Already so: no new rev.
    async fn set_status(&self, actor: &Actor, id: ConversationId, status: ConversationStatus) -> Result<Seat> {
        let by = actor.clone();
        self.change_seated(actor, id, move |tx, seated, now| {
            Box::pin(async move { conversations::set_status(tx, &by, &seated, status, now).await })
        })
        .await
    }

    /// The first answers of the business in the latest `limit` chats: when their customer first wrote, at `since` or
    /// later, and when an admin then did. Admins only, else [`StoreError::Forbidden`].
    async fn list_first_answers(
        &self,
        actor: &Actor,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<(Timestamp, Timestamp)>> {
        answers::list(&mut *self.read(Acting::Actor(actor)).await?, actor, since, limit).await
    }

    /// Idle chats, longest silent first, each with the author of its last message. Admins only, else
    /// [`StoreError::Forbidden`].
    async fn list_idle(&self, actor: &Actor, idle: Idle, limit: i64) -> Result<Vec<(ConversationId, UserId)>> {
        idle::list(&mut *self.read(Acting::Actor(actor)).await?, actor, idle, limit).await
    }

    /// Warns in an idle chat, or closes it after the warning. False if somebody has written since. Admins only, else
    /// [`StoreError::Forbidden`].
    async fn end_idle(&self, actor: &Actor, id: ConversationId, idle: Idle) -> Result<bool> {
        self.change_seated(actor, id, move |tx, seated, now| {
            Box::pin(async move { idle::end(tx, &seated, idle, now).await })
        })
        .await
    }

    /// Reopens a conversation for a person of the customer side who writes in it. An admin: as with
    /// [`Store::set_status`].
    async fn reopen(&self, actor: &Actor, id: ConversationId) -> Result<()> {
        self.change_seated(actor, id, move |tx, seated, now| {
            Box::pin(async move { conversations::change_status(tx, &seated, ConversationStatus::Open, now).await })
        })
        .await
    }

    /// Rates a closed conversation, for the customer side. The same again: no new rev. The actor may see the
    /// conversation but is an admin: [`StoreError::Forbidden`].
    ///
    /// # Errors
    /// [`StoreError::NotClosed`]; [`StoreError::RatingFinal`].
    async fn rate(&self, actor: &Actor, id: ConversationId, score: i64, comment: Option<String>) -> Result<Rating> {
        let by = actor.clone();
        self.change_seated(actor, id, move |tx, seated, now| {
            Box::pin(async move { conversations::rate(tx, &by, &seated, score, comment.as_deref(), now).await })
        })
        .await
    }

    /// The address for e-mails to the customer, if there is one. The customer side gets an account's only as that
    /// account.
    async fn find_mail_address(&self, actor: &Actor, id: ConversationId) -> Result<Option<Email>> {
        conversations::mail_address(&mut *self.read(Acting::Actor(actor)).await?, actor, id).await
    }

    /// Assigns an admin or nobody. Admins only, else [`StoreError::Forbidden`]. An assignee who is no
    /// admin: [`StoreError::NotFound`]. Already so: no new rev.
    async fn assign(&self, actor: &Actor, id: ConversationId, assignee: Option<UserId>) -> Result<Seat> {
        let by = actor.clone();
        self.change_seated(actor, id, move |tx, seated, now| {
            Box::pin(async move { conversations::assign(tx, &by, &seated, assignee, now).await })
        })
        .await
    }

    /// The audiences of those of `ids` that exist. Reveals nothing else about them.
    async fn audiences(&self, ids: &[ConversationId]) -> Result<Vec<(ConversationId, Audience)>> {
        conversations::audiences(&mut *self.read(Acting::System).await?, ids, now()).await
    }

    /// How many messages of those of `ids` that exist each of `admins` has not read. Admins only, else
    /// [`StoreError::Forbidden`].
    async fn count_unread(
        &self,
        actor: &Actor,
        ids: &[ConversationId],
        admins: &[UserId],
    ) -> Result<Vec<(ConversationId, UserId, i64)>> {
        conversations::count_unread(&mut *self.read(Acting::Actor(actor)).await?, actor, ids, admins).await
    }

    /// How many messages the admin has not read in all open conversations together, at most
    /// [`MOST_UNREAD`](crate::domain::MOST_UNREAD). Admins only, else [`StoreError::Forbidden`].
    async fn count_all_unread(&self, admin: &Actor) -> Result<i64> {
        conversations::count_all_unread(&mut *self.read(Acting::Actor(admin)).await?, admin).await
    }

    // Custom requests

    /// Customers make their own; admins one for `customer`. Guests, and admins who name nobody, are
    /// [`StoreError::Forbidden`].
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: `customer` is no customer's account; [`StoreError::IdTaken`].
    async fn create_request(
        &self,
        actor: &Actor,
        id: RequestId,
        customer: Option<UserId>,
        text: RequestText,
    ) -> Result<CustomRequest> {
        let by = actor.clone();
        self.change(Acting::Actor(actor), move |conn| {
            Box::pin(async move { requests::create(conn, &by, id, customer, text).await })
        })
        .await
    }

    async fn find_request(&self, actor: &Actor, id: RequestId) -> Result<CustomRequest> {
        requests::find(&mut *self.read(Acting::Actor(actor)).await?, actor, id).await
    }

    /// After `cursor`, which came with a list in the same order. Admins: all; others: their own.
    async fn list_requests(
        &self,
        actor: &Actor,
        filter: &RequestFilter,
        cursor: Option<RequestCursor>,
        limit: i64,
    ) -> Result<Vec<(CustomRequest, RequestCursor)>> {
        requests::list(&mut *self.read(Acting::Actor(actor)).await?, actor, filter, cursor, limit).await
    }

    async fn count_requests(&self, actor: &Actor) -> Result<RequestCounts> {
        requests::count(&mut *self.read(Acting::Actor(actor)).await?, actor).await
    }

    async fn list_request_changes(&self, actor: &Actor, id: RequestId) -> Result<Vec<StatusChange>> {
        requests::changes(&mut *self.read(Acting::Actor(actor)).await?, actor, id).await
    }

    /// Sets a request's status, and posts a system line in its conversation, if there is one. Customers can only decline
    /// their own new ones, else [`StoreError::Forbidden`] or [`StoreError::RequestBegun`]. Already so: no change.
    async fn set_request_status(&self, actor: &Actor, id: RequestId, status: RequestStatus) -> Result<CustomRequest> {
        loop {
            let conversation = self.find_request(actor, id).await?.conversation_id;
            // Without a conversation there is no line to post, and any lane works.
            let lane = conversation.unwrap_or(ConversationId(id.0));
            let by = actor.clone();
            let written = self.write(lane, Acting::Actor(actor), move |tx| {
                Box::pin(async move { requests::set_status(tx, &by, (id, conversation), status, now()).await })
            });
            if let Some(request) = written.await? {
                return Ok(request);
            }
            // Somebody has just opened the conversation, which stays the request's.
        }
    }

    /// Replaces the text of a new request. Its customer only, else [`StoreError::Forbidden`].
    ///
    /// # Errors
    /// [`StoreError::RequestBegun`].
    async fn edit_request(&self, actor: &Actor, id: RequestId, text: RequestText) -> Result<CustomRequest> {
        let by = actor.clone();
        self.change(Acting::Actor(actor), move |conn| {
            Box::pin(async move { requests::edit(conn, &by, id, &text, now()).await })
        })
        .await
    }

    /// The conversation of a request, and whether it was opened just now: then it begins with what
    /// the request has gone through. Callers at once get the same one.
    async fn open_request_conversation(&self, actor: &Actor, id: RequestId) -> Result<(Seat, bool)> {
        loop {
            if let Some(conversation) = self.find_request(actor, id).await?.conversation_id {
                return Ok((self.join(actor, conversation).await?, false));
            }
            let (by, conversation) = (actor.clone(), ConversationId::new());
            let opened = self.write_holding(id, conversation, Acting::Actor(actor), move |tx| {
                Box::pin(async move { requests::open_conversation(tx, &by, id, conversation, now()).await })
            });
            if let Some(seat) = opened.await? {
                return Ok((seat, true));
            }
            // Somebody else has just opened it.
        }
    }

    // Files

    /// Notes a file that the actor has put into a conversation.
    ///
    /// # Errors
    /// [`StoreError::SealedFiles`], [`StoreError::Closed`], [`StoreError::TooManyFiles`], [`StoreError::QuotaUsed`].
    async fn add_attachment(&self, actor: &Actor, id: ConversationId, file: Attachment, quota: Quota) -> Result<()> {
        self.change_seated(actor, id, move |tx, seated, now| {
            Box::pin(async move { attachments::add(&mut tx.conn, &seated, file, quota, now).await })
        })
        .await
    }

    /// The bytes of files that count for this actor's uploads to this conversation.
    async fn file_bytes(&self, actor: &Actor, id: ConversationId, since: Timestamp) -> Result<FileBytes> {
        let mut conn = self.read(Acting::Actor(actor)).await?;
        let seated = seat(&mut conn, actor, id, now()).await?;
        attachments::bytes(&mut conn, &seated, since).await
    }

    /// How many bytes all files have. Reads all of their sizes.
    async fn all_file_bytes(&self) -> Result<u64> {
        // PostgreSQL's policies show all files only to the eraser. This erases nothing.
        attachments::all_bytes(&mut *self.read(Acting::Eraser).await?).await
    }

    /// A file of a message or request, or one that the actor has put there and not sent yet.
    async fn find_attachment(&self, actor: &Actor, id: AttachmentId) -> Result<Attachment> {
        let mut conn = self.read(Acting::Actor(actor)).await?;
        match attachments::find(&mut conn, actor, id, now()).await {
            Err(StoreError::NotFound) => request_files::find(&mut conn, actor, id).await,
            found => found,
        }
    }

    /// Notes a file that the actor has added to a request. The same file again is the one from before.
    ///
    /// # Errors
    /// [`StoreError::RequestEnded`], [`StoreError::RequestFull`], [`StoreError::QuotaUsed`].
    async fn add_request_file(
        &self,
        actor: &Actor,
        id: RequestId,
        file: (Attachment, Digest),
        quota: Quota,
    ) -> Result<Attachment> {
        let by = actor.clone();
        self.change(Acting::Actor(actor), move |conn| {
            Box::pin(async move { request_files::add(conn, &by, id, file, quota, now()).await })
        })
        .await
    }

    /// The bytes of files that count for this actor's uploads to this request.
    async fn request_file_bytes(&self, actor: &Actor, id: RequestId, since: Timestamp) -> Result<FileBytes> {
        request_files::bytes(&mut *self.read(Acting::Actor(actor)).await?, actor, id, since).await
    }

    /// The latest files in the messages of a conversation, with the place of each message. Latest first.
    async fn list_conversation_files(
        &self,
        actor: &Actor,
        id: ConversationId,
        limit: i64,
    ) -> Result<Vec<(Attachment, i64)>> {
        let mut conn = self.read(Acting::Actor(actor)).await?;
        let seated = seat(&mut conn, actor, id, now()).await?;
        attachments::list(&mut conn, &seated, limit).await
    }

    /// Discards the files that were put somewhere before `before` and never sent.
    async fn discard_unsent_attachments(&self, before: Timestamp) -> Result<()> {
        self.change(Acting::System, move |conn| Box::pin(discarded_files::discard_unsent(conn, before))).await
    }

    /// Files that nobody can have any more, and that may still be on the disk: discarded ones, and those of
    /// deleted messages.
    async fn list_discarded_attachments(&self, limit: i64) -> Result<Vec<AttachmentId>> {
        discarded_files::list_discarded(&mut *self.read(Acting::System).await?, limit).await
    }

    /// Forgets discarded files that are not on the disk any more.
    async fn forget_discarded_attachments(&self, ids: &[AttachmentId]) -> Result<()> {
        let ids = ids.to_vec();
        self.change(Acting::System, move |conn| {
            Box::pin(async move { discarded_files::forget_discarded(conn, &ids).await })
        })
        .await
    }

    // Messages

    /// Messages that have all the words of `query` (of each, also what merely begins with it), latest
    /// first, after the message `after`.
    async fn search_messages(
        &self,
        actor: &Actor,
        query: &str,
        after: Option<MessageId>,
        limit: i64,
    ) -> Result<Vec<Message>> {
        let mut reading = self.read(Acting::Actor(actor)).await?;
        let mut snapshot = reading.snapshot().await?;
        search::messages(&mut snapshot, actor, query, after, limit).await
    }

    /// Takes the next seq and rev. Moves the sender's receipt to the new message.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: something else was stored under this client id; [`StoreError::Closed`], unless the
    /// same was; [`StoreError::NoAttachment`].
    async fn post_message(&self, actor: &Actor, draft: Draft) -> Result<Posted> {
        self.post(actor, draft).await
    }

    /// By its author only, else [`StoreError::Forbidden`], as for system lines; a deleted one is [`StoreError::NotFound`].
    /// `room`, if given, must be the message's conversation. The same content again: no new rev, and
    /// no error if the conversation was closed since.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    async fn edit_message(
        &self,
        actor: &Actor,
        room: Option<ConversationId>,
        id: MessageId,
        content: Content,
    ) -> Result<Message> {
        let conversation = conversation_of(&mut *self.read(Acting::Actor(actor)).await?, room, id).await?;
        self.change_seated(actor, conversation, move |tx, seated, now| {
            Box::pin(async move { timeline::edit(tx, &seated, id, content, now).await })
        })
        .await
    }

    /// By its author or an admin, else [`StoreError::Forbidden`], as for system lines. Deleted already: no new rev, and no
    /// error if the conversation was closed since.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    async fn delete_message(&self, actor: &Actor, room: Option<ConversationId>, id: MessageId) -> Result<Message> {
        let conversation = conversation_of(&mut *self.read(Acting::Actor(actor)).await?, room, id).await?;
        self.change_seated(actor, conversation, move |tx, seated, now| {
            Box::pin(async move { timeline::delete(tx, &seated, id, now).await })
        })
        .await
    }

    /// The actor's seat in the conversation of this message.
    async fn find_changer(&self, actor: &Actor, id: MessageId) -> Result<ParticipantId> {
        let mut reading = self.read(Acting::Actor(actor)).await?;
        let mut snapshot = reading.snapshot().await?;
        let conversation = conversation_of(&mut snapshot, None, id).await?;
        Ok(seat(&mut snapshot, actor, conversation, now()).await?.me().id)
    }

    /// The latest messages, or those before `before_seq`; ascending by seq.
    async fn list_before(
        &self,
        actor: &Actor,
        id: ConversationId,
        before_seq: Option<i64>,
        limit: i64,
    ) -> Result<Page> {
        let mut reading = self.read(Acting::Actor(actor)).await?;
        let mut snapshot = reading.snapshot().await?;
        let seated = seat(&mut snapshot, actor, id, now()).await?;
        timeline::list_before(&mut snapshot, &seated, before_seq, limit).await
    }

    /// The messages whose last change has a higher rev; ascending by rev.
    async fn list_after(&self, actor: &Actor, id: ConversationId, after_rev: i64, limit: i64) -> Result<Page> {
        let mut reading = self.read(Acting::Actor(actor)).await?;
        let mut snapshot = reading.snapshot().await?;
        let seated = seat(&mut snapshot, actor, id, now()).await?;
        timeline::list_after(&mut snapshot, &seated, after_rev, limit).await
    }

    /// The conversation with its people and the latest messages, or those that changed after `after_rev`.
    async fn load_room(&self, actor: &Actor, id: ConversationId, after_rev: Option<i64>, limit: i64) -> Result<Snapshot> {
        let mut reading = self.read(Acting::Actor(actor)).await?;
        let mut snapshot = reading.snapshot().await?;
        let seat = conversations::find(&mut snapshot, actor, id).await?;
        let seated = Seated::of(&seat);
        Ok(Snapshot {
            seat,
            page: match after_rev {
                None => timeline::list_before(&mut snapshot, &seated, None, limit).await?,
                Some(rev) => timeline::list_after(&mut snapshot, &seated, rev, limit).await?,
            },
            participants: participants::list(&mut snapshot, &seated).await?,
            receipts: participants::receipts(&mut snapshot, &seated).await?,
        })
    }

    // Erasure. The same transaction removes the data from search and notes its files as discarded. Emptied messages
    // take the next rev. Whole conversations are published as notices, not as commits. Each call is a step of at most
    // `batch` messages, so that nobody waits for long, and can be repeated after a crash.

    /// A step in erasing the customer with this address. The order is: means of signing in, then messages and name in
    /// each of their conversations, then their requests, and at last the account. `None`: nothing is left.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`]: this is an admin.
    async fn erase_customer(&self, email: &Email, batch: i64) -> Result<Option<Erased>> {
        self.erase(email, batch).await
    }

    /// The conversations of the account with this address, and those about a customer with this address but without an
    /// account.
    async fn list_conversations_of(&self, email: &Email) -> Result<Vec<ConversationId>> {
        let mut reading = self.read(Acting::System).await?;
        let mut snapshot = reading.snapshot().await?;
        let user = users::find_by_email(&mut snapshot, email).await?.map(|(user, _)| user.id);
        former::conversations_of(&mut snapshot, email, user, i64::MAX).await
    }

    /// Conversations without activity since `before`, and requests that are done or declined. A conversation about a
    /// request expires only with the request.
    async fn list_expired(&self, before: Timestamp, how: Expiry, limit: i64) -> Result<Vec<Expired>> {
        erasure::list_expired(&mut *self.read(Acting::Eraser).await?, before, how, limit).await
    }

    /// A step with one of [`Store::list_expired`]; `false` when nothing is left to do with it.
    async fn expire(&self, what: Expired, before: Timestamp, how: Expiry, batch: i64) -> Result<bool> {
        self.take_out(what, before, how, batch).await
    }

    /// A step in removing what a search index still holds of deleted messages, where it holds any; `false` when
    /// nothing is left.
    async fn forget_deleted_words(&self, is_first: bool) -> Result<bool> {
        self.forget_words(is_first).await
    }

    // Participants and receipts

    /// Makes the actor a participant, if not yet.
    async fn join(&self, actor: &Actor, id: ConversationId) -> Result<Seat> {
        // A returning browser, like all of them after a restart, need not wait for the disk.
        let mut conn = self.read(Acting::Actor(actor)).await?;
        let seat = conversations::find(&mut conn, actor, id).await?;
        if participants::is_in(&mut conn, &Seated::of(&seat)).await? {
            return Ok(seat);
        }
        drop(conn);

        let by = actor.clone();
        self.write(id, Acting::Actor(actor), move |tx| {
            Box::pin(async move {
                conversations::hold(&mut tx.conn, id).await?;
                let seat = conversations::find(&mut tx.conn, &by, id).await?;
                participants::join(&mut tx.conn, &Seated::of(&seat)).await?;
                Ok(seat)
            })
        })
        .await
    }

    /// Moves the actor's receipt forward to `seq`, at most to the last message. `None`: it stood
    /// there or further.
    async fn read_up_to(&self, actor: &Actor, id: ConversationId, seq: i64) -> Result<Option<Receipt>> {
        self.change_seated(actor, id, move |tx, seated, now| {
            Box::pin(async move { participants::read_up_to(&mut tx.conn, &seated, seq, now).await })
        })
        .await
    }

    /// Notes when the last socket of a participant left.
    async fn left(&self, id: ConversationId, participant: ParticipantId, at: Timestamp) -> Result<()> {
        self.write(id, Acting::System, move |tx| {
            Box::pin(async move {
                conversations::hold(&mut tx.conn, id).await?;
                participants::note_left(&mut tx.conn, id, participant, at).await
            })
        })
        .await
    }
}
