//! Links to wiki content, images, and the resources that both name.

use serde_json::{Map, Value as Json};

use super::read::rest;
use super::spelling::Spelling;
use super::write::Writer;
use crate::schema::{Kind, MarkKind};
use crate::tree::{Attrs, Element, Mark};
use crate::xml::{Fragment, Tag, is_bound_name};

const RESOURCES: [&str; 8] = [
    "page",
    "blog-post",
    "attachment",
    "url",
    "user",
    "space",
    "content-entity",
    "shortcut",
];

/// Containers within containers; a resource names one at most.
const CONTAINERS_MAX: usize = 3;

/// A link with a body.
pub(super) struct BodyLink<'a, 's> {
    pub(super) mark: Mark,
    pub(super) spelling: Spelling,
    pub(super) body: &'a Tag<'s>,
}

/// The parts of an `ac:link`: its resource, its body, and the white space around them.
struct Parts<'a, 's> {
    resource: Option<String>,
    body: Option<&'a Tag<'s>>,
    gaps: Vec<String>,
}

pub(super) fn with_body<'a, 's>(
    xml: &'a Fragment<'s>,
    tag: &'a Tag<'s>,
) -> Option<BodyLink<'a, 's>> {
    let parts = parts(xml, tag)?;
    let body = parts.body?;
    let mut spelling = Spelling::with_attrs(rest(tag, &["ac:anchor"]));
    spelling.set_gaps(parts.gaps);
    if body.name == "ac:link-body" {
        spelling.body = "rich".into();
    } else if xml.children(body).any(|item| item.text().is_none()) {
        return None;
    }
    let mut mark = Mark::new(MarkKind::ResourceLink);
    if let Some(resource) = parts.resource {
        mark.set("resource", resource);
    }
    if let Some(anchor) = tag.attr("ac:anchor") {
        mark.set("anchor", anchor);
    }
    Some(BodyLink {
        mark,
        spelling,
        body,
    })
}

/// A link whose text is the title of what it leads to: a mention of a user, or a content link.
pub(super) fn bodiless(xml: &Fragment<'_>, tag: &Tag<'_>) -> Option<(Element, Spelling)> {
    let parts = parts(xml, tag)?;
    if parts.body.is_some() {
        return None;
    }
    let anchor = tag.attr("ac:anchor");
    let is_user = parts
        .resource
        .as_deref()
        .is_some_and(|resource| resource.starts_with("{\"type\":\"user\""));
    let mut spelling = Spelling::with_attrs(rest(tag, &["ac:anchor"]));
    spelling.set_gaps(parts.gaps);
    let mut element = match (is_user, anchor) {
        (true, None) => Element::new(Kind::Mention),
        (_, None) => Element::new(Kind::ContentLink),
        (_, Some(anchor)) => Element::new(Kind::ContentLink).with("anchor", anchor),
    };
    if let Some(resource) = parts.resource {
        element.set("resource", resource);
    }
    Some((element, spelling))
}

fn parts<'a, 's>(xml: &'a Fragment<'s>, tag: &Tag<'s>) -> Option<Parts<'a, 's>> {
    let mut gaps = vec![String::new(); 3];
    let (mut place, mut found) = (0, None);
    let mut body = None;
    for item in xml.children(tag) {
        if let Some(space) = item.space() {
            gaps.get_mut(place)?.push_str(space);
            continue;
        }
        let child = item.element()?;
        let is_body = matches!(child.name, "ac:plain-text-link-body" | "ac:link-body");
        if is_body && body.is_none() && child.attrs.is_empty() {
            body = Some(child);
            place = 2;
        } else if !is_body && place == 0 {
            found = Some(resource(xml, child, CONTAINERS_MAX)?);
            place = 1;
        } else {
            return None;
        }
    }
    let resource = found.map(|object| Json::Object(object).to_string());
    Some(Parts {
        resource,
        body,
        gaps,
    })
}

/// An image: its resource is typed, everything after that is kept as source.
pub(super) fn image(xml: &Fragment<'_>, tag: &Tag<'_>) -> Option<(Element, Spelling)> {
    let mut spelling = Spelling::with_attrs(rest(tag, &[]));
    let mut gap = String::new();
    let mut element = Element::new(Kind::Image);
    let mut found = false;
    for item in xml.children(tag) {
        if found {
            spelling.caption.push_str(xml.slice(item));
        } else if let Some(space) = item.space() {
            gap.push_str(space);
        } else {
            let resource = resource(xml, item.element()?, CONTAINERS_MAX)?;
            element.set("resource", Json::Object(resource).to_string());
            found = true;
        }
    }
    spelling.set_gaps(vec![gap]);
    Some((element, spelling))
}

/// `ri:page` and its kin as an object: the type, then the attributes, then what contains it.
fn resource(xml: &Fragment<'_>, tag: &Tag<'_>, levels: usize) -> Option<Map<String, Json>> {
    let kind = tag.name.strip_prefix("ri:")?;
    if !RESOURCES.contains(&kind) || levels == 0 {
        return None;
    }
    let mut object = Map::new();
    object.insert("type".into(), kind.into());
    for (name, value) in &tag.attrs {
        let name = name.strip_prefix("ri:")?;
        if matches!(name, "type" | "container") {
            return None;
        }
        object.insert(name.into(), value.as_ref().into());
    }
    let mut children = xml.children(tag);
    if let Some(child) = children.next() {
        let container = resource(xml, child.element()?, levels - 1)?;
        object.insert("container".into(), Json::Object(container));
    }
    children.next().is_none().then_some(object)
}

// ---- writing ------------------------------------------------------------------------------------------------------------

impl Writer {
    pub(super) fn image(&mut self, element: &Element) {
        let spelling = Spelling::of(&element.attrs);
        self.start("ac:image", &[], &spelling.attrs);
        self.space(spelling.gap(0));
        self.resource(&element.attrs);
        self.raw(&spelling.caption);
        self.end("ac:image");
    }

    /// A mention or a content link.
    pub(super) fn content_link(&mut self, element: &Element) {
        let spelling = Spelling::of(&element.attrs);
        self.link_start(&element.attrs, &spelling);
        self.end("ac:link");
    }

    /// The start tag of a link and its resource, up to where its body stands.
    pub(super) fn link_start(&mut self, attrs: &Attrs, spelling: &Spelling) {
        let anchor = attrs.text("anchor").map(|anchor| ("ac:anchor", anchor));
        self.start("ac:link", anchor.as_slice(), &spelling.attrs);
        self.space(spelling.gap(0));
        self.resource(attrs);
        self.space(spelling.gap(1));
    }

    fn resource(&mut self, attrs: &Attrs) {
        let object = attrs
            .text("resource")
            .and_then(|text| serde_json::from_str::<Map<String, Json>>(text).ok());
        if let Some(object) = object {
            self.resource_object(&object, CONTAINERS_MAX);
        }
    }

    fn resource_object(&mut self, object: &Map<String, Json>, levels: usize) {
        let kind = object
            .get("type")
            .and_then(Json::as_str)
            .unwrap_or_default();
        if !RESOURCES.contains(&kind) || levels == 0 {
            return;
        }
        let attrs: Vec<(String, String)> = object
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "type" | "container"))
            .filter_map(|(name, value)| Some((format!("ri:{name}"), value.as_str()?.to_owned())))
            .filter(|(name, _)| is_bound_name(name))
            .collect();
        let name = format!("ri:{kind}");
        self.start(&name, &[], &attrs);
        if let Some(Json::Object(container)) = object.get("container") {
            self.resource_object(container, levels - 1);
        }
        self.end(&name);
    }
}
