//! The tree that a page's body is: nodes, marks, attributes.

use std::fmt;

use crate::schema::{Kind, MarkKind};

/// A page's body: the children of the schema's root node `doc`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The blocks, in reading order.
    pub content: Vec<Node>,
}

/// One node of the tree: an element with a kind, or a run of text with marks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A block, a structural part of one, or an inline atom.
    Element(Element),
    /// Text with one set of marks.
    Text(Text),
}

/// A node with a kind, attributes and children.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Element {
    /// What it is.
    pub kind: Kind,
    /// Its attributes; those that have their default value are absent.
    pub attrs: Attrs,
    /// Its children; empty for atoms.
    pub content: Vec<Node>,
}

/// A run of text. Neighbouring runs have different marks; no run is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text {
    /// The characters.
    pub text: String,
    /// The marks around them, outermost first, in the order of [`MarkKind::ALL`].
    pub marks: Vec<Mark>,
}

/// A property of text: bold, a link, a comment marker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    /// What it is.
    pub kind: MarkKind,
    /// Its attributes; those that have their default value are absent.
    pub attrs: Attrs,
}

/// Attributes of a node or mark: a small map, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attrs(Vec<(&'static str, Value)>);

/// The value of an attribute. Structured values are compact JSON in a `Text`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// A number.
    Int(i64),
    /// A string.
    Text(String),
}

/// What a parser did not understand, and therefore kept as source or left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Line in the source, from 1; 0 when the source has no lines (a live document).
    pub line: u32,
    /// Column in characters, from 1; 0 when the source has no lines.
    pub column: u32,
    /// One sentence without full stop.
    pub message: String,
}

/// Why a source is refused: it is not well-formed XML.
#[derive(Clone, Debug, PartialEq)]
pub struct Malformed {
    /// Line of the fault, from 1.
    pub line: u32,
    /// Column of the fault in characters, from 1.
    pub column: u32,
    /// What is wrong, in the words that clients know from Confluence.
    pub reason: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at line {}, column {}",
            self.reason, self.line, self.column
        )
    }
}

impl std::error::Error for Malformed {}

impl Document {
    /// A document with these blocks.
    pub fn new(content: Vec<Node>) -> Self {
        Document { content }
    }
}

impl Node {
    /// The element, unless this is text.
    pub fn as_element(&self) -> Option<&Element> {
        match self {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        }
    }

    /// The text run, unless this is an element.
    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Node::Text(text) => Some(text),
            Node::Element(_) => None,
        }
    }

    /// Whether this stands inside a line: text or an inline atom.
    pub fn is_inline(&self) -> bool {
        match self {
            Node::Element(element) => element.kind.is_inline(),
            Node::Text(_) => true,
        }
    }

    /// Text without marks.
    pub fn plain(text: impl Into<String>) -> Node {
        Node::Text(Text {
            text: text.into(),
            marks: Vec::new(),
        })
    }
}

impl From<Element> for Node {
    fn from(element: Element) -> Self {
        Node::Element(element)
    }
}

impl From<Text> for Node {
    fn from(text: Text) -> Self {
        Node::Text(text)
    }
}

impl Element {
    /// An element without attributes and children.
    pub fn new(kind: Kind) -> Self {
        Element {
            kind,
            attrs: Attrs::default(),
            content: Vec::new(),
        }
    }

    /// The same element with an attribute set.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// The same element with these children.
    #[must_use]
    pub fn with_content(mut self, content: Vec<Node>) -> Self {
        self.content = content;
        self
    }

    /// Sets an attribute; a value equal to the default removes it.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        let value = value.into();
        if self.kind.default_of(name).as_ref() == Some(&value) {
            self.attrs.remove(name);
        } else {
            self.attrs.set(name, value);
        }
    }

    /// A string attribute, or its default.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attrs
            .text(name)
            .or_else(|| self.kind.default_text(name))
    }

    /// A number attribute, or its default.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.attrs.int(name).or_else(|| self.kind.default_int(name))
    }
}

impl Mark {
    /// A mark without attributes.
    pub fn new(kind: MarkKind) -> Self {
        Mark {
            kind,
            attrs: Attrs::default(),
        }
    }

    /// The same mark with an attribute set.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets an attribute; a value equal to the default removes it.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        let value = value.into();
        if self.kind.default_of(name).as_ref() == Some(&value) {
            self.attrs.remove(name);
        } else {
            self.attrs.set(name, value);
        }
    }

    /// A string attribute, or its default.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attrs
            .text(name)
            .or_else(|| self.kind.default_text(name))
    }
}

impl Attrs {
    /// The value of an attribute, unless it is absent.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self.0.binary_search_by(|(key, _)| (*key).cmp(name)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The value of a number attribute.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// The value of a string attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Sets an attribute as it is, even to its default.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        let value = value.into();
        match self.0.binary_search_by(|(key, _)| (*key).cmp(name)) {
            Ok(at) => {
                if let Some(entry) = self.0.get_mut(at) {
                    entry.1 = value;
                }
            }
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    /// Removes an attribute: it then has its default.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| *key != name);
    }

    /// Whether every attribute has its default.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The attributes that are present, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }
}

impl Value {
    /// About how many bytes it takes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Value::Int(_) => 8,
            Value::Text(text) => text.len(),
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}
