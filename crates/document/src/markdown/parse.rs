//! Markdown becomes a document.

use pulldown_cmark::{
    BlockQuoteKind, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd,
};
use serde_json::json;

use crate::html::Html;
use crate::limits::DEPTH_MAX;
use crate::line::{push_atom, push_text};
use crate::markdown::spans::{Spans, preserved_line};
use crate::markdown::{STORAGE_COMMENT, STORAGE_FENCE};
use crate::schema::Kind;
use crate::storage_format::StorageFormat;
use crate::tree::{Document, Element, Node, Note};

pub(super) fn parse(source: &str) -> (Document, Vec<Note>) {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_GFM;
    let mut builder = Builder::default();
    for (event, range) in Parser::new_ext(source, options).into_offset_iter() {
        let is_contents = matches!(event, Event::Start(Tag::Paragraph))
            && source
                .get(range)
                .is_some_and(|text| matches!(text.trim(), "[TOC]" | "[[_TOC_]]"));
        builder.event(event);
        builder.is_contents |= is_contents;
    }
    builder.finish()
}

/// A container that is open.
struct Frame {
    holds: Holds,
    blocks: Vec<Node>,
    line: Vec<Node>,
    /// Of an item: whether its task is done.
    task: Option<bool>,
}

/// What a container becomes.
enum Holds {
    /// The document, or a container too deep to be kept.
    Nothing,
    Element(Element),
    Expand(Element),
}

struct Builder {
    frames: Vec<Frame>,
    spans: Spans,
    notes: Vec<Note>,
    /// Text of a code or HTML block that is being read.
    verbatim: Option<String>,
    info: String,
    is_contents: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            frames: vec![Frame::new(Holds::Nothing)],
            spans: Spans::default(),
            notes: Vec::new(),
            verbatim: None,
            info: String::new(),
            is_contents: false,
        }
    }
}

impl Frame {
    fn new(holds: Holds) -> Self {
        Frame {
            holds,
            blocks: Vec::new(),
            line: Vec::new(),
            task: None,
        }
    }

    /// Makes a block of the inline content gathered so far.
    fn end_line(&mut self, mut block: Element) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            block.content = line;
            self.blocks.push(block.into());
        }
    }

    /// Ends text that stands directly in a tight item.
    fn break_line(&mut self) {
        self.end_line(Element::new(Kind::Paragraph).with("bare", 1));
    }
}

