//! Time travel: the draft of a page at each moment since its last version, by person, with a way back.

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, PreEscaped, html};
use serde_json::json;
use wiki::{Change, ContentId, DraftHistory, DraftState, Moment, PageHead};

use crate::failure::{Answer, Failure};
use crate::pages::comments::back;
use crate::pages::versions::{about, unlisted, view};
use crate::params::Params;
use crate::parts::icons::icon;
use crate::parts::{dates, forms, people};
use crate::state::Web;
use crate::visitor::{ChangeForm, Visitor};

/// `GET /content/{id}/draft?seq=`: the slider, and the draft at that moment (none: now).
pub(crate) async fn page(
    State(web): State<Web>,
    visitor: Visitor,
    Path(id): Path<i64>,
    RawQuery(query): RawQuery,
) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let view = view(&web, &visitor, id).await?;
    let drafts = web.wiki().drafts();
    let history = drafts.history(&visitor.actor, view.head.id).await?;
    let asked = params.number("seq").and_then(|seq| u64::try_from(seq).ok());
    let seq = asked.or(history.moments.last().map(|moment| moment.seq));
    let main = match seq {
        Some(seq) => {
            let state = drafts.at(&visitor.actor, view.head.id, seq).await?;
            with_slider(&visitor, &view.head, &history, &state)
        }
        None => nothing(&view.head),
    };
    about(&web, &visitor, &view, "History of the draft", false, main).await
}

/// `GET /api/pages/{id}/draft-history`: the moments, oldest first.
pub(crate) async fn moments(
    State(web): State<Web>,
    visitor: Visitor,
    Path(id): Path<i64>,
) -> Answer {
    let drafts = web.wiki().drafts();
    let history = drafts.history(&visitor.actor, ContentId::new(id)).await?;
    let moments: Vec<_> = history.moments.iter().map(moment_json).collect();
    let answer = json!({ "since_version": history.since_version, "base_seq": history.base_seq, "cut": history.cut, "moments": moments });
    Ok(axum::Json(answer).into_response())
}

fn moment_json(moment: &Moment) -> serde_json::Value {
    let person = moment.person.as_ref();
    json!({
        "seq": moment.seq, "at_ms": moment.at_ms, "changes": moment.changes,
        "user": person.map(|person| person.name.as_str()), "name": person.map(people::shown),
    })
}

/// `GET /api/pages/{id}/draft-history/{seq}`: the draft at that moment as HTML, changes since the version marked.
pub(crate) async fn at(
    State(web): State<Web>,
    visitor: Visitor,
    Path((id, seq)): Path<(i64, u64)>,
) -> Answer {
    let drafts = web.wiki().drafts();
    let state = drafts.at(&visitor.actor, ContentId::new(id), seq).await?;
    Ok(axum::Json(json!({ "seq": seq, "title": state.title, "changes": state.changes, "html": body(&state).into_string() }))
        .into_response())
}

/// `POST /content/{id}/draft/restore` with `seq`: the draft becomes what it was then; later changes stay in the log.
pub(crate) async fn restore(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer<Response> {
    let seq = form
        .number("seq")
        .and_then(|seq| u64::try_from(seq).ok())
        .ok_or_else(|| Failure::invalid("`seq` takes the number of a moment of the draft"))?;
    let drafts = web.wiki().drafts();
    drafts
        .restore(&visitor.actor, ContentId::new(id), seq)
        .await?;
    back(&web, &visitor, id, "?edit=1").await
}

fn nothing(head: &PageHead) -> Markup {
    html! {
        div.page-head { h1 { "History of the draft" } }
        p.empty { "Nothing was written since the last version. " a href={ "/content/" (head.id) "/history" } { "See the versions" } }
    }
}

fn with_slider(
    visitor: &Visitor,
    head: &PageHead,
    history: &DraftHistory,
    state: &DraftState,
) -> Markup {
    let last = history.moments.len().saturating_sub(1);
    let here = history
        .moments
        .iter()
        .position(|moment| moment.seq >= state.seq)
        .unwrap_or(last);
    let moment = history.moments.get(here);
    html! {
        div.page-head { h1 { "History of the draft" }
            p { (head.title) ": what was written since "
                @if history.since_version > 0 { a href={ "/content/" (head.id) "/history/" (history.since_version) } { "version " (history.since_version) } } @else { "it was begun" }
                @if history.cut { ". Only the newest changes are shown one by one" } }
        }
        div.travel data-travel=(head.id) {
            div.travel-row {
                button.button.small.icon type="button" data-travel-step="-1" aria-label="Earlier" title="Earlier" hidden { (icon("back")) }
                button.button.small type="button" data-travel-play hidden { "Play" }
                button.button.small.icon type="button" data-travel-step="1" aria-label="Later" title="Later" hidden { (icon("forward")) }
                input type="range" min="0" max=(last) value=(here) step="1" aria-label="Moment of the draft" data-travel-slider disabled;
                @if head.can_edit { form.inline action={ "/content/" (head.id) "/draft/restore" } method="post" data-confirm="Make the draft what it was at this moment? Everybody who edits sees it change. What was written later stays in this history." {
                    (forms::csrf(visitor)) input type="hidden" name="seq" value=(state.seq) data-travel-seq;
                    button.button.small type="submit" { "Restore this moment" }
                } }
            }
            p.meta aria-live="polite" data-travel-label { @if let Some(moment) = moment { (label(moment, here, history.moments.len())) } }
            (persons(history))
            label.check { input type="checkbox" data-travel-marks checked; "Mark what changed since the version" }
        }
        h2.compare-title data-travel-title { (state.title) }
        div.wiki-body data-part="body" data-travel-body { (body(state)) }
        noscript { (list(head, history)) }
    }
}

fn label(moment: &Moment, index: usize, count: usize) -> Markup {
    html! { (dates::minute(moment.at_ms)) " · " (people::link(moment.person.as_ref())) " · " (index + 1) " of " (count) }
}

/// Everybody who wrote, to choose whose moments the slider stops at.
fn persons(history: &DraftHistory) -> Markup {
    let mut known: Vec<&wiki::Person> = Vec::new();
    for person in history
        .moments
        .iter()
        .filter_map(|moment| moment.person.as_ref())
    {
        if !known.contains(&person) {
            known.push(person);
        }
    }
    html! {
        @if known.len() > 1 { div.travel-people role="group" aria-label="Whose changes" {
            @for person in known { button.author.by.{ "h" (people::hue(&person.name)) } type="button" data-travel-person=(person.name) aria-pressed="false" { (people::shown(person)) } }
        } }
    }
}

fn body(state: &DraftState) -> Markup {
    html! { @for block in &state.blocks {
        @match block.change {
            Change::Same | Change::Changed => (PreEscaped(unlisted(&block.html))),
            Change::Added => ins.diff-added { (PreEscaped(unlisted(&block.html))) },
            Change::Removed => del.diff-removed { (PreEscaped(unlisted(&block.html))) },
        }
    } }
}

fn list(head: &PageHead, history: &DraftHistory) -> Markup {
    html! { ol { @for (index, moment) in history.moments.iter().enumerate() {
        li { a href={ "/content/" (head.id) "/draft?seq=" (moment.seq) } { (label(moment, index, history.moments.len())) } }
    } } }
}
