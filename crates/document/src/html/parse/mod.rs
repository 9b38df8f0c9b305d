//! Foreign HTML becomes a document. Blocks keep their meaning, marks come from elements and from the few styles that editors write;
//! what has no place in a document gives way to its text, and a note says so.

mod blocks;
mod dom;
mod inline;

use std::collections::BTreeSet;

use crate::tree::{Document, Element, Mark, Node, Note};

/// Reads a page or a fragment.
pub(super) fn parse(source: &str) -> (Document, Vec<Note>) {
    let mut builder = Builder::default();
    let mut flow = Flow::default();
    builder.children(&dom::read(source), &mut flow);
    flow.break_line();
    let notes = builder.unknown.into_iter().map(|message| Note {
        line: 0,
        column: 0,
        message,
    });
    (Document::new(flow.blocks), notes.collect())
}

/// State of one reading.
#[derive(Default)]
struct Builder {
    /// Marks at this place, in no order.
    marks: Vec<Mark>,
    /// Each thing that was left out, once.
    unknown: BTreeSet<String>,
    /// Nesting of the walk.
    depth: usize,
}

/// Blocks that are being gathered, and the line that is not ended yet.
#[derive(Default)]
struct Flow {
    blocks: Vec<Node>,
    line: Vec<Node>,
    /// What text becomes that stands here without an element of its own.
    loose: Line,
}

/// What a line of inline content becomes.
#[derive(Clone, Copy, Default, PartialEq)]
enum Line {
    /// A paragraph.
    #[default]
    Paragraph,
    /// A paragraph without an element of its own.
    Bare,
}

impl Flow {
    fn new(loose: Line) -> Self {
        Flow {
            loose,
            ..Flow::default()
        }
    }

    /// Ends a line that no element of its own holds.
    fn break_line(&mut self) {
        self.end_line(self.loose);
    }

    /// Makes a block of the line, unless it is empty.
    fn end_line(&mut self, line: Line) {
        let mut content = inline::tidy(std::mem::take(&mut self.line));
        if inline::is_empty(&content) {
            return;
        }
        inline::drop_last_break(&mut content);
        let mut paragraph = Element::new(crate::schema::Kind::Paragraph).with_content(content);
        if line == Line::Bare {
            paragraph.set("bare", 1);
        }
        self.blocks.push(paragraph.into());
    }

    fn push(&mut self, block: Element) {
        self.blocks.push(block.into());
    }
}
