//! Long poll: one POST carries frames both ways, and waits while there are none. It holds no thread while it waits.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::entry::Entry;
use super::permit;
use super::registry::Carrier;
use super::session::Item;
use super::stream::{Asked, read, refusal, session_id, unknown};
use super::varint;
use crate::failure::Answer;
use crate::limits;
use crate::state::Web;
use crate::sync_settings::Transport;

/// `POST {base}/live/poll/{session}`
pub(super) async fn poll(
    State(web): State<Web>,
    Path(session): Path<String>,
    Query(asked): Query<Asked>,
    entry: Entry,
    body: Body,
) -> Answer {
    permit(&web, Transport::LongPoll)?;
    let id = session_id(&session)?;
    let body = read(body).await?;
    let carrier = Carrier::LongPoll;
    let session = match web.sessions().find(&id, &entry)? {
        Some(session) => session,
        None if asked.first == 1 && asked.received == 0 => {
            web.sessions().open(&web, id, &entry, carrier)?
        }
        None => return Err(unknown()),
    };
    // The answer can only tell of frames down: what was not taken is told as a refusal.
    if let Err(refused) = session.take(asked.first, asked.received, &body).await
        && !refused.is_end()
    {
        return Ok(refusal(refused));
    }
    let mut leg = match session.leg(asked.received, carrier).await {
        Ok(leg) => leg,
        Err(refused) => return Ok(refusal(refused)),
    };
    let wait = Duration::from_secs(asked.wait).min(limits::LIVE_POLL_WAIT_MAX);
    let item = match timeout(wait, leg.next()).await {
        Ok(item) => item,
        Err(_) => Item::Frames(leg.next_number(), Vec::new()),
    };
    Ok(answer(item, leg.next_number()))
}

/// [TRANS-8] 0, number of the first, frames; or 1, close code, reason.
fn answer(item: Item, next: u64) -> Response {
    let mut body = Vec::new();
    match item {
        Item::Frames(first, frames) => {
            body.reserve(frames.iter().map(|frame| frame.len() + 5).sum::<usize>() + 10);
            body.push(0);
            varint::write(&mut body, first);
            for frame in &frames {
                varint::write_bytes(&mut body, frame);
            }
        }
        Item::End(end) => {
            body.push(1);
            varint::write(&mut body, end.code.into());
            varint::write_bytes(&mut body, end.reason.as_bytes());
        }
        // Another request waits now; this one has nothing more to say.
        Item::Replaced => {
            body.push(0);
            varint::write(&mut body, next);
        }
    }
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "no-store, no-transform"),
    ];
    (headers, body).into_response()
}
