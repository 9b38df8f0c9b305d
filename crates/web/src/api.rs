//! JSON for the islands and the editor.

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use wiki::{Attachment, ContentId, ContentKind, SearchHit, SearchQuery};

use crate::failure::Answer;
use crate::limits;
use crate::pages::search::kind_of;
use crate::params::Params;
use crate::state::Web;
use crate::visitor::{ChangeJson, Visitor};

fn answer(value: Value) -> Response {
    axum::Json(value).into_response()
}

/// `GET /api/pages/{id}/attachments`.
pub(crate) async fn attachments(
    State(web): State<Web>,
    visitor: Visitor,
    Path(page): Path<i64>,
) -> Answer {
    let files = web
        .wiki()
        .attachments()
        .list(&visitor.actor, ContentId::new(page))
        .await?;
    Ok(answer(files.iter().map(attachment_json).collect()))
}

/// A file as the editor wants it.
pub(crate) fn attachment_json(file: &Attachment) -> Value {
    json!({ "id": file.id, "name": file.name, "media_type": file.media_type, "size": file.size, "url": file.url })
}

/// `GET /api/search?q=&space=&type=&limit=`.
pub(crate) async fn search(
    State(web): State<Web>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let asked = SearchQuery {
        text: params.get("q").unwrap_or("").to_owned(),
        space_key: params.get("space").map(str::to_owned),
        kind: params.get("type").and_then(kind_of),
        limit: limit(&params),
        ..SearchQuery::default()
    };
    if asked.text.is_empty() {
        return Ok(answer(json!([])));
    }
    let found = web.wiki().search(&visitor.actor, asked).await?;
    Ok(answer(found.hits.iter().map(hit_json).collect()))
}

fn hit_json(hit: &SearchHit) -> Value {
    let kind = match hit.kind {
        ContentKind::Page => "page",
        ContentKind::BlogPost => "blogpost",
        ContentKind::Comment => "comment",
        ContentKind::Attachment => "attachment",
    };
    let excerpt: String = hit
        .excerpt
        .iter()
        .map(|piece| piece.text.as_str())
        .collect();
    json!({ "id": hit.id, "type": kind, "title": hit.title, "space": hit.space_key, "space_name": hit.space_name, "url": hit.url, "excerpt": excerpt })
}

fn limit(params: &Params) -> usize {
    params
        .number("limit")
        .and_then(|rows| usize::try_from(rows).ok())
        .unwrap_or(10)
        .clamp(1, limits::API_ROWS_MAX)
}

/// `GET /api/users?q=`: for mentions.
pub(crate) async fn users(
    State(web): State<Web>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let found = web
        .wiki()
        .accounts()
        .search(
            &visitor.actor,
            params.get("q").unwrap_or(""),
            limit(&params),
        )
        .await?;
    Ok(answer(
        found
            .iter()
            .map(|person| json!({ "name": person.name, "full_name": person.full_name }))
            .collect(),
    ))
}

/// What `POST /api/render` takes.
#[derive(Deserialize)]
pub(crate) struct RenderRequest {
    page_id: i64,
    storage: String,
}

/// `POST /api/render`: the sanitised look of a block that the editor keeps unchanged.
pub(crate) async fn render(
    State(web): State<Web>,
    ChangeJson(visitor, asked): ChangeJson<RenderRequest>,
) -> Answer {
    let html = web
        .wiki()
        .pages()
        .preview(
            &visitor.actor,
            ContentId::new(asked.page_id),
            &asked.storage,
        )
        .await?;
    Ok(answer(json!({ "html": html })))
}
