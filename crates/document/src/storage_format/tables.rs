//! Tables: rows in sections, cells.

use serde::{Deserialize, Serialize};

use super::read::{Reader, Typed, rest};
use super::spelling::Spelling;
use super::write::Writer;
use crate::schema::Kind;
use crate::tree::{Element, Node};
use crate::xml::{Item, Tag};

/// Rows and columns that a cell may span as a number; other values are kept as they are.
const SPAN_MAX: i64 = 1000;

/// The content of a table's attribute `sections`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Sections {
    /// The source before the first section: `caption` and `colgroup`.
    #[serde(skip_serializing_if = "String::is_empty")]
    head: String,
    parts: Vec<Section>,
}

/// `thead`, `tbody`, `tfoot`, or rows directly in the table when `tag` is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Section {
    tag: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attrs: Vec<(String, String)>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pre: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    post: String,
}

impl Sections {
    /// What a table has that says nothing else: all rows in one body.
    fn usual() -> Self {
        let body = Section {
            tag: "tbody".into(),
            ..Section::default()
        };
        Sections {
            head: String::new(),
            parts: vec![body],
        }
    }
}

/// A table that is being read.
#[derive(Default)]
struct Building {
    sections: Sections,
    rows: Vec<Node>,
    /// White space that belongs to whatever comes next.
    pending: String,
}

impl Building {
    fn push_row(&mut self, mut row: Element, mut spelling: Spelling) {
        let section = self.sections.parts.len().saturating_sub(1);
        if section > 0 {
            row.set("section", i64::try_from(section).unwrap_or_default());
        }
        spelling.pre = std::mem::take(&mut self.pending);
        spelling.seal(&mut row);
        self.rows.push(row.into());
    }
}

impl<'a, 's> Reader<'a, 's> {
    pub(super) fn table(&mut self, tag: &Tag<'s>, depth: usize) -> Typed {
        let mut building = Building::default();
        for item in self.xml.children(tag) {
            self.table_child(item, depth, &mut building)?;
        }
        let mut table = Element::new(Kind::Table).with_content(building.rows);
        if building.sections != Sections::usual() {
            table.set("sections", serde_json::to_string(&building.sections).ok()?);
        }
        let mut spelling = Spelling::with_attrs(rest(tag, &[]));
        spelling.post = building.pending;
        Some((table, spelling))
    }

    fn table_child(
        &mut self,
        item: &'a Item<'s>,
        depth: usize,
        building: &mut Building,
    ) -> Option<()> {
        if let Some(space) = item.space() {
            building.pending.push_str(space);
            return Some(());
        }
        let child = item.element()?;
        if self.is_forced(item) {
            return None;
        }
        match child.name {
            "caption" | "colgroup" | "col" if building.sections.parts.is_empty() => {
                let space = std::mem::take(&mut building.pending);
                building.sections.head.push_str(&space);
                building.sections.head.push_str(self.xml.slice(item));
            }
            "thead" | "tbody" | "tfoot" => self.section(child, depth, building)?,
            "tr" => {
                if building
                    .sections
                    .parts
                    .last()
                    .is_none_or(|part| !part.tag.is_empty())
                {
                    building.sections.parts.push(Section::default());
                }
                let (row, spelling) = self.row(child, depth + 1)?;
                building.push_row(row, spelling);
            }
            _ => return None,
        }
        Some(())
    }

    fn section(&mut self, tag: &Tag<'s>, depth: usize, building: &mut Building) -> Option<()> {
        building.sections.parts.push(Section {
            tag: tag.name.to_owned(),
            attrs: rest(tag, &[]),
            pre: std::mem::take(&mut building.pending),
            post: String::new(),
        });
        for item in self.xml.children(tag) {
            if let Some(space) = item.space() {
                building.pending.push_str(space);
                continue;
            }
            let child = item.element().filter(|child| child.name == "tr")?;
            if self.is_forced(item) {
                return None;
            }
            let (row, spelling) = self.row(child, depth + 1)?;
            building.push_row(row, spelling);
        }
        if let Some(part) = building.sections.parts.last_mut() {
            part.post = std::mem::take(&mut building.pending);
        }
        Some(())
    }

