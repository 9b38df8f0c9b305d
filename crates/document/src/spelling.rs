//! Reads the JSON that nodes and marks carry: how the source spelled them, macro parameters, marks around atoms.

use serde_json::Value as Json;

use crate::schema::MarkKind;
use crate::tree::{Attrs, Element, Mark};

/// What the attribute `xml` tells of a node's or mark's source.
#[derive(Default)]
pub(crate) struct Spelling(Option<Json>);

impl Spelling {
    pub(crate) fn of(attrs: &Attrs) -> Self {
        let text = attrs.text("xml");
        Spelling(text.and_then(|text| serde_json::from_str(text).ok()))
    }

    fn get(&self, key: &str) -> Option<&Json> {
        self.0.as_ref()?.get(key)
    }

    /// An attribute of the source element beyond the typed ones.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let pairs = self.get("attrs")?.as_array()?;
        pairs.iter().find_map(|pair| {
            let fits = pair.get(0)?.as_str()? == name;
            fits.then(|| pair.get(1)?.as_str()).flatten()
        })
    }

    /// The name of the source element where it is not the usual one.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.text("tag")
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }
}

/// The parameters of a macro node: attribute `params`.
pub(crate) fn parameters(element: &Element) -> Vec<(String, String)> {
    let Some(Json::Array(pairs)) = element
        .text("params")
        .and_then(|text| serde_json::from_str(text).ok())
    else {
        return Vec::new();
    };
    pairs
        .iter()
        .filter_map(|pair| {
            Some((
                pair.get(0)?.as_str()?.to_owned(),
                pair.get(1)?.as_str()?.to_owned(),
            ))
        })
        .collect()
}

/// The value of a parameter, unless it is empty.
pub(crate) fn parameter<'p>(parameters: &'p [(String, String)], name: &str) -> Option<&'p str> {
    let (_, value) = parameters.iter().find(|(key, _)| key == name)?;
    Some(value.trim()).filter(|value| !value.is_empty())
}

/// The marks around an inline atom, outermost first: attribute `wrap`.
pub(crate) fn wrap(element: &Element) -> Vec<Mark> {
    let Some(Json::Array(marks)) = element
        .attrs
        .text("wrap")
        .and_then(|text| serde_json::from_str(text).ok())
    else {
        return Vec::new();
    };
    marks.iter().filter_map(wrapped).collect()
}

fn wrapped(entry: &Json) -> Option<Mark> {
    let kind = MarkKind::from_name(entry.get(0)?.as_str()?)?;
    let mut mark = Mark::new(kind);
    for (name, _) in kind.spec().attrs {
        if let Some(value) = entry
            .get(1)
            .and_then(|attrs| attrs.get(name))
            .and_then(Json::as_str)
        {
            mark.set(name, value);
        }
    }
    Some(mark)
}

/// What the attribute `sections` of a table tells.
pub(crate) struct TableParts {
    tags: Vec<&'static str>,
    /// Source of the caption and the column groups.
    pub(crate) sources: Vec<String>,
}

impl TableParts {
    pub(crate) fn of(table: &Element) -> Self {
        let json = table
            .text("sections")
            .and_then(|text| serde_json::from_str::<Json>(text).ok());
        let mut parts = TableParts {
            tags: Vec::new(),
            sources: Vec::new(),
        };
        parts.collect(json.as_ref());
        parts
    }

    fn collect(&mut self, json: Option<&Json>) {
        match json {
            Some(Json::Array(entries)) => entries.iter().for_each(|entry| self.entry(entry)),
            Some(Json::Object(object)) => {
                object.values().for_each(|value| self.collect(Some(value)))
            }
            Some(Json::String(source)) if source.contains('<') => self.sources.push(source.clone()),
            _ => {}
        }
    }

    fn entry(&mut self, entry: &Json) {
        match entry.get("tag").and_then(Json::as_str) {
            Some("thead") => self.tags.push("thead"),
            Some("tfoot") => self.tags.push("tfoot"),
            Some(_) => self.tags.push("tbody"),
            None => self.collect(Some(entry)),
        }
    }

    /// The element around the rows of a section.
    pub(crate) fn tag(&self, section: i64) -> &'static str {
        let at = usize::try_from(section).unwrap_or(0);
        self.tags.get(at).copied().unwrap_or("tbody")
    }
}
