//! Blocks of foreign HTML.

use serde_json::json;

use crate::date;
use crate::html::parse::dom::{Child, Dom};
use crate::html::parse::inline::{self, marks_of};
use crate::html::parse::{Builder, Flow, Line};
use crate::html::url;
use crate::limits::WALK_DEPTH_MAX;
use crate::line::{push_atom, push_text};
use crate::links::Resource;
use crate::schema::Kind;
use crate::tree::{Element, Node};

impl Builder {
    /// The children of an element, into the flow around it.
    pub(super) fn children(&mut self, element: &Dom, flow: &mut Flow) {
        if self.depth >= WALK_DEPTH_MAX {
            return;
        }
        self.depth += 1;
        for child in element.children() {
            match child {
                Child::Text(text) => self.text(&text, flow),
                Child::Element(element) => self.element(&element, flow),
            }
        }
        self.depth -= 1;
    }

    fn text(&mut self, text: &str, flow: &mut Flow) {
        push_text(&mut flow.line, text, &self.marks);
    }

    fn element(&mut self, element: &Dom, flow: &mut Flow) {
        match element.name() {
            "p" | "dd" | "figcaption" | "caption" | "address" => self.paragraph(element, flow),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading(element, flow),
            "dt" => self.term(element, flow),
            "ul" | "ol" | "menu" | "dir" => self.list(element, flow),
            "li" => self.loose_item(element, flow),
            "table" => self.table(element, flow),
            "pre" | "listing" | "xmp" => self.code(element, flow),
            "blockquote" => self.block(Kind::Blockquote, element, flow),
            "aside" if panel_name(element).is_some() => self.panel(element, flow),
            "details" => self.expand(element, flow),
            "hr" => self.atom_block(Kind::HorizontalRule, flow),
            "br" => self.atom(Element::new(Kind::HardBreak), flow),
            "img" => self.image(element, flow),
            "time" => self.date(element, flow),
            "input" => {}
            name if is_dropped(name) => self.dropped(name),
            name if is_container(name) => {
                flow.break_line();
                self.children(element, flow);
                flow.break_line();
            }
            _ => self.marked(element, flow),
        }
    }

    fn marked(&mut self, element: &Dom, flow: &mut Flow) {
        if element
            .attribute("class")
            .is_some_and(|class| class.split(' ').any(|class| class == "status"))
        {
            return self.status(element, flow);
        }
        let marks = marks_of(element);
        let before = self.marks.len();
        self.marks.extend(marks);
        self.children(element, flow);
        self.marks.truncate(before);
    }

    fn atom(&mut self, atom: Element, flow: &mut Flow) {
        push_atom(&mut flow.line, atom, &self.marks);
    }

    fn atom_block(&mut self, kind: Kind, flow: &mut Flow) {
        flow.break_line();
        flow.push(Element::new(kind));
    }

    fn paragraph(&mut self, element: &Dom, flow: &mut Flow) {
        flow.break_line();
        let first = flow.blocks.len();
        self.children(element, flow);
        flow.end_line(Line::Paragraph);
        if let Some(style) = alignment(element) {
            for block in flow.blocks.iter_mut().skip(first) {
                if let Node::Element(block) = block {
                    block.set("xml", json!({ "attrs": [["style", style]] }).to_string());
                }
            }
        }
    }

    fn heading(&mut self, element: &Dom, flow: &mut Flow) {
        flow.break_line();
        let content = self.line_of(element);
        if content.is_empty() {
            return;
        }
        let level = element
            .name()
            .bytes()
            .last()
            .unwrap_or(b'1')
            .saturating_sub(b'0');
        flow.push(
            Element::new(Kind::Heading)
                .with("level", i64::from(level))
                .with_content(content),
        );
    }

    /// A term of a definition list: a bold line.
    fn term(&mut self, element: &Dom, flow: &mut Flow) {
        flow.break_line();
        self.marks
            .push(crate::tree::Mark::new(crate::schema::MarkKind::Strong));
        let content = self.line_of(element);
        self.marks.pop();
        if !content.is_empty() {
            flow.push(Element::new(Kind::Paragraph).with_content(content));
        }
    }

