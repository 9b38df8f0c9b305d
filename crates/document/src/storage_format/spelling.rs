//! How the source spelled a node: the content of the attribute `xml`, so that it is written back the same.

use serde::{Deserialize, Serialize};

use crate::tree::{Attrs, Element, Mark};

/// Everything about a node's source that its kind and attributes do not say. All of it may be absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Spelling {
    /// White space before the start tag.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) pre: String,
    /// White space before the end tag.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) post: String,
    /// Attributes beyond the typed ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) attrs: Vec<(String, String)>,
    /// The element's name, if it is not the canonical one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) tag: String,
    /// White space at the structural places of a compound element.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) gaps: Vec<String>,
    /// Mark: its index in the nesting, if that is not the canonical order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) depth: Option<usize>,
    /// Mark: not 0 when it must not merge with the equal mark before it.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) split: u8,
    /// White space after the start tag.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) lead: String,
    /// White space after the end tag, at the end of the document.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) after: String,
    /// Link: `rich` when its plain text stands in an `ac:link-body`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) body: String,
    /// Macro: the index among its parameters at which the body stands, if not after them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<usize>,
    /// Not 0 when the element lacks the part that usually stands for its content or kind.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) lacks: u8,
    /// Image: the source after its resource.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) caption: String,
    /// Bare paragraph: not 0 when a placeholder span of a task holds its content.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) holder: u8,
}

fn is_zero(number: &u8) -> bool {
    *number == 0
}

impl Spelling {
    /// With these attributes beyond the typed ones.
    pub(super) fn with_attrs(attrs: Vec<(String, String)>) -> Self {
        Spelling {
            attrs,
            ..Spelling::default()
        }
    }

    /// The spelling of a node; whatever cannot be read counts as absent.
    pub(super) fn of(attrs: &Attrs) -> Self {
        attrs
            .text("xml")
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }

    /// Stores the spelling in the node.
    pub(super) fn seal(&self, element: &mut Element) {
        if let Some(text) = self.to_text() {
            element.set("xml", text);
        }
    }

    pub(super) fn seal_mark(&self, mark: &mut Mark) {
        match self.to_text() {
            Some(text) => mark.set("xml", text),
            None => mark.attrs.remove("xml"),
        }
    }

    fn to_text(&self) -> Option<String> {
        if *self == Spelling::default() {
            return None;
        }
        serde_json::to_string(self).ok()
    }

    /// Sets the gaps, unless all are empty.
    pub(super) fn set_gaps(&mut self, gaps: Vec<String>) {
        if gaps.iter().any(|gap| !gap.is_empty()) {
            self.gaps = gaps;
        }
    }

    /// The white space at a place, if the spelling knows it.
    pub(super) fn gap(&self, at: usize) -> &str {
        self.gaps.get(at).map(String::as_str).unwrap_or_default()
    }

    /// The element's name, if it was spelled as one of these.
    pub(super) fn tag_of<'a>(&'a self, allowed: &[&str], canonical: &'a str) -> &'a str {
        if allowed.contains(&self.tag.as_str()) {
            &self.tag
        } else {
            canonical
        }
    }
}
