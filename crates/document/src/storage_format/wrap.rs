//! Marks around an atom, as the text of its attribute `wrap`; and marks of a node in the order of nesting.

use serde_json::{Map, Value as Json, json};

use super::spelling::Spelling;
use crate::limits::MARKS_MAX;
use crate::schema::MarkKind;
use crate::tree::{Mark, Node, Value};

/// `[["strong",{}],...]`, outermost first.
pub(super) fn wrap_text(marks: &[Mark]) -> String {
    let list: Vec<Json> = marks
        .iter()
        .map(|mark| {
            let attrs: Map<String, Json> = mark
                .attrs
                .iter()
                .map(|(name, value)| match value {
                    Value::Int(number) => (name.to_owned(), json!(number)),
                    Value::Text(text) => (name.to_owned(), json!(text)),
                })
                .collect();
            json!([mark.kind.name(), attrs])
        })
        .collect();
    Json::Array(list).to_string()
}

/// The marks around a node, outermost first, as the source nests them.
pub(super) fn nesting(node: &Node) -> Vec<Mark> {
    match node {
        Node::Element(element) => element
            .attrs
            .text("wrap")
            .map(wrap_marks)
            .unwrap_or_default(),
        Node::Text(text) => nested(&text.marks),
    }
}

fn wrap_marks(text: &str) -> Vec<Mark> {
    let list: Vec<(String, Map<String, Json>)> = serde_json::from_str(text).unwrap_or_default();
    list.into_iter()
        .filter_map(|(name, attrs)| {
            let mut mark = Mark::new(MarkKind::from_name(&name)?);
            for (name, _) in mark.kind.spec().attrs {
                match attrs.get(*name) {
                    Some(Json::String(text)) => mark.set(name, text.as_str()),
                    Some(Json::Number(number)) => {
                        if let Some(number) = number.as_i64() {
                            mark.set(name, number);
                        }
                    }
                    _ => {}
                }
            }
            Some(mark)
        })
        .take(MARKS_MAX)
        .collect()
}

/// Canonical order, except for the marks that know their own place.
fn nested(marks: &[Mark]) -> Vec<Mark> {
    let mut nested: Vec<Mark> = Vec::with_capacity(marks.len());
    let mut placed: Vec<(usize, &Mark)> = Vec::new();
    for mark in marks.iter().take(MARKS_MAX) {
        match Spelling::of(&mark.attrs).depth {
            Some(depth) => placed.push((depth, mark)),
            None => nested.push(mark.clone()),
        }
    }
    placed.sort_by_key(|(depth, _)| *depth);
    for (depth, mark) in placed {
        nested.insert(depth.min(nested.len()), mark.clone());
    }
    nested
}