impl Builder {
    fn event(&mut self, event: Event<'_>) {
        if let Some(verbatim) = &mut self.verbatim
            && let Event::Text(text) | Event::Html(text) = &event
        {
            verbatim.push_str(text);
            return;
        }
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(text) => self.inline(|spans, line| spans.code(&text, line)),
            Event::SoftBreak => self.text(" "),
            Event::HardBreak => {
                self.inline(|spans, line| spans.atom(Element::new(Kind::HardBreak), line))
            }
            Event::Html(html) | Event::InlineHtml(html) => self.inline_html(&html),
            Event::Rule => self.block(Element::new(Kind::HorizontalRule)),
            Event::TaskListMarker(is_done) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.task = Some(is_done);
                }
            }
            Event::FootnoteReference(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.text(&text)
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.inline(|spans, line| spans.text(text, line));
    }

    fn inline(&mut self, add: impl FnOnce(&mut Spans, &mut Vec<Node>)) {
        if let Some(frame) = self.frames.last_mut() {
            add(&mut self.spans, &mut frame.line);
        }
    }

    fn inline_html(&mut self, html: &str) {
        let source = html
            .strip_prefix(STORAGE_COMMENT)
            .and_then(|rest| rest.strip_suffix("-->"));
        self.inline(|spans, line| match source {
            Some(source) => {
                for node in preserved_line(source.trim_end()) {
                    match node {
                        Node::Text(text) => push_text(line, &text.text, spans.marks()),
                        Node::Element(atom) => push_atom(line, atom, spans.marks()),
                    }
                }
            }
            None => spans.html(html, line),
        });
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript => self.spans.open(&tag),
            Tag::Link { dest_url, .. } => {
                self.inline(|spans, line| spans.open_link(&dest_url, line))
            }
            Tag::Image { dest_url, .. } => self.spans.open_image(&dest_url),
            Tag::Paragraph | Tag::Heading { .. } => self.break_line(),
            Tag::CodeBlock(kind) => {
                self.break_line();
                self.verbatim = Some(String::new());
                self.info = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
            }
            Tag::HtmlBlock => {
                self.break_line();
                self.verbatim = Some(String::new());
            }
            Tag::BlockQuote(kind) => self.push(quote(kind)),
            Tag::List(start) => self.push(list(start)),
            Tag::Item => self.push(Element::new(Kind::ListItem)),
            Tag::Table(_) => self.push(Element::new(Kind::Table)),
            Tag::TableHead | Tag::TableRow => self.push(Element::new(Kind::TableRow)),
            Tag::TableCell => self.push(Element::new(self.cell_kind())),
            _ => self.break_line(),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript => {
                self.spans.close();
            }
            TagEnd::Link => self.inline(Spans::close_link),
            TagEnd::Image => self.inline(Spans::close_image),
            TagEnd::Paragraph => self.end_paragraph(),
            TagEnd::Heading(level) => self.end_heading(level),
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::HtmlBlock => self.end_html(),
            TagEnd::BlockQuote(_)
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::Table
            | TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::TableCell => {
                self.close_expands();
                self.pop();
            }
            _ => self.break_line(),
        }
    }

    fn break_line(&mut self) {
        self.spans.end_line();
        if let Some(frame) = self.frames.last_mut() {
            frame.break_line();
        }
    }

    fn block(&mut self, block: Element) {
        self.break_line();
        if let Some(frame) = self.frames.last_mut() {
            frame.blocks.push(block.into());
        }
    }

    fn push(&mut self, element: Element) {
        self.break_line();
        // Parts of a table and items must not lose their parent, so the limit leaves room for them.
        let is_part = matches!(
            element.kind,
            Kind::ListItem | Kind::TableRow | Kind::TableCell | Kind::TableHeader
        );
        let parent_is_kept = !matches!(
            self.frames.last(),
            Some(Frame {
                holds: Holds::Nothing,
                ..
            })
        );
        let fits = if is_part {
            parent_is_kept
        } else {
            self.frames.len() < DEPTH_MAX - 10
        };
        self.frames.push(Frame::new(if fits {
            Holds::Element(element)
        } else {
            Holds::Nothing
        }));
    }

    /// Closes the innermost container; the document itself stays open.
    fn pop(&mut self) {
        self.break_line();
        if self.frames.len() < 2 {
            return;
        }
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let Some(parent) = self.frames.last_mut() else {
            return;
        };
        match frame.holds {
            Holds::Nothing => parent.blocks.extend(frame.blocks),
            Holds::Element(mut element) | Holds::Expand(mut element) => {
                element.content = frame.blocks;
                if let Some(is_done) = frame.task {
                    element.kind = Kind::TaskItem;
                    element.set("status", if is_done { "complete" } else { "incomplete" });
                }
                parent.blocks.push(completed(element).into());
            }
        }
    }

    fn close_expands(&mut self) {
        while matches!(
            self.frames.last(),
            Some(Frame {
                holds: Holds::Expand(_),
                ..
            })
        ) {
            self.pop();
        }
    }

    /// Cells of the first row are headers.
    fn cell_kind(&self) -> Kind {
        let table = self.frames.iter().rev().nth(1);
        match table {
            Some(table) if table.blocks.is_empty() => Kind::TableHeader,
            _ => Kind::TableCell,
        }
    }

    fn end_paragraph(&mut self) {
        self.spans.end_line();
        let is_contents = std::mem::take(&mut self.is_contents);
        if let Some(frame) = self.frames.last_mut() {
            if is_contents {
                frame.line.clear();
                frame.blocks.push(Element::new(Kind::Toc).into());
            } else {
                frame.end_line(Element::new(Kind::Paragraph));
            }
        }
    }

    fn end_heading(&mut self, level: HeadingLevel) {
        self.spans.end_line();
        if let Some(frame) = self.frames.last_mut() {
            frame.end_line(Element::new(Kind::Heading).with("level", level as i64));
        }
    }

    fn end_code(&mut self) {
        let text = self.verbatim.take().unwrap_or_default();
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let info = std::mem::take(&mut self.info);
        if info.trim() == STORAGE_FENCE
            && let Ok((document, notes)) = StorageFormat::parse(text)
        {
            self.notes.extend(notes);
            if let Some(frame) = self.frames.last_mut() {
                frame.blocks.extend(document.content);
            }
            return;
        }
        let mut code = code_block(&info);
        if !text.is_empty() {
            code.content.push(Node::plain(text));
        }
        self.block(code);
    }

    fn end_html(&mut self) {
        let html = self.verbatim.take().unwrap_or_default();
        let mut rest = html.trim();
        while let Some(tail) = rest.strip_prefix("</details>") {
            self.close_expand();
            rest = tail.trim_start();
        }
        if let Some((title, tail)) = details(rest) {
            let mut expand = Element::new(Kind::Expand);
            if !title.is_empty() {
                expand.set("params", json!([["title", title]]).to_string());
            }
            self.push(expand);
            if let Some(frame) = self.frames.last_mut()
                && let Holds::Element(element) = std::mem::replace(&mut frame.holds, Holds::Nothing)
            {
                frame.holds = Holds::Expand(element);
            }
            rest = tail.trim();
        }
        if rest.is_empty()
            || (rest.starts_with("<!--")
                && rest.ends_with("-->")
                && rest.matches("-->").count() == 1)
        {
            return;
        }
        let (document, notes) = Html::parse(rest);
        self.notes.extend(notes);
        if let Some(frame) = self.frames.last_mut() {
            frame.blocks.extend(document.content);
        }
    }

    /// Closes an expand, if one is the innermost container.
    fn close_expand(&mut self) {
        if matches!(
            self.frames.last(),
            Some(Frame {
                holds: Holds::Expand(_),
                ..
            })
        ) {
            self.pop();
        }
    }

    fn finish(mut self) -> (Document, Vec<Note>) {
        while self.frames.len() > 1 {
            self.pop();
        }
        self.break_line();
        let content = self
            .frames
            .pop()
            .map(|frame| frame.blocks)
            .unwrap_or_default();
        let mut notes = self.spans.into_notes();
        notes.extend(self.notes);
        (Document::new(content), notes)
    }
}

