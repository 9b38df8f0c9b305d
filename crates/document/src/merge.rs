//! Merging two changes of one document, block by block.
//!
//! A block that only one side changed, moved or removed is taken from that side; what was added is taken from both. A block that both
//! changed, and not alike, is a real overlap: nothing is merged then. Lists, tables and other containers are merged by what is in
//! them; a line of text is never put together from two.

use std::collections::HashMap;

use crate::align::{Step, steps};
use crate::schema::Kind;
use crate::text::PlainText;
use crate::tree::{Attrs, Document, Element, Node};

/// A block that both sides changed, each in its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The text of one side's block; empty if that side removed it.
    pub ours: String,
    /// The text of the other side's block; empty if that side removed it.
    pub theirs: String,
}

/// Three-way merging of documents.
pub struct Merge;

impl Merge {
    /// Both changes of `base` in one document, or the blocks that stand against it. Where both added something in one place, ours
    /// comes first.
    pub fn blocks(
        base: &Document,
        ours: &Document,
        theirs: &Document,
    ) -> Result<Document, Vec<Overlap>> {
        let mut merger = Merger::default();
        let content = merger.list(&base.content, &ours.content, &theirs.content);
        if merger.overlaps.is_empty() {
            Ok(Document::new(content))
        } else {
            Err(merger.overlaps)
        }
    }
}

#[derive(Default)]
struct Merger {
    overlaps: Vec<Overlap>,
}

/// What became of a block of the base on one side.
#[derive(Clone, Copy, PartialEq)]
enum Fate<'a> {
    Kept(&'a Node),
    Gone,
    /// It stands, unchanged, somewhere else.
    Moved(&'a Node),
}

impl<'a> Fate<'a> {
    fn node(self) -> Option<&'a Node> {
        match self {
            Fate::Kept(node) | Fate::Moved(node) => Some(node),
            Fate::Gone => None,
        }
    }
}

/// Something that stands in a gap between two blocks of the base.
#[derive(Clone, Copy, PartialEq)]
enum Entry<'a> {
    New(&'a Node),
    /// The block of the base of this number.
    Moved(usize),
}

/// One side's change of a list.
struct Side<'a> {
    fates: Vec<Fate<'a>>,
    /// What was put before the block of that number; one more for the end.
    gaps: Vec<Vec<Entry<'a>>>,
    /// For a block that is gone: the gap where that which was put in its stead stands.
    stead: Vec<Option<usize>>,
}

impl<'a> Side<'a> {
    fn of(base: &'a [Node], list: &'a [Node]) -> Side<'a> {
        let mut side = Side {
            fates: base.iter().map(Fate::Kept).collect(),
            gaps: vec![Vec::new(); base.len() + 1],
            stead: vec![None; base.len()],
        };
        let (mut gap, mut gone) = (0, Vec::new());
        for step in steps(base, list) {
            match step {
                Step::Same(old, _) => (gap, gone) = (old + 1, Vec::new()),
                Step::Pair(old, new) => {
                    if let (Some(fate), Some(node)) = (side.fates.get_mut(old), list.get(new)) {
                        *fate = Fate::Kept(node);
                    }
                    (gap, gone) = (old + 1, Vec::new());
                }
                Step::Removed(old) => {
                    if let Some(fate) = side.fates.get_mut(old) {
                        *fate = Fate::Gone;
                    }
                    gone.push(old);
                    gap = old + 1;
                }
                Step::Added(new) => {
                    if let (Some(entries), Some(node)) = (side.gaps.get_mut(gap), list.get(new)) {
                        entries.push(Entry::New(node));
                    }
                    for old in &gone {
                        if let Some(stead) = side.stead.get_mut(*old) {
                            *stead = Some(gap);
                        }
                    }
                }
            }
        }
        side.find_moves(base);
        side
    }

    /// A block that is gone in one place and new in another was moved.
    fn find_moves(&mut self, base: &'a [Node]) {
        let mut gone: HashMap<&Node, Vec<usize>> = HashMap::new();
        for (at, node) in base.iter().enumerate().rev() {
            if self.fates.get(at) == Some(&Fate::Gone) {
                gone.entry(node).or_default().push(at);
            }
        }
        for entry in self.gaps.iter_mut().flatten() {
            let Entry::New(node) = *entry else { continue };
            let Some(at) = gone.get_mut(node).and_then(Vec::pop) else {
                continue;
            };
            *entry = Entry::Moved(at);
            if let (Some(fate), Some(node)) = (self.fates.get_mut(at), base.get(at)) {
                *fate = Fate::Moved(node);
            }
        }
    }

    fn fate(&self, at: usize) -> Fate<'a> {
        self.fates.get(at).copied().unwrap_or(Fate::Gone)
    }

    fn gap(&self, at: usize) -> &[Entry<'a>] {
        self.gaps.get(at).map_or(&[], Vec::as_slice)
    }

    /// What was put in the stead of a block that is gone.
    fn replacement(&self, at: usize) -> Option<(usize, Vec<&'a Node>)> {
        let gap = self.stead.get(at).copied().flatten()?;
        let nodes: Vec<&Node> = self
            .gap(gap)
            .iter()
            .filter_map(|entry| match entry {
                Entry::New(node) => Some(*node),
                Entry::Moved(_) => None,
            })
            .collect();
        (!nodes.is_empty()).then_some((gap, nodes))
    }
}

