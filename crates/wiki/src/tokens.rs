//! Personal access tokens: for programs, as `Bearer` or as the password of `Basic`.

use crate::accounts::{self, require_self_or_admin};
use crate::actor::{Actor, Proof};
use crate::error::{Error, Result};
use crate::ids::{TokenId, UserId};
use crate::limits::{TOKEN_USE_NOTED_MS, TOKENS_PER_ACCOUNT_MAX};
use crate::live;
use crate::names;
use crate::secrets;
use crate::sequence;
use crate::sessions::{Credentials, PasswordCheck, actor_of, stored_password};
use crate::wiki::Wiki;
use serde::Serialize;
use storage::{Row, params};

/// A token as its owner sees it; the secret is shown once, when it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessToken {
    /// Its row.
    pub id: TokenId,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at_ms: i64,
    /// When it was used last, to the minute or so.
    pub last_used_at_ms: Option<i64>,
}

/// Personal access tokens.
#[derive(Clone, Copy)]
pub struct Tokens<'a> {
    pub(crate) wiki: &'a Wiki,
}

impl Tokens<'_> {
    /// Makes a token for an account and returns its secret, once. One's own, or anybody's for administrators.
    pub async fn create(&self, actor: &Actor, user: &str, name: &str) -> Result<String> {
        let name = names::name(name, "token name")?;
        let secret = self.wiki.new_secret();
        let (hash, now_ms) = (secrets::hash_of(&secret), self.wiki.now_ms());
        let (actor, user) = (actor.clone(), user.to_owned());
        self.wiki
            .write(move |tx| {
                let account = accounts::find(tx, &user)?.person;
                require_self_or_admin(&actor, account.id)?;
                let count = "SELECT COUNT(*) AS count FROM access_token WHERE user_id = $1";
                if tx.query_one(count, params![account.id])?.i64("count")? >= TOKENS_PER_ACCOUNT_MAX {
                    return Err(Error::Conflict(format!("`{user}` has {TOKENS_PER_ACCOUNT_MAX} tokens already; revoke one first")));
                }
                let id = sequence::next_id(tx, "token")?;
                tx.execute(
                    "INSERT INTO access_token (id, user_id, name, token_hash, created_at_ms) VALUES ($1, $2, $3, $4, $5)",
                    params![id, account.id, &name, &hash, now_ms],
                )?;
                Ok(())
            })
            .await?;
        Ok(secret)
    }

    /// The tokens of an account, newest first. One's own, or anybody's for administrators.
    pub async fn list(&self, actor: &Actor, user: &str) -> Result<Vec<AccessToken>> {
        let (actor, user) = (actor.clone(), user.to_owned());
        let sql = "SELECT id, name, created_at_ms, last_used_at_ms FROM access_token WHERE user_id = $1 ORDER BY id DESC";
        self.wiki
            .read(move |tx| {
                let account = accounts::find(tx, &user)?.person;
                require_self_or_admin(&actor, account.id)?;
                tx.query(sql, params![account.id])?
                    .iter()
                    .map(token_of)
                    .collect()
            })
            .await
    }

    /// Makes a token stop working. One's own, or anybody's for administrators.
    pub async fn revoke(&self, actor: &Actor, id: TokenId) -> Result<()> {
        let actor = actor.clone();
        self.wiki
            .write(move |tx| {
                let row = tx.query_opt(
                    "SELECT user_id FROM access_token WHERE id = $1",
                    params![id.get()],
                )?;
                let Some(row) = row else {
                    return Err(Error::NotFound(
                        "there is no such token; it may be revoked already".into(),
                    ));
                };
                require_self_or_admin(&actor, UserId::new(row.i64("user_id")?))?;
                tx.execute("DELETE FROM access_token WHERE id = $1", params![id.get()])?;
                live::rights_changed(tx)
            })
            .await
    }

    /// Whom a `Bearer` secret stands for.
    pub async fn authenticate(&self, secret: &str) -> Result<Option<Actor>> {
        let (hash, now_ms) = (secrets::hash_of(secret), self.wiki.now_ms());
        let sql = "SELECT u.id, u.name, u.full_name, u.admin, t.id AS token_id, t.last_used_at_ms
            FROM access_token t JOIN user_account u ON u.id = t.user_id
            WHERE t.token_hash = $1 AND u.disabled = 0";
        let found = self
            .wiki
            .read(move |tx| Ok(tx.query_opt(sql, params![&hash])?))
            .await?;
        let Some(row) = found else { return Ok(None) };
        let stale = row
            .opt_i64("last_used_at_ms")?
            .is_none_or(|used| now_ms - used >= TOKEN_USE_NOTED_MS);
        if stale {
            let id = row.i64("token_id")?;
            self.wiki
                .write(move |tx| {
                    tx.execute(
                        "UPDATE access_token SET last_used_at_ms = $2 WHERE id = $1",
                        params![id, now_ms],
                    )?;
                    Ok(())
                })
                .await?;
        }
        let token = TokenId::new(row.i64("token_id")?);
        actor_of(&row, Proof::Token(token)).map(Some)
    }

    /// Whom the pair of `Basic` stands for: a token or the account's password (attempts limited as at login). A
    /// password that was right is remembered for a while, because programs send it with each request.
    pub async fn authenticate_basic(
        &self,
        name: &str,
        password: &str,
        address: &str,
    ) -> Result<Option<Actor>> {
        if let Some(actor) = self.authenticate(password).await? {
            let same = actor
                .person()
                .is_some_and(|person| names::fold(&person.name) == names::fold(name));
            return Ok(same.then_some(actor));
        }
        let Some(user) = self.user_of_password(name, password, address).await? else {
            return Ok(None);
        };
        let sql =
            "SELECT id, name, full_name, admin FROM user_account WHERE id = $1 AND disabled = 0";
        self.wiki
            .read(move |tx| {
                tx.query_opt(sql, params![user])?
                    .as_ref()
                    .map(|row| actor_of(row, Proof::Given))
                    .transpose()
            })
            .await
    }

    async fn user_of_password(
        &self,
        name: &str,
        password: &str,
        address: &str,
    ) -> Result<Option<UserId>> {
        let lower_name = names::fold(name);
        let stored = self
            .wiki
            .read(move |tx| stored_password(tx, &lower_name))
            .await?;
        let remembered =
            stored.map(|(user, hash)| (user, self.wiki.password_memory_key(&hash, password)));
        if let Some((user, key)) = &remembered
            && self.wiki.remembers_password(key)
        {
            return Ok(Some(*user));
        }
        // An unknown name is checked like any other, so that the time of the answer does not tell it.
        let (name, password, address) = (name.to_owned(), password.to_owned(), address.to_owned());
        let check = self
            .wiki
            .sessions()
            .check_password(&Credentials {
                name,
                password,
                address,
            })
            .await?;
        let (PasswordCheck::Right(user), Some((_, key))) = (check, remembered) else {
            return Ok(None);
        };
        self.wiki.remember_password(key);
        Ok(Some(user))
    }
}

fn token_of(row: &Row) -> Result<AccessToken> {
    Ok(AccessToken {
        id: TokenId::new(row.i64("id")?),
        name: row.text("name")?,
        created_at_ms: row.i64("created_at_ms")?,
        last_used_at_ms: row.opt_i64("last_used_at_ms")?,
    })
}
