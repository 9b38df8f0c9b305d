//! Text and its marks, links, images and the other atoms of a line.

use crate::date;
use crate::html::emoticon;
use crate::html::outline::percent;
use crate::html::render::{Renderer, common_attributes, is_small_number};
use crate::html::url;
use crate::html::writer::{Attributes, class, none};
use crate::html::{preserved, style};
use crate::links::{LinkTarget, Resource};
use crate::schema::{Kind, MarkKind};
use crate::source;
use crate::spelling::{Spelling, parameters, wrap};
use crate::tree::{Element, Mark, Node};

/// A mark that is open, and the tag that closes it.
struct Open {
    mark: Mark,
    tag: Option<&'static str>,
}

impl Renderer<'_> {
    /// Inline content: marks that neighbours share stay open across them.
    pub(super) fn inline(&mut self, content: &[Node]) {
        let mut open: Vec<Open> = Vec::new();
        for node in content {
            let wrapped;
            let marks = match node {
                Node::Text(text) => &text.marks,
                Node::Element(element) => {
                    wrapped = wrap(element);
                    &wrapped
                }
            };
            let shared = open
                .iter()
                .zip(marks)
                .take_while(|(open, mark)| open.mark == **mark)
                .count();
            self.close_marks(&mut open, shared);
            for mark in marks.iter().skip(shared) {
                let tag = self.open_mark(mark);
                open.push(Open {
                    mark: mark.clone(),
                    tag,
                });
            }
            match node {
                Node::Text(text) => self.out.text(&text.text),
                Node::Element(element) => self.atom(element),
            }
        }
        self.close_marks(&mut open, 0);
    }

    fn close_marks(&mut self, open: &mut Vec<Open>, keep: usize) {
        while open.len() > keep {
            if let Some(Open { tag: Some(tag), .. }) = open.pop() {
                self.out.close(tag);
                if tag == "a" {
                    self.in_link = false;
                }
            }
        }
    }

    fn open_mark(&mut self, mark: &Mark) -> Option<&'static str> {
        let tag = match mark.kind {
            MarkKind::CommentMarker => {
                self.open_comment_marker(mark.text("ref").unwrap_or_default());
                return Some("mark");
            }
            MarkKind::Link => return self.open_href(mark.text("href").unwrap_or_default()),
            MarkKind::ResourceLink => {
                let resource = mark.text("resource").and_then(Resource::from_json);
                return self.open_link(resource.as_ref(), mark.text("anchor"));
            }
            MarkKind::Styled => return self.open_styled(&Spelling::of(&mark.attrs)),
            MarkKind::Strong => "strong",
            MarkKind::Em => "em",
            MarkKind::Underline => "u",
            MarkKind::Strike => "s",
            MarkKind::Superscript => "sup",
            MarkKind::Subscript => "sub",
            MarkKind::Code => "code",
        };
        self.out.open(tag, none());
        Some(tag)
    }

    pub(super) fn open_comment_marker(&mut self, reference: &str) {
        let fits = (1..=64).contains(&reference.len())
            && reference
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-');
        self.out.open(
            "mark",
            class("comment-marker").with_some("data-ref", fits.then_some(reference)),
        );
    }

    fn open_styled(&mut self, spelling: &Spelling) -> Option<&'static str> {
        let tag = spelling.tag().unwrap_or("span");
        self.open_span(tag, |name| spelling.attribute(name).map(ToOwned::to_owned))
    }

    /// Opens what a styled element of the source becomes; nothing if it says nothing.
    pub(super) fn open_span(
        &mut self,
        source_tag: &str,
        get: impl Fn(&str) -> Option<String>,
    ) -> Option<&'static str> {
        let mut attributes = common_attributes(&get);
        let tag = match source_tag {
            "small" => "small",
            "kbd" => "kbd",
            "cite" => "cite",
            "q" => "q",
            "samp" => "samp",
            "var" => "var",
            "dfn" => "dfn",
            "abbr" | "acronym" => "abbr",
            "ins" => "ins",
            "tt" => "code",
            _ => "span",
        };
        match source_tag {
            "abbr" | "acronym" => attributes = attributes.with_some("title", get("title")),
            "big" => attributes = attributes.class("big"),
            "font" => {
                if let Some(color) = get("color") {
                    attributes = style::foreground(&color, attributes);
                }
            }
            _ => {}
        }
        if tag == "span" && attributes.is_empty() {
            return None;
        }
        self.out.open(tag, attributes);
        Some(tag)
    }

    /// Opens a link to an address as the author wrote it.
    pub(super) fn open_href(&mut self, href: &str) -> Option<&'static str> {
        // A fragment of this page is not looked up.
        if href.starts_with('#') {
            return self.open_anchor(href, none());
        }
        let target = self.links.resolve(&Resource::Url(href.to_owned()));
        self.open_target(&target, None, "")
    }

    /// Opens a link to a resource, or to a place on this page.
    pub(super) fn open_link(
        &mut self,
        resource: Option<&Resource>,
        anchor: Option<&str>,
    ) -> Option<&'static str> {
        let Some(resource) = resource else {
            let fragment = self.outline.fragment(None, anchor?);
            return self.open_anchor(&format!("#{}", percent(&fragment)), none());
        };
        let target = self.links.resolve(resource);
        self.open_resource(resource, &target, anchor)
    }

    fn open_resource(
        &mut self,
        resource: &Resource,
        target: &LinkTarget,
        anchor: Option<&str>,
    ) -> Option<&'static str> {
        let title = match resource {
            Resource::Page { title, .. } | Resource::BlogPost { title, .. } => Some(title.as_str()),
            _ => target.text.as_deref(),
        };
        let fragment = anchor
            .filter(|anchor| !anchor.is_empty())
            .map(|anchor| self.outline.fragment(title, anchor));
        self.open_target(target, fragment.as_deref(), class_of(resource))
    }

    fn open_target(
        &mut self,
        target: &LinkTarget,
        fragment: Option<&str>,
        class_name: &str,
    ) -> Option<&'static str> {
        let missing = if target.exists { "" } else { "missing" };
        let attributes = none().class(class_name).class(missing);
        match &target.href {
            Some(href) => {
                let href = match fragment {
                    Some(fragment) => format!("{href}#{}", percent(fragment)),
                    None => href.clone(),
                };
                self.open_anchor(&href, attributes)
            }
            None if attributes.is_empty() || self.in_link => None,
            None => {
                self.out.open("span", attributes);
                Some("span")
            }
        }
    }

    fn open_anchor(&mut self, href: &str, attributes: Attributes) -> Option<&'static str> {
        let href = url::link(href).filter(|href| !self.in_link && !href.is_empty())?;
        let attributes = if url::is_external(&href) {
            attributes
                .class("external")
                .with("href", href)
                .with("rel", "nofollow noopener")
        } else {
            attributes.with("href", href)
        };
        self.out.open("a", attributes);
        self.in_link = true;
        Some("a")
    }

    pub(super) fn close_link(&mut self, tag: Option<&'static str>) {
        if let Some(tag) = tag {
            self.out.close(tag);
            if tag == "a" {
                self.in_link = false;
            }
        }
    }

    fn atom(&mut self, element: &Element) {
        let resource = || element.text("resource").and_then(Resource::from_json);
        match element.kind {
            Kind::HardBreak => self.out.void("br", none()),
            Kind::Image => {
                let spelling = Spelling::of(&element.attrs);
                let caption = spelling
                    .text("caption")
                    .filter(|caption| !caption.trim().is_empty())
                    .map(ToOwned::to_owned);
                let image = |name: &str| {
                    spelling
                        .attribute(&format!("ac:{name}"))
                        .map(ToOwned::to_owned)
                };
                self.image(resource().as_ref(), image, caption.as_deref());
            }
            Kind::Emoticon => {
                let (character, label) = emoticon::of(element);
                self.emoticon(&character, &label);
            }
            Kind::Mention | Kind::ContentLink => {
                self.resource_link(resource().as_ref(), element.text("anchor"))
            }
            Kind::Date => self.date(element.text("datetime").unwrap_or_default()),
            Kind::Status => self.status(&parameters(element)),
            Kind::PreservedInline => self.preserved(element.text("source").unwrap_or_default()),
            _ => self.blocks(
                std::slice::from_ref(&Node::Element(element.clone())),
                super::render::Bare::Inline,
            ),
        }
    }

    /// A link without words of its own: named by what it leads to.
    pub(super) fn resource_link(&mut self, resource: Option<&Resource>, anchor: Option<&str>) {
        let Some(resource) = resource else {
            let tag = self.open_link(None, anchor);
            self.out.text(anchor.unwrap_or_default());
            self.close_link(tag);
            return;
        };
        let target = self.links.resolve(resource);
        let tag = self.open_resource(resource, &target, anchor);
        self.out.text(
            target
                .text
                .as_deref()
                .unwrap_or_else(|| resource.plain_name()),
        );
        self.close_link(tag);
    }

    pub(super) fn emoticon(&mut self, character: &str, label: &str) {
        self.out.leaf(
            "span",
            class("emoticon")
                .with("role", "img")
                .with("aria-label", label),
            character,
        );
    }

    pub(super) fn date(&mut self, datetime: &str) {
        match date::readable(datetime) {
            Some(text) => self
                .out
                .leaf("time", class("date").with("datetime", datetime), &text),
            None => self.out.leaf("span", class("date"), datetime),
        }
    }

    pub(super) fn image(
        &mut self,
        resource: Option<&Resource>,
        get: impl Fn(&str) -> Option<String>,
        caption: Option<&str>,
    ) {
        let Some(resource) = resource else {
            return;
        };
        let target = self.links.resolve(resource);
        let Some(source) = target
            .image
            .as_deref()
            .and_then(url::image)
            .filter(|source| !source.is_empty())
        else {
            self.hidden_image(resource, &target, get("alt"));
            return;
        };
        let alt = get("alt")
            .or_else(|| get("title"))
            .unwrap_or_else(|| file_name(resource).to_owned());
        let size = |name: &str| {
            get(name)
                .map(|size| size.trim_end_matches("px").to_owned())
                .filter(|size| is_small_number(size))
        };
        let mut image = none()
            .with("src", source.clone())
            .with("alt", alt)
            .with_some("title", get("title"));
        for name in ["width", "height"] {
            if let Some(size) = size(name) {
                image.set(name, size);
            }
        }
        image.set("loading", "lazy");
        image.set("decoding", "async");
        self.open_figure(&get, caption.is_some());
        let full = target.href.filter(|href| *href != source);
        let tag = full.and_then(|href| self.open_anchor(&href, class("image-link")));
        self.out.void("img", image);
        self.close_link(tag);
        self.close_figure(caption);
    }

    /// An image that may not or cannot be shown: a link in its place.
    fn hidden_image(&mut self, resource: &Resource, target: &LinkTarget, alt: Option<String>) {
        let tag = self.open_resource(resource, target, None);
        self.out
            .text(alt.as_deref().unwrap_or_else(|| file_name(resource)));
        self.close_link(tag);
    }

    fn open_figure(&mut self, get: &impl Fn(&str) -> Option<String>, has_caption: bool) {
        let align = match get("align").as_deref() {
            Some("left") => "image-left",
            Some("right") => "image-right",
            Some("center") => "image-center",
            _ => "",
        };
        let border = if get("border").as_deref() == Some("true") {
            "image-border"
        } else {
            ""
        };
        let figure = class("image").class(align).class(border);
        self.out.open(
            "span",
            figure.with_some("role", has_caption.then_some("figure")),
        );
    }

    fn close_figure(&mut self, caption: Option<&str>) {
        if let Some(caption) = caption {
            self.out.open("span", class("image-caption"));
            self.phrasing(|this| this.fragment(&source::read(caption)));
            self.out.close("span");
        }
        self.out.close("span");
    }

    /// Whether some of this inline content is written as a block, so that no `<p>` may be around it.
    pub(super) fn holds_block(&self, content: &[Node]) -> bool {
        content.iter().any(|node| match node {
            Node::Element(element) if element.kind == Kind::PreservedInline => {
                preserved::is_block(&source::read(element.text("source").unwrap_or_default()))
            }
            Node::Element(element) => !element.kind.is_inline(),
            Node::Text(_) => false,
        })
    }
}

fn class_of(resource: &Resource) -> &'static str {
    match resource {
        Resource::Attachment { .. } => "attachment",
        Resource::User { .. } => "mention",
        _ => "",
    }
}

/// The last part of an address, or the name of a file.
fn file_name(resource: &Resource) -> &str {
    match resource {
        Resource::Url(url) => {
            let path = url.split(['?', '#']).next().unwrap_or(url);
            path.rsplit('/')
                .next()
                .filter(|name| !name.is_empty())
                .unwrap_or("image")
        }
        other => other.plain_name(),
    }
}
