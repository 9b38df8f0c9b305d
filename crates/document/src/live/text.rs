//! Changing a live text by its difference from the target. Offsets are UTF-16 units; no surrogate pair is ever split.

use std::sync::Arc;

use yrs::types::Attrs as Formats;
use yrs::{Any, Text, TransactionMut, XmlTextRef};

use super::marks::{Keyed, any, formats, keyed};
use super::mirror::Run;
use crate::tree::{Mark, Node};

/// What differs between two texts, in UTF-16 units.
struct Difference<'n> {
    prefix: u32,
    removed: u32,
    inserted: &'n str,
}

fn difference<'n>(old: &str, new: &'n str) -> Difference<'n> {
    let prefix: usize = old
        .chars()
        .zip(new.chars())
        .take_while(|(a, b)| a == b)
        .map(|(c, _)| c.len_utf8())
        .sum();
    let (old_rest, new_rest) = (
        old.get(prefix..).unwrap_or_default(),
        new.get(prefix..).unwrap_or_default(),
    );
    let suffix: usize = old_rest
        .chars()
        .rev()
        .zip(new_rest.chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(c, _)| c.len_utf8())
        .sum();
    let removed = old_rest.get(..old_rest.len() - suffix).unwrap_or_default();
    let inserted = new_rest.get(..new_rest.len() - suffix).unwrap_or_default();
    Difference {
        prefix: units(old.get(..prefix).unwrap_or_default()),
        removed: units(removed),
        inserted,
    }
}

fn units(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// Makes a plain text, such as a title, equal to the target.
pub(super) fn update_plain<T: Text>(txn: &mut TransactionMut<'_>, text: &T, old: &str, new: &str) {
    let found = difference(old, new);
    if found.removed > 0 {
        text.remove_range(txn, found.prefix, found.removed);
    }
    if !found.inserted.is_empty() {
        text.insert(txn, found.prefix, found.inserted);
    }
}

/// Makes a live text equal to a run of text nodes.
pub(super) fn update_text(
    txn: &mut TransactionMut<'_>,
    text: &XmlTextRef,
    runs: &[Run],
    target: &[Node],
) {
    let target: Vec<Run> = target
        .iter()
        .filter_map(Node::as_text)
        .map(|node| Run {
            text: node.text.clone(),
            marks: keyed(&node.marks),
        })
        .collect();
    let old: String = runs.iter().map(|run| run.text.as_str()).collect();
    let new: String = target.iter().map(|run| run.text.as_str()).collect();
    let found = difference(&old, &new);
    if found.removed > 0 {
        text.remove_range(txn, found.prefix, found.removed);
    }
    let inserted = units(found.inserted);
    for span in spans(&target, found.prefix, found.prefix + inserted) {
        text.insert_with_attributes(txn, span.start, &span.text, formats(span.marks));
    }
    let tail = units(&old).saturating_sub(found.prefix + found.removed);
    format(txn, text, (runs, 0), (&target, 0), found.prefix);
    let (old_tail, new_tail) = (found.prefix + found.removed, found.prefix + inserted);
    format(txn, text, (runs, old_tail), (&target, new_tail), tail);
}

/// A piece of a run: where it starts in the text, and what it is.
struct Span<'r> {
    start: u32,
    text: String,
    marks: &'r Keyed,
}

/// The pieces of the runs between two offsets.
fn spans(runs: &[Run], from: u32, to: u32) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut at = 0u32;
    for run in runs {
        let mut span = Span {
            start: at.max(from),
            text: String::new(),
            marks: &run.marks,
        };
        for c in run.text.chars() {
            if at >= from && at < to {
                span.text.push(c);
            }
            at += if c.len_utf16() == 2 { 2 } else { 1 };
        }
        if !span.text.is_empty() {
            spans.push(span);
        }
    }
    spans
}

/// Gives text that stayed the marks of the target; both sides start at their offset and are equally long.
fn format(
    txn: &mut TransactionMut<'_>,
    text: &XmlTextRef,
    old: (&[Run], u32),
    new: (&[Run], u32),
    length: u32,
) {
    let old_spans = spans(old.0, old.1, old.1.saturating_add(length));
    let new_spans = spans(new.0, new.1, new.1.saturating_add(length));
    let mut olds = old_spans.iter().map(|span| (units(&span.text), span.marks));
    let mut news = new_spans.iter().map(|span| (units(&span.text), span.marks));
    let (mut a, mut b) = (olds.next(), news.next());
    let mut at = new.1;
    while let (Some((left, had)), Some((right, wants))) = (a, b) {
        let step = left.min(right);
        let change = change(had, wants);
        if !change.is_empty() {
            text.format(txn, at, step, change);
        }
        at += step;
        a = if left > step {
            Some((left - step, had))
        } else {
            olds.next()
        };
        b = if right > step {
            Some((right - step, wants))
        } else {
            news.next()
        };
    }
}

/// The formatting that turns one set of marks into another. A mark that stays keeps the key it has.
fn change(had: &Keyed, wants: &Keyed) -> Formats {
    let lacks = |marks: &Keyed, mark: &Mark| marks.iter().all(|(_, other)| other != mark);
    let gone = had
        .iter()
        .filter(|(_, mark)| lacks(wants, mark))
        .map(|(key, _)| (Arc::from(key.as_str()), Any::Null));
    let come = wants
        .iter()
        .filter(|(_, mark)| lacks(had, mark))
        .map(|(key, mark)| (Arc::from(key.as_str()), any(mark)));
    gone.chain(come).collect()
}
