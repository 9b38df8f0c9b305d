//! Reading: the tree of a live document, and beside it which shared type each node came from.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value as Json, json};
use yrs::types::text::YChange;
use yrs::{Any, Out, ReadTxn, Text as _, Xml as _, XmlElementRef, XmlFragment, XmlOut, XmlTextRef};

use super::marks::{self, Keyed};
use crate::limits::{DEPTH_MAX, MARK_BYTES_MIN, MARK_BYTES_PER_BYTE};
use crate::schema::{Content, Kind};
use crate::storage_format::kept_macro;
use crate::tree::{Element, Mark, Node, Note, Text};

/// A child of a live element, and the nodes of the tree that it is.
pub(super) struct Mirror {
    pub(super) shared: XmlOut,
    /// Its nodes among those of its parent; none for an empty text.
    pub(super) span: Range<usize>,
    pub(super) inner: Inner,
}

pub(super) enum Inner {
    Element(Vec<Mirror>),
    Text(Vec<Run>),
    /// What the schema does not know: a placeholder stands for it, and it is never touched.
    Foreign,
}

/// Text under one formatting.
pub(super) struct Run {
    pub(super) text: String,
    pub(super) marks: Keyed,
}

pub(super) struct Reading<'t, T> {
    txn: &'t T,
    pub(super) notes: Vec<Note>,
    /// Bytes that the copies of marks on all texts may still take.
    mark_bytes_left: usize,
}

/// `None`: there is something in it that cannot stand where it stands, not even as a placeholder.
type Children = Option<(Vec<Node>, Vec<Mirror>)>;

impl<'t, T: ReadTxn> Reading<'t, T> {
    /// `bytes` is the size of the updates that are read.
    pub(super) fn new(txn: &'t T, bytes: usize) -> Self {
        Reading {
            txn,
            notes: Vec::new(),
            mark_bytes_left: MARK_BYTES_MIN + bytes.saturating_mul(MARK_BYTES_PER_BYTE),
        }
    }

    /// The blocks of the document.
    pub(super) fn body(&mut self, body: &impl XmlFragment) -> (Vec<Node>, Vec<Mirror>) {
        self.children(body, Content::Blocks, 0).unwrap_or_default()
    }

    fn children(&mut self, parent: &impl XmlFragment, content: Content, depth: usize) -> Children {
        let mut nodes = Vec::new();
        let mut mirrors = Vec::new();
        for shared in parent.children(self.txn) {
            let start = nodes.len();
            let inner = match self.child(&shared, content, depth, &mut nodes) {
                Some(inner) => inner,
                None => {
                    nodes.push(self.placeholder(&shared, content)?.into());
                    Inner::Foreign
                }
            };
            let span = start..nodes.len();
            mirrors.push(Mirror {
                shared,
                span,
                inner,
            });
        }
        Some((nodes, mirrors))
    }

    /// Reads a child that the schema allows here.
    fn child(
        &mut self,
        shared: &XmlOut,
        content: Content,
        depth: usize,
        nodes: &mut Vec<Node>,
    ) -> Option<Inner> {
        match shared {
            XmlOut::Element(element) => {
                let kind = Kind::from_name(element.try_tag()?)?;
                if !permits(content, kind) || depth >= DEPTH_MAX {
                    return None;
                }
                let (node, mirrors) = self.element(element, kind, depth)?;
                nodes.push(node.into());
                Some(Inner::Element(mirrors))
            }
            XmlOut::Text(text) => {
                let runs = self.runs(text)?;
                let empty = runs.iter().all(|run| run.text.is_empty());
                if !empty && !matches!(content, Content::Inline | Content::PlainText) {
                    return None;
                }
                push_texts(nodes, &runs, content == Content::Inline);
                Some(Inner::Text(runs))
            }
            XmlOut::Fragment(_) => None,
        }
    }

    fn element(
        &mut self,
        shared: &XmlElementRef,
        kind: Kind,
        depth: usize,
    ) -> Option<(Element, Vec<Mirror>)> {
        let mut element = Element::new(kind);
        for (name, _) in kind.spec().attrs {
            if let Some(Out::Any(value)) = shared.get_attribute(self.txn, name)
                && let Some(value) = marks::read_value(&value)
            {
                element.set(name, value);
            }
        }
        let (content, mirrors) = self.children(shared, kind.spec().content, depth + 1)?;
        element.content = content;
        Some((element, mirrors))
    }

    /// The runs of a text; `None` if there is something in it that is not text.
    fn runs(&mut self, text: &XmlTextRef) -> Option<Vec<Run>> {
        let mut runs = Vec::new();
        for piece in text.diff(self.txn, YChange::identity) {
            let Out::Any(Any::String(text)) = &piece.insert else {
                return None;
            };
            let (mut marks, unknown) = marks::read(piece.attributes.as_deref());
            if self.afford(&marks).is_none() {
                self.note("marks that are too large are left out".to_owned());
                marks.clear();
            }
            for name in unknown {
                self.note(format!("the mark `{name}` is not known and is not shown"));
            }
            runs.push(Run {
                text: text.to_string(),
                marks,
            });
        }
        Some(runs)
    }

