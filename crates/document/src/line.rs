//! Builds lines of inline content with marks in the schema's order.

use serde_json::{Value as Json, json};

use crate::schema::MarkKind;
use crate::tree::{Element, Mark, Node, Text, Value};

/// Adds text under marks (in any order), joined with the run before if the marks are the same.
pub(crate) fn push_text(line: &mut Vec<Node>, text: &str, marks: &[Mark]) {
    if text.is_empty() {
        return;
    }
    let marks = in_order(marks);
    match line.last_mut() {
        Some(Node::Text(before)) if before.marks == marks => before.text.push_str(text),
        _ => line.push(
            Text {
                text: text.to_owned(),
                marks,
            }
            .into(),
        ),
    }
}

/// Adds an atom under marks.
pub(crate) fn push_atom(line: &mut Vec<Node>, mut atom: Element, marks: &[Mark]) {
    let marks = in_order(marks);
    if !marks.is_empty() {
        let wrap = marks.iter().map(entry).collect::<Vec<_>>();
        atom.set("wrap", json!(wrap).to_string());
    }
    line.push(atom.into());
}

/// A mark as the attribute `wrap` holds it.
fn entry(mark: &Mark) -> Json {
    let attrs = mark.attrs.iter().map(|(name, value)| match value {
        Value::Text(text) => (name.to_owned(), json!(text)),
        Value::Int(number) => (name.to_owned(), json!(number)),
    });
    json!([mark.kind.name(), Json::Object(attrs.collect())])
}

/// Marks in the order of the schema, each kind once; the innermost wins.
fn in_order(marks: &[Mark]) -> Vec<Mark> {
    MarkKind::ALL
        .iter()
        .filter_map(|kind| marks.iter().rev().find(|mark| mark.kind == *kind))
        .cloned()
        .collect()
}
