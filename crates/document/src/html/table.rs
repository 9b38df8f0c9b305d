//! Tables, in a box that scrolls sideways and can be reached by keyboard.

use crate::html::render::{Bare, Renderer, block_attributes, common_attributes};
use crate::html::style;
use crate::html::writer::{Attributes, class, none};
use crate::schema::Kind;
use crate::source::{self, Xml, XmlElement};
use crate::spelling::{Spelling, TableParts};
use crate::tree::{Element, Node};

/// Columns that a table may describe; more are not styled.
const COLUMNS_MAX: usize = 200;
/// Widest span of a cell.
const SPAN_MAX: i64 = 1000;

impl Renderer<'_> {
    pub(super) fn table(&mut self, table: &Element) {
        let parts = TableParts::of(table);
        self.open_table(block_attributes(table));
        for source in &parts.sources {
            self.table_source(&source::read(source));
        }
        if parts.sources.is_empty() {
            self.column_widths(table);
        }
        let mut open: Option<(i64, &'static str)> = None;
        for row in table.content.iter().filter_map(Node::as_element) {
            let section = row.int("section").unwrap_or(0);
            if open.is_none_or(|(at, _)| at != section) {
                if let Some((_, tag)) = open {
                    self.out.close(tag);
                }
                let tag = parts.tag(section);
                self.out.open(tag, none());
                open = Some((section, tag));
            }
            self.row(row);
        }
        if let Some((_, tag)) = open {
            self.out.close(tag);
        }
        self.close_table();
    }

    fn open_table(&mut self, attributes: Attributes) {
        self.tables += 1;
        let name = format!("Table {}", self.tables);
        let scroll = class("table-scroll")
            .with("role", "region")
            .with("tabindex", "0");
        self.out.open("div", scroll.with("aria-label", name));
        self.out.open("table", attributes);
    }

    fn close_table(&mut self) {
        self.out.close("table");
        self.out.close("div");
    }

    fn row(&mut self, row: &Element) {
        self.out.open("tr", block_attributes(row));
        for cell in row.content.iter().filter_map(Node::as_element) {
            let tag = if cell.kind == Kind::TableHeader {
                "th"
            } else {
                "td"
            };
            let spelling = Spelling::of(&cell.attrs);
            let mut attributes =
                cell_attributes(tag, |name| spelling.attribute(name).map(ToOwned::to_owned));
            for name in ["colspan", "rowspan"] {
                if let Some(span) = cell.int(name).filter(|span| (2..=SPAN_MAX).contains(span)) {
                    attributes.set(name, span.to_string());
                }
            }
            self.out.open(tag, attributes);
            self.blocks(&cell.content, Bare::Inline);
            self.out.close(tag);
        }
        self.out.close("tr");
    }

    /// Widths that the editor set on the cells of the first row.
    fn column_widths(&mut self, table: &Element) {
        let first = table.content.first().and_then(Node::as_element);
        let cells = first.map(|row| row.content.as_slice()).unwrap_or_default();
        let widths = cells
            .iter()
            .filter_map(Node::as_element)
            .flat_map(|cell| column_widths(cell.text("colwidth"), cell.int("colspan")))
            .take(COLUMNS_MAX)
            .collect::<Vec<_>>();
        if widths.iter().all(Option::is_none) {
            return;
        }
        self.out.open("colgroup", none());
        for width in widths {
            let style = width
                .map(|width| format!("width:{width}px"))
                .unwrap_or_default();
            self.out.void("col", none().style(&style));
        }
        self.out.close("colgroup");
    }

    /// Caption and column groups, which the tree keeps as source.
    fn table_source(&mut self, nodes: &[Xml<'_>]) {
        for part in source::elements(nodes) {
            match part.name {
                "caption" => {
                    self.out.open("caption", none());
                    self.phrasing(|this| this.fragment(&part.children));
                    self.out.close("caption");
                }
                "colgroup" => {
                    self.out.open("colgroup", none());
                    for column in part
                        .elements()
                        .filter(|column| column.name == "col")
                        .take(COLUMNS_MAX)
                    {
                        self.column(column);
                    }
                    self.out.close("colgroup");
                }
                _ => {}
            }
        }
    }

    fn column(&mut self, column: &XmlElement<'_>) {
        let width = column
            .attribute("width")
            .filter(|width| style::length(width, 4000.0));
        let attributes = common_attributes(|name| column.attribute(name).map(ToOwned::to_owned));
        let attributes = match width {
            Some(width) => attributes.style(&format!("width:{width}")),
            None => attributes,
        };
        self.out.void("col", attributes);
    }

    /// A table of a preserved source. What HTML does not allow inside a table is written before it.
    pub(super) fn xml_table(&mut self, table: &XmlElement<'_>) {
        self.strays(
            &table.children,
            &[
                "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr",
            ],
        );
        self.open_table(common_attributes(|name| {
            table.attribute(name).map(ToOwned::to_owned)
        }));
        self.table_source(&table.children);
        let mut loose = false;
        for part in table.elements() {
            let tag = match part.name {
                "thead" => "thead",
                "tfoot" => "tfoot",
                "tbody" => "tbody",
                "tr" => {
                    if !loose {
                        self.out.open("tbody", none());
                        loose = true;
                    }
                    self.xml_row(part);
                    continue;
                }
                _ => continue,
            };
            if loose {
                self.out.close("tbody");
                loose = false;
            }
            self.out.open(tag, none());
            for row in part.elements().filter(|row| row.name == "tr") {
                self.xml_row(row);
            }
            self.out.close(tag);
        }
        if loose {
            self.out.close("tbody");
        }
        self.close_table();
    }

    fn strays(&mut self, children: &[Xml<'_>], known: &[&str]) {
        for child in children {
            match child {
                Xml::Text(text) if text.trim().is_empty() => {}
                Xml::Element(element) if known.contains(&element.name) => {}
                stray => self.fragment(std::slice::from_ref(stray)),
            }
        }
    }

    fn xml_row(&mut self, row: &XmlElement<'_>) {
        self.out.open(
            "tr",
            common_attributes(|name| row.attribute(name).map(ToOwned::to_owned)),
        );
        for cell in row.elements() {
            let tag = match cell.name {
                "th" => "th",
                _ => "td",
            };
            let mut attributes =
                cell_attributes(tag, |name| cell.attribute(name).map(ToOwned::to_owned));
            for name in ["colspan", "rowspan"] {
                let span = cell
                    .attribute(name)
                    .and_then(|span| span.trim().parse::<i64>().ok());
                if let Some(span) = span.filter(|span| (2..=SPAN_MAX).contains(span)) {
                    attributes.set(name, span.to_string());
                }
            }
            self.out.open(tag, attributes);
            match cell.name {
                "td" | "th" => self.fragment(&cell.children),
                _ => self.fragment_element(cell),
            }
            self.out.close(tag);
        }
        self.out.close("tr");
    }
}

/// Style, colour, scope and number column of a cell.
fn cell_attributes(tag: &str, get: impl Fn(&str) -> Option<String>) -> Attributes {
    let mut attributes = common_attributes(&get);
    let classes = get("class").unwrap_or_default();
    if classes
        .split_whitespace()
        .any(|class| class == "numberingColumn")
    {
        attributes = attributes.class("number");
    }
    let named = classes
        .split_whitespace()
        .find_map(|class| class.strip_prefix("highlight-").map(ToOwned::to_owned));
    if let Some(colour) = named.or_else(|| get("data-highlight-colour")) {
        attributes = highlight(&colour, attributes);
    }
    let scope = get("scope").filter(|scope| {
        tag == "th" && matches!(scope.as_str(), "col" | "row" | "colgroup" | "rowgroup")
    });
    attributes.with_some("scope", scope)
}

fn highlight(colour: &str, attributes: Attributes) -> Attributes {
    match colour {
        "grey" | "gray" => attributes.class("highlight-grey"),
        "red" => attributes.class("highlight-red"),
        "yellow" => attributes.class("highlight-yellow"),
        "green" => attributes.class("highlight-green"),
        "blue" => attributes.class("highlight-blue"),
        "purple" => attributes.class("highlight-purple"),
        hex if hex.starts_with('#') => style::background(hex, attributes),
        _ => attributes,
    }
}

/// `colwidth` is a list of numbers as text, one for each column that the cell spans.
fn column_widths(colwidth: Option<&str>, colspan: Option<i64>) -> Vec<Option<u32>> {
    let span = usize::try_from(colspan.unwrap_or(1))
        .unwrap_or(1)
        .clamp(1, COLUMNS_MAX);
    let numbers = colwidth.unwrap_or_default();
    let mut widths = numbers
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.parse::<u32>()
                .ok()
                .filter(|width| (1..=4000).contains(width))
        })
        .collect::<Vec<_>>();
    widths.resize(span, None);
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_follow_the_span() {
        assert_eq!(
            column_widths(Some("[100,200]"), Some(2)),
            [Some(100), Some(200)]
        );
        assert_eq!(column_widths(Some("100"), None), [Some(100)]);
        assert_eq!(column_widths(None, Some(3)), [None, None, None]);
        assert_eq!(column_widths(Some("99999999999"), None), [None]);
    }
}
