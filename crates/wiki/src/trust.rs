//! Trust between the roles of the program: short-lived tokens that say who somebody is, signed by the wiki and read by the process
//! that serves live connections.
//!
//! `trust/jwt.rs` is the form of a token, `trust/keys.rs` the keys. A token says who, for which document, and caps what they may do;
//! what they may do with a page is asked of the database each time.

mod jwt;
mod keys;
#[cfg(test)]
mod tests;

use crate::accounts;
use crate::actor::{Actor, Proof};
use crate::error::{Error, Result};
use crate::ids::{TokenId, UserId};
use crate::limits::{
    DOCUMENT_NAME_BYTES_MAX, LIVE_TOKEN_MS_MAX, TRUST_KEYS_AGE_MAX_MS, TRUST_KEYS_AGE_MIN_MS,
};
use crate::sessions::actor_of;
use crate::wiki::Wiki;
use jwt::{Body, Refusal};
use keys::Keys;
use std::sync::Arc;
use std::time::Duration;
use storage::{Tx, params};

pub(crate) use keys::KeptKeys;

/// What the bearer of a token may do at most.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum TokenRights {
    /// Watch.
    Read,
    /// Write, where the database says so too.
    Write,
    /// Look after the service itself; no document.
    Admin,
}

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The account; none for somebody who is not logged in, and for the program itself.
    pub user: Option<UserId>,
    /// The name to show.
    pub name: String,
    /// `page-5`, `namespace/name`, `namespace/*`, or `*`.
    pub document: String,
    /// What the bearer may do at most.
    pub rights: TokenRights,
    /// By what the account had proved itself when the token was issued.
    pub proof: Proof,
    /// From when on.
    pub issued_at_ms: i64,
    /// Until when.
    pub expires_at_ms: i64,
}

impl Claims {
    /// Whether the token is for this document.
    pub fn covers(&self, document: &str) -> bool {
        match self.document.strip_suffix('*') {
            None => self.document == document,
            Some("") => true,
            Some(namespace) => {
                namespace.ends_with('/')
                    && document
                        .strip_prefix(namespace)
                        .is_some_and(|name| !name.is_empty())
            }
        }
    }

    /// Whether another process of this wiki asks, not a person.
    pub fn is_service(&self) -> bool {
        self.user.is_none() && self.rights == TokenRights::Admin && self.document == "*"
    }
}

/// A token that was just issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveToken {
    /// The text that travels.
    pub token: String,
    /// Until when it is good.
    pub expires_at_ms: i64,
}

/// Issues and reads tokens.
#[derive(Clone, Copy)]
pub struct Trust<'a> {
    pub(crate) wiki: &'a Wiki,
}