/// Gives a container what the schema wants in it.
fn completed(mut element: Element) -> Element {
    let is_list = matches!(element.kind, Kind::BulletList | Kind::OrderedList);
    let has_tasks = element
        .content
        .iter()
        .filter_map(Node::as_element)
        .any(|item| item.kind == Kind::TaskItem);
    if is_list && has_tasks {
        element.kind = Kind::TaskList;
        for item in &mut element.content {
            if let Node::Element(item) = item {
                item.kind = Kind::TaskItem;
            }
        }
    }
    let needs_block = matches!(
        element.kind,
        Kind::ListItem | Kind::TaskItem | Kind::TableCell | Kind::TableHeader
    );
    if needs_block && element.content.is_empty() {
        element
            .content
            .push(Element::new(Kind::Paragraph).with("bare", 1).into());
    }
    element
}

fn quote(kind: Option<BlockQuoteKind>) -> Element {
    let name = match kind {
        None => return Element::new(Kind::Blockquote),
        Some(BlockQuoteKind::Note) => "info",
        Some(BlockQuoteKind::Tip) => "tip",
        Some(BlockQuoteKind::Important | BlockQuoteKind::Warning) => "note",
        Some(BlockQuoteKind::Caution) => "warning",
    };
    Element::new(Kind::Panel).with("name", name)
}

fn list(start: Option<u64>) -> Element {
    match start {
        None => Element::new(Kind::BulletList),
        Some(1) => Element::new(Kind::OrderedList),
        Some(start) => {
            let xml = json!({ "attrs": [["start", start.to_string()]] });
            Element::new(Kind::OrderedList).with("xml", xml.to_string())
        }
    }
}

/// A code block from its info string: a language, then `name="value"`.
fn code_block(info: &str) -> Element {
    let info = info.trim();
    let (first, mut rest) = match info.split_once(char::is_whitespace) {
        Some((first, rest)) => (first, rest),
        None => (info, ""),
    };
    let mut block = Element::new(Kind::CodeBlock);
    let mut parameters = Vec::new();
    match first {
        "" => {}
        "noformat" => block.set("macro", "noformat"),
        pair if pair.contains("=\"") => rest = info,
        language => parameters.push(json!(["language", language])),
    }
    while let Some((name, tail)) = rest.split_once("=\"") {
        let Some((value, tail)) = tail.split_once('"') else {
            break;
        };
        parameters.push(json!([name.trim(), value]));
        rest = tail;
    }
    if !parameters.is_empty() {
        block.set("params", json!(parameters).to_string());
    }
    block
}

/// The title and the rest of an opened `<details>`.
fn details(html: &str) -> Option<(String, &str)> {
    let inner = html.strip_prefix("<details>")?.trim_start();
    match inner
        .strip_prefix("<summary>")
        .and_then(|inner| inner.split_once("</summary>"))
    {
        Some((title, rest)) => Some((crate::source::decode(title.trim()).into_owned(), rest)),
        None => Some((String::new(), inner)),
    }
}
