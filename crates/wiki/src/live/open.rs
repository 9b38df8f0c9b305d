//! Documents of other applications: `<namespace>/<name>` in namespaces that the administrator has opened (`sync.open_namespaces`).
//!
//! Whoever has an account may write there, and whoever brings a token that was signed for it; the wiki's permissions say nothing
//! about them. A document begins with the first who comes to write.

use super::names::{self, Name, no_document};
use super::rights::Watched;
use super::{LiveDocuments, LiveLink, follow, unavailable, who};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::ids::{ContentId, UserId};
use crate::sequence;
use crate::trust::{Claims, TokenRights};
use bytes::Bytes;
use collab::{
    CloseCode, Dialect, Join, LogError, Outbox, Outgoing, Position, Rights, Who, YMessage,
};
use std::sync::atomic::Ordering;
use storage::{Row, WriteTx, params};

/// What somebody may do with a document of another application. [YJS-2]
pub fn open_rights(
    namespaces: &[String],
    actor: &Actor,
    claims: Option<&Claims>,
    document: &str,
) -> Rights {
    let Some(Name::Open { namespace, .. }) = Name::parse(document) else {
        return Rights::None;
    };
    if !namespaces.iter().any(|open| open == namespace) {
        return Rights::None;
    }
    match claims {
        Some(claims) if !claims.covers(document) => Rights::None,
        Some(claims) if claims.rights == TokenRights::Read => Rights::Read,
        Some(_) => Rights::Write,
        None if actor.is_anonymous() => Rights::None,
        None => Rights::Write,
    }
}

/// A document of another application, without what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDocument {
    /// `<namespace>/<name>`.
    pub document: String,
    /// When it began.
    pub created_at_ms: i64,
    /// The login name of the account that began it.
    pub created_by: Option<String>,
    /// Where its log is.
    pub head: Position,
}

impl OpenDocument {
    fn of(row: &Row) -> Result<OpenDocument> {
        Ok(OpenDocument {
            document: format!("{}/{}", row.text("namespace")?, row.text("name")?),
            created_at_ms: row.i64("created_at_ms")?,
            created_by: row.opt_text("created_by")?,
            head: follow::position(row.i64("epoch")?, row.i64("head_seq")?),
        })
    }
}

impl LiveDocuments {
    /// Opens a document of another application; one that is not there begins when somebody comes who may write.
    pub async fn join_open(
        &self,
        actor: &Actor,
        rights: Rights,
        document: &str,
        how: Join,
    ) -> Result<(LiveLink, Outbox)> {
        self.begin_open(actor, rights, document).await?;
        self.join_room(actor, rights, who(actor, rights), document, how)
            .await
    }

    async fn join_room(
        &self,
        actor: &Actor,
        rights: Rights,
        who: Who,
        document: &str,
        how: Join,
    ) -> Result<(LiveLink, Outbox)> {
        let watched = Watched {
            actor: actor.clone(),
            page: None,
            document: document.to_owned(),
            most: rights,
            rights,
        };
        let asked = self.inner.rights_asked.load(Ordering::SeqCst);
        self.join_watched(who, watched, how, asked).await
    }

    /// Sees to it that a document is there; whether it was made now.
    async fn begin_open(&self, actor: &Actor, rights: Rights, document: &str) -> Result<bool> {
        let Some(Name::Open { namespace, name }) = Name::parse(document) else {
            return Err(no_document(document));
        };
        if rights == Rights::None {
            return Err(if actor.is_anonymous() {
                Error::Forbidden("this document needs a token".into())
            } else {
                no_document(document)
            });
        }
        let asked = document.to_owned();
        let there = self
            .inner
            .wiki
            .read(move |tx| names::id_of(tx, &asked))
            .await?;
        if there.is_some() {
            return Ok(false);
        }
        if rights != Rights::Write {
            return Err(no_document(document));
        }
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        let (user, now_ms) = (actor.user_id(), self.inner.wiki.now_ms());
        self.inner
            .wiki
            .write(move |tx| begin(tx, &namespace, &name, user, now_ms))
            .await
    }

    /// Whether somebody may read the live document of a page: `Forbidden` or `NotFound` when not.
    pub async fn may_read(&self, actor: &Actor, document: &str) -> Result<()> {
        let Some(Name::Page(page)) = Name::parse(document) else {
            return Err(no_document(document));
        };
        let asking = actor.clone();
        let rights = self
            .inner
            .wiki
            .read(move |tx| super::rights::of(tx, &asking, page))
            .await?;
        if rights == Rights::None {
            return Err(super::refused(actor, document));
        }
        Ok(())
    }

