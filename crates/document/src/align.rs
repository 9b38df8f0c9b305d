//! Which blocks of two lists are the same, changed, gone or new.

use std::collections::HashMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::limits::ALIGNED_BLOCKS_MAX;
use crate::schema::Kind;
use crate::tree::{Element, Node};

/// Two blocks must have this share of their words in common to be one that changed.
const ALIKE: f64 = 0.4;

/// One node, or a pair of nodes, of two lists brought into one order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aligned<'a> {
    /// In both lists; the newer one.
    Same(&'a Node),
    /// Only in the older list.
    Removed(&'a Node),
    /// Only in the newer list.
    Added(&'a Node),
    /// In both, changed: the older one and the newer one.
    Pair(&'a Element, &'a Element),
}

/// The same by places in the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Same(usize, usize),
    Removed(usize),
    Added(usize),
    Pair(usize, usize),
}

/// Both lists in one order: equal nodes once, alike ones paired, the others removed or added.
pub fn align<'a>(older: &'a [Node], newer: &'a [Node]) -> Vec<Aligned<'a>> {
    let nodes = |step| match step {
        Step::Same(_, new) => newer.get(new).map(Aligned::Same),
        Step::Removed(old) => older.get(old).map(Aligned::Removed),
        Step::Added(new) => newer.get(new).map(Aligned::Added),
        Step::Pair(old, new) => match (older.get(old), newer.get(new)) {
            (Some(Node::Element(old)), Some(Node::Element(new))) => Some(Aligned::Pair(old, new)),
            _ => None,
        },
    };
    steps(older, newer).into_iter().filter_map(nodes).collect()
}

/// The steps from the older list to the newer one. Within a changed stretch what is gone comes before what is new.
pub(crate) fn steps(older: &[Node], newer: &[Node]) -> Vec<Step> {
    // Numbers for nodes: equal ones have the same, and comparing them costs nothing.
    let mut numbers: HashMap<&Node, usize> = HashMap::new();
    let mut number = |node| {
        let next = numbers.len();
        *numbers.entry(node).or_insert(next)
    };
    let old: Vec<usize> = older.iter().map(&mut number).collect();
    let new: Vec<usize> = newer.iter().map(&mut number).collect();
    let mut steps = Vec::with_capacity(old.len().max(new.len()));
    for op in capture_diff_slices(Algorithm::Patience, &old, &new) {
        match op {
            DiffOp::Equal {
                old_index,
                new_index,
                len,
            } => {
                steps.extend((0..len).map(|at| Step::Same(old_index + at, new_index + at)));
            }
            other => {
                let (old, new) = (other.old_range(), other.new_range());
                let older = older.get(old.clone()).unwrap_or_default();
                let newer = newer.get(new.clone()).unwrap_or_default();
                changed(older, newer, (old.start, new.start), &mut steps);
            }
        }
    }
    steps
}

/// Finds, among blocks that are in neither list equal, those that are alike and in the same order.
fn changed(older: &[Node], newer: &[Node], from: (usize, usize), steps: &mut Vec<Step>) {
    let (mut old_at, mut new_at) = (0, 0);
    let ends = [(older.len(), newer.len())];
    for (old, new) in pairs(older, newer).into_iter().chain(ends) {
        steps.extend((old_at..old).map(|at| Step::Removed(from.0 + at)));
        steps.extend((new_at..new).map(|at| Step::Added(from.1 + at)));
        if old < older.len() && new < newer.len() {
            steps.push(Step::Pair(from.0 + old, from.1 + new));
        }
        (old_at, new_at) = (old + 1, new + 1);
    }
}

/// The pairs in order with the greatest sum of likeness (a longest common subsequence with weights). Very long stretches
/// are paired one by one.
fn pairs(older: &[Node], newer: &[Node]) -> Vec<(usize, usize)> {
    let old: Vec<_> = older.iter().map(|node| (node, bag(node))).collect();
    let new: Vec<_> = newer.iter().map(|node| (node, bag(node))).collect();
    let alike = |i: usize, j: usize| match (old.get(i), new.get(j)) {
        (Some(old), Some(new)) => likeness(old, new),
        _ => 0.0,
    };
    if older.len().saturating_mul(newer.len()) > ALIGNED_BLOCKS_MAX {
        let both = 0..older.len().min(newer.len());
        return both
            .filter(|at| alike(*at, *at) >= ALIKE)
            .map(|at| (at, at))
            .collect();
    }
    let width = newer.len() + 1;
    let mut best = vec![0.0_f64; (older.len() + 1) * width];
    let score = |best: &[f64], i: usize, j: usize| best.get(i * width + j).copied().unwrap_or(0.0);
    for i in (0..older.len()).rev() {
        for j in (0..newer.len()).rev() {
            let here = alike(i, j);
            let paired = if here >= ALIKE {
                here + score(&best, i + 1, j + 1)
            } else {
                0.0
            };
            let rest = score(&best, i + 1, j).max(score(&best, i, j + 1));
            if let Some(place) = best.get_mut(i * width + j) {
                *place = paired.max(rest);
            }
        }
    }
    let (mut pairs, mut i, mut j) = (Vec::new(), 0, 0);
    while i < older.len() && j < newer.len() {
        let here = score(&best, i, j);
        if here == score(&best, i + 1, j) {
            i += 1;
        } else if here == score(&best, i, j + 1) {
            j += 1;
        } else {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        }
    }
    pairs
}

type Words<'a> = HashMap<&'a str, usize>;

/// The share of words that two nodes have in common; 0 for nodes that cannot be one that changed.
fn likeness(older: &(&Node, Words<'_>), newer: &(&Node, Words<'_>)) -> f64 {
    let (Node::Element(a), Node::Element(b)) = (older.0, newer.0) else {
        return 0.0;
    };
    if a.kind != b.kind
        || a.kind.is_atom()
        || a.kind.is_inline()
        || a.content.is_empty() != b.content.is_empty()
    {
        return 0.0;
    }
    // A cell or row keeps its place even when all its words are new.
    let floor = if matches!(a.kind, Kind::TableRow | Kind::TableCell | Kind::TableHeader) {
        ALIKE
    } else {
        0.0
    };
    let (old, new) = (&older.1, &newer.1);
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

fn bag(node: &Node) -> Words<'_> {
    let mut words = HashMap::new();
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        match node {
            Node::Text(text) => {
                let parts = text.text.split(|c: char| !c.is_alphanumeric());
                for word in parts.filter(|word| !word.is_empty()) {
                    *words.entry(word).or_default() += 1;
                }
            }
            Node::Element(element) => waiting.extend(&element.content),
        }
    }
    words
}
