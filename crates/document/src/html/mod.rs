//! The HTML face: semantic, sanitised HTML for reading, and foreign HTML read into a document.
//!
//! Rendering walks the tree once and writes through [`writer::Writer`], which knows a closed list of elements and attributes and escapes
//! everything else. Nothing of the source is ever copied into the page; preserved nodes are read again and go through the same walk. `CLASSES.md`
//! lists the elements and classes for the style sheet.
//!
//! * `render` the walk over blocks · `inline` text, marks, links, images · `table` · `macros` what each macro looks like ·
//!   `preserved` sources without a typed node · `outline` heading ids and tables of contents
//! * `writer`, `url`, `style` what may pass
//! * `parse` foreign HTML

mod inline;
mod macros;
mod outline;
mod parse;
mod preserved;
mod render;
mod style;
mod table;
mod url;
mod writer;

pub(crate) mod emoticon;

#[cfg(test)]
mod tests;

pub use outline::Heading;

use crate::links::Links;
use crate::tree::{Document, Note};

/// The HTML face.
pub struct Html;

impl Html {
    /// HTML for reading: a fragment without root, to be put into `<div class="wiki-body">`. `title` is the page's title, which heading ids begin
    /// with. Executes nothing, whatever the document holds.
    pub fn render(document: &Document, title: &str, links: &dyn Links) -> String {
        render::render(document, title, links).0
    }

    /// The headings of what [`Html::render`] writes, with the same ids, those inside macros included.
    pub fn outline(document: &Document, title: &str) -> Vec<Heading> {
        render::render(document, title, &()).1
    }

    /// Reads foreign HTML (pasted, imported, a whole page or a fragment). Never fails; what has no place in a document is left out with
    /// a note, its text stays.
    pub fn parse(source: &str) -> (Document, Vec<Note>) {
        parse::parse(source)
    }
}

/// The address as it may stand in a link, if it may.
pub(crate) fn safe_link(address: &str) -> Option<String> {
    url::link(address)
}
