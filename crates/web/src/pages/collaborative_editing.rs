//! The administrator's page "Collaborative editing": how the engine is, who edits what by which way, and a test of the way from here.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use maud::{Markup, html};
use serde_json::json;
use wiki::{LiveMode, Mode, mode_of_word};

use crate::addresses::see_other;
use crate::failure::{Answer, Failure};
use crate::limits;
use crate::live::{ConnectionState, LogState, SyncState, paths, sync_state};
use crate::pages::admin::{administrators_only, draw};
use crate::params::{Params, encode};
use crate::parts::{dates, forms};
use crate::state::Web;
use crate::visitor::{ChangeForm, Member, Visitor};

/// Where the page is.
pub(crate) const ADDRESS: &str = "/admin/collaborative-editing";

/// The modes with their names and what they mean. [MODE-1]
const MODES: [(Mode, &str, &str); 3] = [
    (
        Mode::On,
        "On",
        "Everybody who may edit a page edits it at the same time.",
    ),
    (
        Mode::ReadOnly,
        "Read-only",
        "Open editors stay open and show the draft, but nobody can write. Drafts are kept.",
    ),
    (
        Mode::Off,
        "Off, one at a time",
        "Whoever comes first writes; the others watch and can ask for their turn.",
    ),
];

/// `GET /admin/collaborative-editing`.
pub(crate) async fn page(
    State(web): State<Web>,
    Member(visitor): Member,
    RawQuery(query): RawQuery,
) -> Answer {
    administrators_only(&visitor)?;
    let saved = Params::parse(&query.unwrap_or_default()).ticked("saved");
    let mode = web.wiki().live_mode().await?;
    let state = sync_state(&web).await;
    let content = html! {
        (forms::done(saved.then_some("Saved. Open editors have been told.")))
        (mode_box(&visitor, &mode))
        div data-live-state { (overview(&web, &state)) @if state.up { (editors(&state)) (logs(&state)) } }
        (path_test())
        (settings(&web))
    };
    draw(&web, &visitor, ADDRESS, content).await
}

/// `POST /admin/collaborative-editing`: the mode.
pub(crate) async fn save(State(web): State<Web>, ChangeForm(visitor, form): ChangeForm) -> Answer {
    let mode = form
        .get("mode")
        .and_then(mode_of_word)
        .ok_or_else(|| Failure::invalid("`mode` takes `on`, `read-only` or `off`"))?;
    web.wiki().set_live_mode(&visitor.actor, mode).await?;
    Ok(see_other(&format!("{ADDRESS}?saved")))
}

/// `GET /api/admin/paths`: the paths that browsers may try, with a token for the test of each.
pub(crate) async fn test_paths(State(web): State<Web>, Member(visitor): Member) -> Answer {
    administrators_only(&visitor)?;
    let valid = Duration::from_secs(limits::SYNC_TOKEN_S);
    let token = web.wiki().trust().issue_service(valid).await?.token;
    let answer = json!({
        "token": token, "paths": paths(web.sync()), "public_url": web.public_url(),
        "transports": web.sync().transports.iter().map(|it| it.name()).collect::<Vec<_>>(),
    });
    Ok(axum::Json(answer).into_response())
}

fn mode_box(visitor: &Visitor, current: &LiveMode) -> Markup {
    html! {
        form.panel-box action=(ADDRESS) method="post" {
            h2 { "Mode" }
            (forms::csrf(visitor))
            fieldset.modes {
                legend.visually-hidden { "How pages are edited" }
                @for (mode, name, meaning) in MODES {
                    label.check { input type="radio" name="mode" value=(mode.word()) checked[mode == current.mode];
                        span { b { (name) } br; span.meta { (meaning) } } }
                }
            }
            @if !current.by.is_empty() { p.meta { "Set by " (current.by) ", " (dates::minute(current.at_ms)) } }
            div.buttons { button.button.primary type="submit" { "Change the mode" } }
        }
    }
}

fn overview(web: &Web, state: &SyncState) -> Markup {
    if !state.up {
        return html! { div.notice.danger role="status" { div.grow {
            b { "The sync engine does not answer." } " Reading and comments work; editing does not. "
            "Start the process with " code { "watersmeet serve --role sync" } ", and see that " code { (web.sync().internal_url) } " reaches it."
        } } };
    }
    let editors = state.connections.len();
    html! {
        section.panel-box {
            h2 { "State" }
            dl.facts {
                dt { "Engine" } dd { span.badge.ok { "Running" } " " (if state.role == "all" { "in this process" } else { "in a process of its own" }) }
                dt { "Open pages" } dd { (state.rooms) }
                dt { "Connections" } dd { (editors) @if editors > 0 { " · " (by_way(state)) } }
                dt { "Updates committed" } dd { (state.updates) " in " (state.commits) " transactions"
                    @if state.commits_failed > 0 { " · " span.badge.danger { (state.commits_failed) " failed" } } }
            }
        }
    }
}

/// "3 websocket, 1 event-stream through the internal proxy".
fn by_way(state: &SyncState) -> String {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for connection in &state.connections {
        let key = (connection.transport.as_str(), connection.path.as_str());
        *counts.entry(key).or_default() += 1;
    }
    let said = counts.into_iter().map(|((transport, path), count)| {
        let through = if path == "direct" {
            ""
        } else {
            " through the internal proxy"
        };
        format!("{count} {}{through}", word(transport))
    });
    said.collect::<Vec<_>>().join(", ")
}

/// The name of a transport for people.
fn word(transport: &str) -> &str {
    match transport {
        "websocket" => "WebSocket",
        "websocket-h2" => "WebSocket over HTTP/2",
        "event-stream" => "event stream",
        "long-poll" => "long poll",
        "y-websocket" => "Yjs client",
        "hocuspocus" => "Hocuspocus client",
        other => other,
    }
}

