//! From XML to the tree: blocks, bare paragraphs, white space, and what cannot be typed.

use std::collections::HashSet;

use super::inline::Line;
use super::names::{self, Place};
use super::spelling::Spelling;
use crate::limits::{DEPTH_MAX, MARK_BYTES_MIN, MARK_BYTES_PER_BYTE};
use crate::schema::Kind;
use crate::tree::{Element, Mark, Node};
use crate::xml::{Fragment, Id, Item, Part, Tag, is_space};

/// Levels that one block may need below itself: a row, a cell, a paragraph, an atom.
const DEPTH_MARGIN: usize = 4;

/// A typed block and how it was spelled; `None` means that it must be preserved.
pub(super) type Typed = Option<(Element, Spelling)>;

/// What is known of the items of a fragment before they are read.
pub(super) struct Survey {
    holds_block: Vec<bool>,
    sizes: Vec<usize>,
}

impl Survey {
    pub(super) fn of(xml: &Fragment<'_>) -> Self {
        Survey {
            holds_block: names::blocks_within(xml),
            sizes: names::sizes(xml),
        }
    }
}

pub(super) struct Reader<'a, 's> {
    pub(super) xml: &'a Fragment<'s>,
    survey: &'a Survey,
    /// Items that must be preserved, because their typed form would not write back the same.
    forced: &'a HashSet<Id>,
    /// Offsets and messages.
    pub(super) notes: Vec<(usize, String)>,
    /// Bytes that the copies of marks on all texts under them may still take.
    mark_bytes_left: usize,
}

impl<'a, 's> Reader<'a, 's> {
    pub(super) fn new(xml: &'a Fragment<'s>, survey: &'a Survey, forced: &'a HashSet<Id>) -> Self {
        Reader {
            xml,
            survey,
            forced,
            notes: Vec::new(),
            mark_bytes_left: MARK_BYTES_MIN + xml.source.len() * MARK_BYTES_PER_BYTE,
        }
    }

    /// The whole body.
    pub(super) fn document(&mut self) -> Vec<Node> {
        let roots: Vec<_> = self.xml.roots().collect();
        let (mut content, after) = self.blocks(&roots, 0);
        let mut spelling = Spelling::default();
        match content.last_mut() {
            Some(Node::Element(last)) if !after.is_empty() => {
                spelling = Spelling::of(&last.attrs);
                spelling.after = after;
                spelling.seal(last);
            }
            Some(_) => {}
            None => {
                let mut empty = Element::new(Kind::Paragraph).with("bare", 1);
                spelling.pre = after;
                spelling.seal(&mut empty);
                content.push(empty.into());
            }
        }
        content
    }

    /// The content of a block container, never empty, and the white space before its end tag.
    pub(super) fn container(&mut self, tag: &Tag<'s>, depth: usize) -> (Vec<Node>, String) {
        let children: Vec<_> = self.xml.children(tag).collect();
        let (mut content, post) = self.blocks(&children, depth);
        if content.is_empty() {
            content.push(Element::new(Kind::Paragraph).with("bare", 1).into());
        }
        (content, post)
    }

    /// A kind whose element holds blocks and nothing else needs saying.
    pub(super) fn simple(
        &mut self,
        kind: Kind,
        tag: &Tag<'s>,
        typed: &[&str],
        depth: usize,
    ) -> Typed {
        let mut spelling = Spelling::with_attrs(rest(tag, typed));
        let (content, post) = self.container(tag, depth + 1);
        spelling.post = post;
        Some((Element::new(kind).with_content(content), spelling))
    }

    pub(super) fn holds_block(&self, item: &Item<'_>) -> bool {
        let holds_block = self.survey.holds_block.get(item.id);
        holds_block.copied().unwrap_or_default()
    }

    /// Accounts for a mark that everything in the item will carry; `None` if that would be too much.
    pub(super) fn afford(&mut self, item: &Item<'_>, mark: &Mark) -> Option<()> {
        let copies = self.survey.sizes.get(item.id).copied().unwrap_or(1);
        let bytes: usize = mark.attrs.iter().map(|(_, value)| value.len()).sum();
        let left = self
            .mark_bytes_left
            .checked_sub(bytes.saturating_mul(copies))?;
        self.mark_bytes_left = left;
        Some(())
    }

    pub(super) fn is_forced(&self, item: &Item<'_>) -> bool {
        self.forced.contains(&item.id) || item.element().is_some_and(|tag| tag.declares)
    }

