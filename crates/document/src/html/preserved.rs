//! Preserved nodes: their source is read again and shown through the same lists of elements and attributes. Known elements keep their
//! meaning, unknown ones give way to their children, what only a machine reads is left out.

use crate::html::macros::{self, Body, Call};
use crate::html::render::{Bare, Renderer, common_attributes, is_small_number, simple_mark};
use crate::html::writer::{class, none};
use crate::limits::{MACRO_DEPTH_MAX, REREAD_BYTES_MIN, REREAD_FACTOR};
use crate::links::Resource;
use crate::schema::Kind;
use crate::source::{self, Xml, XmlElement};
use crate::storage_format::StorageFormat;
use crate::text;
use crate::tree::Node;

/// Whether a fragment is written with block elements.
pub(super) fn is_block(nodes: &[Xml<'_>]) -> bool {
    source::elements(nodes).any(|element| match element.name {
        "ac:structured-macro" | "ac:macro" => is_block_macro(element),
        "ac:layout" | "ac:task-list" | "ac:adf-extension" => true,
        name if block_tag(name).is_some() => true,
        _ => is_block(&element.children),
    })
}

fn is_block_macro(element: &XmlElement<'_>) -> bool {
    let parameter = |name: &str| {
        element
            .elements()
            .find(|child| child.attribute("ac:name") == Some(name))
            .map(XmlElement::text)
    };
    let is_inline = parameter("atlassian-macro-output-type").as_deref() == Some("INLINE");
    let has = |body: &str| element.child(body).is_some();
    macros::is_block(
        element.attribute("ac:name").unwrap_or_default(),
        has("ac:rich-text-body"),
        has("ac:plain-text-body"),
        is_inline,
    )
}

/// The element that a block element of the source becomes.
fn block_tag(name: &str) -> Option<&'static str> {
    Some(match name {
        "p" => "p",
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => "h",
        "ul" | "menu" | "dir" => "ul",
        "ol" => "ol",
        "dl" => "dl",
        "table" => "table",
        "pre" | "listing" | "xmp" => "pre",
        "blockquote" => "blockquote",
        "hr" => "hr",
        "details" => "details",
        "div" | "center" | "section" | "article" | "header" | "footer" | "main" | "aside"
        | "nav" | "figure" | "figcaption" | "address" | "fieldset" | "form" | "li" | "dt"
        | "dd" | "summary" | "thead" | "tbody" | "tfoot" | "tr" | "td" | "th" | "caption" => "div",
        _ => return None,
    })
}

