//! The walk over the blocks of a document.

use crate::html::outline::{Heading, Outline};
use crate::html::style;
use crate::html::writer::{Attributes, Writer, class, none};
use crate::limits::WALK_DEPTH_MAX;
use crate::links::Links;
use crate::schema::Kind;
use crate::spelling::{Spelling, parameters};
use crate::text;
use crate::tree::{Document, Element, Node};

/// Renders a document and gives its headings.
pub(super) fn render(
    document: &Document,
    title: &str,
    links: &dyn Links,
) -> (String, Vec<Heading>) {
    let mut renderer = Renderer::new(title, links);
    renderer.blocks(&document.content, Bare::Paragraph);
    let mut outline = renderer.outline;
    let html = outline.fill(renderer.out.finish());
    (html, outline.headings)
}

/// State of one rendering.
pub(super) struct Renderer<'a> {
    pub(super) out: Writer,
    pub(super) links: &'a dyn Links,
    pub(super) outline: Outline,
    /// Tables so far: numbers their accessible names.
    pub(super) tables: u32,
    /// Nesting of the walk, bounded by `DEPTH_MAX`.
    pub(super) depth: usize,
    /// Nesting of sources read again, bounded by `MACRO_DEPTH_MAX`.
    pub(super) macro_depth: usize,
    /// Bytes of source that may still be read again.
    pub(super) reread_bytes: usize,
    /// Inside `<a>`: no second one.
    pub(super) in_link: bool,
    /// Where only phrasing content may stand (`<p>`, headings, `<summary>`): blocks are written as text.
    pub(super) phrasing: bool,
}

/// Longest summary of a `details` element.
const SUMMARY_CHARACTERS_MAX: usize = 200;

/// What a bare paragraph becomes.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Bare {
    /// `<p>`.
    Paragraph,
    /// Its inline content alone.
    Inline,
}

impl<'a> Renderer<'a> {
    fn new(title: &str, links: &'a dyn Links) -> Self {
        Renderer {
            out: Writer::default(),
            links,
            outline: Outline::new(title),
            tables: 0,
            depth: 0,
            macro_depth: 0,
            reread_bytes: 0,
            in_link: false,
            phrasing: false,
        }
    }

    /// Whether nothing may be nested here any more.
    pub(super) fn is_too_deep(&self) -> bool {
        self.depth >= WALK_DEPTH_MAX
    }

    /// Runs `body` one level deeper.
    pub(super) fn deeper(&mut self, body: impl FnOnce(&mut Self)) {
        self.depth += 1;
        body(self);
        self.depth -= 1;
    }