    fn blocks(&mut self, items: &[&'a Item<'s>], depth: usize) -> (Vec<Node>, String) {
        let places = self.places(items);
        let mut content = Vec::new();
        let mut pending = String::new();
        let mut at = 0;
        while let (Some(item), Some(place)) = (items.get(at), places.get(at)) {
            match place {
                Place::Space => pending.push_str(item.text().unwrap_or_default()),
                Place::Inline => {
                    let end = run_end(&places, at);
                    let run = items.get(at..end).unwrap_or_default();
                    content.push(self.bare(run, &mut pending));
                    at = end;
                    continue;
                }
                Place::Block | Place::Either => {
                    let (mut block, mut spelling) = self.block(item, depth);
                    spelling.pre = std::mem::take(&mut pending);
                    spelling.seal(&mut block);
                    content.push(block.into());
                }
            }
            at += 1;
        }
        (content, pending)
    }

    /// Where each item stands; what may stand anywhere goes with the line it touches.
    fn places(&self, items: &[&'a Item<'s>]) -> Vec<Place> {
        let mut places: Vec<Place> = items
            .iter()
            .map(|item| names::place(self.xml, item, self.holds_block(item)))
            .collect();
        let mut following = Place::Block;
        for place in places.iter_mut().rev() {
            if *place == Place::Either && following == Place::Inline {
                *place = Place::Inline;
            }
            if *place != Place::Space {
                following = *place;
            }
        }
        let mut before = Place::Block;
        for (place, item) in places.iter_mut().zip(items) {
            match place {
                Place::Either if before == Place::Inline => *place = Place::Inline,
                Place::Space if item.text().is_some_and(|text| text.contains('\n')) => {
                    before = Place::Block;
                }
                Place::Space => {}
                other => before = *other,
            }
        }
        places
    }

    /// One paragraph of content that stands directly in its container.
    fn bare(&mut self, run: &[&'a Item<'s>], pending: &mut String) -> Node {
        let mut paragraph = Element::new(Kind::Paragraph).with("bare", 1);
        let mut spelling = Spelling::default();
        let mut line = Line::new(self);
        if let Some(holder) =
            held(run).filter(|_| !run.iter().any(|item| line.reader.is_forced(item)))
        {
            spelling.holder = 1;
            spelling.pre = std::mem::take(pending);
            let children: Vec<_> = line.reader.xml.children(holder).collect();
            line.items(&children);
            paragraph.content = line.finish();
        } else {
            line.items(run);
            paragraph.content = line.finish();
            spelling.pre = std::mem::take(pending);
            spelling.pre.push_str(&trim_start(&mut paragraph.content));
            *pending = trim_end(&mut paragraph.content);
        }
        spelling.seal(&mut paragraph);
        paragraph.into()
    }

    fn block(&mut self, item: &'a Item<'s>, depth: usize) -> (Element, Spelling) {
        if !self.is_forced(item)
            && depth + DEPTH_MARGIN < DEPTH_MAX
            && let Some(tag) = item.element()
            && let Some(typed) = self.typed_block(item, tag, depth)
        {
            return typed;
        }
        (
            self.preserved(Kind::PreservedBlock, item),
            Spelling::default(),
        )
    }

    fn typed_block(&mut self, item: &Item<'s>, tag: &'a Tag<'s>, depth: usize) -> Typed {
        let mark = self.notes.len();
        let typed = match tag.name {
            "p" if !self.wraps_block(tag) => self.line_block(Kind::Paragraph, tag),
            "pre" => self.line_block(Kind::Preformatted, tag),
            "ul" => self.list(Kind::BulletList, tag, depth),
            "ol" => self.list(Kind::OrderedList, tag, depth),
            "ac:task-list" => self.task_list(tag, depth),
            "table" => self.table(tag, depth),
            "blockquote" => self.simple(Kind::Blockquote, tag, &[], depth),
            "ac:layout" => self.layout(tag, depth),
            "hr" if self.xml.children(tag).next().is_none() => Some((
                Element::new(Kind::HorizontalRule),
                Spelling::with_attrs(rest(tag, &[])),
            )),
            name if names::is_macro(name) => self.block_macro(tag, depth),
            name => match names::heading_level(name) {
                Some(level) => self
                    .line_block(Kind::Heading, tag)
                    .map(|(element, spelling)| (element.with("level", level), spelling)),
                None => self.division(item, tag, depth),
            },
        };
        if typed.is_none() {
            self.notes.truncate(mark);
        }
        typed
    }

    fn wraps_block(&self, tag: &Tag<'s>) -> bool {
        self.xml.children(tag).any(|child| self.holds_block(child))
    }

    fn division(&mut self, item: &Item<'s>, tag: &Tag<'s>, depth: usize) -> Typed {
        let wraps = names::WRAPPERS.contains(&tag.name) && self.holds_block(item);
        if !wraps && !names::DIVISIONS.contains(&tag.name) {
            return None;
        }
        let (element, mut spelling) = self.simple(Kind::Division, tag, &[], depth)?;
        if tag.name != "div" {
            spelling.tag = tag.name.to_owned();
        }
        Some((element, spelling))
    }