    fn row(&mut self, tag: &Tag<'s>, depth: usize) -> Typed {
        self.parts(Kind::TableRow, tag, &[], |reader, cell| {
            let kind = match cell.name {
                "td" => Kind::TableCell,
                "th" => Kind::TableHeader,
                _ => return None,
            };
            reader.cell(kind, cell, depth + 1)
        })
    }

    fn cell(&mut self, kind: Kind, tag: &Tag<'s>, depth: usize) -> Typed {
        let colspan = span(tag, "colspan");
        let rowspan = span(tag, "rowspan");
        let mut typed = vec!["data-colwidth"];
        typed.extend(colspan.map(|_| "colspan"));
        typed.extend(rowspan.map(|_| "rowspan"));
        let (mut cell, spelling) = self.simple(kind, tag, &typed, depth)?;
        if let Some(columns) = colspan {
            cell.set("colspan", columns);
        }
        if let Some(rows) = rowspan {
            cell.set("rowspan", rows);
        }
        if let Some(width) = tag.attr("data-colwidth") {
            cell.set("colwidth", width);
        }
        Some((cell, spelling))
    }
}

/// A span that reads and writes as a number; 1 is the default and therefore kept as it is.
fn span(tag: &Tag<'_>, name: &str) -> Option<i64> {
    let value = tag.attr(name)?;
    let number: i64 = value.parse().ok()?;
    (number > 1 && number <= SPAN_MAX && number.to_string() == value).then_some(number)
}

// ---- writing ------------------------------------------------------------------------------------------------------------

impl Writer {
    pub(super) fn table(&mut self, element: &Element) {
        let spelling = Spelling::of(&element.attrs);
        let mut sections: Sections = match element.text("sections") {
            Some(text) => serde_json::from_str(text).unwrap_or_else(|_| Sections::usual()),
            None => Sections::usual(),
        };
        if sections.parts.is_empty() && !element.content.is_empty() {
            sections.parts = Sections::usual().parts;
        }
        self.start("table", &[], &spelling.attrs);
        self.raw(&sections.head);
        let last = sections.parts.len().saturating_sub(1);
        let mut rows = element.content.as_slice();
        for (index, section) in sections.parts.iter().enumerate() {
            let later = |row: &Node| section_of(row) > index;
            let count = if index == last {
                rows.len()
            } else {
                rows.iter().position(later).unwrap_or(rows.len())
            };
            let (own, following) = rows.split_at_checked(count).unwrap_or((rows, &[]));
            self.section(section, own);
            rows = following;
        }
        self.space(&spelling.post);
        self.end("table");
    }

    fn section(&mut self, section: &Section, rows: &[Node]) {
        let tag = ["thead", "tbody", "tfoot"]
            .into_iter()
            .find(|tag| *tag == section.tag);
        if let Some(tag) = tag {
            self.space(&section.pre);
            self.start(tag, &[], &section.attrs);
        }
        self.nodes(rows);
        if let Some(tag) = tag {
            self.space(&section.post);
            self.end(tag);
        }
    }

    pub(super) fn cell(&mut self, tag: &str, element: &Element) {
        let spelling = Spelling::of(&element.attrs);
        let number = |name| element.attrs.int(name).map(|number| number.to_string());
        let (columns, rows) = (number("colspan"), number("rowspan"));
        let mut typed = Vec::new();
        typed.extend(columns.as_deref().map(|value| ("colspan", value)));
        typed.extend(rows.as_deref().map(|value| ("rowspan", value)));
        typed.extend(
            element
                .text("colwidth")
                .map(|value| ("data-colwidth", value)),
        );
        self.start(tag, &typed, &spelling.attrs);
        self.blocks(&element.content);
        self.space(&spelling.post);
        self.end(tag);
    }
}

fn section_of(row: &Node) -> usize {
    row.as_element()
        .and_then(|row| row.int("section"))
        .and_then(|section| usize::try_from(section).ok())
        .unwrap_or_default()
}
