//! For machines that watch: state, health, metrics, robots.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::failure::Answer;
use crate::live;
use crate::state::Web;

/// `GET /status`: `RUNNING`, or `FIRST_RUN` before set-up.
pub(crate) async fn status(State(web): State<Web>) -> Answer {
    let state = if web.first_run().await? {
        "FIRST_RUN"
    } else {
        "RUNNING"
    };
    Ok(axum::Json(json!({ "state": state })).into_response())
}

/// `GET /healthz`: the process answers.
pub(crate) async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`: the database answers too.
pub(crate) async fn ready(State(web): State<Web>) -> Response {
    match web.wiki().accounts().first_run().await {
        Ok(_) => "ready".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready").into_response()
        }
    }
}

/// `GET /metrics` in the Prometheus text format.
pub(crate) async fn metrics(State(web): State<Web>) -> Response {
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        web.metrics().text() + &live::metrics(&web),
    )
        .into_response()
}

/// `GET /robots.txt`: reading is welcome, functions are not.
pub(crate) async fn robots() -> &'static str {
    "User-agent: *\nDisallow: /content/\nDisallow: /search\nDisallow: /api/\nDisallow: /login\nDisallow: /admin\n"
}

/// `GET /opensearch.xml`: lets browsers search the wiki from their address bar.
pub(crate) async fn opensearch(State(web): State<Web>) -> Answer {
    let name = web.wiki().settings().await?.name;
    let text = maud::html! {
        OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/" {
            ShortName { (name.chars().take(16).collect::<String>()) }
            Description { "Search " (name) }
            Url type="text/html" template={ (web.public_url()) "/search?q={searchTerms}" } {}
        }
    };
    Ok((
        [(
            header::CONTENT_TYPE,
            "application/opensearchdescription+xml",
        )],
        text.into_string(),
    )
        .into_response())
}
