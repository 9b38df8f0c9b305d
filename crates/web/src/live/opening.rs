//! A connection before it is in a room: an echo, a token, HELLO. The same for every transport.

use std::borrow::Cow;

use bytes::Bytes;
use collab::{
    ClientFrame, CloseCode, Join, Outbox, Outgoing, PROTOCOL_VERSION, Rights, ServerFrame,
};
use wiki::{Error, LiveLink, TokenRights, open_rights};

use super::entry::{self, Entry};
use super::registry::{Carrier, Listed};
use crate::limits;
use crate::state::Web;

/// Why a connection ends: a close code, and a text for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) code: u16,
    pub(crate) reason: Cow<'static, str>,
}

impl End {
    pub(crate) fn new(code: CloseCode, reason: &'static str) -> Self {
        Self {
            code: code as u16,
            reason: Cow::Borrowed(reason),
        }
    }

    /// [WIRE-11] Come back, but not all at once: the more are here, the later.
    pub(crate) fn try_again(web: &Web) -> Self {
        let here = u64::try_from(web.registry().count()).unwrap_or(u64::MAX);
        let pause = limits::LIVE_RETRY.as_millis() as u64 + here.saturating_mul(2);
        let pause = pause.min(limits::LIVE_RETRY_MAX.as_millis() as u64);
        Self {
            code: CloseCode::TryAgain as u16,
            reason: Cow::Owned(format!("retry_after_ms={pause}")),
        }
    }

    /// The end that a room asks for.
    pub(crate) fn of_room(web: &Web, code: CloseCode, reason: Cow<'static, str>) -> Self {
        if code == CloseCode::TryAgain && !reason.starts_with("retry_after_ms") {
            tracing::debug!(%reason, "a live connection is ended for now");
            return Self::try_again(web);
        }
        Self {
            code: code as u16,
            reason,
        }
    }
}

/// What a frame before the room leads to.
pub(crate) enum Step {
    /// Wait for the next one.
    Wait,
    /// This is to be sent.
    Answer(Bytes),
    /// In the room.
    Joined(LiveLink, Outbox),
}

/// A connection that is not in a room yet.
pub(crate) struct Opening {
    pub(crate) web: Web,
    pub(crate) listed: Listed,
    entry: Entry,
    authenticated: bool,
}

impl Opening {
    pub(crate) fn new(web: Web, entry: Entry, carrier: Carrier) -> Self {
        let listed = web.registry().list(&web, carrier, entry.way);
        Self {
            web,
            listed,
            entry,
            authenticated: false,
        }
    }

    /// [WIRE-5] [WIRE-10] Takes the next frame.
    pub(crate) async fn frame(&mut self, frame: ClientFrame) -> Result<Step, End> {
        match frame {
            ClientFrame::Ping { nonce, rtt_ms } => {
                self.listed.round_trip(rtt_ms);
                Ok(Step::Answer(ServerFrame::Pong { nonce }.encode()))
            }
            ClientFrame::Auth { token } if !self.authenticated => {
                self.authenticated = true;
                self.authenticate(&token).await?;
                Ok(Step::Wait)
            }
            ClientFrame::Hello {
                version: PROTOCOL_VERSION,
                document,
                resume,
                leases,
            } => {
                let how = Join {
                    resume,
                    leases,
                    ..Join::default()
                };
                let (link, outbox) = self.enter(&document, how).await?;
                Ok(Step::Joined(link, outbox))
            }
            ClientFrame::Hello { .. } => Err(End::new(
                CloseCode::Protocol,
                "another version of the protocol; load the page again",
            )),
            _ => Err(no_hello()),
        }
    }

    /// The token of an AUTH frame, or of a transport that has its own way to bring one.
    pub(crate) async fn authenticate(&mut self, token: &str) -> Result<(), End> {
        match entry::of_token(&self.web, token).await {
            Ok(pass) => {
                self.entry.actor = pass.actor;
                self.entry.claims = pass.claims;
                self.entry.needs_token = false;
                Ok(())
            }
            Err(Error::Forbidden(reason)) => Err(End {
                code: CloseCode::NotLoggedIn as u16,
                reason: Cow::Owned(brief(reason)),
            }),
            Err(error) => {
                tracing::error!(%error, "a token could not be checked");
                Err(End::try_again(&self.web))
            }
        }
    }

    /// The way into a document's room.
    pub(crate) async fn enter(&self, document: &str, how: Join) -> Result<(LiveLink, Outbox), End> {
        if self.entry.needs_token {
            let reason = "a page of another site must bring a token";
            return Err(End::new(CloseCode::NotLoggedIn, reason));
        }
        let claims = self.entry.claims.as_ref();
        if claims.is_some_and(|claims| !claims.covers(document)) {
            let reason = "this token is for another document";
            return Err(End::new(CloseCode::Forbidden, reason));
        }
        let actor = &self.entry.actor;
        let has = how.resume.map_or(0, |at| at.seq);
        let joined = match self.web.live().await {
            Ok(live) if document.contains('/') => {
                let open = &self.web.sync().open_namespaces;
                let rights = open_rights(open, actor, entry::claims(&self.entry), document);
                live.join_open(actor, rights, document, how).await
            }
            Ok(live) => {
                let most = claims.map_or(Rights::Write, |claims| at_most(claims.rights));
                live.join_at_most(actor, most, document, how).await
            }
            Err(why) => Err(why),
        };
        let end = |code, reason| Err(End::new(code, reason));
        match joined {
            Ok((link, outbox)) => {
                self.listed.entered(document, actor, link.connection(), has);
                Ok((link, outbox))
            }
            Err(Error::Forbidden(_)) if actor.is_anonymous() => {
                end(CloseCode::NotLoggedIn, "log in first")
            }
            Err(Error::Forbidden(_)) => end(CloseCode::Forbidden, "no right to read"),
            Err(Error::NotFound(_) | Error::Invalid(_)) => {
                end(CloseCode::NotFound, "no such document")
            }
            Err(error) => {
                tracing::error!(%error, document, "a live document could not be joined");
                Err(End::try_again(&self.web))
            }
        }
    }
}

/// What the bearer of a token may do with a page, if the database says so too.
fn at_most(rights: TokenRights) -> Rights {
    match rights {
        TokenRights::Read => Rights::Read,
        TokenRights::Write => Rights::Write,
        TokenRights::Admin => Rights::None,
    }
}

/// The reason of a WebSocket's end has 123 bytes at most.
fn brief(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(limits::LIVE_REASON_BYTES_MAX));
    reason
}

pub(crate) fn no_hello() -> End {
    End::new(CloseCode::Protocol, "hello comes first")
}

/// What a client in a room may send on; the rest ends the connection.
pub(crate) fn permitted(listed: &Listed, frame: &ClientFrame) -> Result<(), End> {
    match frame {
        ClientFrame::Hello { version, .. } if *version != PROTOCOL_VERSION => Err(End::new(
            CloseCode::Protocol,
            "another version of the protocol",
        )),
        ClientFrame::Ping { rtt_ms, .. } => {
            listed.round_trip(*rtt_ms);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What a room gave: a frame, or the end.
pub(crate) fn given(web: &Web, outgoing: Option<Outgoing>) -> Result<Bytes, End> {
    match outgoing {
        Some(Outgoing::Frame(frame)) => Ok(frame),
        Some(Outgoing::Close { code, reason }) => Err(End::of_room(web, code, reason)),
        None => Err(End::try_again(web)),
    }
}
