//! A look into the exact source that preserved nodes keep: a small read-only XML tree. Lenient, because a live document may carry
//! any text as a source: reading stops at the first fault and keeps what was there.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::limits::DEPTH_MAX;

/// One node of the source.
pub(crate) enum Xml<'a> {
    Text(Cow<'a, str>),
    Element(XmlElement<'a>),
}

/// An element, with its place in the source.
pub(crate) struct XmlElement<'a> {
    pub(crate) name: &'a str,
    pub(crate) attributes: Vec<(&'a str, Cow<'a, str>)>,
    pub(crate) children: Vec<Xml<'a>>,
    /// From its start tag to its end tag.
    pub(crate) outer: &'a str,
    /// Between the tags.
    pub(crate) inner: &'a str,
}

impl<'a> XmlElement<'a> {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| *key == name)?;
        Some(&found.1)
    }

    pub(crate) fn elements(&self) -> impl Iterator<Item = &XmlElement<'a>> {
        elements(&self.children)
    }

    pub(crate) fn child(&self, name: &str) -> Option<&XmlElement<'a>> {
        self.elements().find(|child| child.name == name)
    }

    /// All text inside, in order.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        collect_text(&self.children, &mut out);
        out
    }
}

pub(crate) fn elements<'t, 'a>(nodes: &'t [Xml<'a>]) -> impl Iterator<Item = &'t XmlElement<'a>> {
    nodes.iter().filter_map(|node| match node {
        Xml::Element(element) => Some(element),
        Xml::Text(_) => None,
    })
}

fn collect_text(nodes: &[Xml<'_>], out: &mut String) {
    for node in nodes {
        match node {
            Xml::Text(text) => out.push_str(text),
            Xml::Element(element) => collect_text(&element.children, out),
        }
    }
}

/// Reads a fragment. Comments and processing instructions are left out; elements deeper than `DEPTH_MAX` are left out, their text stays.
pub(crate) fn read(source: &str) -> Vec<Xml<'_>> {
    let mut builder = Builder {
        source,
        roots: Vec::new(),
        open: Vec::new(),
        too_deep: 0,
    };
    let mut reader = Reader::from_str(source);
    reader.config_mut().allow_dangling_amp = true;
    let mut at = 0;
    while let Ok(event) = reader.read_event() {
        let end = usize::try_from(reader.buffer_position()).unwrap_or(source.len());
        match event {
            Event::Start(_) => builder.start(at, end),
            Event::Empty(_) => {
                builder.start(at, end);
                builder.end(end, end);
            }
            Event::End(_) => builder.end(at, end),
            Event::Text(_) | Event::GeneralRef(_) => {
                builder.text(decode(source.get(at..end).unwrap_or_default()));
            }
            Event::CData(_) => {
                let raw = source.get(at..end).unwrap_or_default();
                let inner = raw.strip_prefix("<![CDATA[").unwrap_or(raw);
                builder.text(Cow::Borrowed(inner.strip_suffix("]]>").unwrap_or(inner)));
            }
            Event::Eof => break,
            _ => {}
        }
        at = end;
    }
    builder.finish()
}

struct Builder<'a> {
    source: &'a str,
    roots: Vec<Xml<'a>>,
    open: Vec<Open<'a>>,
    too_deep: usize,
}

struct Open<'a> {
    element: XmlElement<'a>,
    start: usize,
    inner_start: usize,
}

impl<'a> Builder<'a> {
    fn start(&mut self, at: usize, end: usize) {
        if self.open.len() >= DEPTH_MAX {
            self.too_deep += 1;
            return;
        }
        let raw = self.source.get(at..end).unwrap_or_default();
        let (name, attributes) = start_tag(raw);
        let element = XmlElement {
            name,
            attributes,
            children: Vec::new(),
            outer: "",
            inner: "",
        };
        self.open.push(Open {
            element,
            start: at,
            inner_start: end,
        });
    }

    fn end(&mut self, at: usize, end: usize) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        if let Some(mut open) = self.open.pop() {
            open.element.outer = self.source.get(open.start..end).unwrap_or_default();
            open.element.inner = self.source.get(open.inner_start..at).unwrap_or_default();
            self.push(Xml::Element(open.element));
        }
    }

    fn text(&mut self, text: Cow<'a, str>) {
        let siblings = match self.open.last_mut() {
            Some(open) => &mut open.element.children,
            None => &mut self.roots,
        };
        match siblings.last_mut() {
            Some(Xml::Text(before)) => before.to_mut().push_str(&text),
            _ => siblings.push(Xml::Text(text)),
        }
    }

    fn push(&mut self, node: Xml<'a>) {
        match self.open.last_mut() {
            Some(open) => open.element.children.push(node),
            None => self.roots.push(node),
        }
    }

    fn finish(mut self) -> Vec<Xml<'a>> {
        self.too_deep = 0;
        while !self.open.is_empty() {
            self.end(self.source.len(), self.source.len());
        }
        self.roots
    }
}

/// Name and attributes of `<name a="b">` or `<name/>`.
fn start_tag(raw: &str) -> (&str, Vec<(&str, Cow<'_, str>)>) {
    let inner = raw.strip_prefix('<').unwrap_or(raw);
    let inner = inner.strip_suffix('>').unwrap_or(inner);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let name_end = inner
        .find(|c: char| c.is_ascii_whitespace())
        .unwrap_or(inner.len());
    let name = inner.get(..name_end).unwrap_or_default();
    (
        name,
        split_attributes(inner.get(name_end..).unwrap_or_default()),
    )
}

/// The attributes of a start tag's rest. Values must be quoted, as XML asks.
fn split_attributes(mut rest: &str) -> Vec<(&str, Cow<'_, str>)> {
    let mut found = Vec::new();
    while let Some((key, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let Some(quote) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            break;
        };
        let Some((value, tail)) = after.get(1..).and_then(|value| value.split_once(quote)) else {
            break;
        };
        found.push((key.trim(), decode(value)));
        rest = tail;
    }
    found
}

/// Resolves character references and the entity names of HTML; what is no reference stays as it is.
pub(crate) fn decode(raw: &str) -> Cow<'_, str> {
    let Some(first) = raw.find('&') else {
        return Cow::Borrowed(raw);
    };
    let mut out = raw.get(..first).unwrap_or_default().to_owned();
    let mut rest = raw.get(first..).unwrap_or_default();
    while let Some(after) = rest.strip_prefix('&') {
        let name = after
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '#'))
            .next();
        let name = name.unwrap_or_default();
        let resolved = after
            .get(name.len()..)
            .and_then(|tail| tail.strip_prefix(';'))
            .and_then(|tail| Some((reference(name)?, tail)));
        let tail = match resolved {
            Some((character, tail)) => {
                out.push(character);
                tail
            }
            None => {
                out.push('&');
                after
            }
        };
        let next = tail.find('&').unwrap_or(tail.len());
        out.push_str(tail.get(..next).unwrap_or_default());
        rest = tail.get(next..).unwrap_or_default();
    }
    Cow::Owned(out)
}

fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    let (first, second) = html5ever::data::NAMED_ENTITIES.get(&format!("{name};"))?;
    (*second == 0 && *first != 0)
        .then(|| char::from_u32(*first))
        .flatten()
}