    fn afford(&mut self, marks: &Keyed) -> Option<()> {
        let values = marks.iter().flat_map(|(_, mark)| mark.attrs.iter());
        let bytes: usize = values.map(|(_, value)| value.len()).sum();
        self.mark_bytes_left = self.mark_bytes_left.checked_sub(bytes)?;
        Some(())
    }

    fn placeholder(&mut self, shared: &XmlOut, content: Content) -> Option<Element> {
        let kind = match content {
            Content::Blocks => Kind::PreservedBlock,
            Content::Inline => Kind::PreservedInline,
            _ => return None,
        };
        let name = match shared {
            XmlOut::Element(element) => element.try_tag().map_or("element", |tag| tag),
            XmlOut::Fragment(_) => "fragment",
            XmlOut::Text(_) => "text",
        };
        self.note(format!("`{name}` of the live document is kept as it is"));
        let label = format!("live-{name}");
        let source = kept_macro(&label, &self.describe(shared, 0).to_string());
        Some(
            Element::new(kind)
                .with("source", source)
                .with("label", label),
        )
    }

    /// Everything about a shared type, in an order that depends on its content alone.
    fn describe(&self, shared: &XmlOut, depth: usize) -> Json {
        if depth >= DEPTH_MAX {
            return json!("...");
        }
        let children = |parent: &dyn Fn() -> Vec<XmlOut>| -> Vec<Json> {
            parent()
                .iter()
                .map(|child| self.describe(child, depth + 1))
                .collect()
        };
        match shared {
            XmlOut::Element(element) => {
                let attrs: BTreeMap<String, Json> = element
                    .attributes(self.txn)
                    .map(|(name, value)| (name.to_owned(), out_json(&value)))
                    .collect();
                let content = children(&|| element.children(self.txn).collect());
                json!({ "type": element.try_tag().map(ToString::to_string), "attrs": attrs, "content": content })
            }
            XmlOut::Fragment(fragment) => {
                json!({ "content": children(&|| fragment.children(self.txn).collect()) })
            }
            XmlOut::Text(text) => text
                .diff(self.txn, YChange::identity)
                .iter()
                .map(|piece| {
                    let formats: BTreeMap<String, Json> = piece
                        .attributes
                        .iter()
                        .flat_map(|formats| formats.iter())
                        .map(|(key, value)| (key.to_string(), any_json(value)))
                        .collect();
                    json!([out_json(&piece.insert), formats])
                })
                .collect(),
        }
    }

    fn note(&mut self, message: String) {
        self.notes.push(Note {
            line: 0,
            column: 0,
            message,
        });
    }
}

fn permits(content: Content, kind: Kind) -> bool {
    match content {
        Content::Nothing | Content::PlainText => false,
        Content::Blocks => kind.is_block(),
        Content::Inline => kind.is_inline(),
        Content::Of(kinds) => kinds.contains(&kind),
    }
}

/// Adds the runs as text nodes, equal neighbours of the same live text merged.
fn push_texts(nodes: &mut Vec<Node>, runs: &[Run], with_marks: bool) {
    let start = nodes.len();
    for run in runs.iter().filter(|run| !run.text.is_empty()) {
        let marks: Vec<Mark> = match with_marks {
            true => run.marks.iter().map(|(_, mark)| mark.clone()).collect(),
            false => Vec::new(),
        };
        match nodes.get_mut(start..).and_then(<[Node]>::last_mut) {
            Some(Node::Text(last)) if last.marks == marks => last.text.push_str(&run.text),
            _ => nodes.push(
                Text {
                    text: run.text.clone(),
                    marks,
                }
                .into(),
            ),
        }
    }
}

/// Merges equal neighbours that came from different live texts, everywhere.
pub(super) fn join_texts(nodes: &mut Vec<Node>) {
    nodes.dedup_by(|node, before| match (node, before) {
        (Node::Text(text), Node::Text(before)) if text.marks == before.marks => {
            before.text.push_str(&text.text);
            true
        }
        _ => false,
    });
    for node in nodes {
        if let Node::Element(element) = node {
            join_texts(&mut element.content);
        }
    }
}

fn out_json(value: &Out) -> Json {
    match value {
        Out::Any(any) => any_json(any),
        _ => json!({ "type": "shared" }),
    }
}

fn any_json(value: &Any) -> Json {
    match value {
        Any::Map(entries) => {
            let sorted: BTreeMap<&String, &Any> = entries.iter().collect();
            let object: Map<String, Json> = sorted
                .into_iter()
                .map(|(name, value)| (name.clone(), any_json(value)))
                .collect();
            Json::Object(object)
        }
        Any::Array(values) => values.iter().map(any_json).collect(),
        other => serde_json::to_value(other).unwrap_or_default(),
    }
}
