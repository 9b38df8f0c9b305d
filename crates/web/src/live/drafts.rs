//! What the editor asks about drafts beside its connection. No room is needed for it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};
use wiki::{ContentId, OfflineEdits, OfflineMerge};

use crate::failure::{Answer, Failure};
use crate::state::Web;
use crate::visitor::ChangeJson;

#[derive(Deserialize)]
pub(super) struct Publish {
    #[serde(default)]
    message: String,
    #[serde(default)]
    minor_edit: bool,
}

/// `POST /api/pages/{id}/publish`.
pub(super) async fn publish(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeJson(visitor, how): ChangeJson<Publish>,
) -> Answer<Json<Value>> {
    let (actor, page) = (&visitor.actor, ContentId::new(id));
    let drafts = web.wiki().drafts();
    let published = drafts
        .publish(actor, page, &how.message, how.minor_edit)
        .await?;
    Ok(Json(
        json!({ "version": published.version, "url": published.url }),
    ))
}

/// `POST /api/pages/{id}/discard`.
pub(super) async fn discard(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeJson(visitor, _): ChangeJson<Value>,
) -> Answer<Json<Value>> {
    let drafts = web.wiki().drafts();
    drafts.discard(&visitor.actor, ContentId::new(id)).await?;
    Ok(Json(json!({})))
}

/// What a client kept while it was offline and the epoch ended.
#[derive(Deserialize)]
pub(super) struct Kept {
    epoch: u64,
    client_id: u64,
    /// 32 hex digits.
    proof: String,
    /// Base64.
    updates: Vec<String>,
}

impl Kept {
    fn edits(&self) -> Option<OfflineEdits> {
        let mut proof = [0; 16];
        hex::decode_to_slice(&self.proof, &mut proof).ok()?;
        let bytes = |update: &String| BASE64.decode(update).map(Into::into).ok();
        Some(OfflineEdits {
            epoch: self.epoch,
            client_id: self.client_id,
            proof,
            updates: self.updates.iter().map(bytes).collect::<Option<_>>()?,
        })
    }
}

/// `POST /api/pages/{id}/offline-edits`. [EPOCH-4]
pub(super) async fn offline_edits(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeJson(visitor, kept): ChangeJson<Kept>,
) -> Answer<Response> {
    let edits = kept
        .edits()
        .ok_or_else(|| Failure::invalid("`proof` takes 32 hex digits and `updates` base64"))?;
    let drafts = web.wiki().drafts();
    let merge = drafts.merge_offline(&visitor.actor, ContentId::new(id), edits);
    Ok(match merge.await? {
        OfflineMerge::Merged { seq } => Json(json!({ "merged": true, "seq": seq })).into_response(),
        OfflineMerge::Refused { why, text } => {
            let told = Json(json!({ "error": why, "text": text }));
            (StatusCode::CONFLICT, told).into_response()
        }
    })
}
