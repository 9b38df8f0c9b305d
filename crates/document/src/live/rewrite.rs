//! Changing a live document so that it reads as a given tree, with as little touched as possible.
//!
//! A port of `updateYFragment` of y-prosemirror 1.3 (MIT, Kevin Jahns): equal children are matched from the left and the right,
//! what is left is updated in place where the kinds agree and replaced otherwise; texts are changed by their difference. Two
//! things are added. Children that are equal on both sides are kept wherever they stand, so that a block inserted at the top does not
//! rewrite all blocks below. And what the schema does not know is never updated: it stays as long as its placeholder stays.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use yrs::types::Delta;
use yrs::{
    In, Text as _, TransactionMut, Xml as _, XmlElementPrelim, XmlElementRef, XmlFragment, XmlOut,
    XmlTextPrelim,
};

use super::marks::{any_value, formats, keyed, value};
use super::mirror::{Inner, Mirror};
use super::text::update_text;
use crate::tree::{Element, Node};

/// The children of a live element: their nodes, and the shared types these came from.
#[derive(Clone, Copy)]
pub(super) struct Live<'l> {
    pub(super) nodes: &'l [Node],
    pub(super) mirrors: &'l [Mirror],
}

impl<'l> Live<'l> {
    fn nodes_of(&self, at: usize) -> &'l [Node] {
        let span = self.mirrors.get(at).map(|mirror| mirror.span.clone());
        span.and_then(|span| self.nodes.get(span))
            .unwrap_or_default()
    }

    /// An element that may be updated in place, with its children.
    fn element(&self, at: usize) -> Option<(&'l XmlElementRef, &'l Element, Live<'l>)> {
        let mirror = self.mirrors.get(at)?;
        match (&mirror.shared, &mirror.inner, self.nodes_of(at)) {
            (XmlOut::Element(shared), Inner::Element(mirrors), [Node::Element(element)]) => {
                let nodes = &element.content;
                Some((shared, element, Live { nodes, mirrors }))
            }
            _ => None,
        }
    }
}

/// Makes the children of a live element equal to the target.
pub(super) fn update_children<P: XmlFragment>(
    txn: &mut TransactionMut<'_>,
    parent: &P,
    live: Live<'_>,
    target: &[Node],
) {
    let groups = groups(target);
    let mut live_end = live.mirrors.len();
    let mut group_end = groups.len();
    for (at, group) in anchors(&live, &groups).into_iter().rev() {
        let open = groups.get(group + 1..group_end).unwrap_or_default();
        Segment::new(live, at + 1..live_end, open).update(txn, parent);
        (live_end, group_end) = (at, group);
    }
    let open = groups.get(..group_end).unwrap_or_default();
    Segment::new(live, 0..live_end, open).update(txn, parent);
}

/// The target in units of shared types: one element, or a run of texts.
fn groups(target: &[Node]) -> Vec<&[Node]> {
    target
        .chunk_by(|a, b| a.as_text().is_some() && b.as_text().is_some())
        .collect()
}

/// Pairs of equal children, ascending on both sides: the first of its like goes with the first of its like, and so on.
fn anchors(live: &Live<'_>, groups: &[&[Node]]) -> Vec<(usize, usize)> {
    let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
    for at in (0..live.mirrors.len()).filter(|at| !live.nodes_of(*at).is_empty()) {
        places.entry(hash(live.nodes_of(at))).or_default().push(at);
    }
    let mut counts: HashMap<u64, usize> = HashMap::new();
    let hashes: Vec<u64> = groups.iter().map(|group| hash(group)).collect();
    for hash in &hashes {
        *counts.entry(*hash).or_default() += 1;
    }
    let mut next: HashMap<u64, usize> = HashMap::new();
    let mut pairs = Vec::new();
    for (group, hash) in hashes.iter().enumerate() {
        let Some(equals) = places.get(hash) else {
            continue;
        };
        let index = next.entry(*hash).or_default();
        if counts.get(hash) == Some(&equals.len())
            && let Some(at) = equals.get(*index)
            && groups
                .get(group)
                .is_some_and(|nodes| *nodes == live.nodes_of(*at))
        {
            pairs.push((*at, group));
        }
        *index += 1;
    }
    ascending(&pairs)
}

