//! What happens inside a line of Markdown: emphasis, links, images, and the elements that stand for what Markdown lacks.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use pulldown_cmark::Tag;
use serde_json::{Map, Value as Json, json};

use crate::html::safe_link;
use crate::line::{push_atom, push_text};
use crate::links::Resource;
use crate::markdown::SCHEME;
use crate::schema::{Kind, MarkKind};
use crate::source;
use crate::storage_format::StorageFormat;
use crate::tree::{Element, Mark, Node, Note};

/// The state of a line.
#[derive(Default)]
pub(super) struct Spans {
    marks: Vec<Mark>,
    /// Links that are open: where their content begins, and what they lead to inside the wiki.
    links: Vec<Link>,
    /// Text that goes into an atom instead of the line.
    capture: Option<Capture>,
    unknown: BTreeSet<String>,
}

struct Link {
    begin: usize,
    resource: Option<(Option<Resource>, Option<String>)>,
    is_marked: bool,
}

struct Capture {
    atom: Atom,
    text: String,
    /// Images inside the alternative text of an image.
    depth: usize,
}

enum Atom {
    Image(String),
    Status(Option<String>),
    Time(String),
}

impl Spans {
    pub(super) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    pub(super) fn text(&mut self, text: &str, line: &mut Vec<Node>) {
        match &mut self.capture {
            Some(capture) => capture.text.push_str(text),
            None => push_text(line, text, &self.marks),
        }
    }

    pub(super) fn code(&mut self, text: &str, line: &mut Vec<Node>) {
        self.marks.push(Mark::new(MarkKind::Code));
        self.text(text, line);
        self.marks.pop();
    }

    pub(super) fn atom(&mut self, atom: Element, line: &mut Vec<Node>) {
        if self.capture.is_none() {
            push_atom(line, atom, &self.marks);
        }
    }

    pub(super) fn open(&mut self, tag: &Tag<'_>) {
        self.marks.push(Mark::new(match tag {
            Tag::Emphasis => MarkKind::Em,
            Tag::Strong => MarkKind::Strong,
            Tag::Superscript => MarkKind::Superscript,
            Tag::Subscript => MarkKind::Subscript,
            _ => MarkKind::Strike,
        }));
    }

    pub(super) fn close(&mut self) {
        self.marks.pop();
    }

    pub(super) fn open_link(&mut self, address: &str, line: &[Node]) {
        let resource = address.strip_prefix(SCHEME).and_then(wiki_address);
        let mark = match &resource {
            Some((resource, anchor)) => {
                let mut mark = Mark::new(MarkKind::ResourceLink);
                if let Some(resource) = resource {
                    mark.set("resource", resource.to_json());
                }
                if let Some(anchor) = anchor {
                    mark.set("anchor", anchor.as_str());
                }
                Some(mark)
            }
            None => self.plain_link(address),
        };
        self.links.push(Link {
            begin: line.len(),
            resource,
            is_marked: mark.is_some(),
        });
        self.marks.extend(mark);
    }

    fn plain_link(&mut self, address: &str) -> Option<Mark> {
        if safe_link(address).is_none() {
            self.unknown
                .insert(format!("the link to `{address}` was left out"));
            return None;
        }
        Some(Mark::new(MarkKind::Link).with("href", address))
    }

    /// A link into the wiki whose text says no more than its target is a link without words of its own.
    pub(super) fn close_link(&mut self, line: &mut Vec<Node>) {
        let Some(link) = self.links.pop() else {
            return;
        };
        if link.is_marked {
            self.marks.pop();
        }
        let Some((resource, anchor)) = link.resource else {
            return;
        };
        let words = match line.get(link.begin..) {
            Some([Node::Text(only)]) => only.text.as_str(),
            _ => return,
        };
        let name = resource.as_ref().map_or_else(
            || anchor.as_deref().unwrap_or_default(),
            Resource::plain_name,
        );
        let is_user = matches!(resource, Some(Resource::User { .. }));
        let fits = if is_user {
            words.strip_prefix('@') == Some(name)
        } else {
            words == name
        };
        if !fits {
            return;
        }
        let kind = if is_user {
            Kind::Mention
        } else {
            Kind::ContentLink
        };
        let mut atom = Element::new(kind);
        if let Some(resource) = &resource {
            atom.set("resource", resource.to_json());
        }
        if let Some(anchor) = anchor.filter(|_| !is_user) {
            atom.set("anchor", anchor);
        }
        line.truncate(link.begin);
        push_atom(line, atom, &self.marks);
    }

    pub(super) fn open_image(&mut self, address: &str) {
        match &mut self.capture {
            Some(capture) => capture.depth += 1,
            None => self.capture(Atom::Image(address.to_owned())),
        }
    }

    pub(super) fn close_image(&mut self, line: &mut Vec<Node>) {
        match &mut self.capture {
            Some(capture) if capture.depth > 0 => capture.depth -= 1,
            Some(Capture {
                atom: Atom::Image(_),
                ..
            }) => self.end_capture(line),
            _ => {}
        }
    }

    fn capture(&mut self, atom: Atom) {
        self.capture = Some(Capture {
            atom,
            text: String::new(),
            depth: 0,
        });
    }

    fn end_capture(&mut self, line: &mut Vec<Node>) {
        let Some(Capture { atom, text, .. }) = self.capture.take() else {
            return;
        };
        let atom = match atom {
            Atom::Image(address) => image(&address, &text),
            Atom::Time(datetime) => Some(Element::new(Kind::Date).with("datetime", datetime)),
            Atom::Status(colour) => {
                let colour = colour.map(|colour| json!(["colour", colour]));
                let parameters = colour
                    .into_iter()
                    .chain([json!(["title", text])])
                    .collect::<Vec<_>>();
                Some(Element::new(Kind::Status).with("params", json!(parameters).to_string()))
            }
        };
        if let Some(atom) = atom {
            push_atom(line, atom, &self.marks);
        }
    }

