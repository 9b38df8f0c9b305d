//! Lines: text, marks, and the atoms between them.

use super::links;
use super::macros;
use super::names::{mark_kind, mark_tags};
use super::read::{Reader, rest};
use super::spelling::Spelling;
use super::wrap::wrap_text;
use crate::limits::MARKS_MAX;
use crate::schema::{Kind, MarkKind};
use crate::tree::{Element, Mark, Node, Text};
use crate::xml::{Item, Tag};

/// Gathers the nodes of one line.
pub(super) struct Line<'r, 'a, 's> {
    pub(super) reader: &'r mut Reader<'a, 's>,
    /// The open marks in the order of nesting.
    marks: Vec<Mark>,
    /// The marks of the node put out last, in the order of nesting.
    last: Vec<Mark>,
    out: Vec<Node>,
}

impl<'r, 'a, 's> Line<'r, 'a, 's> {
    pub(super) fn new(reader: &'r mut Reader<'a, 's>) -> Self {
        Line {
            reader,
            marks: Vec::new(),
            last: Vec::new(),
            out: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> Vec<Node> {
        self.out
    }

    pub(super) fn items(&mut self, items: &[&'a Item<'s>]) {
        for item in items {
            self.item(item);
        }
    }

    fn children(&mut self, tag: &Tag<'s>) {
        let children: Vec<_> = self.reader.xml.children(tag).collect();
        self.items(&children);
    }

    fn item(&mut self, item: &'a Item<'s>) {
        if let Some(text) = item.text() {
            return self.text(text);
        }
        let done = match item.element() {
            Some(tag) if !self.reader.is_forced(item) => self.element(item, tag),
            _ => None,
        };
        if done.is_none() {
            let kept = self.reader.preserved(Kind::PreservedInline, item);
            self.atom(kept, &Spelling::default());
        }
    }

    fn text(&mut self, text: &str) {
        let mut marks = self.marks.clone();
        marks.sort_by_key(|mark| mark.kind);
        self.last.clone_from(&self.marks);
        self.out.push(
            Text {
                text: text.to_owned(),
                marks,
            }
            .into(),
        );
    }

    fn atom(&mut self, mut atom: Element, spelling: &Spelling) {
        if !self.marks.is_empty() {
            atom.set("wrap", wrap_text(&self.marks));
        }
        spelling.seal(&mut atom);
        self.last.clone_from(&self.marks);
        self.out.push(atom.into());
    }

    /// Puts out what an element stands for; `None` means that it must be preserved, and nothing was put out.
    fn element(&mut self, item: &Item<'s>, tag: &'a Tag<'s>) -> Option<()> {
        if let Some((atom, spelling)) = self.typed_atom(tag) {
            self.atom(atom, &spelling);
            return Some(());
        }
        if tag.name == "ac:link" {
            return self.resource_link(item, tag);
        }
        let mut kind = mark_kind(tag.name)?;
        let mut typed: &[&str] = match kind {
            MarkKind::CommentMarker => &["ac:ref"],
            MarkKind::Link => &["href"],
            _ => &[],
        };
        let nested_in_itself = !kind.overlaps() && self.marks.iter().any(|mark| mark.kind == kind);
        match kind {
            MarkKind::Link if tag.attr("href").is_none() => kind = MarkKind::Styled,
            MarkKind::Link if nested_in_itself => return None,
            MarkKind::CommentMarker if tag.attr("ac:ref").is_none() => return None,
            _ if nested_in_itself => (kind, typed) = (MarkKind::Styled, &[]),
            _ => {}
        }
        let mut mark = Mark::new(kind);
        if let Some(reference) = tag
            .attr("ac:ref")
            .filter(|_| kind == MarkKind::CommentMarker)
        {
            mark.set("ref", reference);
        }
        if let Some(href) = tag.attr("href").filter(|_| kind == MarkKind::Link) {
            mark.set("href", href);
        }
        let mut spelling = Spelling::with_attrs(rest(tag, typed));
        if mark_tags(kind).first() != Some(&tag.name) {
            spelling.tag = tag.name.to_owned();
        }
        self.marked(item, mark, spelling, |line| line.children(tag))
    }

    fn typed_atom(&self, tag: &Tag<'s>) -> Option<(Element, Spelling)> {
        let xml = self.reader.xml;
        let empty = xml.children(tag).next().is_none();
        match tag.name {
            "br" if empty => Some((
                Element::new(Kind::HardBreak),
                Spelling::with_attrs(rest(tag, &[])),
            )),
            "time" if empty => Some((
                Element::new(Kind::Date).with("datetime", tag.attr("datetime")?),
                Spelling::with_attrs(rest(tag, &["datetime"])),
            )),
            "ac:emoticon" if empty => Some((
                Element::new(Kind::Emoticon).with("name", tag.attr("ac:name")?),
                Spelling::with_attrs(rest(tag, &["ac:name"])),
            )),
            "ac:image" => links::image(xml, tag),
            "ac:link" => links::bodiless(xml, tag),
            "ac:structured-macro" | "ac:macro" => macros::status(xml, tag),
            _ => None,
        }
    }

    /// A link with a body: its text under a mark.
    fn resource_link(&mut self, item: &Item<'s>, tag: &'a Tag<'s>) -> Option<()> {
        if self
            .marks
            .iter()
            .any(|mark| mark.kind == MarkKind::ResourceLink)
        {
            return None;
        }
        let link = links::with_body(self.reader.xml, tag)?;
        let body = link.body;
        self.marked(item, link.mark, link.spelling, |line| {
            line.children(body);
        })
    }

    /// Puts out content under one more mark; nothing at all if the content is empty or the nesting too deep.
    fn marked(
        &mut self,
        item: &Item<'s>,
        mut mark: Mark,
        mut spelling: Spelling,
        content: impl FnOnce(&mut Self),
    ) -> Option<()> {
        let depth = self.marks.len();
        if depth >= MARKS_MAX {
            return None;
        }
        if self.marks.iter().any(|outer| outer.kind >= mark.kind) {
            spelling.depth = Some(depth);
        }
        spelling.seal_mark(&mut mark);
        if self.touches(&mark) {
            spelling.split = 1;
            spelling.seal_mark(&mut mark);
        }
        if self.touches(&mark) {
            spelling.split = 2;
            spelling.seal_mark(&mut mark);
        }
        self.reader.afford(item, &mark)?;
        let before = self.out.len();
        self.marks.push(mark);
        content(self);
        self.marks.pop();
        (self.out.len() > before).then_some(())
    }

    /// Whether a mark opened here would merge with the one that has just closed.
    fn touches(&self, mark: &Mark) -> bool {
        let depth = self.marks.len();
        self.last.get(depth) == Some(mark) && self.last.get(..depth) == Some(self.marks.as_slice())
    }
}
