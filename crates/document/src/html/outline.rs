//! Headings: their ids as Confluence makes them, and the tables of contents that list them.

use std::collections::HashMap;

use regex::{Regex, RegexBuilder};

use crate::html::writer::{Writer, class, none};
use crate::limits::{CONTENTS_ENTRIES_MAX, PATTERN_BYTES_MAX};
use crate::spelling::parameter;

/// A heading of a rendered document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    /// Its text without markup.
    pub text: String,
    /// The id of its element: where `#id` leads.
    pub id: String,
}

/// The id of a place in a page, as Confluence makes it: `PageTitleWithoutBlanks-NameWithoutBlanks`. The program's own ids
/// begin with `ws-`; no id of a document does.
pub(crate) fn anchor_id(title: &str, name: &str) -> String {
    let tight = |text: &str| {
        text.chars()
            .filter(|c| !c.is_whitespace() && !c.is_control())
            .collect::<String>()
    };
    let id = format!("{}-{}", tight(title), tight(name));
    match id.get(..3) {
        Some(start) if start.eq_ignore_ascii_case("ws-") => format!("_{id}"),
        _ => id,
    }
}

/// Headings met so far, ids given so far, and the places where tables of contents go.
pub(super) struct Outline {
    title: String,
    ids: HashMap<String, u32>,
    pub(super) headings: Vec<Heading>,
    slots: Vec<Slot>,
}

/// A table of contents, to be written when all headings are known.
struct Slot {
    position: usize,
    parameters: Vec<(String, String)>,
    first: usize,
    end: Option<usize>,
}

impl Outline {
    pub(super) fn new(title: &str) -> Self {
        Outline {
            title: title.to_owned(),
            ids: HashMap::new(),
            headings: Vec::new(),
            slots: Vec::new(),
        }
    }

    /// Notes a heading and gives its id; the second of the same name ends in `.1`.
    pub(super) fn heading(&mut self, level: u8, text: &str) -> String {
        let base = anchor_id(&self.title, text);
        let count = self.ids.entry(base.clone()).or_insert(0);
        let id = if *count == 0 {
            base
        } else {
            format!("{base}.{count}")
        };
        *count += 1;
        self.headings.push(Heading {
            level,
            text: text.to_owned(),
            id: id.clone(),
        });
        id
    }

    /// The id of a named place, unless it is taken.
    pub(super) fn anchor(&mut self, name: &str) -> Option<String> {
        let id = anchor_id(&self.title, name);
        let count = self.ids.entry(id.clone()).or_insert(0);
        *count += 1;
        (*count == 1).then_some(id)
    }

    /// The id of a named place on a page with this title, or on this page.
    pub(super) fn fragment(&self, title: Option<&str>, name: &str) -> String {
        anchor_id(title.unwrap_or(&self.title), name)
    }

    /// Puts a table of contents of the whole document here.
    pub(super) fn contents(&mut self, position: usize, parameters: Vec<(String, String)>) {
        self.slots.push(Slot {
            position,
            parameters,
            first: 0,
            end: None,
        });
    }

    /// Puts a table of contents of the headings from `first` to now here.
    pub(super) fn contents_since(
        &mut self,
        position: usize,
        parameters: Vec<(String, String)>,
        first: usize,
    ) {
        let end = Some(self.headings.len());
        self.slots.push(Slot {
            position,
            parameters,
            first,
            end,
        });
    }

    /// Puts the tables of contents into the written HTML.
    pub(super) fn fill(&mut self, html: String) -> String {
        if self.slots.is_empty() {
            return html;
        }
        let mut slots = std::mem::take(&mut self.slots);
        slots.sort_by_key(|slot| slot.position);
        let mut out = String::with_capacity(html.len());
        let (mut from, mut budget) = (0, CONTENTS_ENTRIES_MAX);
        for (number, slot) in slots.iter().enumerate() {
            out.push_str(html.get(from..slot.position).unwrap_or_default());
            from = slot.position;
            let end = slot.end.unwrap_or(self.headings.len());
            let headings = self.headings.get(slot.first..end).unwrap_or_default();
            out.push_str(&contents(number, &slot.parameters, headings, &mut budget));
        }
        out.push_str(html.get(from..).unwrap_or_default());
        out
    }
}