    /// Runs `body` where only phrasing content may be written.
    pub(super) fn phrasing(&mut self, body: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.phrasing, true);
        body(self);
        self.phrasing = before;
    }

    pub(super) fn blocks(&mut self, content: &[Node], bare: Bare) {
        if self.phrasing || self.is_too_deep() {
            self.out.text(&text::of_blocks(content, usize::MAX / 16));
            return;
        }
        self.deeper(|this| this.block_list(content, bare));
    }

    fn block_list(&mut self, content: &[Node], bare: Bare) {
        let mut after_bare = false;
        for node in content {
            match node {
                Node::Element(element) if !element.kind.is_inline() => {
                    let is_bare = element.kind == Kind::Paragraph && element.int("bare") == Some(1);
                    let bare = if after_bare && is_bare {
                        Bare::Paragraph
                    } else {
                        bare
                    };
                    self.block(element, bare);
                    after_bare = is_bare;
                }
                inline => self.inline(std::slice::from_ref(inline)),
            }
        }
    }

    fn block(&mut self, element: &Element, bare: Bare) {
        match element.kind {
            Kind::Paragraph => self.paragraph(element, bare),
            Kind::Heading => self.heading(element),
            Kind::BulletList => self.list("ul", element),
            Kind::OrderedList => self.list("ol", element),
            Kind::TaskList => self.task_list(element),
            Kind::ListItem | Kind::TaskItem => self.container("div", none(), element, Bare::Inline),
            Kind::Table => self.table(element),
            Kind::TableRow | Kind::TableCell | Kind::TableHeader => {
                self.blocks(&element.content, Bare::Paragraph)
            }
            Kind::CodeBlock => self.typed_macro(element.text("macro").unwrap_or("code"), element),
            Kind::Preformatted => self.preformatted(element),
            Kind::Blockquote => self.container(
                "blockquote",
                block_attributes(element),
                element,
                Bare::Paragraph,
            ),
            Kind::Panel => self.typed_macro(element.text("name").unwrap_or("info"), element),
            Kind::Expand => self.typed_macro("expand", element),
            Kind::Layout => self.layout(element),
            Kind::LayoutSection => self.layout_section(element),
            Kind::LayoutCell => {
                self.container("div", class("layout-cell"), element, Bare::Paragraph)
            }
            Kind::Division => self.division(element),
            Kind::HorizontalRule => self.out.void("hr", none()),
            Kind::Toc => self.typed_macro("toc", element),
            Kind::PreservedBlock => self.preserved(element.text("source").unwrap_or_default()),
            _ => self.inline(std::slice::from_ref(&Node::Element(element.clone()))),
        }
    }

    fn container(
        &mut self,
        tag: &'static str,
        attributes: Attributes,
        element: &Element,
        bare: Bare,
    ) {
        self.out.open(tag, attributes);
        self.blocks(&element.content, bare);
        self.out.close(tag);
    }

    fn typed_macro(&mut self, name: &str, element: &Element) {
        let body = match element.kind {
            Kind::CodeBlock => super::macros::Body::Plain(raw_text(&element.content)),
            Kind::Toc => super::macros::Body::None,
            _ => super::macros::Body::Blocks(&element.content),
        };
        let parameters = parameters(element);
        self.call(&super::macros::Call {
            name,
            parameters,
            body,
            resource: None,
        });
    }

    fn paragraph(&mut self, element: &Element, bare: Bare) {
        if element.content.is_empty() || is_cursor_target(element) {
            return;
        }
        let is_bare = element.int("bare") == Some(1);
        if is_bare && bare == Bare::Inline {
            self.inline(&element.content);
            return;
        }
        if self.holds_block(&element.content) {
            let only = element.content.iter().all(|node| match node {
                Node::Element(child) => child.kind == Kind::PreservedInline,
                Node::Text(text) => text.text.trim().is_empty(),
            });
            if only {
                self.inline(&element.content);
            } else {
                self.out.open("div", block_attributes(element).class("p"));
                self.inline(&element.content);
                self.out.close("div");
            }
            return;
        }
        self.out.open("p", block_attributes(element));
        self.phrasing(|this| this.inline(&element.content));
        self.out.close("p");
    }

    fn heading(&mut self, element: &Element) {
        let level = element.int("level").unwrap_or(1).clamp(1, 6);
        let text = text::of_inline(&element.content);
        let attributes = block_attributes(element);
        self.heading_around(
            u8::try_from(level).unwrap_or(1),
            &text,
            attributes,
            |this| this.inline(&element.content),
        );
    }

    /// A heading with an id; one without any words is written as a paragraph, so that it is no stop for a screen reader.
    pub(super) fn heading_around(
        &mut self,
        level: u8,
        text: &str,
        attributes: Attributes,
        body: impl FnOnce(&mut Self),
    ) {
        let tag = match level {
            _ if text.is_empty() => "p",
            1 => "h1",
            2 => "h2",
            3 => "h3",
            4 => "h4",
            5 => "h5",
            _ => "h6",
        };
        let mut attributes = attributes;
        if !text.is_empty() {
            let id = self.outline.heading(level.clamp(1, 6), text);
            attributes.set("id", id);
        }
        self.out.open(tag, attributes);
        self.phrasing(body);
        self.out.close(tag);
    }

    fn list(&mut self, tag: &'static str, element: &Element) {
        let spelling = Spelling::of(&element.attrs);
        let start = spelling
            .attribute("start")
            .filter(|start| is_small_number(start) && tag == "ol");
        let attributes = block_attributes(element).with_some("start", start);
        self.items(tag, attributes, element);
    }

    fn task_list(&mut self, element: &Element) {
        self.items("ul", class("task-list"), element);
    }

    /// A list; whatever is no item in it becomes one.
    fn items(&mut self, tag: &'static str, attributes: Attributes, list: &Element) {
        if self.phrasing || self.is_too_deep() {
            return self.blocks(&list.content, Bare::Inline);
        }
        self.out.open(tag, attributes);
        self.deeper(|this| {
            for item in &list.content {
                this.item(item);
            }
        });
        self.out.close(tag);
    }

    fn item(&mut self, node: &Node) {
        match node {
            Node::Element(item) if item.kind == Kind::TaskItem => self.task_item(item),
            Node::Element(item) if item.kind == Kind::ListItem => {
                self.container("li", block_attributes(item), item, Bare::Inline);
            }
            stray => {
                self.out.open("li", none());
                self.blocks(std::slice::from_ref(stray), Bare::Inline);
                self.out.close("li");
            }
        }
    }

    fn task_item(&mut self, element: &Element) {
        let id = element.text("id").filter(|id| is_small_number(id));
        let is_done = element.text("status") == Some("complete");
        let label = text::of_blocks(&element.content, 100);
        self.task(id, is_done, &label, |this| {
            this.blocks(&element.content, Bare::Inline)
        });
    }

    /// A task with its box, which is named after the task.
    pub(super) fn task(
        &mut self,
        id: Option<&str>,
        is_done: bool,
        label: &str,
        body: impl FnOnce(&mut Self),
    ) {
        let item = class("task").class(if is_done { "done" } else { "" });
        self.out.open("li", item.with_some("data-task", id));
        let label = if label.is_empty() { "Task" } else { label };
        let mut input = none()
            .with("type", "checkbox")
            .with("disabled", "")
            .with("aria-label", label);
        if is_done {
            input.set("checked", "");
        }
        self.out.void("input", input);
        self.out.open("div", class("task-body"));
        body(self);
        self.out.close("div");
        self.out.close("li");
    }

    fn preformatted(&mut self, element: &Element) {
        self.out.open("pre", none().with("tabindex", "0"));
        if raw_text(&element.content).starts_with('\n') {
            self.out.text("\n");
        }
        self.phrasing(|this| this.inline(&element.content));
        self.out.close("pre");
    }

    fn layout(&mut self, element: &Element) {
        self.container("div", class("layout"), element, Bare::Paragraph);
    }

    fn layout_section(&mut self, element: &Element) {
        let kind = match element.text("kind").unwrap_or("single") {
            "two_equal" => "layout-two-equal",
            "two_left_sidebar" => "layout-two-left-sidebar",
            "two_right_sidebar" => "layout-two-right-sidebar",
            "three_equal" => "layout-three-equal",
            "three_with_sidebars" => "layout-three-with-sidebars",
            _ => "layout-single",
        };
        self.container(
            "div",
            class("layout-section").class(kind),
            element,
            Bare::Paragraph,
        );
    }

    /// An element around blocks that has no kind of its own: mostly `div`; the source's name tells.
    fn division(&mut self, element: &Element) {
        let spelling = Spelling::of(&element.attrs);
        let get = |name: &str| spelling.attribute(name).map(ToOwned::to_owned);
        let tag = match spelling.tag().unwrap_or("div") {
            "dl" => return self.definition_list(element),
            "details" => return self.details(element),
            "a" => self.open_href(&get("href").unwrap_or_default()),
            "p" => {
                self.out.open("div", block_attributes(element).class("p"));
                Some("div")
            }
            name => match simple_mark(name) {
                Some(tag) => {
                    self.out.open(tag, none());
                    Some(tag)
                }
                None if is_phrase(name) => self.open_span(name, get),
                None => {
                    self.out.open("div", block_attributes(element));
                    Some("div")
                }
            },
        };
        let bare = match element.content.len() {
            1 => Bare::Inline,
            _ => Bare::Paragraph,
        };
        self.blocks(&element.content, bare);
        self.close_link(tag);
    }

    fn details(&mut self, element: &Element) {
        let is_summary = |node: &&Node| {
            let division = node.as_element().filter(|part| part.kind == Kind::Division);
            division.is_some_and(|part| Spelling::of(&part.attrs).tag() == Some("summary"))
        };
        let summary = element.content.iter().find(is_summary);
        let title =
            summary.map(|node| text::of_blocks(std::slice::from_ref(node), SUMMARY_CHARACTERS_MAX));
        let title = title.filter(|title| !title.is_empty());
        self.out.open("details", class("expand"));
        self.out
            .leaf("summary", none(), title.as_deref().unwrap_or("Details"));
        self.out.open("div", class("expand-body"));
        for block in element.content.iter().filter(|node| !is_summary(node)) {
            self.blocks(std::slice::from_ref(block), Bare::Paragraph);
        }
        self.out.close("div");
        self.out.close("details");
    }

    fn definition_list(&mut self, list: &Element) {
        self.out.open("dl", none());
        for node in &list.content {
            let part = node.as_element().filter(|part| part.kind == Kind::Division);
            let tag = part.map(|part| Spelling::of(&part.attrs));
            let tag = match tag.as_ref().and_then(Spelling::tag) {
                Some("dt") => "dt",
                _ => "dd",
            };
            self.out.open(tag, none());
            match part {
                Some(part) => self.blocks(&part.content, Bare::Inline),
                None => self.blocks(std::slice::from_ref(node), Bare::Inline),
            }
            self.out.close(tag);
        }
        self.out.close("dl");
    }
}

