//! Personal access tokens: for programs, as `Bearer` or as the password of `Basic`.

use crate::actor::Actor;
use crate::error::Result;
use crate::ids::TokenId;
use crate::wiki::Wiki;
use serde::Serialize;

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
    pub async fn create(&self, _actor: &Actor, _user: &str, _name: &str) -> Result<String> {
        todo!()
    }

    /// The tokens of an account.
    pub async fn list(&self, _actor: &Actor, _user: &str) -> Result<Vec<AccessToken>> {
        todo!()
    }

    /// Makes a token stop working.
    pub async fn revoke(&self, _actor: &Actor, _id: TokenId) -> Result<()> {
        todo!()
    }

    /// Whom a `Bearer` secret stands for.
    pub async fn authenticate(&self, _secret: &str) -> Result<Option<Actor>> {
        todo!()
    }

    /// Whom the pair of `Basic` stands for: a token or the account's password (attempts limited as at login).
    pub async fn authenticate_basic(
        &self,
        _name: &str,
        _password: &str,
        _address: &str,
    ) -> Result<Option<Actor>> {
        todo!()
    }
}
