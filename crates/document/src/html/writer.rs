//! The only place that puts text into HTML. Tag and attribute names are literals of this program; everything else is escaped. What
//! cannot be said through this writer cannot reach a reader.

use crate::html::url;

/// Every element that rendered HTML may hold. `CLASSES.md` says what each is used for.
pub(crate) const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "aside",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "img",
    "input",
    "ins",
    "kbd",
    "li",
    "mark",
    "nav",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "u",
    "ul",
    "var",
];

/// Every attribute that rendered HTML may hold.
pub(crate) const ATTRIBUTES: &[&str] = &[
    "alt",
    "aria-hidden",
    "aria-label",
    "checked",
    "class",
    "colspan",
    "data-macro",
    "data-ref",
    "data-task",
    "datetime",
    "decoding",
    "dir",
    "disabled",
    "headers",
    "height",
    "hidden",
    "href",
    "id",
    "lang",
    "loading",
    "rel",
    "role",
    "rowspan",
    "scope",
    "src",
    "start",
    "style",
    "tabindex",
    "title",
    "type",
    "width",
];

/// Attributes of one start tag, in order.
#[derive(Default)]
pub(super) struct Attributes(Vec<(&'static str, String)>);

impl Attributes {
    /// Adds an attribute; an empty value is a bare attribute.
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        debug_assert!(
            ATTRIBUTES.contains(&name),
            "attribute `{name}` is not on the list"
        );
        let value = value.into();
        match self.0.iter_mut().find(|(key, _)| *key == name) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name, value)),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Adds an attribute unless there is no value.
    pub(super) fn with_some(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a class; the name must come from this program or from a closed list.
    pub(super) fn class(mut self, name: &str) -> Self {
        self.join("class", name, " ");
        self
    }

    /// Adds style declarations that were checked before.
    pub(super) fn style(mut self, declarations: &str) -> Self {
        self.join("style", declarations, ";");
        self
    }

    fn join(&mut self, name: &'static str, value: &str, separator: &str) {
        if value.is_empty() {
            return;
        }
        match self.0.iter_mut().find(|(key, _)| *key == name) {
            Some((_, before)) => {
                before.push_str(separator);
                before.push_str(value);
            }
            None => self.0.push((name, value.to_owned())),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Class names alone.
pub(super) fn class(name: &str) -> Attributes {
    Attributes::default().class(name)
}

/// No attributes.
pub(super) fn none() -> Attributes {
    Attributes::default()
}

/// Writes HTML into a string.
#[derive(Default)]
pub(super) struct Writer {
    out: String,
}

impl Writer {
    pub(super) fn open(&mut self, tag: &'static str, attributes: Attributes) {
        debug_assert!(
            ELEMENTS.contains(&tag),
            "element `{tag}` is not on the list"
        );
        self.out.push('<');
        self.out.push_str(tag);
        for (name, value) in &attributes.0 {
            self.out.push(' ');
            self.out.push_str(name);
            if value.is_empty() && *name != "alt" {
                continue;
            }
            self.out.push_str("=\"");
            // A second look at the addresses, whatever the caller did.
            let checked = match *name {
                "href" => url::link(value).unwrap_or_default(),
                "src" => url::image(value).unwrap_or_default(),
                _ => value.clone(),
            };
            escape(&checked, Quote::Escaped, &mut self.out);
            self.out.push('"');
        }
        self.out.push('>');
    }

    pub(super) fn close(&mut self, tag: &'static str) {
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push('>');
    }

    /// An element without content and end tag.
    pub(super) fn void(&mut self, tag: &'static str, attributes: Attributes) {
        self.open(tag, attributes);
    }

    /// An element that holds text alone.
    pub(super) fn leaf(&mut self, tag: &'static str, attributes: Attributes, text: &str) {
        self.open(tag, attributes);
        self.text(text);
        self.close(tag);
    }

    pub(super) fn text(&mut self, text: &str) {
        escape(text, Quote::Kept, &mut self.out);
    }

    /// HTML that is safe already: from this writer, or from [`Links::macro_html`](crate::Links::macro_html).
    pub(super) fn raw(&mut self, html: &str) {
        self.out.push_str(html);
    }

    pub(super) fn position(&self) -> usize {
        self.out.len()
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}

/// Escapes for text, or with the quote added for double-quoted attribute values, and leaves out what HTML forbids.
fn escape(text: &str, quote: Quote, out: &mut String) {
    let mut clean_from = 0;
    for (at, character) in text.char_indices() {
        let replacement = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' if quote == Quote::Escaped => "&quot;",
            '\t' | '\n' => continue,
            '\r' => "\n",
            c if is_forbidden(c) => "",
            _ => continue,
        };
        out.push_str(text.get(clean_from..at).unwrap_or_default());
        out.push_str(replacement);
        clean_from = at + character.len_utf8();
    }
    out.push_str(text.get(clean_from..).unwrap_or_default());
}

#[derive(Clone, Copy, PartialEq)]
enum Quote {
    Escaped,
    Kept,
}

/// Control characters and non-characters.
fn is_forbidden(character: char) -> bool {
    let code = u32::from(character);
    character.is_control() || (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}
