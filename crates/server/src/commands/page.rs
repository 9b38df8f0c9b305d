//! `page export`.

use document::StorageFormat;
use wiki::{Actor, ContentId};

use super::document::{print, write};
use super::with_wiki;
use crate::cli::{ExportForm, PageCommand};
use crate::config::Config;
use crate::outcome::{Failure, Output};
use crate::place::Place;

pub(super) fn run(config: &Config, command: PageCommand, output: &Output) -> Result<(), Failure> {
    let PageCommand::Export { id, format } = command;
    let place = Place::existing(config)?;
    with_wiki(&place, config, async |wiki| {
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
