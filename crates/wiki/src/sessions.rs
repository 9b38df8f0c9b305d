//! Logging in: passwords with limited attempts, sessions, and the token against cross-site requests.

use crate::actor::Actor;
use crate::error::Result;
use crate::wiki::Wiki;

/// What somebody typed into the login form.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Account name, any case.
    pub name: String,
    /// The password as typed.
    pub password: String,
    /// The client's network address: attempts are limited per address too.
    pub address: String,
}

/// How a login went.
#[derive(Clone, Debug)]
pub enum LogIn {
    /// Welcome.
    Done(NewSession),
    /// Wrong name or password; the message does not say which.
    Refused {
        /// For people.
        message: String,
    },
    /// Too many attempts.
    Limited {
        /// For people; says when to try again.
        message: String,
        /// When the next attempt will be looked at.
        retry_at_ms: i64,
    },
}

/// A session that just began. Only a hash of the token is stored.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The secret for the cookie.
    pub token: String,
    /// When it ends.
    pub expires_at_ms: i64,
    /// What it stands for.
    pub session: Session,
}

/// A running session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who is logged in.
    pub actor: Actor,
    /// What every changing request of this session must carry.
    pub csrf_token: String,
}

/// Sessions of logged-in people.
#[derive(Clone, Copy)]
pub struct Sessions<'a> {
    pub(crate) wiki: &'a Wiki,
}

impl Sessions<'_> {
    /// Checks name and password and begins a session.
    pub async fn log_in(&self, _credentials: Credentials) -> Result<LogIn> {
        todo!()
    }

    /// Begins a session without a password: right after set-up, for the account just made.
    pub async fn begin(&self, _user: crate::UserId) -> Result<NewSession> {
        todo!()
    }

    /// The session of a cookie's token, if it is running and the account enabled.
    pub async fn resume(&self, _token: &str) -> Result<Option<Session>> {
        todo!()
    }

    /// Ends a session; unknown tokens are fine.
    pub async fn log_out(&self, _token: &str) -> Result<()> {
        todo!()
    }
}
