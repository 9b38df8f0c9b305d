//! Live documents over plain HTTP: `{base}/v1/documents`. Creates, lists, reads, changes and deletes documents of other applications,
//! and reads those of pages. [YJS-30]

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use collab::{LogError, Position, Rights};
use serde::Deserialize;
use serde_json::{Value, json};
use wiki::{Error, LiveDocuments, OpenDocument, open_rights};

use super::entry::Entry;
use crate::failure::{Answer, Failure};
use crate::limits;
use crate::state::Web;

/// Addresses below that of the sync engine.
pub(super) fn router() -> Router<Web> {
    Router::new().route("/v1/documents", get(list)).route(
        "/v1/documents/{*document}",
        get(read).post(create).patch(change).delete(delete),
    )
}

/// Which documents.
#[derive(Deserialize)]
struct Wanted {
    namespace: String,
    #[serde(default)]
    after: String,
    limit: Option<usize>,
}

async fn list(
    State(web): State<Web>,
    entry: Entry,
    Query(wanted): Query<Wanted>,
) -> Answer<Json<Value>> {
    // What somebody may do with all of a namespace, they may do with any name in it.
    let any = format!("{}/*", wanted.namespace);
    if rights(&web, &entry, &any) == Rights::None {
        return Err(refused(&entry, &any));
    }
    let limit = wanted
        .limit
        .unwrap_or(limits::API_ROWS_MAX)
        .clamp(1, limits::API_ROWS_MAX);
    let live = web.live().await?;
    let found = live
        .list_open(&wanted.namespace, &wanted.after, limit)
        .await?;
    let next = found.last().filter(|_| found.len() == limit);
    let next = next.and_then(|last| last.document.split_once('/'));
    Ok(Json(json!({
        "documents": found.iter().map(in_list).collect::<Vec<_>>(),
        "next": next.map(|(_, name)| name),
    })))
}

fn in_list(one: &OpenDocument) -> Value {
    json!({
        "document": one.document, "created_at_ms": one.created_at_ms, "created_by": one.created_by,
        "epoch": one.head.epoch, "seq": one.head.seq,
    })
}

/// What of a document.
#[derive(Deserialize)]
struct Part {
    /// Base64: only what somebody with this state vector lacks.
    state_vector: Option<String>,
    /// `json` or `update`.
    format: Option<String>,
}

async fn read(
    State(web): State<Web>,
    entry: Entry,
    Path(document): Path<String>,
    Query(part): Query<Part>,
    headers: HeaderMap,
) -> Answer {
    let live = web.live().await?;
    may_read(&web, live, &entry, &document).await?;
    let (at, updates) = live.updates(&document).await?;
    if matches(&headers, header::IF_NONE_MATCH, at) == Some(true) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag(at))]).into_response());
    }
    let wants_json = match part.format.as_deref() {
        Some("json") => true,
        Some("update") => false,
        Some(_) => return Err(Failure::invalid("`format` is `json` or `update`")),
        None => accepts_json(&headers),
    };
    if wants_json {
        let contents = collab::hydrate(move || collab::contents(&updates)).await;
        let contents = contents.map_err(|why| unreadable(&why))?;
        let body =
            json!({ "document": document, "epoch": at.epoch, "seq": at.seq, "contents": contents });
        return Ok(([(header::ETAG, tag(at))], Json(body)).into_response());
    }
    let vector = part.state_vector.as_deref().unwrap_or("AA==");
    let vector = STANDARD
        .decode(vector)
        .or_else(|_| URL_SAFE_NO_PAD.decode(vector))
        .map_err(|_| Failure::invalid("`state_vector` is not base64"))?;
    let difference = collab::hydrate(move || {
        collab::difference(&updates, &vector).map_err(|why| LogError::Unavailable(why.to_string()))
    });
    let difference = difference.await.map_err(|why| match why {
        LogError::Unavailable(_) => Failure::invalid("`state_vector` is not a state vector of Yjs"),
        why => unreadable(&why),
    })?;
    let kind = HeaderValue::from_static("application/octet-stream");
    let headers = [(header::ETAG, tag(at)), (header::CONTENT_TYPE, kind)];
    Ok((headers, difference).into_response())
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    accept.is_some_and(|accept| accept.contains("application/json"))
}

fn unreadable(why: &LogError) -> Failure {
    tracing::error!(%why, "a live document could not be read");
    Failure::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "the document cannot be read now; try again in a moment",
    )
}

