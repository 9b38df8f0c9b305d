//! Trees as pictures, for tests: `doc([p([t("a "), strong("b")])])`.

#![allow(dead_code)]

use crate::schema::{Kind, MarkKind};
use crate::tree::{Document, Element, Mark, Node, Text, Value};

pub(crate) fn doc<const N: usize>(content: [Node; N]) -> Document {
    Document::new(content.into())
}

pub(crate) fn el<const N: usize>(kind: Kind, content: [Node; N]) -> Node {
    Element::new(kind).with_content(content.into()).into()
}

/// The node with an attribute set.
pub(crate) fn attr(node: Node, name: &'static str, value: impl Into<Value>) -> Node {
    match node {
        Node::Element(element) => element.with(name, value).into(),
        Node::Text(_) => panic!("text has no attributes"),
    }
}

pub(crate) fn p<const N: usize>(content: [Node; N]) -> Node {
    el(Kind::Paragraph, content)
}

/// A bare paragraph: inline content that stands directly in its container.
pub(crate) fn bare<const N: usize>(content: [Node; N]) -> Node {
    attr(p(content), "bare", 1)
}

pub(crate) fn h<const N: usize>(level: i64, content: [Node; N]) -> Node {
    attr(el(Kind::Heading, content), "level", level)
}

pub(crate) fn t(text: &str) -> Node {
    Node::plain(text)
}

/// Text under marks, outermost first.
pub(crate) fn marked<const N: usize>(text: &str, marks: [Mark; N]) -> Node {
    Text {
        text: text.into(),
        marks: marks.into(),
    }
    .into()
}

pub(crate) fn mark(kind: MarkKind) -> Mark {
    Mark::new(kind)
}

pub(crate) fn strong(text: &str) -> Node {
    marked(text, [mark(MarkKind::Strong)])
}
