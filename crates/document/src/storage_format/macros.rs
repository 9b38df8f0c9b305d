//! Macros with a typed node: code and noformat, panels, expand, contents, status.

use super::names;
use super::read::{Reader, Typed, rest};
use super::spelling::Spelling;
use super::write::Writer;
use crate::schema::Kind;
use crate::tree::{Attrs, Element, Node};
use crate::xml::{Fragment, Item, Tag};

/// The parts of a macro whose parameters are plain text.
struct Parts<'a, 's> {
    name: &'a str,
    params: Vec<(String, String)>,
    body: Option<&'a Tag<'s>>,
    spelling: Spelling,
}

/// The status macro, which stands in a line.
pub(super) fn status(xml: &Fragment<'_>, tag: &Tag<'_>) -> Option<(Element, Spelling)> {
    if names::macro_name(tag) != "status" {
        return None;
    }
    let parts = parts(xml, tag)?;
    if parts.body.is_some() {
        return None;
    }
    Some((with_params(Kind::Status, &parts.params), parts.spelling))
}

impl<'s> Reader<'_, 's> {
    pub(super) fn block_macro(&mut self, tag: &Tag<'s>, depth: usize) -> Typed {
        let name = names::macro_name(tag);
        if !names::is_block_macro(name) {
            return None;
        }
        let parts = parts(self.xml, tag)?;
        match parts.name {
            "toc" => self.toc(&parts),
            "code" | "noformat" => self.code(parts),
            "expand" => self.rich(Element::new(Kind::Expand), parts, depth),
            name => self.rich(Element::new(Kind::Panel).with("name", name), parts, depth),
        }
    }

    fn toc(&self, parts: &Parts<'_, 's>) -> Typed {
        let typed = (
            with_params(Kind::Toc, &parts.params),
            parts.spelling.clone(),
        );
        parts.body.is_none().then_some(typed)
    }

    fn code(&self, mut parts: Parts<'_, 's>) -> Typed {
        let mut element = with_params(Kind::CodeBlock, &parts.params).with("macro", parts.name);
        match parts.body {
            None => parts.spelling.lacks = 1,
            Some(body) if body.name == "ac:plain-text-body" => {
                let text = plain_text(self.xml, body)?;
                if !text.is_empty() {
                    element.content.push(Node::plain(text));
                }
            }
            Some(_) => return None,
        }
        Some((element, parts.spelling))
    }

    fn rich(&mut self, mut element: Element, mut parts: Parts<'_, 's>, depth: usize) -> Typed {
        set_params(&mut element, &parts.params);
        match parts.body {
            None => {
                parts.spelling.lacks = 1;
                element.content = vec![Element::new(Kind::Paragraph).with("bare", 1).into()];
            }
            Some(body) if body.name == "ac:rich-text-body" => {
                (element.content, parts.spelling.post) = self.container(body, depth + 1);
            }
            Some(_) => return None,
        }
        Some((element, parts.spelling))
    }
}

fn with_params(kind: Kind, params: &[(String, String)]) -> Element {
    let mut element = Element::new(kind);
    set_params(&mut element, params);
    element
}

fn set_params(element: &mut Element, params: &[(String, String)]) {
    if !params.is_empty()
        && let Ok(text) = serde_json::to_string(params)
    {
        element.set("params", text);
    }
}

fn parts<'a, 's>(xml: &'a Fragment<'s>, tag: &'a Tag<'s>) -> Option<Parts<'a, 's>> {
    let mut parts = Parts {
        name: names::macro_name(tag),
        params: Vec::new(),
        body: None,
        spelling: Spelling::with_attrs(rest(tag, &["ac:name"])),
    };
    if tag.name != "ac:structured-macro" {
        parts.spelling.tag = tag.name.to_owned();
    }
    let mut gaps = vec![String::new()];
    for item in xml.children(tag) {
        if let Some(space) = item.space() {
            gaps.last_mut()?.push_str(space);
            continue;
        }
        let child = item.element().filter(|child| !child.declares)?;
        if child.name == "ac:parameter" && child.attrs.len() == 1 {
            let name = child.attr("ac:name")?.to_owned();
            parts.params.push((name, plain_text(xml, child)?));
        } else if is_body(child) && parts.body.is_none() {
            parts.body = Some(child);
            parts.spelling.at = Some(parts.params.len());
        } else {
            return None;
        }
        gaps.push(String::new());
    }
    if parts.spelling.at == Some(parts.params.len()) {
        parts.spelling.at = None;
    }
    parts.spelling.set_gaps(gaps);
    Some(parts)
}