/// One table of contents. `number` keeps the accessible names of several apart; `budget` bounds all of them together.
fn contents(
    number: usize,
    parameters: &[(String, String)],
    headings: &[Heading],
    budget: &mut usize,
) -> String {
    let level = |name| parameter(parameters, name).and_then(|value| value.parse::<u8>().ok());
    let (min, max) = (
        level("minLevel").unwrap_or(1),
        level("maxLevel").unwrap_or(7),
    );
    let (include, exclude) = (
        pattern(parameters, "include"),
        pattern(parameters, "exclude"),
    );
    let listed = headings
        .iter()
        .filter(|heading| (min..=max).contains(&heading.level))
        .filter(|heading| {
            include
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(&heading.text))
        })
        .filter(|heading| {
            !exclude
                .as_ref()
                .is_some_and(|pattern| pattern.is_match(&heading.text))
        })
        .take(*budget)
        .collect::<Vec<_>>();
    *budget -= listed.len();
    if listed.is_empty() {
        return String::new();
    }
    let label = match number {
        0 => "Table of contents".to_owned(),
        _ => format!("Table of contents {}", number + 1),
    };
    let flat = parameter(parameters, "type") == Some("flat");
    let numbered = parameter(parameters, "outline") == Some("true");
    let mut out = Writer::default();
    let nav = class("toc").class(if flat { "toc-flat" } else { "" });
    out.open("nav", nav.with("aria-label", label));
    entries(&mut out, &listed, flat, numbered);
    out.close("nav");
    out.finish()
}

fn entries(out: &mut Writer, headings: &[&Heading], flat: bool, numbered: bool) {
    let mut open: Vec<u8> = Vec::new();
    let mut numbers: Vec<u32> = Vec::new();
    for heading in headings {
        let level = if flat { 1 } else { heading.level };
        let deeper = open.last().is_none_or(|last| *last < level);
        if deeper {
            out.open("ul", none());
            open.push(level);
            numbers.push(0);
        } else {
            out.close("li");
            while open.len() > 1 && open.last().is_some_and(|last| *last > level) {
                out.close("ul");
                out.close("li");
                open.pop();
                numbers.pop();
            }
        }
        if let Some(number) = numbers.last_mut() {
            *number += 1;
        }
        out.open("li", none());
        entry(out, heading, numbered.then_some(&numbers));
    }
    for _ in open {
        out.close("li");
        out.close("ul");
    }
}

fn entry(out: &mut Writer, heading: &Heading, numbers: Option<&Vec<u32>>) {
    out.open(
        "a",
        none().with("href", format!("#{}", percent(&heading.id))),
    );
    if let Some(numbers) = numbers {
        let numbers = numbers.iter().map(u32::to_string).collect::<Vec<_>>();
        out.leaf("span", class("toc-number"), &numbers.join("."));
        out.text(" ");
    }
    out.text(&heading.text);
    out.close("a");
}

/// An id as a fragment: only what would change its meaning is encoded.
pub(super) fn percent(id: &str) -> String {
    id.replace('%', "%25")
        .replace('#', "%23")
        .replace('"', "%22")
        .replace('<', "%3C")
        .replace('>', "%3E")
        .replace('`', "%60")
}

/// A filter of the `toc` macro: a pattern that the whole heading must fit. A pattern that is too long or not understood filters nothing.
fn pattern(parameters: &[(String, String)], name: &str) -> Option<Regex> {
    let source = parameter(parameters, name).filter(|source| source.len() <= PATTERN_BYTES_MAX)?;
    RegexBuilder::new(&format!("^(?:{source})$"))
        .size_limit(1 << 18)
        .build()
        .ok()
}
