//! The plain-text face: what search reads and excerpts show.

use crate::date;
use crate::html::emoticon;
use crate::limits::{DEPTH_MAX, MACRO_DEPTH_MAX};
use crate::links::Resource;
use crate::schema::Kind;
use crate::source::{self, Xml, XmlElement};
use crate::spelling::{Spelling, parameter, parameters};
use crate::tree::{Document, Element, Node};

/// The plain-text face.
pub struct PlainText;

impl PlainText {
    /// All words of a document in reading order: one line for each block, cells of a row parted by tabs. Macro bodies are included,
    /// macro names and most parameters are not.
    pub fn write(document: &Document) -> String {
        let mut text = Collector::default();
        text.blocks(&document.content);
        text.out.trim().to_owned()
    }

    /// The beginning of a document in one line of at most `characters_max` characters, cut at the end of a word and then ending in `…`.
    pub fn excerpt(document: &Document, characters_max: usize) -> String {
        let mut text = Collector {
            bytes_max: characters_max.saturating_mul(8).max(256),
            ..Collector::default()
        };
        text.blocks(&document.content);
        shorten(&text.out, characters_max)
    }
}

/// The text of inline content in one line.
pub(crate) fn of_inline(content: &[Node]) -> String {
    let mut text = Collector::default();
    text.inline(content);
    one_line(&text.out)
}

/// The text of blocks in one line, cut after `characters_max`.
pub(crate) fn of_blocks(content: &[Node], characters_max: usize) -> String {
    let mut text = Collector {
        bytes_max: characters_max.saturating_mul(8),
        ..Collector::default()
    };
    text.blocks(content);
    shorten(&text.out, characters_max)
}