fn editors(state: &SyncState) -> Markup {
    let mut rooms: BTreeMap<&str, Vec<&ConnectionState>> = BTreeMap::new();
    for connection in &state.connections {
        rooms
            .entry(&connection.document)
            .or_default()
            .push(connection);
    }
    html! {
        section.panel-box {
            h2 { "Who is editing" }
            @if rooms.is_empty() { p.empty { "Nobody has a page open for editing." } }
            @else { div.scroll tabindex="0" role="region" aria-label="Connections" { table.list.stack {
                thead { tr { th scope="col" { "Page" } th scope="col" { "Person" } th scope="col" { "Transport" } th scope="col" { "Path" }
                    th.num scope="col" { "Round trip" } th.num scope="col" { "Behind" } th scope="col" { "Since" } th.num scope="col" { "Sent and received" } } }
                tbody { @for (document, connections) in &rooms { @for (index, connection) in connections.iter().enumerate() {
                    tr {
                        td { @if index == 0 { (name_of(state, document)) } @else { span.visually-hidden { (name_of(state, document)) } } }
                        (row(connection))
                    }
                } } }
            } } }
        }
    }
}

fn row(connection: &ConnectionState) -> Markup {
    html! {
        td { @if connection.user.is_empty() { "Not logged in" } @else { a href={ "/people/" (encode(&connection.user)) } { (connection.name) } } }
        td.nowrap data-label="Transport" { @if connection.transport.starts_with("websocket") { (word(&connection.transport)) } @else { span.badge.warn { (word(&connection.transport)) } } }
        td.nowrap data-label="Path" { @if connection.path == "direct" { "direct" } @else { span.badge.warn { (connection.path) } } }
        td.num data-label="Round trip" { @if connection.rtt_ms == 0 { span.meta { "not yet" } } @else { (connection.rtt_ms) " ms" } }
        td.num data-label="Behind" { @if connection.lag == 0 { "0" } @else { (connection.lag) " updates" } }
        td.nowrap data-label="Since" { (dates::minute(connection.since_ms)) }
        td.num.nowrap data-label="Sent and received" { (dates::size(signed(connection.bytes_out))) " / " (dates::size(signed(connection.bytes_in))) }
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A document by its title where that is known.
fn name_of(state: &SyncState, document: &str) -> Markup {
    let log = state.logs.iter().find(|log| log.document == document);
    html! {
        @match (document.strip_prefix("page-"), log) {
            (Some(id), Some(log)) => { a href={ "/pages/viewpage.action?pageId=" (id) } { (log.title) } },
            (None, _) if document.is_empty() => span.meta { "connecting" },
            _ => (document),
        }
    }
}

fn logs(state: &SyncState) -> Markup {
    html! {
        section.panel-box {
            h2 { "Logs" }
            p.meta { "What open pages and the largest others keep for editing. A page that nobody edits is folded and, when it has grown out of proportion, written afresh by itself." }
            @if state.logs.is_empty() { p.empty { "No page has been edited yet." } }
            @else { div.scroll tabindex="0" role="region" aria-label="Logs" { table.list.stack {
                thead { tr { th scope="col" { "Page" } th.num scope="col" { "Snapshot" } th.num scope="col" { "Updates behind it" } th.num scope="col" { "Unpublished" } th.num scope="col" { "Epoch" } } }
                tbody { @for log in &state.logs { (log_row(state, log)) } }
            } } }
        }
    }
}

fn log_row(state: &SyncState, log: &LogState) -> Markup {
    html! { tr {
        td { (name_of(state, &log.document)) }
        td.num.nowrap data-label="Snapshot" { (dates::size(log.snapshot_bytes)) }
        td.num.nowrap data-label="Updates behind it" { (log.tail_rows) " · " (dates::size(log.tail_bytes)) }
        td.num data-label="Unpublished" { (log.head_seq.saturating_sub(log.published_seq).max(0)) }
        td.num data-label="Epoch" { (log.epoch) }
    } }
}

/// The test runs in the browser; without a script there is nothing to test from.
fn path_test() -> Markup {
    html! {
        section.panel-box data-path-test {
            h2 { "Test the path from this browser" }
            p.meta { "Tries every transport over every path, from here through whatever proxies are in between, and says what each does to it." }
            div.buttons { button.button type="button" data-path-test-start disabled { "Start the test" } }
            noscript { p.meta { "The test needs JavaScript." } }
            div data-path-test-result aria-live="polite" {}
        }
    }
}

fn settings(web: &Web) -> Markup {
    let sync = web.sync();
    let transports: Vec<&str> = sync.transports.iter().map(|it| word(it.name())).collect();
    html! {
        section.panel-box {
            h2 { "Settings" }
            p.meta { "From " code { "watersmeet.toml" } ", the environment and flags; they change with a restart." }
            dl.facts {
                dt { "Role of this process" } dd { (sync.role.name()) }
                dt { "Address for browsers" } dd { code { (sync.service_url(web.public_url())) } }
                dt { "Internal proxy" } dd { (sync.proxy.name()) }
                dt { "Transports" } dd { (transports.join(", ")) }
                dt { "Heartbeat" } dd { "every " (sync.heartbeat_seconds) " s" }
                dt { "Writers on one page" } dd { @if sync.writers_max == 0 { "no limit" } @else { (sync.writers_max) } }
                dt { "Open namespaces" } dd { @if sync.open_namespaces.is_empty() { "none" } @else { (sync.open_namespaces.join(", ")) } }
            }
        }
    }
}
