//! `page export | compact`.

use document::StorageFormat;
use serde_json::json;
use wiki::{Actor, ContentId};

use super::document::{print, write};
use super::with_wiki;
use crate::cli::{ExportForm, PageCommand};
use crate::config::Config;
use crate::outcome::{Failure, Output};
use crate::place::Place;

pub(super) fn run(config: &Config, command: PageCommand, output: &Output) -> Result<(), Failure> {
    let place = Place::existing(config)?;
    match command {
        PageCommand::Export { id, format } => export(config, &place, id, format, output),
        PageCommand::Compact { id } => compact(config, &place, id, output),
    }
}

fn compact(config: &Config, place: &Place, id: i64, output: &Output) -> Result<(), Failure> {
    with_wiki(place, config, async |wiki| {
        let page = ContentId::new(id);
        let done = wiki.drafts().compact(&Actor::System, page).await?;
        let (before, after) = (done.bytes_before, done.bytes_after);
        let object = json!({ "page": id, "bytes_before": before, "bytes_after": after, "epoch": done.epoch });
        output.answer(&object, || {
            format!("the live document of page {id} had {before} bytes and has {after} now")
        })
    })
}

fn export(
    config: &Config,
    place: &Place,
    id: i64,
    format: ExportForm,
    output: &Output,
) -> Result<(), Failure> {
    with_wiki(place, config, async |wiki| {
        let id = ContentId::new(id);
        let body = wiki.versions().body(&Actor::System, id, None).await?;
        let text = match format {
            ExportForm::Storage => body.storage,
            // As readers see it, with links that lead into the wiki.
            ExportForm::Html => body.html,
            ExportForm::Markdown | ExportForm::Text => {
                match StorageFormat::parse(&body.storage) {
                    Ok((_, notes)) => {
                        for note in notes {
                            output.note(&format!("note: {}", note.message));
                        }
                    }
                    Err(error) => output.note(&format!("note: not well-formed: {error}")),
                }
                write(format.as_target(), &wiki::readable(&body.storage))?
            }
        };
        print(&text)
    })
}
