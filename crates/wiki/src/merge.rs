//! Merging two trees into one that shows both: blocks are aligned, those that are alike are merged, down to words.

use crate::limits::COMPARED_WORDS_MAX;
use crate::signs::{DELETED, INSERTED};
use document::{Aligned, Document, Element, Mark, Node, StorageFormat, Text, align};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::ops::Range;

/// Merges two elements of one kind; the newer one's attributes count.
pub(crate) fn pair(older: &Element, newer: &Element) -> Element {
    let content = if holds_inline(older) && holds_inline(newer) {
        merge_inline(&older.content, &newer.content)
    } else {
        align(&older.content, &newer.content)
            .into_iter()
            .flat_map(merged_node)
            .collect()
    };
    Element {
        kind: newer.kind,
        attrs: newer.attrs.clone(),
        content,
    }
}

fn merged_node(merged: Aligned<'_>) -> Vec<Node> {
    match merged {
        Aligned::Same(node) => vec![node.clone()],
        Aligned::Removed(node) => signed(node, DELETED),
        Aligned::Added(node) => signed(node, INSERTED),
        Aligned::Pair(old, new) => vec![pair(old, new).into()],
    }
}

/// Equal exactly for nodes that are written alike.
fn key(node: &Node) -> String {
    StorageFormat::write(&Document::new(vec![node.clone()]))
}

fn holds_inline(element: &Element) -> bool {
    element.content.iter().all(Node::is_inline)
}

/// One word, one blank, one sign of punctuation, or one inline atom.
struct Piece {
    key: String,
    node: usize,
    range: Range<usize>,
}

fn merge_inline(older: &[Node], newer: &[Node]) -> Vec<Node> {
    let (old, new) = (pieces(older), pieces(newer));
    let mut out = Vec::new();
    if old.len() > COMPARED_WORDS_MAX || new.len() > COMPARED_WORDS_MAX {
        out.extend(older.iter().flat_map(|node| signed(node, DELETED)));
        out.extend(newer.iter().flat_map(|node| signed(node, INSERTED)));
        return out;
    }
    let keys = |pieces: &[Piece]| {
        pieces
            .iter()
            .map(|piece| piece.key.clone())
            .collect::<Vec<_>>()
    };
    for op in capture_diff_slices(Algorithm::Myers, &keys(&old), &keys(&new)) {
        if let DiffOp::Equal { new_index, len, .. } = op {
            out.extend(joined(newer, &new[new_index..new_index + len]));
            continue;
        }
        out.extend(
            joined(older, &old[op.old_range()])
                .iter()
                .flat_map(|node| signed(node, DELETED)),
        );
        out.extend(
            joined(newer, &new[op.new_range()])
                .iter()
                .flat_map(|node| signed(node, INSERTED)),
        );
    }
    out
}

fn pieces(nodes: &[Node]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (node, content) in nodes.iter().enumerate() {
        match content {
            Node::Element(_) => pieces.push(Piece {
                key: key(content),
                node,
                range: 0..0,
            }),
            Node::Text(text) => {
                let marks = marks_key(&text.marks);
                for range in word_ranges(&text.text) {
                    let key = format!("{}\u{0}{marks}", &text.text[range.clone()]);
                    pieces.push(Piece { key, node, range });
                }
            }
        }
    }
    pieces
}

fn marks_key(marks: &[Mark]) -> String {
    if marks.is_empty() {
        String::new()
    } else {
        format!("{marks:?}")
    }
}

fn word_ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut last_class = None;
    for (at, c) in text.char_indices() {
        let class = if c.is_alphanumeric() {
            Some(1)
        } else if c.is_whitespace() && c != '\n' {
            Some(2)
        } else {
            None
        };
        match ranges.last_mut() {
            Some(range) if class.is_some() && class == last_class => range.end = at + c.len_utf8(),
            _ => ranges.push(at..at + c.len_utf8()),
        }
        last_class = class;
    }
    ranges
}

/// Pieces that follow each other, as nodes again.
fn joined(nodes: &[Node], pieces: &[Piece]) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    let mut last = None;
    for piece in pieces {
        match &nodes[piece.node] {
            Node::Element(element) => out.push(Node::Element(element.clone())),
            Node::Text(text) => {
                let part = &text.text[piece.range.clone()];
                match out.last_mut() {
                    Some(Node::Text(before)) if last == Some(piece.node) => {
                        before.text.push_str(part)
                    }
                    _ => out.push(Node::Text(Text {
                        text: part.to_owned(),
                        marks: text.marks.clone(),
                    })),
                }
            }
        }
        last = Some(piece.node);
    }
    out
}

/// The node with signs around its text and inline atoms. Each line by itself: code may be rendered line by line.
fn signed(node: &Node, signs: (char, char)) -> Vec<Node> {
    match node {
        Node::Text(text) => {
            let lines: Vec<String> = text
                .text
                .split('\n')
                .map(|line| around(line, signs))
                .collect();
            vec![Node::Text(Text {
                text: lines.join("\n"),
                marks: text.marks.clone(),
            })]
        }
        Node::Element(element) if element.kind.is_inline() => {
            vec![Node::plain(signs.0), node.clone(), Node::plain(signs.1)]
        }
        Node::Element(element) => {
            let content = element
                .content
                .iter()
                .flat_map(|child| signed(child, signs))
                .collect();
            vec![Node::Element(Element {
                kind: element.kind,
                attrs: element.attrs.clone(),
                content,
            })]
        }
    }
}

fn around(line: &str, signs: (char, char)) -> String {
    if line.is_empty() {
        String::new()
    } else {
        format!("{}{line}{}", signs.0, signs.1)
    }
}