/// The text of a preserved source in one line.
pub(crate) fn of_source(source: &str) -> String {
    let mut text = Collector::default();
    text.source(source);
    one_line(&text.out)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One line of at most so many characters, cut between words where that loses less than half.
fn shorten(text: &str, characters_max: usize) -> String {
    let line = one_line(text);
    let Some((end, _)) = line.char_indices().nth(characters_max) else {
        return line;
    };
    let cut = line
        .char_indices()
        .nth(characters_max.saturating_sub(1))
        .map_or(0, |(at, _)| at);
    let head = line.get(..cut).unwrap_or_default();
    let at_word = line.get(cut..end) == Some(" ")
        || line
            .get(end..)
            .is_some_and(|rest| rest.starts_with(' ') && cut == 0);
    let kept = match head.rfind(' ') {
        Some(blank) if !at_word && blank * 2 >= head.len() => head.get(..blank).unwrap_or(head),
        _ => head,
    };
    format!("{}…", kept.trim_end_matches([' ', ',', ';', ':', '.']))
}

struct Collector {
    out: String,
    depth: usize,
    macro_depth: usize,
    bytes_max: usize,
}

impl Default for Collector {
    fn default() -> Self {
        Collector {
            out: String::new(),
            depth: 0,
            macro_depth: 0,
            bytes_max: usize::MAX,
        }
    }
}

impl Collector {
    fn is_full(&self) -> bool {
        self.out.len() >= self.bytes_max
    }

    /// Text of a paragraph: any run of white space is one blank.
    fn words(&mut self, text: &str) {
        for character in text.chars() {
            if !character.is_whitespace() {
                self.out.push(character);
            } else if !self.out.ends_with([' ', '\n', '\t']) && !self.out.is_empty() {
                self.out.push(' ');
            }
        }
    }

    fn line(&mut self) {
        let kept = self.out.trim_end_matches([' ', '\t']).len();
        self.out.truncate(kept);
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn blocks(&mut self, content: &[Node]) {
        if self.depth >= DEPTH_MAX {
            return;
        }
        self.depth += 1;
        for node in content {
            if self.is_full() {
                break;
            }
            match node {
                Node::Element(element) if !element.kind.is_inline() => self.block(element),
                inline => self.inline(std::slice::from_ref(inline)),
            }
        }
        self.depth -= 1;
    }

    fn block(&mut self, element: &Element) {
        match element.kind {
            Kind::TableCell | Kind::TableHeader => self.cell(|this| this.blocks(&element.content)),
            Kind::Toc => {}
            Kind::CodeBlock | Kind::Preformatted => {
                self.line();
                self.titled(element);
                for node in &element.content {
                    match node {
                        Node::Text(text) => self.out.push_str(&text.text),
                        Node::Element(atom) => self.atom(atom),
                    }
                }
                self.line();
            }
            Kind::PreservedBlock => {
                self.line();
                self.source(element.text("source").unwrap_or_default());
                self.line();
            }
            _ => {
                self.line();
                self.titled(element);
                self.blocks(&element.content);
                self.line();
            }
        }
    }

    /// A cell: its text in one line, and a tab after it.
    fn cell(&mut self, body: impl FnOnce(&mut Self)) {
        let before = std::mem::take(&mut self.out);
        body(self);
        let cell = std::mem::replace(&mut self.out, before);
        self.out.push_str(&one_line(&cell));
        self.out.push('\t');
    }

    fn titled(&mut self, element: &Element) {
        if let Some(title) = parameter(&parameters(element), "title") {
            self.words(title);
            self.line();
        }
    }

    fn inline(&mut self, content: &[Node]) {
        for node in content {
            if self.is_full() {
                return;
            }
            match node {
                Node::Text(text) => self.words(&text.text),
                Node::Element(element) => self.atom(element),
            }
        }
    }

    fn atom(&mut self, element: &Element) {
        let resource = || element.text("resource").and_then(Resource::from_json);
        match element.kind {
            Kind::HardBreak => self.out.push('\n'),
            Kind::Image => {
                if let Some(alt) = Spelling::of(&element.attrs).attribute("ac:alt") {
                    self.out.push_str(alt);
                }
            }
            Kind::Mention => {
                if let Some(Resource::User {
                    name: Some(name), ..
                }) = resource()
                {
                    self.out.push('@');
                    self.out.push_str(&name);
                }
            }
            Kind::ContentLink => match resource() {
                Some(resource) => self.out.push_str(resource.plain_name()),
                None => self
                    .out
                    .push_str(element.text("anchor").unwrap_or_default()),
            },
            Kind::Emoticon => self.out.push_str(&emoticon::of(element).0),
            Kind::Date => {
                let datetime = element.text("datetime").unwrap_or_default();
                self.out
                    .push_str(date::readable(datetime).as_deref().unwrap_or(datetime));
            }
            Kind::Status => {
                if let Some(title) = parameter(&parameters(element), "title") {
                    self.out.push_str(title);
                }
            }
            Kind::PreservedInline => self.source(element.text("source").unwrap_or_default()),
            _ => self.blocks(std::slice::from_ref(&Node::Element(element.clone()))),
        }
    }

    fn source(&mut self, source: &str) {
        if self.macro_depth >= MACRO_DEPTH_MAX {
            return;
        }
        self.macro_depth += 1;
        self.xml(&source::read(source));
        self.macro_depth -= 1;
    }

    fn xml(&mut self, nodes: &[Xml<'_>]) {
        for node in nodes {
            match node {
                Xml::Text(text) => self.words(text),
                Xml::Element(element) => self.xml_element(element),
            }
        }
    }

    fn xml_element(&mut self, element: &XmlElement<'_>) {
        match element.name {
            "ac:parameter" if element.attribute("ac:name") == Some("title") => {
                self.xml(&element.children);
                self.line();
            }
            "ac:parameter"
            | "ac:default-parameter"
            | "ac:placeholder"
            | "ac:task-id"
            | "ac:task-uuid"
            | "ac:task-status"
            | "script"
            | "style"
            | "ac:adf-node"
            | "at:declarations" => {}
            "td" | "th" => self.cell(|this| this.xml(&element.children)),
            "br" => self.out.push('\n'),
            "pre" | "ac:plain-text-body" => {
                self.line();
                self.out.push_str(&element.text());
                self.line();
            }
            "ac:link"
                if element.child("ac:link-body").is_none()
                    && element.child("ac:plain-text-link-body").is_none() =>
            {
                if let Some(resource) = element.elements().find_map(Resource::from_xml) {
                    self.out.push_str(resource.plain_name());
                }
            }
            name if is_inline_name(name) => self.xml(&element.children),
            _ => {
                self.line();
                self.xml(&element.children);
                self.line();
            }
        }
    }
}

/// Elements that do not part words.
fn is_inline_name(name: &str) -> bool {
    matches!(
        name,
        "a" | "abbr"
            | "b"
            | "big"
            | "cite"
            | "code"
            | "del"
            | "dfn"
            | "em"
            | "font"
            | "i"
            | "ins"
            | "kbd"
            | "q"
            | "s"
            | "samp"
            | "small"
            | "span"
            | "strike"
            | "strong"
            | "sub"
            | "sup"
            | "time"
            | "tt"
            | "u"
            | "var"
            | "ac:link"
            | "ac:link-body"
            | "ac:plain-text-link-body"
            | "ac:inline-comment-marker"
            | "ac:emoticon"
            | "ac:image"
    )
}
