//! Merging two trees into one that shows both: blocks are aligned, those that are alike are merged, down to words.

use crate::limits::{ALIGNED_BLOCKS_MAX, COMPARED_WORDS_MAX};
use document::{Document, Element, Kind, Mark, Node, StorageFormat, Text};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::HashMap;
use std::ops::Range;

/// Signs before and after inserted text: characters of a private area that no script uses.
pub(crate) const INSERTED: (char, char) = ('\u{10ff00}', '\u{10ff01}');
/// Signs before and after deleted text.
pub(crate) const DELETED: (char, char) = ('\u{10ff02}', '\u{10ff03}');

/// Two blocks must have this share of their words in common to be shown as one that changed.
const ALIKE: f64 = 0.4;

/// A node of the merged order.
pub(crate) enum Merged<'a> {
    Same(&'a Node),
    Removed(&'a Node),
    Added(&'a Node),
    Pair(&'a Element, &'a Element),
}

/// The document without characters that would be taken for signs.
pub(crate) fn without_signs(document: &Document) -> Document {
    fn clean(node: &Node) -> Node {
        match node {
            Node::Text(text) => {
                let plain = text.text.chars().filter(|c| !is_sign(*c)).collect();
                Node::Text(Text {
                    text: plain,
                    marks: text.marks.clone(),
                })
            }
            Node::Element(element) => {
                let content = element.content.iter().map(clean).collect();
                Node::Element(Element {
                    kind: element.kind,
                    attrs: element.attrs.clone(),
                    content,
                })
            }
        }
    }
    Document::new(document.content.iter().map(clean).collect())
}

/// Both lists in one order: equal nodes once, alike ones paired, the others removed or added.
pub(crate) fn align<'a>(older: &'a [Node], newer: &'a [Node]) -> Vec<Merged<'a>> {
    let (old_keys, new_keys): (Vec<_>, Vec<_>) = (
        older.iter().map(key).collect(),
        newer.iter().map(key).collect(),
    );
    let mut merged = Vec::new();
    for op in capture_diff_slices(Algorithm::Patience, &old_keys, &new_keys) {
        match op {
            DiffOp::Equal { new_index, len, .. } => {
                merged.extend(newer[new_index..new_index + len].iter().map(Merged::Same))
            }
            other => align_changed(
                &older[other.old_range()],
                &newer[other.new_range()],
                &mut merged,
            ),
        }
    }
    merged
}

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

fn merged_node(merged: Merged<'_>) -> Vec<Node> {
    match merged {
        Merged::Same(node) => vec![node.clone()],
        Merged::Removed(node) => signed(node, DELETED),
        Merged::Added(node) => signed(node, INSERTED),
        Merged::Pair(old, new) => vec![pair(old, new).into()],
    }
}

/// Equal exactly for nodes that are written alike.
fn key(node: &Node) -> String {
    StorageFormat::write(&Document::new(vec![node.clone()]))
}

/// Finds, among blocks that are in neither list equal, those that are alike and in the same order.
fn align_changed<'a>(older: &'a [Node], newer: &'a [Node], merged: &mut Vec<Merged<'a>>) {
    let (mut old_at, mut new_at) = (0, 0);
    for (old_index, new_index) in best_pairs(older, newer) {
        merged.extend(older[old_at..old_index].iter().map(Merged::Removed));
        merged.extend(newer[new_at..new_index].iter().map(Merged::Added));
        if let (Node::Element(old), Node::Element(new)) = (&older[old_index], &newer[new_index]) {
            merged.push(Merged::Pair(old, new));
        }
        (old_at, new_at) = (old_index + 1, new_index + 1);
    }
    merged.extend(older[old_at..].iter().map(Merged::Removed));
    merged.extend(newer[new_at..].iter().map(Merged::Added));
}

/// The pairs in order with the greatest sum of likeness (a longest common subsequence with weights). Very long stretches
/// are paired one by one.
fn best_pairs(older: &[Node], newer: &[Node]) -> Vec<(usize, usize)> {
    let (old_words, new_words): (Vec<_>, Vec<_>) = (
        older.iter().map(bag).collect(),
        newer.iter().map(bag).collect(),
    );
    let alike = |i: usize, j: usize| likeness(&older[i], &newer[j], &old_words[i], &new_words[j]);
    if older.len() * newer.len() > ALIGNED_BLOCKS_MAX {
        return (0..older.len().min(newer.len()))
            .filter(|at| alike(*at, *at) >= ALIKE)
            .map(|at| (at, at))
            .collect();
    }
    let width = newer.len() + 1;
    let mut best = vec![0.0_f64; (older.len() + 1) * width];
    for i in (0..older.len()).rev() {
        for j in (0..newer.len()).rev() {
            let score = alike(i, j);
            let paired = if score >= ALIKE {
                score + best[(i + 1) * width + j + 1]
            } else {
                0.0
            };
            best[i * width + j] = paired
                .max(best[(i + 1) * width + j])
                .max(best[i * width + j + 1]);
        }
    }
    let (mut pairs, mut i, mut j) = (Vec::new(), 0, 0);
    while i < older.len() && j < newer.len() {
        let here = best[i * width + j];
        if here == best[(i + 1) * width + j] {
            i += 1;
        } else if here == best[i * width + j + 1] {
            j += 1;
        } else {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        }
    }
    pairs
}

/// The share of words that two nodes have in common; 0 for nodes that cannot be merged.
fn likeness(
    older: &Node,
    newer: &Node,
    old: &HashMap<String, usize>,
    new: &HashMap<String, usize>,
) -> f64 {
    let (Node::Element(a), Node::Element(b)) = (older, newer) else {
        return 0.0;
    };
    if a.kind != b.kind
        || a.kind.is_atom()
        || a.kind.is_inline()
        || a.content.is_empty() != b.content.is_empty()
    {
        return 0.0;
    }
    // A cell, row or item keeps its place even when all its words are new.
    let floor = if matches!(a.kind, Kind::TableRow | Kind::TableCell | Kind::TableHeader) {
        ALIKE
    } else {
        0.0
    };
    let common: usize = old
        .iter()
        .map(|(word, count)| new.get(word).map_or(0, |other| (*other).min(*count)))
        .sum();
    let all: usize = old.values().sum::<usize>() + new.values().sum::<usize>();
    if all == 0 {
        return 1.0;
    }
    (2.0 * common as f64 / all as f64).max(floor)
}

fn bag(node: &Node) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        match node {
            Node::Text(text) => {
                for word in text
                    .text
                    .split(|c: char| !c.is_alphanumeric())
                    .filter(|word| !word.is_empty())
                {
                    *words.entry(word.to_owned()).or_default() += 1;
                }
            }
            Node::Element(element) => waiting.extend(&element.content),
        }
    }
    words
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

fn is_sign(c: char) -> bool {
    [INSERTED.0, INSERTED.1, DELETED.0, DELETED.1].contains(&c)
}