impl Renderer<'_> {
    /// A preserved node.
    pub(super) fn preserved(&mut self, source: &str) {
        if self.macro_depth == 0 {
            self.reread_bytes = source.len().saturating_mul(REREAD_FACTOR) + REREAD_BYTES_MIN;
        }
        self.fragment(&source::read(source));
    }

    /// Nodes of a source.
    pub(super) fn fragment(&mut self, nodes: &[Xml<'_>]) {
        for node in nodes {
            match node {
                Xml::Text(text) => self.out.text(text),
                Xml::Element(element) if self.is_too_deep() => self.out.text(&element.text()),
                Xml::Element(element) => self.deeper(|this| this.fragment_element(element)),
            }
        }
    }

    pub(super) fn fragment_element(&mut self, element: &XmlElement<'_>) {
        match element.name {
            "ac:structured-macro" | "ac:macro" => self.xml_macro(element),
            "ac:inline-comment-marker" => {
                self.open_comment_marker(element.attribute("ac:ref").unwrap_or_default());
                self.fragment(&element.children);
                self.out.close("mark");
            }
            "ac:adf-extension" => {
                if let Some(fallback) = element.child("ac:adf-fallback") {
                    self.fragment(&fallback.children);
                }
            }
            "at:var" => self.out.leaf(
                "span",
                class("variable"),
                element.attribute("at:name").unwrap_or_default(),
            ),
            "ac:rich-text-body" | "ac:caption" | "ac:link-body" | "ac:task-body"
            | "ac:layout-section" | "ac:layout-cell" => self.fragment(&element.children),
            name if name.starts_with("ac:") => self.typed_again(element),
            name if is_machine_only(name) => {}
            name => match block_tag(name) {
                Some(tag) if !self.phrasing => self.xml_block(tag, element),
                Some(_) => {
                    self.fragment(&element.children);
                    self.out.text(" ");
                }
                None => self.xml_inline(element),
            },
        }
    }

    /// An element of the storage format that has a typed node where it stands alone.
    fn typed_again(&mut self, element: &XmlElement<'_>) {
        if self.macro_depth >= MACRO_DEPTH_MAX || element.outer.len() > self.reread_bytes {
            return self.untyped(element);
        }
        self.reread_bytes -= element.outer.len();
        match StorageFormat::parse(element.outer) {
            Ok((document, _)) if !keeps_whole(&document.content, element.outer) => {
                self.macro_depth += 1;
                match document.content.as_slice() {
                    [Node::Element(only)] if only.kind == Kind::Paragraph => {
                        self.inline(&only.content)
                    }
                    content => self.blocks(content, Bare::Inline),
                }
                self.macro_depth -= 1;
            }
            _ => self.untyped(element),
        }
    }

    fn untyped(&mut self, element: &XmlElement<'_>) {
        match element.name {
            "ac:link" => self.xml_link(element),
            "ac:image" => {
                let resource = element.elements().find_map(Resource::from_xml);
                let get = |name: &str| {
                    element
                        .attribute(&format!("ac:{name}"))
                        .map(ToOwned::to_owned)
                };
                self.image(resource.as_ref(), get, None);
            }
            "ac:task-list" if !self.phrasing => {
                self.out.open("ul", class("task-list"));
                for task in element.elements() {
                    self.xml_task(task);
                }
                self.out.close("ul");
            }
            "ac:placeholder" | "ac:parameter" | "ac:task-id" | "ac:task-uuid"
            | "ac:task-status" => {}
            name if name.starts_with("ac:adf-") || name == "ac:emoticon" => {}
            _ => self.fragment(&element.children),
        }
    }

    fn xml_task(&mut self, task: &XmlElement<'_>) {
        let id = task.child("ac:task-id").map(XmlElement::text);
        let is_done = task
            .child("ac:task-status")
            .map(XmlElement::text)
            .as_deref()
            == Some("complete");
        let Some(body) = task.child("ac:task-body") else {
            return;
        };
        let label = text::of_source(body.inner)
            .chars()
            .take(100)
            .collect::<String>();
        let id = id.as_deref().filter(|id| is_small_number(id));
        self.task(id, is_done, &label, |this| this.fragment(&body.children));
    }

    fn xml_link(&mut self, link: &XmlElement<'_>) {
        let resource = link.elements().find_map(Resource::from_xml);
        let anchor = link.attribute("ac:anchor");
        let body = link
            .child("ac:link-body")
            .or_else(|| link.child("ac:plain-text-link-body"));
        match body {
            Some(body) => {
                let tag = self.open_link(resource.as_ref(), anchor);
                self.fragment(&body.children);
                self.close_link(tag);
            }
            None => self.resource_link(resource.as_ref(), anchor),
        }
    }

    fn xml_macro(&mut self, element: &XmlElement<'_>) {
        let body = if let Some(rich) = element.child("ac:rich-text-body") {
            Body::Source(rich.inner)
        } else if let Some(plain) = element.child("ac:plain-text-body") {
            Body::Plain(plain.text())
        } else {
            Body::None
        };
        let mut resource = None;
        let mut parameters = Vec::new();
        for child in element.elements() {
            let name = match child.name {
                "ac:parameter" => child.attribute("ac:name").unwrap_or_default(),
                "ac:default-parameter" => "",
                _ => continue,
            };
            let named = find_resource(child);
            let value = named
                .as_ref()
                .map_or_else(|| child.text(), Resource::parameter_text);
            parameters.push((name.to_owned(), value));
            resource = resource.or(named);
        }
        let name = element.attribute("ac:name").unwrap_or_default();
        self.call(&Call {
            name,
            parameters,
            body,
            resource,
        });
    }

    fn xml_block(&mut self, tag: &'static str, element: &XmlElement<'_>) {
        let attributes = common_attributes(|name| element.attribute(name).map(ToOwned::to_owned));
        match tag {
            "table" => self.xml_table(element),
            "hr" => self.out.void("hr", none()),
            "h" => {
                let level = element
                    .name
                    .bytes()
                    .last()
                    .unwrap_or(b'1')
                    .saturating_sub(b'0');
                let text = text::of_source(element.inner);
                self.heading_around(level, &text, attributes, |this| {
                    this.fragment(&element.children)
                });
            }
            "p" if !is_block(&element.children) => {
                let is_empty = element
                    .children
                    .iter()
                    .all(|child| matches!(child, Xml::Text(text) if text.is_empty()));
                if !is_empty {
                    self.out.open("p", attributes);
                    self.phrasing(|this| this.fragment(&element.children));
                    self.out.close("p");
                }
            }
            "p" => self.xml_container("div", attributes.class("p"), element),
            "ul" | "ol" => self.xml_list(tag, attributes, element),
            "dl" => self.definitions(element),
            "pre" => {
                self.out.open("pre", attributes.with("tabindex", "0"));
                if element.text().starts_with('\n') {
                    self.out.text("\n");
                }
                self.phrasing(|this| this.fragment(&element.children));
                self.out.close("pre");
            }
            "details" => {
                self.out.open("details", class("expand"));
                let summary = element.child("summary").map(XmlElement::text);
                self.out
                    .leaf("summary", none(), summary.as_deref().unwrap_or("Details"));
                self.out.open("div", class("expand-body"));
                for child in &element.children {
                    if !matches!(child, Xml::Element(child) if child.name == "summary") {
                        self.fragment(std::slice::from_ref(child));
                    }
                }
                self.out.close("div");
                self.out.close("details");
            }
            _ => self.xml_container(tag, attributes, element),
        }
    }

    fn xml_container(
        &mut self,
        tag: &'static str,
        attributes: super::writer::Attributes,
        element: &XmlElement<'_>,
    ) {
        self.out.open(tag, attributes);
        self.fragment(&element.children);
        self.out.close(tag);
    }

    fn xml_list(
        &mut self,
        tag: &'static str,
        attributes: super::writer::Attributes,
        list: &XmlElement<'_>,
    ) {
        let start = list
            .attribute("start")
            .filter(|start| tag == "ol" && is_small_number(start));
        self.out.open(tag, attributes.with_some("start", start));
        for child in &list.children {
            match child {
                Xml::Element(item) if item.name == "li" => self.xml_container("li", none(), item),
                Xml::Text(text) if text.trim().is_empty() => {}
                stray => {
                    self.out.open("li", none());
                    self.fragment(std::slice::from_ref(stray));
                    self.out.close("li");
                }
            }
        }
        self.out.close(tag);
    }

    fn definitions(&mut self, list: &XmlElement<'_>) {
        self.out.open("dl", none());
        for item in list.elements() {
            match item.name {
                "dt" => {
                    self.out.open("dt", none());
                    self.phrasing(|this| this.fragment(&item.children));
                    self.out.close("dt");
                }
                "dd" => self.xml_container("dd", none(), item),
                _ => {
                    self.out.open("dd", none());
                    self.fragment_element(item);
                    self.out.close("dd");
                }
            }
        }
        self.out.close("dl");
    }

    fn xml_inline(&mut self, element: &XmlElement<'_>) {
        let get = |name: &str| element.attribute(name).map(ToOwned::to_owned);
        match element.name {
            "br" => self.out.void("br", none()),
            "time" => self.date(element.attribute("datetime").unwrap_or_default()),
            "img" => self.image(get("src").map(Resource::Url).as_ref(), get, None),
            "a" => {
                let tag = self.open_href(element.attribute("href").unwrap_or_default());
                self.fragment(&element.children);
                self.close_link(tag);
            }
            name => {
                let tag = match simple_mark(name) {
                    Some(tag) => {
                        self.out.open(tag, none());
                        Some(tag)
                    }
                    None => self.open_span(name, get),
                };
                self.fragment(&element.children);
                self.close_link(tag);
            }
        }
    }
}