fn is_body(tag: &Tag<'_>) -> bool {
    matches!(tag.name, "ac:rich-text-body" | "ac:plain-text-body") && tag.attrs.is_empty()
}

/// The text of an element that holds nothing but text.
pub(super) fn plain_text(xml: &Fragment<'_>, tag: &Tag<'_>) -> Option<String> {
    xml.children(tag).map(Item::text).collect()
}

// ---- writing ------------------------------------------------------------------------------------------------------------

impl Writer {
    pub(super) fn toc(&mut self, element: &Element) {
        let spelling = Spelling::of(&element.attrs);
        self.macro_element("toc", &element.attrs, &spelling, None);
    }

    pub(super) fn status(&mut self, element: &Element) {
        let spelling = Spelling::of(&element.attrs);
        self.macro_element("status", &element.attrs, &spelling, None);
    }

    pub(super) fn code_block(&mut self, element: &Element) {
        let name = match element.text("macro") {
            Some("noformat") => "noformat",
            _ => "code",
        };
        let text: String = element
            .content
            .iter()
            .filter_map(Node::as_text)
            .map(|text| text.text.as_str())
            .collect();
        let spelling = Spelling::of(&element.attrs);
        let mut body = |writer: &mut Writer| {
            writer.start("ac:plain-text-body", &[], &[]);
            if !text.is_empty() {
                writer.cdata(&text);
            }
            writer.end("ac:plain-text-body");
        };
        let lacks = spelling.lacks == 1 && text.is_empty();
        self.macro_element(
            name,
            &element.attrs,
            &spelling,
            (!lacks).then_some(&mut body),
        );
    }

    /// A panel or an expand.
    pub(super) fn rich_macro(&mut self, name: &str, element: &Element) {
        let spelling = Spelling::of(&element.attrs);
        let mut body = |writer: &mut Writer| {
            writer.start("ac:rich-text-body", &[], &[]);
            writer.blocks(&element.content);
            writer.space(&spelling.post);
            writer.end("ac:rich-text-body");
        };
        let lacks = spelling.lacks == 1 && is_blank(&element.content);
        self.macro_element(
            name,
            &element.attrs,
            &spelling,
            (!lacks).then_some(&mut body),
        );
    }

    fn macro_element(
        &mut self,
        name: &str,
        attrs: &Attrs,
        spelling: &Spelling,
        mut body: Option<&mut dyn FnMut(&mut Writer)>,
    ) {
        let params: Vec<(String, String)> = attrs
            .text("params")
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let tag = spelling.tag_of(&["ac:macro"], "ac:structured-macro");
        let place = spelling.at.unwrap_or(params.len()).min(params.len());
        let mut gap = 0;
        self.start(tag, &[("ac:name", name)], &spelling.attrs);
        for at in 0..=params.len() {
            if at == place
                && let Some(body) = body.take()
            {
                self.space(spelling.gap(gap));
                gap += 1;
                body(self);
            }
            if let Some((name, value)) = params.get(at) {
                self.space(spelling.gap(gap));
                gap += 1;
                self.start("ac:parameter", &[("ac:name", name)], &[]);
                self.text(value);
                self.end("ac:parameter");
            }
        }
        self.space(spelling.gap(gap));
        self.end(tag);
    }
}

/// Whether a container holds nothing but one empty bare paragraph.
fn is_blank(content: &[Node]) -> bool {
    match content {
        [] => true,
        [Node::Element(only)] => only.kind == Kind::Paragraph && only.content.is_empty(),
        _ => false,
    }
}
