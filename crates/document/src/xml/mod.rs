//! A strict parser for XML fragments that keeps the place of everything in the source.
//!
//! The nodes lie in one flat vector, linked by index, so that neither parsing nor dropping a deep nest uses the stack.

use std::borrow::Cow;

mod compare;
mod entities;
mod names;
mod parse;
mod position;

pub(crate) use compare::{Difference, first_difference};
pub(crate) use names::{is_bound_name, is_char, is_space};
pub(crate) use position::Positions;

use crate::tree::Malformed;

/// Index of an item in its fragment.
pub(crate) type Id = usize;

/// A parsed fragment: any number of elements and text beside each other, no root.
pub(crate) struct Fragment<'s> {
    pub(crate) source: &'s str,
    /// In document order: every parent stands before its children.
    items: Vec<Item<'s>>,
    first: Option<Id>,
}

/// An element, a text, a comment or a processing instruction.
pub(crate) struct Item<'s> {
    pub(crate) id: Id,
    pub(crate) parent: Option<Id>,
    /// Byte range in the source, tags included.
    pub(crate) start: usize,
    pub(crate) end: usize,
    next: Option<Id>,
    pub(crate) part: Part<'s>,
}

pub(crate) enum Part<'s> {
    Element(Tag<'s>),
    /// Characters, references and CDATA sections in one, resolved; never empty.
    Text(Cow<'s, str>),
    Comment(Cow<'s, str>),
    Instruction(&'s str, Cow<'s, str>),
}

pub(crate) struct Tag<'s> {
    pub(crate) name: &'s str,
    pub(crate) attrs: Vec<(&'s str, Cow<'s, str>)>,
    first: Option<Id>,
    /// Whether it declares a namespace prefix, which its content may need.
    pub(crate) declares: bool,
}

impl<'s> Fragment<'s> {
    pub(crate) fn parse(source: &'s str) -> Result<Self, Malformed> {
        parse::parse(source)
    }

    /// All items, parents before children.
    pub(crate) fn items(&self) -> &[Item<'s>] {
        &self.items
    }

    pub(crate) fn roots(&self) -> Siblings<'_, 's> {
        self.siblings(self.first)
    }

    pub(crate) fn children(&self, tag: &Tag<'s>) -> Siblings<'_, 's> {
        self.siblings(tag.first)
    }

    pub(crate) fn slice(&self, item: &Item<'s>) -> &'s str {
        self.source.get(item.start..item.end).unwrap_or_default()
    }

    pub(crate) fn parent(&self, id: Id) -> Option<Id> {
        self.items.get(id)?.parent
    }

    fn siblings(&self, first: Option<Id>) -> Siblings<'_, 's> {
        Siblings {
            items: &self.items,
            next: first,
        }
    }
}

impl<'s> Item<'s> {
    pub(crate) fn element(&self) -> Option<&Tag<'s>> {
        match &self.part {
            Part::Element(tag) => Some(tag),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.part {
            Part::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text, if there is nothing in it but white space.
    pub(crate) fn space(&self) -> Option<&str> {
        self.text().filter(|text| is_space(text))
    }
}

impl Tag<'_> {
    pub(crate) fn attr(&self, name: &str) -> Option<&str> {
        self.attrs
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.as_ref())
    }
}

/// Items that have the same parent, in order.
pub(crate) struct Siblings<'a, 's> {
    items: &'a [Item<'s>],
    next: Option<Id>,
}

impl<'a, 's> Iterator for Siblings<'a, 's> {
    type Item = &'a Item<'s>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.items.get(self.next?)?;
        self.next = item.next;
        Some(item)
    }
}

#[cfg(test)]
mod tests;