/// Whether parsing gave nothing but the same source again.
fn keeps_whole(content: &[Node], source: &str) -> bool {
    let is_same = |node: &Node| {
        let Some(element) = node.as_element() else {
            return false;
        };
        matches!(element.kind, Kind::PreservedBlock | Kind::PreservedInline)
            && element
                .text("source")
                .is_some_and(|kept| kept.trim() == source)
    };
    match content {
        [Node::Element(only)] if only.kind == Kind::Paragraph => {
            matches!(only.content.as_slice(), [one] if is_same(one))
        }
        [one] => is_same(one),
        _ => content.is_empty(),
    }
}

fn find_resource(element: &XmlElement<'_>) -> Option<Resource> {
    element
        .elements()
        .find_map(|child| Resource::from_xml(child).or_else(|| find_resource(child)))
}

/// Elements whose content no reader is meant to see.
fn is_machine_only(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "template"
            | "iframe"
            | "frame"
            | "frameset"
            | "object"
            | "embed"
            | "applet"
            | "svg"
            | "head"
            | "title"
            | "meta"
            | "link"
            | "base"
            | "noscript"
            | "noembed"
            | "noframes"
            | "textarea"
            | "select"
            | "option"
            | "audio"
            | "video"
            | "canvas"
            | "annotation"
            | "annotation-xml"
            | "colgroup"
            | "col"
            | "at:declarations"
            | "param"
            | "source"
            | "track"
            | "area"
    ) || name.starts_with("ri:")
}
