//! What somebody may do to a live document: asked at join, asked again when something that decides it is announced, and now and then.

use super::Inner;
use crate::actor::{Actor, Proof};
use crate::error::{Error, Result};
use crate::ids::{ContentId, UserId};
use crate::pages::Status;
use crate::permissions::{self, Right};
use collab::Rights;
use std::collections::HashMap;
use std::time::Duration;
use storage::{Tx, params};

/// How often rights are asked again without a reason: for what nobody announces, a session that has run out.
pub(super) const RECHECK: Duration = Duration::from_secs(30);
/// The same when the database did not answer.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// A connection whose rights may change.
#[derive(Clone)]
pub(super) struct Watched {
    pub(super) actor: Actor,
    /// None for a document of another application, where every account may what its token says.
    pub(super) page: Option<ContentId>,
    pub(super) document: String,
    /// More than this its token does not allow.
    pub(super) most: Rights,
    pub(super) rights: Rights,
}

/// What changed for one connection.
struct Change {
    connection: u64,
    document: String,
    rights: Rights,
    reason: &'static str,
}

/// What an actor may do now. An account that was disabled may nothing, nor a session that has ended.
pub(super) fn of(tx: &Tx, actor: &Actor, page: ContentId) -> Result<Rights> {
    let Some(actor) = today(tx, actor)? else {
        return Ok(Rights::None);
    };
    match permissions::require(tx, &actor, page, Right::View) {
        Ok((_, head)) if head.can_edit => Ok(Rights::Write),
        // The trash is not a place to read in.
        Ok((_, head)) if head.status == Status::Trashed => Ok(Rights::None),
        Ok(_) => Ok(Rights::Read),
        Err(Error::NotFound(_) | Error::Forbidden(_)) => Ok(Rights::None),
        Err(error) => Err(error),
    }
}

/// The actor with today's standing; none when the account is disabled or gone, or the session or token has ended.
fn today(tx: &Tx, actor: &Actor) -> Result<Option<Actor>> {
    let Actor::User { person, proof, .. } = actor else {
        return Ok(Some(actor.clone()));
    };
    if !holds(tx, proof)? {
        return Ok(None);
    }
    let sql = "SELECT admin FROM user_account WHERE id = $1 AND disabled = 0";
    let Some(row) = tx.query_opt(sql, params![person.id])? else {
        return Ok(None);
    };
    Ok(Some(Actor::User {
        person: person.clone(),
        admin: row.bool("admin")?,
        proof: proof.clone(),
    }))
}

/// Whether what somebody proved themselves with is still worth something: a session that has ended takes its editors along.
fn holds(tx: &Tx, proof: &Proof) -> Result<bool> {
    let found = match proof {
        Proof::Given => return Ok(true),
        Proof::Session(hash) => tx.query_opt(
            "SELECT user_id FROM session WHERE token_hash = $1",
            params![hash],
        )?,
        Proof::Token(id) => tx.query_opt(
            "SELECT user_id FROM access_token WHERE id = $1",
            params![id.get()],
        )?,
    };
    Ok(found.is_some())
}

/// Judges every open connection again and tells the engine of changes; whether that could be done. [WRITE-9] [ROOM-9]
pub(super) async fn judge_again(inner: &Inner) -> bool {
    let watched: Vec<(u64, Watched)> = {
        let watched = inner.watched();
        watched.iter().map(|(id, w)| (*id, w.clone())).collect()
    };
    if watched.is_empty() {
        return true;
    }
    match inner.wiki.read(move |tx| changes(tx, &watched)).await {
        Ok(changes) => {
            apply(inner, changes).await;
            true
        }
        Err(error) => {
            tracing::warn!(%error, "rights of open editors could not be checked");
            false
        }
    }
}

fn changes(tx: &Tx, watched: &[(u64, Watched)]) -> Result<Vec<Change>> {
    // Many have the same page open, and some have it open many times.
    let mut known: HashMap<(Option<UserId>, String, Option<ContentId>), Rights> = HashMap::new();
    let mut changes = Vec::new();
    for (connection, watched) in watched {
        let proof = match &watched.actor {
            Actor::User { proof, .. } => format!("{proof:?}"),
            Actor::Anonymous => "anonymous".to_owned(),
            Actor::System => "system".to_owned(),
        };
        let key = (watched.actor.user_id(), proof, watched.page);
        let rights = match known.get(&key) {
            Some(rights) => *rights,
            None => {
                let rights = match watched.page {
                    Some(page) => of(tx, &watched.actor, page)?,
                    None if today(tx, &watched.actor)?.is_some() => Rights::Write,
                    None => Rights::None,
                };
                known.insert(key, rights);
                rights
            }
        };
        let rights = rights.min(watched.most);
        if rights == watched.rights {
            continue;
        }
        let reason = match rights {
            Rights::None if today(tx, &watched.actor)?.is_none() => {
                "your session has ended; log in again"
            }
            Rights::None => "you may not read this page any more",
            Rights::Read => "you may not edit this page any more",
            Rights::Write => "you may edit this page",
        };
        changes.push(Change {
            connection: *connection,
            document: watched.document.clone(),
            rights,
            reason,
        });
    }
    Ok(changes)
}

async fn apply(inner: &Inner, changes: Vec<Change>) {
    for change in changes {
        if let Some(watched) = inner.watched().get_mut(&change.connection) {
            watched.rights = change.rights;
        }
        let (connection, rights) = (change.connection, change.rights);
        inner
            .engine
            .set_access(&change.document, connection, rights, change.reason)
            .await;
    }
}
