//! What a document points at, and which macros it holds.

use std::collections::BTreeMap;

use crate::limits::WALK_DEPTH_MAX;
use crate::links::Resource;
use crate::schema::{Kind, MarkKind};
use crate::source::{self, Xml, XmlElement};
use crate::spelling::wrap;
use crate::tree::{Document, Element, Mark, Node};

/// Everything that a document points at, with how often: links, images, mentions, macro parameters, those in preserved sources
/// included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Pages, attachments, people, addresses and so on.
    pub resources: BTreeMap<Resource, usize>,
    /// Names of macros.
    pub macros: BTreeMap<String, usize>,
}

impl References {
    /// Collects them.
    pub fn of(document: &Document) -> References {
        let mut collector = Collector::default();
        collector.nodes(&document.content, 0);
        collector.found
    }
}

#[derive(Default)]
struct Collector {
    found: References,
    /// The links on the text before: a link that goes on over several runs counts once.
    before: Vec<Mark>,
}

impl Collector {
    fn nodes(&mut self, content: &[Node], depth: usize) {
        if depth > WALK_DEPTH_MAX {
            return;
        }
        for node in content {
            match node {
                Node::Text(text) => self.marks(&text.marks),
                Node::Element(element) => {
                    if element.kind.is_inline() {
                        self.marks(&wrap(element));
                    } else {
                        self.before.clear();
                    }
                    self.element(element);
                    self.nodes(&element.content, depth + 1);
                }
            }
        }
        self.before.clear();
    }

    fn marks(&mut self, marks: &[Mark]) {
        let links = marks
            .iter()
            .filter(|mark| matches!(mark.kind, MarkKind::Link | MarkKind::ResourceLink))
            .cloned()
            .collect::<Vec<_>>();
        for mark in &links {
            if self.before.contains(mark) {
                continue;
            }
            match mark.kind {
                MarkKind::Link => self.resource(Resource::Url(
                    mark.text("href").unwrap_or_default().to_owned(),
                )),
                _ => self.json(mark.text("resource")),
            }
        }
        self.before = links;
    }

    fn element(&mut self, element: &Element) {
        match element.kind {
            Kind::Panel => self.named(element.text("name").unwrap_or_default()),
            Kind::CodeBlock => self.named(element.text("macro").unwrap_or_default()),
            Kind::Expand => self.named("expand"),
            Kind::Toc => self.named("toc"),
            Kind::Status => self.named("status"),
            Kind::PreservedBlock | Kind::PreservedInline => {
                self.xml(&source::read(element.text("source").unwrap_or_default()))
            }
            _ => self.json(element.text("resource")),
        }
    }

    fn json(&mut self, resource: Option<&str>) {
        if let Some(resource) = resource.and_then(Resource::from_json) {
            self.resource(resource);
        }
    }

    fn resource(&mut self, resource: Resource) {
        let is_place =
            matches!(&resource, Resource::Url(url) if url.is_empty() || url.starts_with('#'));
        if !is_place {
            *self.found.resources.entry(resource).or_insert(0) += 1;
        }
    }

    fn named(&mut self, name: &str) {
        *self.found.macros.entry(name.to_owned()).or_insert(0) += 1;
    }

    fn xml(&mut self, nodes: &[Xml<'_>]) {
        for element in source::elements(nodes) {
            self.xml_element(element);
        }
    }

    fn xml_element(&mut self, element: &XmlElement<'_>) {
        match element.name {
            "ac:structured-macro" | "ac:macro" => {
                self.named(element.attribute("ac:name").unwrap_or_default())
            }
            "a" => self.resource(Resource::Url(
                element.attribute("href").unwrap_or_default().to_owned(),
            )),
            "img" => self.resource(Resource::Url(
                element.attribute("src").unwrap_or_default().to_owned(),
            )),
            _ => {
                // The container of an attachment belongs to it and is no reference of its own.
                if let Some(resource) = Resource::from_xml(element) {
                    return self.resource(resource);
                }
            }
        }
        self.xml(&element.children);
    }
}
