//! Lists and tasks, and layouts, which are lists of sections and cells.

use super::macros::plain_text;
use super::read::{Reader, Typed, rest};
use super::spelling::Spelling;
use super::write::Writer;
use crate::schema::Kind;
use crate::tree::{Element, Node};
use crate::xml::Tag;

const TASK_PARTS: [&str; 4] = [
    "ac:task-id",
    "ac:task-uuid",
    "ac:task-status",
    "ac:task-body",
];

impl<'a, 's> Reader<'a, 's> {
    pub(super) fn list(&mut self, kind: Kind, tag: &Tag<'s>, depth: usize) -> Typed {
        self.parts(kind, tag, &[], |reader, item| match item.name {
            "li" => reader.simple(Kind::ListItem, item, &[], depth + 1),
            _ => None,
        })
    }

    pub(super) fn layout(&mut self, tag: &Tag<'s>, depth: usize) -> Typed {
        self.parts(Kind::Layout, tag, &[], |reader, section| {
            reader.layout_section(section, depth + 1)
        })
    }

    fn layout_section(&mut self, tag: &Tag<'s>, depth: usize) -> Typed {
        if tag.name != "ac:layout-section" {
            return None;
        }
        let (mut section, mut spelling) = self.parts(
            Kind::LayoutSection,
            tag,
            &["ac:type"],
            |reader, cell| match cell.name {
                "ac:layout-cell" => reader.simple(Kind::LayoutCell, cell, &[], depth + 1),
                _ => None,
            },
        )?;
        match tag.attr("ac:type") {
            Some(kind) => section.set("kind", kind),
            None => spelling.lacks = 1,
        }
        Some((section, spelling))
    }

    pub(super) fn task_list(&mut self, tag: &Tag<'s>, depth: usize) -> Typed {
        self.parts(Kind::TaskList, tag, &[], |reader, task| {
            reader.task(task, depth + 1)
        })
    }

    fn task(&mut self, tag: &Tag<'s>, depth: usize) -> Typed {
        if tag.name != "ac:task" {
            return None;
        }
        let mut task = Element::new(Kind::TaskItem);
        let mut spelling = Spelling::with_attrs(rest(tag, &[]));
        let mut gaps = vec![String::new()];
        let mut left = TASK_PARTS.as_slice();
        for item in self.xml.children(tag) {
            if let Some(space) = item.space() {
                gaps.last_mut()?.push_str(space);
                continue;
            }
            let part = item.element().filter(|part| part.attrs.is_empty())?;
            let at = left.iter().position(|name| *name == part.name)?;
            left = left.get(at + 1..)?;
            match part.name {
                "ac:task-id" => task.set("id", plain_text(self.xml, part)?),
                "ac:task-uuid" => task.set("uuid", plain_text(self.xml, part)?),
                "ac:task-status" => task.set("status", plain_text(self.xml, part)?),
                _ => (task.content, spelling.post) = self.container(part, depth + 1),
            }
            gaps.push(String::new());
        }
        let complete = left.is_empty() && task.attrs.text("id").is_some();
        spelling.set_gaps(gaps);
        (complete && self.has_status(tag)).then_some((task, spelling))
    }

    fn has_status(&self, tag: &Tag<'s>) -> bool {
        let mut parts = self.xml.children(tag).filter_map(|item| item.element());
        parts.any(|part| part.name == "ac:task-status")
    }

    /// An element that holds elements of a certain kind and white space, nothing else.
    pub(super) fn parts(
        &mut self,
        kind: Kind,
        tag: &Tag<'s>,
        typed: &[&str],
        mut part: impl FnMut(&mut Self, &'a Tag<'s>) -> Typed,
    ) -> Typed {
        let mut spelling = Spelling::with_attrs(rest(tag, typed));
        let mut content = Vec::new();
        for item in self.xml.children(tag) {
            if let Some(space) = item.space() {
                spelling.post.push_str(space);
                continue;
            }
            if self.is_forced(item) {
                return None;
            }
            let (mut element, mut own) = part(self, item.element()?)?;
            own.pre = std::mem::take(&mut spelling.post);
            own.seal(&mut element);
            content.push(Node::Element(element));
        }
        Some((Element::new(kind).with_content(content), spelling))
    }
}

// ---- writing ------------------------------------------------------------------------------------------------------------

impl Writer {
    pub(super) fn layout_section(&mut self, element: &Element) {
        let spelling = Spelling::of(&element.attrs);
        let kind = element.text("kind").unwrap_or("single");
        let lacks = spelling.lacks == 1 && kind == "single";
        let kind = (!lacks).then_some(("ac:type", kind));
        self.start("ac:layout-section", kind.as_slice(), &spelling.attrs);
        self.nodes(&element.content);
        self.space(&spelling.post);
        self.end("ac:layout-section");
    }

    pub(super) fn task_item(&mut self, element: &Element) {
        let spelling = Spelling::of(&element.attrs);
        let id = match element.text("id") {
            Some(id) => id.to_owned(),
            None => {
                self.task_id_max += 1;
                self.task_id_max.to_string()
            }
        };
        let parts = [
            ("ac:task-id", Some(id.as_str())),
            ("ac:task-uuid", element.text("uuid")),
            ("ac:task-status", element.text("status")),
        ];
        let mut gap = 0;
        self.start("ac:task", &[], &spelling.attrs);
        for (name, value) in parts {
            let Some(value) = value else { continue };
            self.space(spelling.gap(gap));
            gap += 1;
            self.start(name, &[], &[]);
            self.text(value);
            self.end(name);
        }
        self.space(spelling.gap(gap));
        self.start("ac:task-body", &[], &[]);
        self.blocks(&element.content);
        self.space(&spelling.post);
        self.end("ac:task-body");
        self.space(spelling.gap(gap + 1));
        self.end("ac:task");
    }
}