/// What of an element's own attributes may stay: style, direction, language.
pub(super) fn block_attributes(element: &Element) -> Attributes {
    let spelling = Spelling::of(&element.attrs);
    common_attributes(|name| spelling.attribute(name).map(ToOwned::to_owned))
}

/// The attributes that any element may keep.
pub(super) fn common_attributes(get: impl Fn(&str) -> Option<String>) -> Attributes {
    let direction = get("dir").filter(|dir| matches!(dir.as_str(), "ltr" | "rtl" | "auto"));
    let is_tag = |lang: &String| {
        !lang.is_empty()
            && lang.len() <= 35
            && lang.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let language = get("lang").filter(is_tag);
    let attributes = none()
        .with_some("dir", direction)
        .with_some("lang", language);
    match get("style") {
        Some(source) => style::apply(&source, attributes),
        None => attributes,
    }
}

/// The element of an inline element of the source that says one thing and has no attributes.
pub(super) fn simple_mark(name: &str) -> Option<&'static str> {
    Some(match name {
        "strong" | "b" => "strong",
        "em" | "i" => "em",
        "u" => "u",
        "s" | "strike" | "del" => "s",
        "sub" => "sub",
        "sup" => "sup",
        "code" => "code",
        _ => return None,
    })
}

/// Inline elements that may say something by their attributes.
fn is_phrase(name: &str) -> bool {
    matches!(
        name,
        "span"
            | "font"
            | "small"
            | "big"
            | "kbd"
            | "samp"
            | "var"
            | "cite"
            | "q"
            | "abbr"
            | "acronym"
            | "tt"
            | "dfn"
            | "ins"
    )
}

/// The empty paragraph that Confluence's editor puts around block macros for the caret.
fn is_cursor_target(element: &Element) -> bool {
    let only_break = element
        .content
        .iter()
        .all(|node| matches!(node, Node::Element(e) if e.kind == Kind::HardBreak));
    only_break
        && Spelling::of(&element.attrs)
            .attribute("class")
            .is_some_and(|class| class.contains("auto-cursor-target"))
}

/// Text without marks, line ends kept.
pub(super) fn raw_text(content: &[Node]) -> String {
    let parts = content.iter().map(|node| match node {
        Node::Text(text) => text.text.as_str(),
        Node::Element(element) if element.kind == Kind::HardBreak => "\n",
        Node::Element(_) => "",
    });
    parts.collect()
}

/// Decimal digits, few enough for a number.
pub(super) fn is_small_number(text: &str) -> bool {
    (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}