    /// A tag inside a line.
    pub(super) fn html(&mut self, tag: &str, line: &mut Vec<Node>) {
        if tag.starts_with("<!--") {
            return;
        }
        let name = tag.trim_start_matches(['<', '/']);
        let name = name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let is_end = tag.starts_with("</");
        match (name.as_str(), mark_kind(&name)) {
            ("br", _) => self.atom(Element::new(Kind::HardBreak), line),
            ("span", _) if is_end => {
                if matches!(
                    self.capture,
                    Some(Capture {
                        atom: Atom::Status(_),
                        ..
                    })
                ) {
                    self.end_capture(line);
                }
            }
            ("time", _) if is_end => {
                if matches!(
                    self.capture,
                    Some(Capture {
                        atom: Atom::Time(_),
                        ..
                    })
                ) {
                    self.end_capture(line);
                }
            }
            ("span" | "time", _) if self.capture.is_none() => self.open_atom(&name, tag),
            (_, Some(kind)) if is_end => {
                if let Some(at) = self.marks.iter().rposition(|mark| mark.kind == kind) {
                    self.marks.remove(at);
                }
            }
            (_, Some(kind)) => self.marks.push(Mark::new(kind)),
            _ => {
                self.unknown.insert(format!("`{name}` was left out"));
            }
        }
    }

    fn open_atom(&mut self, name: &str, tag: &str) {
        let nodes = source::read(tag);
        let Some(element) = source::elements(&nodes).next() else {
            return;
        };
        if name == "time" {
            let datetime = element.attribute("datetime").unwrap_or_default().to_owned();
            return self.capture(Atom::Time(datetime));
        }
        let classes = element.attribute("class").unwrap_or_default();
        if classes.split(' ').any(|class| class == "status") {
            let colours = ["Red", "Yellow", "Green", "Blue", "Purple"];
            let colour = colours.iter().find(|colour| {
                classes.ends_with(&format!("status-{}", colour.to_ascii_lowercase()))
            });
            self.capture(Atom::Status(colour.map(|colour| (*colour).to_owned())));
        }
    }

    /// Whatever is open at the end of a line does not go on in the next.
    pub(super) fn end_line(&mut self) {
        self.marks.clear();
        self.links.clear();
        self.capture = None;
    }

    pub(super) fn into_notes(self) -> Vec<Note> {
        let note = |message| Note {
            line: 0,
            column: 0,
            message,
        };
        self.unknown.into_iter().map(note).collect()
    }
}

fn mark_kind(name: &str) -> Option<MarkKind> {
    Some(match name {
        "strong" | "b" => MarkKind::Strong,
        "em" | "i" => MarkKind::Em,
        "u" | "ins" => MarkKind::Underline,
        "s" | "del" | "strike" => MarkKind::Strike,
        "sup" => MarkKind::Superscript,
        "sub" => MarkKind::Subscript,
        "code" | "kbd" | "samp" | "tt" => MarkKind::Code,
        _ => return None,
    })
}

/// What `page?content-title=...#anchor` means; `here` is this page.
fn wiki_address(address: &str) -> Option<(Option<Resource>, Option<String>)> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (address, anchor) = match address.split_once('#') {
        Some((address, anchor)) => (address, Some(decode(anchor))),
        None => (address, None),
    };
    if address == "here" {
        return anchor.map(|anchor| (None, Some(anchor)));
    }
    let (kind, query) = address.split_once('?')?;
    let (mut own, mut container) = (Map::new(), Map::new());
    own.insert("type".to_owned(), json!(kind));
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        match name.strip_prefix("in.") {
            Some(name) => container.insert(name.to_owned(), json!(decode(value))),
            None => own.insert(name.to_owned(), json!(decode(value))),
        };
    }
    if !container.is_empty() {
        own.insert("container".to_owned(), Json::Object(container));
    }
    let resource = Resource::from_json(&Json::Object(own).to_string())?;
    Some((Some(resource), anchor))
}

/// An image; an address without folders and scheme is a file of this page.
fn image(address: &str, alt: &str) -> Option<Element> {
    let resource = match address.strip_prefix(SCHEME).and_then(wiki_address) {
        Some((resource, _)) => resource?,
        None if address.is_empty() || address.starts_with("data:") => return None,
        None if address.contains(['/', ':', '?', '#']) => Resource::Url(address.to_owned()),
        None => Resource::Attachment {
            file: percent_decode_str(address).decode_utf8_lossy().into_owned(),
            container: None,
        },
    };
    let mut image = Element::new(Kind::Image).with("resource", resource.to_json());
    if !alt.is_empty() {
        image.set("xml", json!({ "attrs": [["ac:alt", alt]] }).to_string());
    }
    Some(image)
}

/// The content of a storage comment.
pub(super) fn preserved_line(source: &str) -> Vec<Node> {
    let source = percent_decode_str(source).decode_utf8_lossy().into_owned();
    let parsed = StorageFormat::parse(&source).map(|(document, _)| document.content);
    match parsed.as_deref() {
        Ok([Node::Element(only)]) if only.kind == Kind::Paragraph => only.content.clone(),
        Ok([Node::Element(only)]) if only.kind == Kind::PreservedBlock => {
            let label = only.text("label").unwrap_or_default().to_owned();
            vec![
                Element::new(Kind::PreservedInline)
                    .with("source", source)
                    .with("label", label)
                    .into(),
            ]
        }
        Ok(_) => vec![
            Element::new(Kind::PreservedInline)
                .with("source", source)
                .into(),
        ],
        Err(_) => Vec::new(),
    }
}