impl Merger {
    fn list(&mut self, base: &[Node], ours: &[Node], theirs: &[Node]) -> Vec<Node> {
        if ours == theirs || theirs == base {
            return ours.to_vec();
        }
        if ours == base {
            return theirs.to_vec();
        }
        let (ours, theirs) = (Side::of(base, ours), Side::of(base, theirs));
        self.check_replacements(base.len(), &ours, &theirs);
        let mut merged = Vec::with_capacity(base.len());
        for at in 0..=base.len() {
            let (mine, other) = (ours.gap(at), theirs.gap(at));
            self.entries(base, mine, (&ours, &theirs), true, &mut merged);
            if mine != other {
                self.entries(base, other, (&ours, &theirs), false, &mut merged);
            }
            let in_place = |fate| !matches!(fate, Fate::Moved(_));
            if let Some(block) = base.get(at)
                && in_place(ours.fate(at))
                && in_place(theirs.fate(at))
            {
                merged.extend(self.block(block, ours.fate(at).node(), theirs.fate(at).node()));
            }
        }
        merged
    }

    fn entries(
        &mut self,
        base: &[Node],
        entries: &[Entry<'_>],
        (ours, theirs): (&Side<'_>, &Side<'_>),
        is_ours: bool,
        merged: &mut Vec<Node>,
    ) {
        for entry in entries {
            match *entry {
                Entry::New(node) => merged.push(node.clone()),
                // Moved by both: it goes where we put it.
                Entry::Moved(at) if !is_ours && matches!(ours.fate(at), Fate::Moved(_)) => {}
                Entry::Moved(at) => {
                    if let Some(block) = base.get(at) {
                        let (mine, other) = (ours.fate(at).node(), theirs.fate(at).node());
                        merged.extend(self.block(block, mine, other));
                    }
                }
            }
        }
    }

    /// Both sides wrote something else in the place of one block.
    fn check_replacements(&mut self, blocks: usize, ours: &Side<'_>, theirs: &Side<'_>) {
        let mut seen = None;
        for at in 0..blocks {
            if ours.fate(at) != Fate::Gone || theirs.fate(at) != Fate::Gone {
                continue;
            }
            let (Some(mine), Some(other)) = (ours.replacement(at), theirs.replacement(at)) else {
                continue;
            };
            // Blocks that were replaced together are told once.
            let gaps = (mine.0, other.0);
            if mine != other && seen.replace(gaps) != Some(gaps) {
                self.overlaps.push(Overlap {
                    ours: text_of(&mine.1),
                    theirs: text_of(&other.1),
                });
            }
        }
    }

    fn block(&mut self, base: &Node, ours: Option<&Node>, theirs: Option<&Node>) -> Option<Node> {
        let (Some(mine), Some(other)) = (ours, theirs) else {
            if let Some(kept) = ours.or(theirs)
                && kept != base
            {
                self.overlap(ours, theirs);
            }
            return None;
        };
        if mine == other || other == base {
            return Some(mine.clone());
        }
        if mine == base {
            return Some(other.clone());
        }
        match (base, mine, other) {
            (Node::Element(base), Node::Element(mine), Node::Element(other))
                if base.kind == mine.kind && base.kind == other.kind =>
            {
                self.element(base, mine, other)
            }
            _ => {
                self.overlap(ours, theirs);
                None
            }
        }
    }

    fn element(&mut self, base: &Element, ours: &Element, theirs: &Element) -> Option<Node> {
        let all = [base, ours, theirs];
        let holds_inline = |element: &&Element| element.content.iter().any(Node::is_inline);
        let changed = base.content != ours.content && base.content != theirs.content;
        let attrs = attrs(&base.attrs, &ours.attrs, &theirs.attrs);
        let is_line = all.iter().any(holds_inline) || base.content.is_empty();
        let (Some(attrs), false) = (attrs, changed && is_line && ours.content != theirs.content)
        else {
            self.overlap_of(ours, theirs);
            return None;
        };
        let content = self.list(&base.content, &ours.content, &theirs.content);
        let merged = Element {
            kind: base.kind,
            attrs,
            content,
        };
        if merged.kind == Kind::Table
            && all.iter().all(|table| is_rectangle(table))
            && !is_rectangle(&merged)
        {
            self.overlap_of(ours, theirs);
        }
        filled(merged)
    }

    fn overlap_of(&mut self, ours: &Element, theirs: &Element) {
        let (ours, theirs) = (ours.clone().into(), theirs.clone().into());
        self.overlap(Some(&ours), Some(&theirs));
    }

    fn overlap(&mut self, ours: Option<&Node>, theirs: Option<&Node>) {
        let text = |node: Option<&Node>| node.map_or_else(String::new, |node| text_of(&[node]));
        self.overlaps.push(Overlap {
            ours: text(ours),
            theirs: text(theirs),
        });
    }
}

/// Nothing that is only there for what is in it stays empty.
fn filled(mut element: Element) -> Option<Node> {
    if element.content.is_empty() && !element.kind.is_atom() {
        match element.kind {
            Kind::BulletList
            | Kind::OrderedList
            | Kind::TaskList
            | Kind::Table
            | Kind::TableRow
            | Kind::Layout
            | Kind::LayoutSection => return None,
            Kind::Paragraph | Kind::Heading | Kind::CodeBlock | Kind::Preformatted => {}
            _ => element.content.push(Element::new(Kind::Paragraph).into()),
        }
    }
    Some(element.into())
}

/// Attribute by attribute. How the source spelled an element is no content: theirs counts.
fn attrs(base: &Attrs, ours: &Attrs, theirs: &Attrs) -> Option<Attrs> {
    let mut merged = ours.clone();
    let names = base.iter().chain(theirs.iter()).map(|(name, _)| name);
    for name in names {
        let (old, mine, other) = (base.get(name), ours.get(name), theirs.get(name));
        if mine == other || other == old {
            continue;
        }
        if mine != old && name != "xml" {
            return None;
        }
        match other {
            Some(value) => merged.set(name, value.clone()),
            None => merged.remove(name),
        }
    }
    Some(merged)
}

/// Whether all rows of a table have the same width.
fn is_rectangle(table: &Element) -> bool {
    let width = |row: &Node| -> i64 {
        let cells = row.as_element().map_or(&[][..], |row| &row.content);
        let span = |cell: &Node| cell.as_element().and_then(|cell| cell.int("colspan"));
        cells.iter().map(|cell| span(cell).unwrap_or(1)).sum()
    };
    let mut widths = table.content.iter().map(width);
    let first = widths.next();
    widths.all(|width| Some(width) == first)
}

/// What a person recognises the blocks by.
fn text_of(nodes: &[&Node]) -> String {
    let document = Document::new(nodes.iter().map(|node| (*node).clone()).collect());
    let text = PlainText::write(&document);
    let kind = |node: &&Node| node.as_element().map(|element| element.kind.name());
    match (text.is_empty(), nodes.first().and_then(kind)) {
        (true, Some(kind)) => format!("({kind})"),
        _ => text,
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