impl Trust<'_> {
    /// Whether a text has the form of such a token; a personal access token never has.
    pub fn is_token(text: &str) -> bool {
        text.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    /// Makes the keys if there are none yet. Issuing and verifying do so too; at start a fault shows at once.
    pub async fn prepare(&self) -> Result<()> {
        self.keys().await.map(|_| ())
    }

    /// A token for whoever asks, for `page-5`, `namespace/name`, `namespace/*` or `*`.
    pub async fn issue(
        &self,
        actor: &Actor,
        document: &str,
        rights: TokenRights,
        valid: Duration,
    ) -> Result<LiveToken> {
        if rights == TokenRights::Admin && *actor != Actor::System {
            return Err(Error::Forbidden(
                "tokens for the service itself are made by the program only".into(),
            ));
        }
        check_document(document)?;
        let valid_ms = valid_ms(valid)?;
        let (user, name, proof) = match actor {
            Actor::User { person, proof, .. } => {
                (Some(person.id), person.full_name.clone(), proof.clone())
            }
            Actor::Anonymous => (None, String::new(), Proof::Given),
            Actor::System => (None, "watersmeet".to_owned(), Proof::Given),
        };
        // Whole seconds, because that is what the token can say.
        let issued_at_ms = self.wiki.now_ms() / 1_000 * 1_000;
        let claims = Claims {
            user,
            name,
            document: document.to_owned(),
            rights,
            proof,
            issued_at_ms,
            expires_at_ms: issued_at_ms + valid_ms,
        };
        let keys = self.keys().await?;
        Ok(LiveToken {
            token: jwt::sign(&Body::of(&claims), &keys)?,
            expires_at_ms: claims.expires_at_ms,
        })
    }

    /// A token for an account, by its name. Administrators only.
    pub async fn issue_for(
        &self,
        actor: &Actor,
        user: &str,
        document: &str,
        rights: TokenRights,
        valid: Duration,
    ) -> Result<LiveToken> {
        accounts::require_admin(actor)?;
        let name = user.to_owned();
        let account = self.wiki.read(move |tx| accounts::find(tx, &name)).await?;
        if account.disabled {
            return Err(Error::Conflict(format!(
                "`{user}` is locked out; a token would not work"
            )));
        }
        let holder = Actor::User {
            person: account.person,
            admin: account.admin,
            proof: Proof::Given,
        };
        self.issue(&holder, document, rights, valid).await
    }

    /// A token with which this process asks another one of the same wiki.
    pub async fn issue_service(&self, valid: Duration) -> Result<LiveToken> {
        self.issue(&Actor::System, "*", TokenRights::Admin, valid)
            .await
    }

    /// What a token says; `Forbidden` with the reason when it is not good.
    pub async fn verify(&self, token: &str) -> Result<Claims> {
        let now_ms = self.wiki.now_ms();
        let keys = self.keys().await?;
        let opened = match jwt::open(token, &keys, now_ms) {
            // Another process may have made new keys a moment ago.
            Err(Refusal::UnknownKey) => {
                let keys = self.keys_younger_than(TRUST_KEYS_AGE_MIN_MS).await?;
                jwt::open(token, &keys, now_ms)
            }
            opened => opened,
        };
        opened
            .and_then(|body| body.claims())
            .map_err(|refusal| Error::Forbidden(refusal.to_string()))
    }

    /// Whom a token stands for today: `Forbidden` when the account is locked out, or when the session or the personal access token it
    /// was issued on has ended.
    pub async fn actor(&self, claims: &Claims) -> Result<Actor> {
        let Some(user) = claims.user else {
            return Ok(Actor::Anonymous);
        };
        let (proof, now_ms) = (claims.proof.clone(), self.wiki.now_ms());
        self.wiki
            .read(move |tx| {
                if !holds(tx, &proof, user, now_ms)? {
                    return Err(Error::Forbidden("the session has ended; log in again".into()));
                }
                let sql = "SELECT id, name, full_name, admin FROM user_account WHERE id = $1 AND disabled = 0";
                match tx.query_opt(sql, params![user])? {
                    Some(row) => actor_of(&row, proof.clone()),
                    None => Err(Error::Forbidden(
                        "the account is disabled; ask an administrator".into(),
                    )),
                }
            })
            .await
    }

    /// Makes new keys and returns the new key's name. Tokens of the old key stay good until they expire, or with `at_once` stop
    /// working within seconds. Administrators only.
    pub async fn rotate(&self, actor: &Actor, at_once: bool) -> Result<String> {
        accounts::require_admin(actor)?;
        let (seed, now_ms) = (self.new_seed(), self.wiki.now_ms());
        let keys = self
            .wiki
            .write(move |tx| keys::rotate(tx, &seed, now_ms, at_once))
            .await?;
        let name = keys.name().to_owned();
        self.wiki.trust_keys().keep(Arc::new(keys), now_ms);
        Ok(name)
    }

    async fn keys(&self) -> Result<Arc<Keys>> {
        self.keys_younger_than(TRUST_KEYS_AGE_MAX_MS).await
    }

    async fn keys_younger_than(&self, age_ms: i64) -> Result<Arc<Keys>> {
        let now_ms = self.wiki.now_ms();
        if let Some(keys) = self.wiki.trust_keys().younger_than(age_ms, now_ms) {
            return Ok(keys);
        }
        let keys = match self.wiki.read(keys::read).await? {
            Some(keys) => keys,
            None => {
                let seed = self.new_seed();
                self.wiki
                    .write(move |tx| keys::read_or_make(tx, &seed))
                    .await?
            }
        };
        let keys = Arc::new(keys);
        self.wiki.trust_keys().keep(Arc::clone(&keys), now_ms);
        Ok(keys)
    }

    fn new_seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.wiki.random().fill(&mut seed);
        seed
    }
}

