//! What somebody may do to a live document, asked at join and again once a second while they are there.

use super::{Inner, document_of};
use crate::actor::{Actor, Proof};
use crate::error::{Error, Result};
use crate::ids::ContentId;
use crate::pages::Status;
use crate::permissions::{self, Right};
use collab::Rights;
use std::sync::Weak;
use std::time::Duration;
use storage::{Tx, params};

/// How often rights are asked again.
const WATCH: Duration = Duration::from_millis(1_000);

/// A connection whose rights may change.
#[derive(Clone)]
pub(super) struct Watched {
    pub(super) actor: Actor,
    pub(super) page: ContentId,
    pub(super) rights: Rights,
}

/// What an actor may do now. An account that was disabled may nothing.
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

/// Asks for everybody's rights again and again, and tells the engine of changes. [ROOM-9]
pub(super) async fn watch(inner: Weak<Inner>) {
    let mut every = tokio::time::interval(WATCH);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        let watched: Vec<_> = inner
            .watched()
            .iter()
            .map(|(id, w)| (*id, w.clone()))
            .collect();
        if watched.is_empty() {
            continue;
        }
        let asked = inner.wiki.read(move |tx| changes(tx, &watched)).await;
        match asked {
            Ok(changes) => apply(&inner, changes).await,
            Err(error) => tracing::warn!(%error, "rights of open editors could not be checked"),
        }
    }
}

fn changes(tx: &Tx, watched: &[(u64, Watched)]) -> Result<Vec<(u64, ContentId, Rights)>> {
    let mut changes = Vec::new();
    for (connection, watched) in watched {
        let rights = of(tx, &watched.actor, watched.page)?;
        if rights != watched.rights {
            changes.push((*connection, watched.page, rights));
        }
    }
    Ok(changes)
}

async fn apply(inner: &Inner, changes: Vec<(u64, ContentId, Rights)>) {
    for (connection, page, rights) in changes {
        if let Some(watched) = inner.watched().get_mut(&connection) {
            watched.rights = rights;
        }
        let reason = match rights {
            Rights::None => "you may not read this page any more",
            Rights::Read => "you may not edit this page any more",
            Rights::Write => "you may edit this page",
        };
        inner
            .engine
            .set_access(&document_of(page), connection, rights, reason)
            .await;
    }
}