    /// All inline content of an element in one line.
    fn line_of(&mut self, element: &Dom) -> Vec<Node> {
        let mut inner = Flow::default();
        self.children(element, &mut inner);
        let mut line = Vec::new();
        for block in std::mem::take(&mut inner.blocks) {
            if let Node::Element(block) = block {
                line.extend(block.content.into_iter().filter(Node::is_inline));
                line.push(Node::plain(" "));
            }
        }
        line.extend(std::mem::take(&mut inner.line));
        let mut line = inline::tidy(line);
        inline::drop_last_break(&mut line);
        line
    }

    /// The blocks of a container; text that stands alone in it is a bare paragraph.
    fn content_of(&mut self, element: &Dom, line: Line) -> Vec<Node> {
        let marks = std::mem::take(&mut self.marks);
        let mut inner = Flow::new(line);
        self.children(element, &mut inner);
        inner.break_line();
        self.marks = marks;
        inner.blocks
    }

    fn block(&mut self, kind: Kind, element: &Dom, flow: &mut Flow) {
        flow.break_line();
        let content = self.content_of(element, Line::Paragraph);
        if !content.is_empty() {
            flow.push(Element::new(kind).with_content(content));
        }
    }

    fn list(&mut self, element: &Dom, flow: &mut Flow) {
        let kind = if element.name() == "ol" {
            Kind::OrderedList
        } else {
            Kind::BulletList
        };
        let start = element.attribute("start").filter(|start| {
            kind == Kind::OrderedList && start.parse::<u32>().is_ok_and(|n| n != 1)
        });
        self.list_of(&element.children(), kind, start, flow);
    }

    fn list_of(&mut self, children: &[Child], kind: Kind, start: Option<&str>, flow: &mut Flow) {
        flow.break_line();
        let is_tasks = is_task_list(children);
        let mut items: Vec<Element> = Vec::new();
        for child in children {
            match child {
                Child::Element(item) if item.name() == "li" => {
                    items.push(self.item(item, is_tasks))
                }
                Child::Text(text) if text.trim().is_empty() => {}
                // A list directly in a list belongs to the item before it.
                Child::Element(stray) => self.stray(stray, &mut items, is_tasks),
                Child::Text(text) => {
                    let paragraph = Element::new(Kind::Paragraph)
                        .with("bare", 1)
                        .with_content(vec![Node::plain(text.trim())]);
                    items.push(
                        Element::new(item_kind(is_tasks)).with_content(vec![paragraph.into()]),
                    );
                }
            }
        }
        if items.is_empty() {
            return;
        }
        let mut list = Element::new(if is_tasks { Kind::TaskList } else { kind });
        if let Some(start) = start {
            list.set("xml", json!({ "attrs": [["start", start]] }).to_string());
        }
        flow.push(list.with_content(items.into_iter().map(Node::from).collect()));
    }

    /// An item without a list.
    fn loose_item(&mut self, element: &Dom, flow: &mut Flow) {
        flow.break_line();
        let item = self.item(element, false);
        flow.push(Element::new(Kind::BulletList).with_content(vec![item.into()]));
    }

    fn stray(&mut self, stray: &Dom, items: &mut Vec<Element>, is_tasks: bool) {
        let mut inner = Flow::new(Line::Bare);
        self.element(stray, &mut inner);
        inner.break_line();
        match items.last_mut() {
            Some(last) => last.content.extend(inner.blocks),
            None if inner.blocks.is_empty() => {}
            None => items.push(Element::new(item_kind(is_tasks)).with_content(inner.blocks)),
        }
    }

    fn item(&mut self, item: &Dom, is_task: bool) -> Element {
        let mut content = self.content_of(item, Line::Bare);
        if let Some(Node::Element(first)) = content.first_mut()
            && first.kind == Kind::Paragraph
            && is_task
        {
            first.set("bare", 1);
        }
        if content.is_empty() {
            content.push(Element::new(Kind::Paragraph).with("bare", 1).into());
        }
        let mut element = Element::new(item_kind(is_task)).with_content(content);
        if is_task && checkbox(item).is_some_and(|input| input.attribute("checked").is_some()) {
            element.set("status", "complete");
        }
        element
    }

    fn table(&mut self, table: &Dom, flow: &mut Flow) {
        flow.break_line();
        if let Some(caption) = table.child("caption") {
            self.paragraph(&caption, flow);
        }
        let mut sections = Vec::new();
        let mut rows = Vec::new();
        self.rows(table, &mut sections, &mut rows);
        if rows.is_empty() {
            return;
        }
        let mut built = Element::new(Kind::Table).with_content(rows);
        if sections != ["tbody"] {
            let parts = sections
                .iter()
                .map(|tag| json!({ "tag": tag }))
                .collect::<Vec<_>>();
            built.set("sections", json!({ "parts": parts }).to_string());
        }
        flow.push(built);
    }