impl Wiki {
    /// Tokens between the roles of the program.
    pub fn trust(&self) -> Trust<'_> {
        Trust { wiki: self }
    }
}

fn valid_ms(valid: Duration) -> Result<i64> {
    let ms = i64::try_from(valid.as_millis()).unwrap_or(i64::MAX);
    if (1_000..=LIVE_TOKEN_MS_MAX).contains(&ms) {
        return Ok(ms / 1_000 * 1_000);
    }
    Err(Error::Invalid(format!(
        "a token is good for between 1 second and {} hours; choose a time in between",
        LIVE_TOKEN_MS_MAX / 3_600_000
    )))
}

fn check_document(document: &str) -> Result<()> {
    let plain = |text: &str| {
        !text.is_empty() && !text.contains('*') && text.len() <= DOCUMENT_NAME_BYTES_MAX
    };
    let fits = document == "*"
        || plain(document)
        || document
            .strip_suffix("/*")
            .is_some_and(|namespace| plain(namespace) && !namespace.contains('/'));
    if fits {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "`{document}` is no document; write `page-5`, `namespace/name` or `namespace/*`"
    )))
}

/// Whether what the account proved itself with is still worth something.
fn holds(tx: &Tx, proof: &Proof, user: UserId, now_ms: i64) -> Result<bool> {
    let found = match proof {
        Proof::Given => return Ok(true),
        Proof::Session(hash) => tx.query_opt(
            "SELECT user_id FROM session WHERE token_hash = $1 AND user_id = $2 AND expires_at_ms > $3",
            params![hash, user, now_ms],
        )?,
        Proof::Token(id) => tx.query_opt(
            "SELECT user_id FROM access_token WHERE id = $1 AND user_id = $2",
            params![id.get(), user],
        )?,
    };
    Ok(found.is_some())
}

impl Body {
    fn of(claims: &Claims) -> Body {
        let (sid, pat) = match &claims.proof {
            Proof::Given => (None, None),
            Proof::Session(hash) => (Some(hash.clone()), None),
            Proof::Token(id) => (None, Some(id.get())),
        };
        Body {
            iss: jwt::ISSUER.to_owned(),
            sub: claims.user.map(|id| id.to_string()).unwrap_or_default(),
            name: claims.name.clone(),
            doc: claims.document.clone(),
            rights: claims.rights,
            sid,
            pat,
            iat: claims.issued_at_ms / 1_000,
            exp: claims.expires_at_ms / 1_000,
        }
    }

    fn claims(self) -> Result<Claims, Refusal> {
        let user = match self.sub.as_str() {
            "" => None,
            id => Some(id.parse().map_err(|_| Refusal::Malformed)?),
        };
        let proof = match (self.sid, self.pat) {
            (Some(hash), _) => Proof::Session(hash),
            (None, Some(id)) => Proof::Token(TokenId::new(id)),
            (None, None) => Proof::Given,
        };
        Ok(Claims {
            user,
            name: self.name,
            document: self.doc,
            rights: self.rights,
            proof,
            issued_at_ms: self.iat.saturating_mul(1_000),
            expires_at_ms: self.exp.saturating_mul(1_000),
        })
    }
}
