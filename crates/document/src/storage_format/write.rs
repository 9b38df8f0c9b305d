//! From the tree to the storage format. Whatever tree it is given, it writes well-formed XML.

use super::names::mark_tags;
use super::spelling::Spelling;
use super::wrap::nesting;
use crate::schema::{Kind, MarkKind};
use crate::tree::{Document, Element, Mark, Node};
use crate::xml::{Fragment, is_bound_name, is_char, is_space};

pub(super) struct Writer {
    out: String,
    /// Where the start tag written last ends; an end tag that follows at once makes it an empty element.
    opened: usize,
    /// The highest task id so far; tasks made in the editor get the next ones.
    pub(super) task_id_max: u64,
}

/// A node of a line and the marks around it, outermost first.
struct Piece<'n> {
    marks: Vec<Mark>,
    node: &'n Node,
}

pub(super) fn write(document: &Document) -> String {
    let mut writer = Writer::new(task_id_max(&document.content));
    writer.blocks(&document.content);
    writer.out
}

/// A macro with a plain-text body and no parameters.
pub(super) fn plain_macro(name: &str, body: &str) -> String {
    let mut writer = Writer::new(0);
    writer.start("ac:structured-macro", &[("ac:name", name)], &[]);
    writer.start("ac:plain-text-body", &[], &[]);
    writer.cdata(body);
    writer.end("ac:plain-text-body");
    writer.end("ac:structured-macro");
    writer.out
}

fn task_id_max(content: &[Node]) -> u64 {
    content
        .iter()
        .filter_map(Node::as_element)
        .map(|element| {
            let own = element.text("id").and_then(|id| id.parse().ok());
            own.unwrap_or(0).max(task_id_max(&element.content))
        })
        .max()
        .unwrap_or(0)
}

impl Writer {
    fn new(task_id_max: u64) -> Self {
        Writer {
            out: String::new(),
            opened: usize::MAX,
            task_id_max,
        }
    }

    /// The content of a block container.
    pub(super) fn blocks(&mut self, content: &[Node]) {
        let mut at = 0;
        while let Some(node) = content.get(at) {
            if node.is_inline() {
                let rest = content.get(at..).unwrap_or_default();
                let count = rest.iter().take_while(|node| node.is_inline()).count();
                self.line(rest.get(..count).unwrap_or_default());
                at += count;
                continue;
            }
            if let Node::Element(element) = node {
                let before = at.checked_sub(1).and_then(|before| content.get(before));
                let alone = content.len() == 1;
                if stands_bare(element, before, content.get(at + 1), alone) {
                    self.bare(element);
                } else {
                    self.element(element);
                }
            }
            at += 1;
        }
    }

    /// Nodes one after the other, without regard to bare paragraphs.
    pub(super) fn nodes(&mut self, content: &[Node]) {
        for node in content {
            match node {
                Node::Element(element) => self.element(element),
                Node::Text(text) => self.text(&text.text),
            }
        }
    }

    fn bare(&mut self, element: &Element) {
        let spelling = Spelling::of(&element.attrs);
        self.space(&spelling.pre);
        if spelling.holder == 1 {
            let class = [("class", "placeholder-inline-tasks")];
            self.start("span", &class, &[]);
            self.line(&element.content);
            self.end("span");
        } else {
            self.line(&element.content);
        }
        self.space(&spelling.after);
    }

    fn element(&mut self, element: &Element) {
        let spelling = Spelling::of(&element.attrs);
        self.space(&spelling.pre);
        match element.kind {
            Kind::Paragraph => self.line_block("p", element, &spelling),
            Kind::Heading => {
                let level = element.int("level").unwrap_or(1).clamp(1, 6);
                self.line_block(&format!("h{level}"), element, &spelling);
            }
            Kind::Preformatted => self.line_block("pre", element, &spelling),
            Kind::BulletList => self.structure("ul", element, &spelling),
            Kind::OrderedList => self.structure("ol", element, &spelling),
            Kind::TaskList => self.structure("ac:task-list", element, &spelling),
            Kind::TableRow => self.structure("tr", element, &spelling),
            Kind::Layout => self.structure("ac:layout", element, &spelling),
            Kind::LayoutSection => self.layout_section(element),
            Kind::TaskItem => self.task_item(element),
            Kind::Table => self.table(element),
            Kind::ListItem => self.container("li", element, &spelling),
            Kind::Blockquote => self.container("blockquote", element, &spelling),
            Kind::LayoutCell => self.container("ac:layout-cell", element, &spelling),
            Kind::Division => {
                let tag = Some(spelling.tag.as_str()).filter(|tag| is_bound_name(tag));
                self.container(tag.unwrap_or("div"), element, &spelling);
            }
            Kind::TableCell => self.cell("td", element),
            Kind::TableHeader => self.cell("th", element),
            Kind::CodeBlock => self.code_block(element),
            Kind::Panel => {
                self.rich_macro(element.text("name").unwrap_or("info"), element);
            }
            Kind::Expand => self.rich_macro("expand", element),
            Kind::HorizontalRule => self.empty("hr", &[], &spelling),
            Kind::Toc => self.toc(element),
            _ => self.atom(element, &spelling),
        }
        self.space(&spelling.after);
    }