    /// A block that is one line of inline content.
    fn line_block(&mut self, kind: Kind, tag: &Tag<'s>) -> Typed {
        let mut spelling = Spelling::with_attrs(rest(tag, &[]));
        let children: Vec<_> = self.xml.children(tag).collect();
        let mut line = Line::new(self);
        line.items(&children);
        let mut content = line.finish();
        if kind != Kind::Preformatted {
            spelling.lead = trim_line_start(&mut content);
            spelling.post = trim_line_end(&mut content);
        }
        Some((Element::new(kind).with_content(content), spelling))
    }

    /// The item as its exact source, with a note.
    pub(super) fn preserved(&mut self, kind: Kind, item: &Item<'s>) -> Element {
        let label = match &item.part {
            Part::Element(tag)
                if names::is_macro(tag.name) && !names::macro_name(tag).is_empty() =>
            {
                names::macro_name(tag).to_owned()
            }
            Part::Element(tag) => tag.name.to_owned(),
            Part::Comment(_) => "comment".to_owned(),
            Part::Instruction(target, _) => format!("?{target}"),
            Part::Text(_) => "text".to_owned(),
        };
        let message = format!("`{label}` is kept as it is");
        self.notes.push((item.start, message));
        Element::new(kind)
            .with("source", self.xml.slice(item))
            .with("label", label)
    }
}

/// The attributes that have no typed place.
pub(super) fn rest(tag: &Tag<'_>, typed: &[&str]) -> Vec<(String, String)> {
    tag.attrs
        .iter()
        .filter(|(name, _)| !typed.contains(name))
        .map(|(name, value)| ((*name).to_owned(), value.to_string()))
        .collect()
}

/// The end of the line that starts here: white space belongs to it only between two inline items.
fn run_end(places: &[Place], start: usize) -> usize {
    let mut end = start;
    for (at, place) in places.iter().enumerate().skip(start) {
        match place {
            Place::Inline => end = at + 1,
            Place::Space => {}
            Place::Block | Place::Either => break,
        }
    }
    end
}

/// The span in which Confluence holds the text of a task, if the line is that span and nothing else.
fn held<'a, 's>(run: &[&'a Item<'s>]) -> Option<&'a Tag<'s>> {
    let [item] = run else { return None };
    let tag = item.element()?;
    let is_holder = tag.name == "span"
        && tag.attrs.len() == 1
        && tag.attr("class") == Some("placeholder-inline-tasks");
    is_holder.then_some(tag)
}

/// Takes white space off the start of a line.
fn trim_start(content: &mut Vec<Node>) -> String {
    let Some(Node::Text(text)) = content.first_mut() else {
        return String::new();
    };
    if !text.marks.is_empty() {
        return String::new();
    }
    let kept = text.text.trim_start_matches([' ', '\t', '\n', '\r']).len();
    let body = text.text.split_off(text.text.len() - kept);
    let space = std::mem::replace(&mut text.text, body);
    if text.text.is_empty() {
        content.remove(0);
    }
    space
}

/// Takes white space off the end of a line.
fn trim_end(content: &mut Vec<Node>) -> String {
    let Some(Node::Text(text)) = content.last_mut() else {
        return String::new();
    };
    if !text.marks.is_empty() {
        return String::new();
    }
    let kept = text.text.trim_end_matches([' ', '\t', '\n', '\r']).len();
    let space = text.text.split_off(kept);
    if text.text.is_empty() {
        content.pop();
    }
    space
}

fn first_text(content: &[Node]) -> Option<&str> {
    let text = content.first()?.as_text()?;
    text.marks.is_empty().then_some(text.text.as_str())
}

/// As [`trim_start`], but only a line break and its indentation: single spaces are content.
fn trim_line_start(content: &mut Vec<Node>) -> String {
    let space = first_text(content).map(|text| {
        let body = text.trim_start_matches([' ', '\t', '\n', '\r']);
        text.get(..text.len() - body.len()).unwrap_or_default()
    });
    match space {
        Some(space) if space.contains('\n') && is_space(space) => trim_start(content),
        _ => String::new(),
    }
}

fn trim_line_end(content: &mut Vec<Node>) -> String {
    let space = content.last().and_then(Node::as_text).map(|text| {
        let body = text.text.trim_end_matches([' ', '\t', '\n', '\r']);
        text.text.get(body.len()..).unwrap_or_default()
    });
    match space {
        Some(space) if space.contains('\n') => trim_end(content),
        _ => String::new(),
    }
}
