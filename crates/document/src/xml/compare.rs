//! Equality of two fragments as XML infosets: attribute order, entity spelling and CDATA make no difference.

use std::collections::HashMap;

use super::{Fragment, Id, Item, Part, Siblings, Tag};

/// Where two fragments first differ.
#[derive(Debug, PartialEq)]
pub(crate) struct Difference {
    /// The item of the first fragment that has no equal, or the parent that lacks or has too many children; `None` for the fragment itself.
    pub(crate) at: Option<Id>,
}

/// The first difference between two fragments, in document order of the first, if there is one.
pub(crate) fn first_difference(ours: &Fragment<'_>, theirs: &Fragment<'_>) -> Option<Difference> {
    let mut open: Vec<(Option<Id>, Siblings<'_, '_>, Siblings<'_, '_>)> =
        vec![(None, ours.roots(), theirs.roots())];
    while let Some((parent, left, right)) = open.last_mut() {
        match (left.next(), right.next()) {
            (None, None) => {
                open.pop();
            }
            (Some(a), Some(b)) if same_item(a, b) => {
                if let (Some(tag), Some(other)) = (a.element(), b.element()) {
                    open.push((Some(a.id), ours.children(tag), theirs.children(other)));
                }
            }
            (Some(a), _) => return Some(Difference { at: Some(a.id) }),
            (None, Some(_)) => return Some(Difference { at: *parent }),
        }
    }
    None
}

fn same_item(a: &Item<'_>, b: &Item<'_>) -> bool {
    match (&a.part, &b.part) {
        (Part::Element(a), Part::Element(b)) => a.name == b.name && same_attrs(a, b),
        (Part::Text(a), Part::Text(b)) | (Part::Comment(a), Part::Comment(b)) => a == b,
        (Part::Instruction(a, x), Part::Instruction(b, y)) => a == b && x == y,
        _ => false,
    }
}

fn same_attrs(a: &Tag<'_>, b: &Tag<'_>) -> bool {
    if a.attrs.len() != b.attrs.len() {
        return false;
    }
    if a.attrs == b.attrs {
        return true;
    }
    let theirs: HashMap<&str, &str> = b
        .attrs
        .iter()
        .map(|(name, value)| (*name, value.as_ref()))
        .collect();
    a.attrs
        .iter()
        .all(|(name, value)| theirs.get(name) == Some(&value.as_ref()))
}