    /// Makes a document; `Conflict` when it is there already.
    pub async fn create_open(&self, actor: &Actor, rights: Rights, document: &str) -> Result<()> {
        require_write(rights, document)?;
        if self.begin_open(actor, rights, document).await? {
            return Ok(());
        }
        Err(Error::Conflict(format!(
            "there is a document `{document}` already; send it updates instead"
        )))
    }

    /// Removes a document and its log; connections end with 4404.
    pub async fn delete_open(&self, rights: Rights, document: &str) -> Result<()> {
        require_write(rights, document)?;
        let asked = document.to_owned();
        self.inner
            .wiki
            .write(move |tx| {
                let id = names::id_of(tx, &asked)?.ok_or_else(|| no_document(&asked))?;
                follow::remove(tx, id)?;
                for sql in [
                    "DELETE FROM live_base WHERE document_id = $1",
                    "DELETE FROM live_author WHERE document_id = $1",
                    "DELETE FROM open_document WHERE id = $1",
                ] {
                    tx.execute(sql, params![id])?;
                }
                Ok(())
            })
            .await?;
        self.inner.engine.changed(document).await;
        Ok(())
    }

    /// Documents of a namespace by name, behind this one, at most so many.
    pub async fn list_open(
        &self,
        namespace: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<OpenDocument>> {
        let (namespace, after) = (namespace.to_owned(), after.to_owned());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql =
            "SELECT o.namespace, o.name, o.created_at_ms, u.name AS created_by, d.epoch, d.head_seq
            FROM open_document o JOIN live_document d ON d.document_id = o.id
            LEFT JOIN user_account u ON u.id = o.created_by
            WHERE o.namespace = $1 AND o.name > $2 ORDER BY o.name LIMIT $3";
        self.inner
            .wiki
            .read(move |tx| {
                let rows = tx.query(sql, params![&namespace, &after, limit])?;
                rows.iter().map(OpenDocument::of).collect()
            })
            .await
    }

    /// The updates that make a document, and where its log is then. Whoever asks has been found to have the right to read.
    pub async fn updates(&self, document: &str) -> Result<(Position, Vec<Bytes>)> {
        let log = super::log::WikiLog::new(self.inner.wiki.clone());
        log.state_of(document).await.map_err(|why| match why {
            LogError::Gone => no_document(document),
            other => unavailable(other),
        })
    }

    /// Puts an update into a document by the way of every edit: judged, stored, and shown to all who are there. Where the log is then.
    pub async fn write_open(
        &self,
        actor: &Actor,
        rights: Rights,
        document: &str,
        update: Bytes,
    ) -> Result<Position> {
        require_write(rights, document)?;
        self.begin_open(actor, rights, document).await?;
        let unseen = Who {
            identity: String::new(),
            ..who(actor, rights)
        };
        let how = Join {
            dialect: Dialect::Yjs,
            ..Join::default()
        };
        let (link, mut outbox) = self.join_room(actor, rights, unseen, document, how).await?;
        link.message(YMessage::Update(update)).await;
        while let Some(outgoing) = outbox.next().await {
            match outgoing {
                Outgoing::Frame(message) => match *message {
                    [8, 1] => return Ok(self.updates(document).await?.0),
                    [0, 0, ..] => {
                        return Err(Error::Conflict(
                            "something before this update is missing; read the document and send what it lacks".into(),
                        ));
                    }
                    _ => link.taken(message.len()).await,
                },
                Outgoing::Close { code, reason } => return Err(refused(code, &reason)),
            }
        }
        Err(unavailable(LogError::Unavailable(
            "the room has ended".into(),
        )))
    }
}

fn require_write(rights: Rights, document: &str) -> Result<()> {
    match rights {
        Rights::Write => Ok(()),
        Rights::Read => Err(Error::Forbidden(
            "this token may only read; use one that may write".into(),
        )),
        Rights::None => Err(no_document(document)),
    }
}

fn refused(code: CloseCode, reason: &str) -> Error {
    match code {
        CloseCode::Protocol => Error::Invalid(reason.to_owned()),
        CloseCode::NotFound => Error::NotFound(reason.to_owned()),
        CloseCode::Conflict => Error::Conflict(reason.to_owned()),
        CloseCode::NotLoggedIn | CloseCode::Forbidden => Error::Forbidden(reason.to_owned()),
        _ => unavailable(LogError::Unavailable(reason.to_owned())),
    }
}

/// Makes the rows of a document; false when they are there.
fn begin(
    tx: &WriteTx,
    namespace: &str,
    name: &str,
    user: Option<UserId>,
    now_ms: i64,
) -> Result<bool> {
    if names::open_id(tx, namespace, name)?.is_some() {
        return Ok(false);
    }
    let id: ContentId = sequence::next_content_id(tx)?;
    tx.execute(
        "INSERT INTO open_document (id, namespace, name, created_by, created_at_ms) VALUES ($1, $2, $3, $4, $5)",
        params![id, namespace, name, user, now_ms],
    )?;
    follow::begin_empty(tx, id)?;
    Ok(true)
}

/// Nobody publishes a document of another application: rows that are folded are not needed any more.
pub(super) fn nothing_to_publish(tx: &WriteTx, id: ContentId, seq: i64) -> Result<()> {
    let sql =
        "UPDATE live_document SET published_seq = $2 WHERE document_id = $1 AND published_seq < $2";
    tx.execute(sql, params![id, seq])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Site, on_each_database};