async fn create(
    State(web): State<Web>,
    entry: Entry,
    Path(document): Path<String>,
    body: Bytes,
) -> Answer {
    let rights = known(&web, &entry, &document)?;
    checked(&body)?;
    let live = web.live().await?;
    live.create_open(&entry.actor, rights, &document).await?;
    let at = if body.is_empty() {
        live.updates(&document).await?.0
    } else {
        live.write_open(&entry.actor, rights, &document, body)
            .await?
    };
    Ok(written(StatusCode::CREATED, &document, at))
}

async fn change(
    State(web): State<Web>,
    entry: Entry,
    Path(document): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let rights = known(&web, &entry, &document)?;
    if body.is_empty() {
        return Err(Failure::invalid(
            "the body is an update of Yjs (v1); it is empty",
        ));
    }
    checked(&body)?;
    let live = web.live().await?;
    unchanged(live, &headers, &document).await?;
    let at = live
        .write_open(&entry.actor, rights, &document, body)
        .await?;
    Ok(written(StatusCode::OK, &document, at))
}

async fn delete(
    State(web): State<Web>,
    entry: Entry,
    Path(document): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let rights = known(&web, &entry, &document)?;
    let live = web.live().await?;
    unchanged(live, &headers, &document).await?;
    live.delete_open(rights, &document).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn written(status: StatusCode, document: &str, at: Position) -> Response {
    let body = json!({ "document": document, "epoch": at.epoch, "seq": at.seq });
    (status, [(header::ETAG, tag(at))], Json(body)).into_response()
}

/// Nothing that is no update is stored, and none that is too large.
fn checked(body: &[u8]) -> Answer<()> {
    if body.is_empty() {
        return Ok(());
    }
    collab::is_update(body).map_err(|why| match why {
        collab::Malformed::TooLarge => Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the update is too large; send it in parts",
        ),
        _ => Failure::invalid("the body is not an update of Yjs (v1)"),
    })
}

/// What somebody may do with a document of another application; pages are only read here.
fn known(web: &Web, entry: &Entry, document: &str) -> Answer<Rights> {
    if !document.contains('/') {
        return Err(Failure::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "a page is changed by the interface of pages; here it is only read",
        ));
    }
    match rights(web, entry, document) {
        Rights::None => Err(refused(entry, document)),
        rights => Ok(rights),
    }
}

async fn may_read(web: &Web, live: &LiveDocuments, entry: &Entry, document: &str) -> Answer<()> {
    if document.contains('/') {
        known(web, entry, document)?;
        return Ok(());
    }
    if entry.needs_token || !super::entry::covers(entry, document) {
        return Err(refused(entry, document));
    }
    live.may_read(&entry.actor, document).await?;
    Ok(())
}

fn rights(web: &Web, entry: &Entry, document: &str) -> Rights {
    if entry.needs_token {
        return Rights::None;
    }
    let claims = super::entry::claims(entry);
    open_rights(&web.sync().open_namespaces, &entry.actor, claims, document)
}

fn refused(entry: &Entry, document: &str) -> Failure {
    if entry.actor.is_anonymous() && super::entry::claims(entry).is_none() {
        return Failure::new(
            StatusCode::UNAUTHORIZED,
            "send a token: `Authorization: Bearer <token>`",
        );
    }
    Error::NotFound(format!(
        "there is no document `{document}`, or you may not read it"
    ))
    .into()
}

fn tag(at: Position) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{}.{}\"", at.epoch, at.seq))
        .unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Whether a condition names this state; none without one.
fn matches(headers: &HeaderMap, name: header::HeaderName, at: Position) -> Option<bool> {
    let asked = headers.get(name)?.to_str().ok()?;
    let tag = format!("\"{}.{}\"", at.epoch, at.seq);
    let named = |one: &str| one.trim().trim_start_matches("W/") == tag;
    Some(asked.trim() == "*" || asked.split(',').any(named))
}

/// `If-Match`: only while the document is as the client knows it.
async fn unchanged(live: &LiveDocuments, headers: &HeaderMap, document: &str) -> Answer<()> {
    if !headers.contains_key(header::IF_MATCH) {
        return Ok(());
    }
    let (at, _) = live.updates(document).await?;
    if matches(headers, header::IF_MATCH, at) == Some(true) {
        return Ok(());
    }
    Err(Failure::new(
        StatusCode::PRECONDITION_FAILED,
        "the document has changed since; read it again",
    ))
}
