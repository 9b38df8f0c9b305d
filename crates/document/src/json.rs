//! ProseMirror JSON of a document, as the editor would give it.

use serde_json::{Map, Value as JsonValue, json};

use crate::schema::{AttrSpec, Default};
use crate::tree::{Attrs, Document, Element, Mark, Node, Text, Value};

/// The JSON face: what `Node.toJSON()` of ProseMirror gives for the same tree.
pub struct Json;

impl Json {
    /// The document as ProseMirror JSON; every attribute is spelled out, defaults too.
    pub fn write(document: &Document) -> JsonValue {
        let mut doc = Map::new();
        doc.insert("type".into(), json!("doc"));
        insert_content(&mut doc, &document.content);
        JsonValue::Object(doc)
    }
}

fn insert_content(object: &mut Map<String, JsonValue>, content: &[Node]) {
    if !content.is_empty() {
        object.insert("content".into(), content.iter().map(node).collect());
    }
}

fn node(node: &Node) -> JsonValue {
    match node {
        Node::Element(child) => element(child),
        Node::Text(child) => text(child),
    }
}

fn element(element: &Element) -> JsonValue {
    let mut object = Map::new();
    object.insert("type".into(), json!(element.kind.name()));
    object.insert(
        "attrs".into(),
        attributes(element.kind.spec().attrs, &element.attrs),
    );
    insert_content(&mut object, &element.content);
    JsonValue::Object(object)
}

fn text(text: &Text) -> JsonValue {
    let mut object = Map::new();
    object.insert("type".into(), json!("text"));
    if !text.marks.is_empty() {
        object.insert("marks".into(), text.marks.iter().map(mark).collect());
    }
    object.insert("text".into(), json!(text.text));
    JsonValue::Object(object)
}

fn mark(mark: &Mark) -> JsonValue {
    json!({ "type": mark.kind.name(), "attrs": attributes(mark.kind.spec().attrs, &mark.attrs) })
}

fn attributes(specs: &[AttrSpec], attrs: &Attrs) -> JsonValue {
    let mut object = Map::new();
    for (name, default) in specs {
        let value = match (attrs.get(name), default) {
            (Some(Value::Int(number)), _) => json!(number),
            (Some(Value::Text(text)), _) => json!(text),
            (None, Default::Null) => JsonValue::Null,
            (None, Default::Int(number)) => json!(number),
            (None, Default::Text(text)) => json!(text),
        };
        object.insert((*name).into(), value);
    }
    JsonValue::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::*;
    use crate::schema::{Kind, MarkKind};

    #[test]
    fn every_attribute_is_spelled_out_as_prosemirror_does() {
        let link = Mark::new(MarkKind::Link).with("href", "x");
        let document = doc([h(2, [marked("a", [link])]), el(Kind::HorizontalRule, [])]);
        let expected = json!({ "type": "doc", "content": [
            { "type": "heading", "attrs": { "level": 2, "xml": null }, "content": [
                { "type": "text", "marks": [{ "type": "link", "attrs": { "href": "x", "xml": null } }], "text": "a" },
            ] },
            { "type": "horizontal_rule", "attrs": { "xml": null } },
        ] });
        assert_eq!(Json::write(&document), expected);
    }
}