    fn atom(&mut self, element: &Element, spelling: &Spelling) {
        match element.kind {
            Kind::HardBreak => self.empty("br", &[], spelling),
            Kind::Image => self.image(element),
            Kind::Emoticon => {
                let name = element.text("name").unwrap_or_default();
                self.empty("ac:emoticon", &[("ac:name", name)], spelling);
            }
            Kind::Mention | Kind::ContentLink => self.content_link(element),
            Kind::Date => {
                let date = element.text("datetime").unwrap_or_default();
                self.empty("time", &[("datetime", date)], spelling);
            }
            Kind::Status => self.status(element),
            _ => self.raw(element.text("source").unwrap_or_default()),
        }
    }

    fn line_block(&mut self, tag: &str, element: &Element, spelling: &Spelling) {
        self.start(tag, &[], &spelling.attrs);
        self.space(&spelling.lead);
        self.line(&element.content);
        self.space(&spelling.post);
        self.end(tag);
    }

    fn structure(&mut self, tag: &str, element: &Element, spelling: &Spelling) {
        self.start(tag, &[], &spelling.attrs);
        self.nodes(&element.content);
        self.space(&spelling.post);
        self.end(tag);
    }

    fn container(&mut self, tag: &str, element: &Element, spelling: &Spelling) {
        self.start(tag, &[], &spelling.attrs);
        self.blocks(&element.content);
        self.space(&spelling.post);
        self.end(tag);
    }

    fn empty(&mut self, tag: &str, attrs: &[(&str, &str)], spelling: &Spelling) {
        self.start(tag, attrs, &spelling.attrs);
        self.end(tag);
    }

    // ---- lines ------------------------------------------------------------------------------------------------------

    fn line(&mut self, content: &[Node]) {
        let pieces: Vec<Piece<'_>> = content
            .iter()
            .map(|node| Piece {
                marks: nesting(node),
                node,
            })
            .collect();
        self.pieces(&pieces, 0);
    }