    /// "hi" in the root `t`, and then "x", by the client id 7.
    const HI: &[u8] = b"\x01\x01\x07\x00\x04\x01\x01t\x02hi\x00";
    const X: &[u8] = b"\x01\x01\x07\x02\x84\x07\x01\x01x\x00";
    const NOTE: &str = "notes/a plan";

    async fn rows(site: &Site) -> Vec<i64> {
        let count = |tx: &storage::Tx| -> Result<Vec<i64>> {
            let tables = [
                "open_document",
                "live_document",
                "live_update",
                "live_author",
            ];
            let count = |table| {
                let sql = format!("SELECT COUNT(*) FROM {table}");
                Ok(tx.query_one(&sql, params![])?.i64(0)?)
            };
            tables.into_iter().map(count).collect()
        };
        site.wiki.read(count).await.unwrap()
    }

    /// [YJS-2] Open namespaces are for every account, and for whoever has a token that says so.
    #[test]
    fn rights() {
        on_each_database(|site| async move {
            let ann = site.user("ann").await;
            let open = ["notes".to_owned()];
            let rights = |actor, claims, document| open_rights(&open, actor, claims, document);
            assert_eq!(rights(&ann, None, NOTE), Rights::Write);
            assert_eq!(rights(&Actor::Anonymous, None, NOTE), Rights::None);
            assert_eq!(rights(&ann, None, "secret/plan"), Rights::None);
            assert_eq!(rights(&ann, None, "page-1"), Rights::None);
            let valid = std::time::Duration::from_secs(60);
            let trust = site.wiki.trust();
            let token = trust.issue(&ann, "notes/*", TokenRights::Read, valid).await;
            let claims = trust.verify(&token.unwrap().token).await.unwrap();
            assert_eq!(rights(&ann, Some(&claims), NOTE), Rights::Read);
            assert_eq!(rights(&ann, Some(&claims), "other/plan"), Rights::None);
        });
    }

    /// [YJS-2] [YJS-30] [ROOM-2] From the first update to the end, by the way of every edit, on each database.
    #[test]
    fn life_of_a_document() {
        on_each_database(|site| async move {
            let (ann, bob) = (site.user("ann").await, site.user("bob").await);
            let live = LiveDocuments::start(site.wiki.clone()).await.unwrap();
            let write = async |actor: &Actor, update: &'static [u8]| {
                let update = Bytes::from_static(update);
                let written = live.write_open(actor, Rights::Write, NOTE, update).await;
                written.map(|at| at.seq)
            };
            live.create_open(&ann, Rights::Write, NOTE).await.unwrap();
            let twice = live.create_open(&ann, Rights::Write, NOTE).await;
            assert!(matches!(twice, Err(Error::Conflict(_))));
            let early = write(&ann, X).await;
            assert!(matches!(early, Err(Error::Conflict(_))), "{early:?}");
            assert_eq!(write(&ann, HI).await.ok(), Some(1));
            assert_eq!(write(&bob, HI).await.ok(), Some(1));
            let stolen = write(&bob, X).await;
            assert!(matches!(stolen, Err(Error::Invalid(_))), "{stolen:?}");
            assert_eq!(write(&ann, X).await.ok(), Some(2));
            let (at, updates) = live.updates(NOTE).await.unwrap();
            assert_eq!((at.epoch, at.seq), (1, 2));
            let contents = collab::contents(&updates).unwrap();
            assert_eq!(contents, serde_json::json!({ "t": "hix" }));
            let listed = live.list_open("notes", "", 10).await.unwrap();
            let listed: Vec<_> = listed.iter().map(|one| one.document.as_str()).collect();
            assert_eq!(listed, [NOTE]);
            assert_eq!(rows(&site).await, [1, 1, 2, 1]);
            assert_eq!(
                site.wiki.check().await.unwrap().faults,
                Vec::<String>::new()
            );
            let refused = live.delete_open(Rights::Read, NOTE).await;
            assert!(matches!(refused, Err(Error::Forbidden(_))));
            live.delete_open(Rights::Write, NOTE).await.unwrap();
            assert_eq!(rows(&site).await, [0, 0, 0, 0]);
            let gone = live.updates(NOTE).await;
            assert!(matches!(gone, Err(Error::NotFound(_))));
            live.drain().await;
        });
    }
}