fn hash(nodes: &[Node]) -> u64 {
    let mut hasher = DefaultHasher::new();
    nodes.hash(&mut hasher);
    hasher.finish()
}

/// A longest subsequence in which the first numbers ascend.
fn ascending(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // `tails[n]` is the index of the pair that ends the best subsequence of n + 1 pairs.
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    let first = |index: &usize| pairs.get(*index).map(|pair| pair.0);
    for (index, pair) in pairs.iter().enumerate() {
        let length = tails.partition_point(|tail| first(tail) < Some(pair.0));
        before.push(
            length
                .checked_sub(1)
                .and_then(|last| tails.get(last).copied()),
        );
        match tails.get_mut(length) {
            Some(tail) => *tail = index,
            None => tails.push(index),
        }
    }
    let mut chain = Vec::with_capacity(tails.len());
    let mut at = tails.last().copied();
    while let Some(index) = at {
        chain.extend(pairs.get(index));
        at = before.get(index).copied().flatten();
    }
    chain.reverse();
    chain
}

/// Children between two anchors, on both sides.
struct Segment<'l, 'g> {
    live: Live<'l>,
    range: Range<usize>,
    groups: &'g [&'g [Node]],
    /// How many are done from the left and from the right.
    left: usize,
    right: usize,
}

impl<'l, 'g> Segment<'l, 'g> {
    fn new(live: Live<'l>, range: Range<usize>, groups: &'g [&'g [Node]]) -> Self {
        Segment {
            live,
            range,
            groups,
            left: 0,
            right: 0,
        }
    }

    fn live_left(&self) -> usize {
        self.range.len().saturating_sub(self.left + self.right)
    }

    fn groups_left(&self) -> usize {
        self.groups.len().saturating_sub(self.left + self.right)
    }

    fn update<P: XmlFragment>(mut self, txn: &mut TransactionMut<'_>, parent: &P) {
        while self.live_left() > 0 && self.groups_left() > 0 {
            self.step(txn, parent);
        }
        let at = self.range.start + self.left;
        let surplus = self.live_left();
        if let (1, [only], []) = (surplus, self.live.mirrors, self.groups)
            && let XmlOut::Text(text) = &only.shared
            && matches!(only.inner, Inner::Text(_))
        {
            // The text stays, emptied, so that what others type into it at this moment is kept.
            let length = text.len(txn);
            if length > 0 {
                text.remove_range(txn, 0, length);
            }
        } else if surplus > 0 {
            parent.remove_range(txn, index(at), index(surplus));
        }
        let end = self.groups.len().saturating_sub(self.right);
        let missing = self.groups.get(self.left..end).unwrap_or_default();
        for (offset, group) in missing.iter().enumerate() {
            insert(txn, parent, index(at + offset), group);
        }
    }

    /// Deals with one child, on the left or on the right.
    fn step<P: XmlFragment>(&mut self, txn: &mut TransactionMut<'_>, parent: &P) {
        let left = self.range.start + self.left;
        let right = self.range.end.saturating_sub(self.right + 1);
        let group_right = self.groups.len().saturating_sub(self.right + 1);
        let left_group = self.groups.get(self.left).copied().unwrap_or_default();
        let right_group = self.groups.get(group_right).copied().unwrap_or_default();
        if self.live.nodes_of(left) == left_group {
            self.left += 1;
        } else if self.live.nodes_of(right) == right_group {
            self.right += 1;
        } else if self.text(txn, left, left_group) {
            self.left += 1;
        } else {
            let from_left = self.match_factor(left, left_group);
            let from_right = self.match_factor(right, right_group);
            match (from_left, from_right) {
                (Some(a), Some(b)) if a < b => self.update_right(txn, right, right_group),
                (Some(_), _) => {
                    self.update_at(txn, left, left_group);
                    self.left += 1;
                }
                (None, Some(_)) => self.update_right(txn, right, right_group),
                (None, None) => {
                    parent.remove_range(txn, index(left), 1);
                    insert(txn, parent, index(left), left_group);
                    self.left += 1;
                }
            }
        }
    }

    fn update_right(&mut self, txn: &mut TransactionMut<'_>, at: usize, group: &[Node]) {
        self.update_at(txn, at, group);
        self.right += 1;
    }

    fn text(&self, txn: &mut TransactionMut<'_>, at: usize, group: &[Node]) -> bool {
        let Some(mirror) = self.live.mirrors.get(at) else {
            return false;
        };
        match (&mirror.shared, &mirror.inner, group.first()) {
            (XmlOut::Text(text), Inner::Text(runs), Some(Node::Text(_))) => {
                update_text(txn, text, runs, group);
                true
            }
            _ => false,
        }
    }

    /// How many children would be kept if this one became that one; `None` if it cannot.
    fn match_factor(&self, at: usize, group: &[Node]) -> Option<usize> {
        let (_, element, live) = self.live.element(at)?;
        let target = sole_element(group).filter(|target| target.kind == element.kind)?;
        let groups = groups(&target.content);
        let fewer = live.mirrors.len().min(groups.len());
        let equal = |at: usize, group: usize| {
            groups
                .get(group)
                .is_some_and(|nodes| *nodes == live.nodes_of(at))
        };
        let left = (0..fewer).take_while(|at| equal(*at, *at)).count();
        let right = (0..fewer - left)
            .take_while(|n| equal(live.mirrors.len() - n - 1, groups.len() - n - 1))
            .count();
        Some(left + right)
    }

    fn update_at(&self, txn: &mut TransactionMut<'_>, at: usize, group: &[Node]) {
        if let (Some((shared, element, live)), Some(target)) =
            (self.live.element(at), sole_element(group))
        {
            update_attributes(txn, shared, element, target);
            update_children(txn, shared, live, &target.content);
        }
    }
}

fn sole_element(group: &[Node]) -> Option<&Element> {
    group.first().and_then(Node::as_element)
}

fn update_attributes(
    txn: &mut TransactionMut<'_>,
    shared: &XmlElementRef,
    element: &Element,
    target: &Element,
) {
    let specs = target.kind.spec().attrs;
    for (name, _) in specs {
        let (old, new) = (
            value(name, specs, &element.attrs),
            value(name, specs, &target.attrs),
        );
        match new {
            new if new == old => {}
            Some(new) => {
                shared.insert_attribute(txn, *name, any_value(new));
            }
            None => shared.remove_attribute(txn, name),
        }
    }
}

/// Inserts an element or a run of texts as a new shared type.
fn insert<P: XmlFragment>(txn: &mut TransactionMut<'_>, parent: &P, at: u32, group: &[Node]) {
    match group {
        [Node::Element(element)] => {
            let shared = parent.insert(txn, at, XmlElementPrelim::empty(element.kind.name()));
            for (at, group) in groups(&element.content).into_iter().enumerate() {
                insert(txn, &shared, index(at), group);
            }
            let specs = element.kind.spec().attrs;
            for (name, _) in specs {
                if let Some(value) = value(name, specs, &element.attrs) {
                    shared.insert_attribute(txn, *name, any_value(value));
                }
            }
        }
        texts => {
            let shared = parent.insert(txn, at, XmlTextPrelim::new(""));
            let delta: Vec<Delta<In>> = texts
                .iter()
                .filter_map(Node::as_text)
                .map(|text| {
                    let formats = formats(&keyed(&text.marks));
                    Delta::Inserted(In::from(text.text.as_str()), Some(Box::new(formats)))
                })
                .collect();
            shared.apply_delta(txn, delta);
        }
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
