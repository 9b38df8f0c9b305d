//! The storage format: Confluence's XHTML with `ac:` and `ri:` elements.
//!
//! Reading: `names.rs` says what each element is, `read.rs` walks blocks, `inline.rs` lines; each group of nodes has one file that
//! both reads and writes it. `spelling.rs` holds what a node's attributes do not say. After reading, the tree is written and
//! compared with the source; what would not come back the same is preserved as source, as small a part as possible.

use std::collections::HashSet;

use crate::limits::RETRIES_MAX;
use crate::schema::Kind;
use crate::tree::{Document, Element, Malformed, Mark, Note};
use crate::xml::{Difference, Fragment, Id, Positions, first_difference};

mod inline;
mod links;
mod lists;
mod macros;
mod names;
mod read;
mod spelling;
mod tables;
mod wrap;
mod write;

use read::{Reader, Survey};
use spelling::Spelling;

/// The storage format face.
pub struct StorageFormat;

impl StorageFormat {
    /// Parses a body. What is not understood is kept as preserved nodes with a note each; only what is not well-formed is refused.
    pub fn parse(source: &str) -> Result<(Document, Vec<Note>), Malformed> {
        let xml = Fragment::parse(source)?;
        let survey = Survey::of(&xml);
        let mut forced = HashSet::new();
        for round in 0..=RETRIES_MAX {
            let mut reader = Reader::new(&xml, &survey, &forced);
            let document = Document::new(reader.document());
            match difference(&xml, &document) {
                None => return Ok((document, located(source, reader.notes))),
                Some(found) if round < RETRIES_MAX => {
                    force(&xml, &mut forced, found, round + 1 == RETRIES_MAX);
                }
                Some(_) => {}
            }
        }
        let message = "the page is kept as it is, as one block".to_owned();
        let kept = Element::new(Kind::PreservedBlock)
            .with("source", source)
            .with("label", "page");
        let notes = located(source, vec![(0, message)]);
        Ok((Document::new(vec![kept.into()]), notes))
    }

    /// Writes a document. Whatever is in it, the result is well-formed; a document that was parsed gives back the same XML infoset.
    pub fn write(document: &Document) -> String {
        write::write(document)
    }
}

/// The index of a mark in the nesting of its source, if that is not the canonical one.
pub(crate) fn nesting_index(mark: &Mark) -> Option<usize> {
    Spelling::of(&mark.attrs).depth
}

/// A macro of this name with a plain-text body, as source.
pub(crate) fn kept_macro(name: &str, body: &str) -> String {
    write::plain_macro(name, body)
}

/// Where the document, written, differs from what was read.
fn difference(xml: &Fragment<'_>, document: &Document) -> Option<Difference> {
    let written = write::write(document);
    match Fragment::parse(&written) {
        Ok(again) => first_difference(xml, &again),
        Err(_) => Some(Difference { at: None }),
    }
}

/// Adds one more element to those that are preserved: the innermost around the difference that is not yet, or every outermost one.
fn force(xml: &Fragment<'_>, forced: &mut HashSet<Id>, found: Difference, all: bool) {
    let mut at = found.at;
    while let Some(id) = at {
        let element = xml
            .items()
            .get(id)
            .is_some_and(|item| item.element().is_some());
        if !all && element && forced.insert(id) {
            return;
        }
        at = xml.parent(id);
    }
    forced.extend(
        xml.roots()
            .filter(|item| item.element().is_some())
            .map(|item| item.id),
    );
}

fn located(source: &str, mut notes: Vec<(usize, String)>) -> Vec<Note> {
    notes.sort();
    let mut positions = Positions::new(source);
    notes
        .into_iter()
        .map(|(offset, message)| {
            let (line, column) = positions.at(offset);
            Note {
                line,
                column,
                message,
            }
        })
        .collect()
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
