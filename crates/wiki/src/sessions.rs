//! Logging in: passwords with limited attempts, sessions, and the token against cross-site requests.

use crate::accounts::person_of;
use crate::actor::{Actor, Proof};
use crate::attempts::{self, Verdict};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::limits::SESSION_MS;
use crate::live;
use crate::names;
use crate::secrets;
use crate::wiki::Wiki;
use storage::{Row, Tx, params};

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
    pub async fn log_in(&self, credentials: Credentials) -> Result<LogIn> {
        match self.check_password(&credentials).await? {
            PasswordCheck::Right(user) => Ok(LogIn::Done(self.begin(user).await?)),
            PasswordCheck::Wrong => Ok(LogIn::Refused {
                message: "the name or the password is wrong; try again".into(),
            }),
            PasswordCheck::Limited { retry_at_ms } => {
                let message = attempts::limited_message(retry_at_ms - self.wiki.now_ms());
                Ok(LogIn::Limited {
                    message,
                    retry_at_ms,
                })
            }
        }
    }

    /// Begins a session without a password: right after set-up, for the account just made.
    pub async fn begin(&self, user: UserId) -> Result<NewSession> {
        let (token, csrf_token) = (self.wiki.new_secret(), self.wiki.new_secret());
        let now_ms = self.wiki.now_ms();
        let (hash, csrf) = (secrets::hash_of(&token), csrf_token.clone());
        let actor = self
            .wiki
            .write(move |tx| {
                tx.execute("DELETE FROM session WHERE expires_at_ms <= $1", params![now_ms])?;
                tx.execute(
                    "INSERT INTO session (token_hash, user_id, csrf_token, created_at_ms, expires_at_ms) VALUES ($1, $2, $3, $4, $5)",
                    params![&hash, user, &csrf, now_ms, now_ms + SESSION_MS],
                )?;
                let sql = "SELECT id, name, full_name, admin FROM user_account WHERE id = $1 AND disabled = 0";
                match tx.query_opt(sql, params![user])? {
                    Some(row) => actor_of(&row, Proof::Session(hash.clone())),
                    None => Err(Error::Forbidden("the account is disabled; ask an administrator".into())),
                }
            })
            .await?;
        Ok(NewSession {
            token,
            expires_at_ms: now_ms + SESSION_MS,
            session: Session { actor, csrf_token },
        })
    }

    /// The session of a cookie's token, if it is running and the account enabled.
    pub async fn resume(&self, token: &str) -> Result<Option<Session>> {
        let (hash, now_ms) = (secrets::hash_of(token), self.wiki.now_ms());
        let sql = "SELECT u.id, u.name, u.full_name, u.admin, s.csrf_token
            FROM session s JOIN user_account u ON u.id = s.user_id
            WHERE s.token_hash = $1 AND s.expires_at_ms > $2 AND u.disabled = 0";
        self.wiki
            .read(move |tx| match tx.query_opt(sql, params![&hash, now_ms])? {
                Some(row) => Ok(Some(Session {
                    actor: actor_of(&row, Proof::Session(hash.clone()))?,
                    csrf_token: row.text("csrf_token")?,
                })),
                None => Ok(None),
            })
            .await
    }

    /// Ends a session; unknown tokens are fine.
    pub async fn log_out(&self, token: &str) -> Result<()> {
        let hash = secrets::hash_of(token);
        self.wiki
            .write(move |tx| {
                tx.execute("DELETE FROM session WHERE token_hash = $1", params![&hash])?;
                live::rights_changed(tx)
            })
            .await
    }

    /// Checks a password. The attempt is counted before the slow part, so that many at once do not slip through.
    pub(crate) async fn check_password(&self, credentials: &Credentials) -> Result<PasswordCheck> {
        let name = names::fold(&credentials.name);
        let (account, address) = (
            attempts::account_subject(&name),
            attempts::address_subject(&credentials.address),
        );
        let now_ms = self.wiki.now_ms();
        let subjects = [account.clone(), address.clone()];
        let verdict = self
            .wiki
            .write(move |tx| attempts::begin(tx, &subjects, now_ms))
            .await?;
        if let Verdict::Wait { retry_at_ms } = verdict {
            return Ok(PasswordCheck::Limited { retry_at_ms });
        }
        let stored = self.wiki.read(move |tx| stored_password(tx, &name)).await?;
        let (user, hash) = stored.unzip();
        let right = self
            .wiki
            .verify_password(&credentials.password, hash)
            .await?;
        match user {
            Some(user) if right => {
                self.wiki
                    .write(move |tx| attempts::succeed(tx, &account, &address))
                    .await?;
                Ok(PasswordCheck::Right(user))
            }
            _ => Ok(PasswordCheck::Wrong),
        }
    }
}

/// How the check of a password went.
pub(crate) enum PasswordCheck {
    Right(UserId),
    Wrong,
    Limited { retry_at_ms: i64 },
}

/// Account and password hash of a name, if it can log in.
pub(crate) fn stored_password(tx: &Tx, lower_name: &str) -> Result<Option<(UserId, String)>> {
    let sql = "SELECT id, password_hash FROM user_account
        WHERE lower_name = $1 AND disabled = 0 AND password_hash IS NOT NULL";
    match tx.query_opt(sql, params![lower_name])? {
        Some(row) => Ok(Some((
            UserId::new(row.i64("id")?),
            row.text("password_hash")?,
        ))),
        None => Ok(None),
    }
}

/// The actor of columns `id`, `name`, `full_name`, `admin`, who proved it this way.
pub(crate) fn actor_of(row: &Row, proof: Proof) -> Result<Actor> {
    Ok(Actor::User {
        person: person_of(row)?,
        admin: row.bool("admin")?,
        proof,
    })
}