    fn rows(&mut self, part: &Dom, sections: &mut Vec<String>, rows: &mut Vec<Node>) {
        for child in part.children() {
            match child {
                Child::Element(row) if row.name() == "tr" => {
                    let mut row = self.row(&row);
                    let section = sections.len().saturating_sub(1);
                    if section > 0 {
                        row.set("section", i64::try_from(section).unwrap_or(0));
                    }
                    rows.push(row.into());
                }
                Child::Element(section)
                    if matches!(section.name(), "thead" | "tbody" | "tfoot")
                        && section.child("tr").is_some() =>
                {
                    sections.push(section.name().to_owned());
                    self.rows(&section, sections, rows);
                }
                _ => {}
            }
        }
    }

    fn row(&mut self, row: &Dom) -> Element {
        let mut cells = Vec::new();
        for child in row.children() {
            let Child::Element(cell) = child else {
                continue;
            };
            let kind = if cell.name() == "th" {
                Kind::TableHeader
            } else {
                Kind::TableCell
            };
            let mut content = self.content_of(&cell, Line::Bare);
            if content.is_empty() {
                content.push(Element::new(Kind::Paragraph).with("bare", 1).into());
            }
            let mut element = Element::new(kind).with_content(content);
            for name in ["colspan", "rowspan"] {
                if let Some(span) = cell
                    .attribute(name)
                    .and_then(|span| span.parse::<i64>().ok())
                    .filter(|span| (1..=1000).contains(span))
                {
                    element.set(name, span);
                }
            }
            cells.push(element.into());
        }
        Element::new(Kind::TableRow).with_content(cells)
    }

    fn code(&mut self, element: &Dom, flow: &mut Flow) {
        flow.break_line();
        let text = element.text();
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let code = element.child("code");
        let language = language_of(element).or_else(|| code.as_deref().and_then(language_of));
        let mut block = Element::new(Kind::CodeBlock);
        if let Some(language) = language {
            block.set("params", json!([["language", language]]).to_string());
        }
        let content = if text.is_empty() {
            Vec::new()
        } else {
            vec![Node::plain(text)]
        };
        flow.push(block.with_content(content));
    }

    fn panel(&mut self, element: &Dom, flow: &mut Flow) {
        flow.break_line();
        let content = self.content_of(element, Line::Paragraph);
        let name = panel_name(element).unwrap_or("info");
        flow.push(
            Element::new(Kind::Panel)
                .with("name", name)
                .with_content(content),
        );
    }

    fn expand(&mut self, element: &Dom, flow: &mut Flow) {
        flow.break_line();
        let title = element
            .child("summary")
            .map(|summary| summary.text().trim().to_owned());
        let content = self.content_of(element, Line::Paragraph);
        let mut expand = Element::new(Kind::Expand);
        if let Some(title) = title.filter(|title| !title.is_empty()) {
            expand.set("params", json!([["title", title]]).to_string());
        }
        flow.push(expand.with_content(content));
    }

    fn image(&mut self, element: &Dom, flow: &mut Flow) {
        let source = element.attribute("src").unwrap_or_default();
        let Some(source) =
            url::image(source).filter(|source| !source.is_empty() && !source.starts_with("data:"))
        else {
            self.unknown
                .insert("an image inside the text was left out; attach it to the page".to_owned());
            return;
        };
        let attributes = [
            ("alt", "ac:alt"),
            ("title", "ac:title"),
            ("width", "ac:width"),
            ("height", "ac:height"),
        ];
        let attributes = attributes
            .iter()
            .filter_map(|(name, kept)| {
                Some(json!([
                    kept,
                    element.attribute(name).filter(|value| !value.is_empty())?
                ]))
            })
            .collect::<Vec<_>>();
        let mut image = Element::new(Kind::Image).with("resource", Resource::Url(source).to_json());
        if !attributes.is_empty() {
            image.set("xml", json!({ "attrs": attributes }).to_string());
        }
        self.atom(image, flow);
    }

