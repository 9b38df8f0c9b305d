//! Reads `entities.xml` as a stream of objects, in constant memory. Knows the XML of the export, not what the objects mean.
//!
//! Both layouts are read: references as `<property class=..><id>`, collections of references, plain values, and the old
//! property names (which of them means what is decided in `model.rs`). A damaged file yields all objects before the damage.

use std::io::Read;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::cleanse::{Cleanse, Cleansed, is_allowed};
use super::limits::{ELEMENT_DEPTH_MAX, FIELDS_MAX, MEMBERS_MAX};

/// One `<object>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    /// Class name without package.
    pub(crate) class: String,
    /// The id as written; a number, or the key of a user. Empty if there is none.
    pub(crate) id: String,
    /// Line of the start tag.
    pub(crate) line: u64,
    /// The fields in order of the file. Null fields are left out.
    pub(crate) fields: Vec<(String, Field)>,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// A number, time, flag or text.
    Text(String),
    /// A reference to another object.
    One(Reference),
    /// References in a collection.
    Many(Vec<Reference>),
}

/// Class and id of another object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) class: String,
    pub(crate) id: String,
}

impl Object {
    fn field(&self, name: &str) -> Option<&Field> {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value)
    }

    /// A value; empty text counts as absent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.field(name)? {
            Field::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// A reference.
    pub(crate) fn one(&self, name: &str) -> Option<&Reference> {
        match self.field(name)? {
            Field::One(reference) => Some(reference),
            _ => None,
        }
    }

    /// The members of a collection; none if it is absent.
    pub(crate) fn many(&self, name: &str) -> &[Reference] {
        match self.field(name) {
            Some(Field::Many(members)) => members,
            _ => &[],
        }
    }
}

/// Why reading ended before the end of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) line: u64,
    pub(crate) reason: String,
}

/// What comes next in the file.
#[derive(Debug)]
pub(crate) enum Step {
    Object(Object),
    End,
    /// The rest cannot be read; all objects so far are whole.
    Damaged(Damage),
    /// A document type declaration: the file is refused as a whole.
    Refused(Damage),
}

/// The stream of objects.
pub(crate) struct Entities<R: Read> {
    reader: Reader<Cleanse<R>>,
    buffer: Vec<u8>,
    line: u64,
    depth: usize,
    root_seen: bool,
    ended: bool,
    exported_at: Option<String>,
    building: Option<Building>,
}

/// The object whose elements are being read.
struct Building {
    object: Object,
    /// Depth of its element; everything inside is deeper.
    depth: usize,
    field: Option<(String, String, Collecting)>,
    in_id: bool,
    id_text: String,
    text: String,
    element_class: String,
}

enum Collecting {
    Value,
    Members(Vec<Reference>),
    CompositeId,
}

impl<R: Read> Entities<R> {
    pub(crate) fn new(input: R) -> Self {
        let mut reader = Reader::from_reader(Cleanse::new(input));
        let config = reader.config_mut();
        config.check_end_names = true;
        config.allow_dangling_amp = true;
        config.expand_empty_elements = true;
        Entities {
            reader,
            buffer: Vec::new(),
            line: 1,
            depth: 0,
            root_seen: false,
            ended: false,
            exported_at: None,
            building: None,
        }
    }

    /// Characters that were taken out so far.
    pub(crate) fn cleansed(&mut self) -> Cleansed {
        self.reader.get_mut().found()
    }

    /// The `datetime` of the root element, as written.
    pub(crate) fn exported_at(&self) -> Option<&str> {
        self.exported_at.as_deref()
    }