    fn pieces(&mut self, pieces: &[Piece<'_>], level: usize) {
        let mut rest = pieces;
        while let Some(first) = rest.first() {
            let Some(mark) = first.marks.get(level) else {
                self.piece(first.node);
                rest = rest.get(1..).unwrap_or_default();
                continue;
            };
            let count = rest
                .iter()
                .take_while(|piece| piece.marks.get(level) == Some(mark))
                .count();
            let (under, following) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            self.marked(mark, under, level + 1);
            rest = following;
        }
    }

    fn piece(&mut self, node: &Node) {
        match node {
            Node::Text(text) => self.text(&text.text),
            Node::Element(element) => self.element(element),
        }
    }

    fn marked(&mut self, mark: &Mark, pieces: &[Piece<'_>], level: usize) {
        let spelling = Spelling::of(&mark.attrs);
        if mark.kind == MarkKind::ResourceLink {
            return self.resource_link(mark, &spelling, pieces, level);
        }
        let tags = mark_tags(mark.kind);
        let tag = match mark.kind {
            MarkKind::Styled if is_bound_name(&spelling.tag) => spelling.tag.as_str(),
            _ => spelling.tag_of(tags, tags.first().copied().unwrap_or("span")),
        };
        let typed = match mark.kind {
            MarkKind::CommentMarker => Some(("ac:ref", mark.text("ref").unwrap_or_default())),
            MarkKind::Link => Some(("href", mark.text("href").unwrap_or_default())),
            _ => None,
        };
        self.start(tag, typed.as_slice(), &spelling.attrs);
        self.pieces(pieces, level);
        self.end(tag);
    }

    fn resource_link(
        &mut self,
        mark: &Mark,
        spelling: &Spelling,
        pieces: &[Piece<'_>],
        level: usize,
    ) {
        let plain = spelling.body != "rich"
            && pieces
                .iter()
                .all(|piece| piece.marks.len() == level && piece.node.as_text().is_some());
        self.link_start(&mark.attrs, spelling);
        if plain {
            let text: String = pieces
                .iter()
                .filter_map(|piece| Some(piece.node.as_text()?.text.as_str()))
                .collect();
            self.start("ac:plain-text-link-body", &[], &[]);
            self.cdata(&text);
            self.end("ac:plain-text-link-body");
        } else {
            self.start("ac:link-body", &[], &[]);
            self.pieces(pieces, level);
            self.end("ac:link-body");
        }
        self.space(spelling.gap(2));
        self.end("ac:link");
    }

    // ---- characters -------------------------------------------------------------------------------------------------

    /// A start tag: the typed attributes, then those others that are not typed and may be written.
    pub(super) fn start(&mut self, tag: &str, typed: &[(&str, &str)], more: &[(String, String)]) {
        self.out.push('<');
        self.out.push_str(tag);
        for (name, value) in typed {
            self.attribute(name, value);
        }
        let mut written = std::collections::HashSet::new();
        for (name, value) in more {
            let doubled = typed.iter().any(|(key, _)| key == name) || !written.insert(name);
            if !doubled && is_bound_name(name) {
                self.attribute(name, value);
            }
        }
        self.out.push('>');
        self.opened = self.out.len();
    }

    pub(super) fn end(&mut self, tag: &str) {
        if self.opened == self.out.len() {
            self.out.pop();
            self.out.push_str(" />");
        } else {
            self.out.push_str("</");
            self.out.push_str(tag);
            self.out.push('>');
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        self.escape(value, |c| match c {
            '"' => Some("&quot;"),
            '\t' => Some("&#9;"),
            '\n' => Some("&#10;"),
            _ => escaped(c),
        });
        self.out.push('"');
    }

    pub(super) fn text(&mut self, text: &str) {
        self.escape(text, escaped);
    }

    fn escape(&mut self, text: &str, escaped: impl Fn(char) -> Option<&'static str>) {
        let mut done = 0;
        for (at, c) in text.char_indices() {
            if let Some(instead) = escaped(c) {
                self.out.push_str(text.get(done..at).unwrap_or_default());
                self.out.push_str(instead);
                done = at + c.len_utf8();
            }
        }
        self.out.push_str(text.get(done..).unwrap_or_default());
    }

    pub(super) fn cdata(&mut self, text: &str) {
        self.out.push_str("<![CDATA[");
        let mut before = ['\0'; 2];
        for c in text.chars() {
            match c {
                '>' if before == [']', ']'] => self.out.push_str("]]><![CDATA[>"),
                '\r' => self.out.push_str("]]>&#13;<![CDATA["),
                c if is_char(c) => self.out.push(c),
                _ => self.out.push('\u{fffd}'),
            }
            before = [before[1], c];
        }
        self.out.push_str("]]>");
    }

    /// White space; anything else would not be white space when it is read again, and is left out.
    pub(super) fn space(&mut self, space: &str) {
        if is_space(space) {
            self.text(space);
        }
    }

    /// Source as it is, if it may stand in a body; otherwise as text.
    pub(super) fn raw(&mut self, source: &str) {
        match Fragment::parse(source) {
            Ok(_) => self.out.push_str(source),
            Err(_) => self.text(source),
        }
    }
}

/// What is written instead of a character in text.
fn escaped(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\r' => Some("&#13;"),
        '\u{a0}' => Some("&nbsp;"),
        c if is_char(c) => None,
        _ => Some("\u{fffd}"),
    }
}

/// Whether a paragraph is written without `<p>`: it says so, and its neighbours do not run into it.
fn stands_bare(
    element: &Element,
    before: Option<&Node>,
    after: Option<&Node>,
    alone: bool,
) -> bool {
    let is_bare = |node: &Node| match node {
        Node::Element(element) => is_bare_paragraph(element) || node.is_inline(),
        Node::Text(_) => true,
    };
    let blank = element.content.iter().all(|node| match node {
        Node::Text(text) => text.marks.is_empty() && is_space(&text.text),
        Node::Element(_) => false,
    });
    let holds = !blank || Spelling::of(&element.attrs).holder == 1;
    is_bare_paragraph(element)
        && (holds || (alone && element.content.is_empty()))
        && !before.is_some_and(is_bare)
        && !after.is_some_and(is_bare)
}

fn is_bare_paragraph(element: &Element) -> bool {
    element.kind == Kind::Paragraph && element.int("bare") == Some(1)
}