    fn date(&mut self, element: &Dom, flow: &mut Flow) {
        match element
            .attribute("datetime")
            .filter(|datetime| date::readable(datetime).is_some())
        {
            Some(datetime) => self.atom(Element::new(Kind::Date).with("datetime", datetime), flow),
            None => self.children(element, flow),
        }
    }

    fn status(&mut self, element: &Dom, flow: &mut Flow) {
        let classes = element.attribute("class").unwrap_or_default();
        let colour = ["Grey", "Red", "Yellow", "Green", "Blue", "Purple"];
        let colour = colour
            .iter()
            .find(|colour| classes.contains(&format!("status-{}", colour.to_ascii_lowercase())));
        let mut params = vec![json!(["title", element.text().trim()])];
        if let Some(colour) = colour.filter(|colour| **colour != "Grey") {
            params.insert(0, json!(["colour", colour]));
        }
        self.atom(
            Element::new(Kind::Status).with("params", json!(params).to_string()),
            flow,
        );
    }

    fn dropped(&mut self, name: &str) {
        if !matches!(
            name,
            "head" | "meta" | "link" | "title" | "base" | "colgroup" | "summary" | ""
        ) {
            self.unknown.insert(format!("`{name}` was left out"));
        }
    }
}

fn item_kind(is_task: bool) -> Kind {
    if is_task {
        Kind::TaskItem
    } else {
        Kind::ListItem
    }
}

/// A list whose every item begins with a box.
fn is_task_list(children: &[Child]) -> bool {
    let mut items = children.iter().filter_map(|child| match child {
        Child::Element(item) if item.name() == "li" => Some(item),
        _ => None,
    });
    let mut any = false;
    items.all(|item| {
        any = true;
        checkbox(item).is_some()
    }) && any
}

fn checkbox(item: &Dom) -> Option<std::rc::Rc<Dom>> {
    let direct = item.child("input").or_else(|| {
        ["p", "label"]
            .iter()
            .find_map(|name| item.child(name)?.child("input"))
    });
    direct.filter(|input| input.attribute("type") == Some("checkbox"))
}

fn panel_name(element: &Dom) -> Option<&'static str> {
    let classes = element.attribute("class")?;
    ["info", "tip", "note", "warning"].into_iter().find(|name| {
        classes
            .split(' ')
            .any(|class| class.strip_prefix("panel-") == Some(name))
    })
}

/// The language that a class names, as highlighters write it.
fn language_of(element: &Dom) -> Option<String> {
    let classes = element.attribute("class")?.split_whitespace();
    let prefixes = ["language-", "lang-", "highlight-source-"];
    let mut named = classes.filter_map(|class| {
        prefixes
            .iter()
            .find_map(|prefix| class.strip_prefix(prefix))
    });
    named
        .find(|name| !name.is_empty() && name.len() <= 32)
        .map(ToOwned::to_owned)
}

fn alignment(element: &Dom) -> Option<String> {
    let from_style = element.attribute("style").and_then(|style| {
        let declaration = style.split(';').find_map(|declaration| {
            declaration
                .split_once(':')
                .filter(|(name, _)| name.trim() == "text-align")
        });
        declaration.map(|(_, value)| value.trim().to_owned())
    });
    let value = from_style.or_else(|| element.attribute("align").map(ToOwned::to_owned))?;
    matches!(value.as_str(), "center" | "right" | "justify")
        .then(|| format!("text-align: {value};"))
}

fn is_container(name: &str) -> bool {
    matches!(
        name,
        "html"
            | "body"
            | "div"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "main"
            | "aside"
            | "nav"
            | "figure"
            | "dl"
            | "center"
            | "form"
            | "fieldset"
            | "tbody"
            | "thead"
            | "tfoot"
            | "tr"
            | "td"
            | "th"
            | "hgroup"
            | "search"
    )
}

fn is_dropped(name: &str) -> bool {
    matches!(
        name,
        "" | "head"
            | "meta"
            | "link"
            | "title"
            | "base"
            | "script"
            | "style"
            | "template"
            | "noscript"
            | "iframe"
            | "object"
            | "embed"
            | "svg"
            | "math"
            | "audio"
            | "video"
            | "canvas"
            | "select"
            | "textarea"
            | "button"
            | "colgroup"
            | "summary"
            | "frameset"
            | "frame"
            | "applet"
            | "noembed"
            | "noframes"
            | "map"
            | "area"
    )
}