    /// The next object, or why there is none.
    pub(crate) fn step(&mut self) -> Step {
        if self.ended {
            return Step::End;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let step = loop {
            buffer.clear();
            let event = match self.reader.read_event_into(&mut buffer) {
                Ok(event) => event,
                Err(error) => break self.damaged(error.to_string()),
            };
            if let Some(step) = self.take(event) {
                break step;
            }
        };
        self.buffer = buffer;
        self.ended = !matches!(step, Step::Object(_));
        step
    }

    fn damaged(&self, reason: String) -> Step {
        Step::Damaged(Damage {
            line: self.line,
            reason,
        })
    }

    fn take(&mut self, event: Event<'_>) -> Option<Step> {
        match event {
            Event::Start(start) => {
                let line = self.line;
                self.line += newlines(&start);
                return self.start(&start, line);
            }
            Event::End(end) => {
                self.line += newlines(&end);
                return self.end();
            }
            Event::Text(text) => {
                self.line += newlines(&text);
                self.push(&text.xml10_content());
            }
            Event::CData(text) => {
                self.line += newlines(&text);
                self.push(&text.xml10_content());
            }
            Event::GeneralRef(reference) => self.push_reference(&reference),
            Event::Comment(text) => self.line += newlines(&text),
            Event::PI(text) => self.line += newlines(&text),
            Event::Decl(text) => self.line += newlines(&text),
            Event::Empty(start) => self.line += newlines(&start),
            Event::DocType(_) => {
                let reason = "a document type declaration is not allowed here".to_owned();
                return Some(Step::Refused(Damage {
                    line: self.line,
                    reason,
                }));
            }
            Event::Eof if !self.root_seen => {
                return Some(self.damaged("there is no root element".to_owned()));
            }
            Event::Eof if self.depth > 0 => {
                return Some(self.damaged("the file ends too early".to_owned()));
            }
            Event::Eof => return Some(Step::End),
        }
        None
    }

    fn start(&mut self, start: &BytesStart<'_>, line: u64) -> Option<Step> {
        self.depth += 1;
        if self.depth > ELEMENT_DEPTH_MAX {
            return Some(self.damaged(format!(
                "elements are nested deeper than `{ELEMENT_DEPTH_MAX}`"
            )));
        }
        let name = start.local_name();
        match &mut self.building {
            Some(building) => building.start(name.as_ref(), start, self.depth),
            None if self.depth == 1 => {
                self.root_seen = true;
                self.exported_at = attribute(start, "datetime");
                if name.as_ref() != "hibernate-generic" {
                    let reason = format!(
                        "the root element is `{}`, not `hibernate-generic`",
                        name.as_ref()
                    );
                    return Some(self.damaged(reason));
                }
            }
            None if self.depth == 2 && name.as_ref() == "object" => {
                self.reader.get_mut().renew();
                let class = attribute(start, "class").unwrap_or_default();
                self.building = Some(Building::new(class, line, self.depth));
            }
            None => {}
        }
        None
    }

    fn end(&mut self) -> Option<Step> {
        let depth = self.depth;
        self.depth = depth.saturating_sub(1);
        let building = self.building.as_mut()?;
        if depth > building.depth {
            building.end(depth);
            return None;
        }
        self.building
            .take()
            .map(|building| Step::Object(building.object))
    }

    fn push(&mut self, text: &str) {
        if let Some(building) = &mut self.building {
            building.push(text);
        }
    }

    fn push_reference(&mut self, reference: &BytesRef<'_>) {
        if let Ok(Some(character)) = reference.resolve_char_ref() {
            if is_allowed(character) {
                self.push(character.encode_utf8(&mut [0; 4]));
            }
            return;
        }
        let name = reference.xml10_content();
        match quick_xml::escape::resolve_predefined_entity(&name) {
            Some(text) => self.push(text),
            None if name.starts_with('#') => {}
            None => self.push(&format!("&{name};")),
        }
    }
}

impl Building {
    fn new(class: String, line: u64, depth: usize) -> Building {
        Building {
            object: Object {
                class,
                id: String::new(),
                line,
                fields: Vec::new(),
            },
            depth,
            field: None,
            in_id: false,
            id_text: String::new(),
            text: String::new(),
            element_class: String::new(),
        }
    }

    fn start(&mut self, name: &str, start: &BytesStart<'_>, depth: usize) {
        let inside = depth - self.depth;
        match (name, inside) {
            ("id", _) => {
                self.in_id = true;
                self.id_text.clear();
            }
            ("composite-id", 1) => {
                self.field = Some((String::new(), String::new(), Collecting::CompositeId))
            }
            ("property" | "collection", 1) => {
                let collecting = match name {
                    "collection" => Collecting::Members(Vec::new()),
                    _ => Collecting::Value,
                };
                let field = attribute(start, "name").unwrap_or_default();
                self.field = Some((
                    field,
                    attribute(start, "class").unwrap_or_default(),
                    collecting,
                ));
                self.text.clear();
            }
            ("element", 2) => self.element_class = attribute(start, "class").unwrap_or_default(),
            _ => {}
        }
    }

    fn push(&mut self, text: &str) {
        if self.in_id {
            self.id_text.push_str(text);
        } else if self.field.is_some() {
            self.text.push_str(text);
        }
    }

    fn end(&mut self, depth: usize) {
        if self.in_id {
            self.in_id = false;
            self.end_id();
        } else if depth == self.depth + 1 {
            self.end_field();
        }
    }

    fn end_id(&mut self) {
        let id = self.id_text.trim().to_owned();
        match &mut self.field {
            None => self.object.id = id,
            Some((_, _, Collecting::CompositeId)) => self.object.id = id,
            Some((_, _, Collecting::Members(members))) => {
                if members.len() < MEMBERS_MAX {
                    members.push(Reference {
                        class: self.element_class.clone(),
                        id,
                    });
                }
            }
            Some((name, class, Collecting::Value)) => {
                let reference = Reference {
                    class: class.clone(),
                    id,
                };
                self.object
                    .fields
                    .push((name.clone(), Field::One(reference)));
                name.clear();
            }
        }
    }

    fn end_field(&mut self) {
        let Some((name, _, collecting)) = self.field.take() else {
            return;
        };
        let text = std::mem::take(&mut self.text);
        let value = match collecting {
            Collecting::CompositeId => {
                if self.object.id.is_empty() {
                    self.object.id = text.split_whitespace().collect::<Vec<_>>().join("/");
                }
                return;
            }
            Collecting::Members(members) if members.is_empty() => return,
            Collecting::Members(members) => Field::Many(members),
            Collecting::Value if text.is_empty() => return,
            Collecting::Value => Field::Text(text),
        };
        if !name.is_empty() && self.object.fields.len() < FIELDS_MAX {
            self.object.fields.push((name, value));
        }
    }
}

fn newlines(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u64
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = start.try_get_attribute(name).ok().flatten()?;
    match attribute.normalized_value(XmlVersion::Implicit1_0) {
        Ok(value) => Some(value.into_owned()),
        Err(_) => Some(attribute.value.into_owned()),
    }
}

#[cfg(test)]
#[path = "entities_tests.rs"]
mod tests;
