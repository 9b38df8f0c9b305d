//! The Markdown face: CommonMark with GitHub's tables, task lists, strikethrough and alerts.
//!
//! Markdown says less than a document. What it cannot say is written so that it reads well, and comes back where that is possible:
//!
//! | in the document | in Markdown | comes back |
//! |---|---|---|
//! | headings, paragraphs, lists, tasks, quotes, rules, breaks, strong, em, strike, code, links | as in CommonMark | yes; ids of tasks are new |
//! | underlined, raised, lowered text; text whose `**` would not be read as such | `<u>`, `<sup>`, `<sub>`, `<strong>`, ... | yes |
//! | panels info, tip, note, warning | alerts NOTE, TIP, WARNING, CAUTION; a title as a bold first line | yes, the title as text |
//! | panel | quote | as a quote |
//! | expand | `<details>` | yes |
//! | code with language, title, ... | fenced, with `name="value"` after the language | yes |
//! | table with a header row and one line in each cell | GitHub table | yes |
//! | any other table | HTML | yes, without links into the wiki |
//! | table of contents | `[TOC]` | yes, without its parameters |
//! | links to pages, files, people, ... | a link to `wiki:page?content-title=...` | yes |
//! | attached images | an image with the file name as its address | yes, without its size |
//! | dates, status | `<time>`, `<span class="status ...">` | yes |
//! | preserved blocks | their source, fenced as `storage` | yes |
//! | preserved parts of a line | their source in a comment | yes |
//! | emoticons | the character | as text |
//! | layouts, divisions, colours, alignment, comment markers | their content | as content |

mod inline;
mod parse;
mod spans;
mod write;

#[cfg(test)]
mod tests;

use crate::tree::{Document, Note};

/// The Markdown face.
pub struct Markdown;

impl Markdown {
    /// Reads CommonMark with tables, task lists, strikethrough and alerts. Never fails; what has no place in a document gets a note.
    pub fn parse(source: &str) -> (Document, Vec<Note>) {
        parse::parse(source)
    }

    /// Writes a document for people to read and for [`Markdown::parse`].
    pub fn write(document: &Document) -> String {
        write::write(document)
    }
}

/// Scheme of links into the wiki.
const SCHEME: &str = "wiki:";
/// Info string of a fenced block that holds storage format.
const STORAGE_FENCE: &str = "storage";
/// Begin of a comment that holds storage format.
const STORAGE_COMMENT: &str = "<!--storage ";
