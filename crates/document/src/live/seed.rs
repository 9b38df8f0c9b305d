//! A fresh live document: the same bytes that Yjs and y-prosemirror produce for the same tree, title first.

use super::encode::Encoder;
use super::marks::{json_text, key, value};
use super::{BODY, TITLE};
use crate::schema::AttrSpec;
use crate::tree::{Attrs, Document, Element, Node, Text, Value};

const STRING: u8 = 4;
const FORMAT: u8 = 6;
const TYPE: u8 = 7;
const ANY: u8 = 8;

const XML_ELEMENT: u64 = 3;
const XML_TEXT: u64 = 6;

/// An origin to the left follows.
const HAS_LEFT: u8 = 0x80;
/// The item is an entry of a map; its key follows.
const HAS_KEY: u8 = 0x20;

/// Where an item stands: after another, or first in a shared type.
#[derive(Clone, Copy)]
enum Place<'n> {
    After(u64),
    FirstInRoot(&'n str),
    FirstIn(u64),
}

struct Seed {
    client: u64,
    clock: u64,
    count: u64,
    items: Encoder,
}

pub(super) fn seed(document: &Document, title: &str, client: u64) -> Vec<u8> {
    let mut seed = Seed {
        client,
        clock: 0,
        count: 0,
        items: Encoder::default(),
    };
    if !title.is_empty() {
        seed.string(Place::FirstInRoot(TITLE), title);
    }
    seed.children(Place::FirstInRoot(BODY), &document.content);
    let mut update = Encoder::default();
    if seed.count == 0 {
        update.uint(0);
    } else {
        update.uint(1);
        update.uint(seed.count);
        update.uint(client);
        update.uint(0);
    }
    update.raw(&seed.items.finish());
    update.uint(0);
    update.finish()
}

impl Seed {
    fn children(&mut self, first: Place<'_>, content: &[Node]) {
        let mut place = first;
        let mut rest = content;
        while let Some(node) = rest.first() {
            let count = match node {
                Node::Element(element) => {
                    place = Place::After(self.element(place, element));
                    1
                }
                Node::Text(_) => {
                    let texts: Vec<&Text> = rest.iter().map_while(Node::as_text).collect();
                    place = Place::After(self.texts(place, &texts));
                    texts.len()
                }
            };
            rest = rest.get(count..).unwrap_or_default();
        }
    }

    fn element(&mut self, place: Place<'_>, element: &Element) -> u64 {
        let id = self.item(place, TYPE, 1, None);
        self.items.uint(XML_ELEMENT);
        self.items.string(element.kind.name());
        self.children(Place::FirstIn(id), &element.content);
        self.attributes(id, element.kind.spec().attrs, &element.attrs);
        id
    }

    fn attributes(&mut self, id: u64, specs: &[AttrSpec], attrs: &Attrs) {
        for (name, _) in specs {
            let Some(value) = value(name, specs, attrs) else {
                continue;
            };
            self.item(Place::FirstIn(id), ANY, 1, Some(name));
            self.items.uint(1);
            match value {
                Value::Int(number) => self.items.any_int(number),
                Value::Text(text) => self.items.any_text(&text),
            }
        }
    }

    fn texts(&mut self, place: Place<'_>, texts: &[&Text]) -> u64 {
        let id = self.item(place, TYPE, 1, None);
        self.items.uint(XML_TEXT);
        let mut place = Place::FirstIn(id);
        for text in texts {
            for mark in &text.marks {
                place = self.format(place, &key(mark), &json_text(mark));
            }
            place = self.string(place, &text.text);
            for mark in &text.marks {
                place = self.format(place, &key(mark), "null");
            }
        }
        id
    }

    fn format(&mut self, place: Place<'_>, key: &str, value: &str) -> Place<'static> {
        let id = self.item(place, FORMAT, 1, None);
        self.items.string(key);
        self.items.string(value);
        Place::After(id)
    }

    fn string(&mut self, place: Place<'_>, text: &str) -> Place<'static> {
        let length = text.encode_utf16().count() as u64;
        let id = self.item(place, STRING, length, None);
        self.items.string(text);
        Place::After(id + length - 1)
    }

    /// Writes an item's head, up to its content, and gives its clock.
    fn item(&mut self, place: Place<'_>, content: u8, length: u64, key: Option<&str>) -> u64 {
        let key_flag = if key.is_some() { HAS_KEY } else { 0 };
        match place {
            Place::After(clock) => {
                self.items.byte(content | HAS_LEFT);
                self.id(clock);
            }
            Place::FirstInRoot(name) => {
                self.items.byte(content | key_flag);
                self.items.uint(1);
                self.items.string(name);
            }
            Place::FirstIn(clock) => {
                self.items.byte(content | key_flag);
                self.items.uint(0);
                self.id(clock);
            }
        }
        if let Some(key) = key {
            self.items.string(key);
        }
        let id = self.clock;
        self.clock += length;
        self.count += 1;
        id
    }

    fn id(&mut self, clock: u64) {
        self.items.uint(self.client);
        self.items.uint(clock);
    }
}
