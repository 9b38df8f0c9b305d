//! A document's content as text, the same way on both sides.

use std::collections::BTreeMap;
use yrs::types::Attrs;
use yrs::types::text::YChange;
use yrs::{Any, Doc, Out, ReadTxn, Text, Transact, Xml, XmlFragment, XmlOut};

/// Title and body; the marks of a run stand between two control characters.
pub(super) fn content_of(doc: &Doc) -> String {
    let title = doc.get_or_insert_text("title");
    let body = doc.get_or_insert_xml_fragment("default");
    let tx = doc.transact();
    let mut out = String::new();
    runs(&tx, &title, &mut out);
    out.push('\n');
    for (n, child) in body.children(&tx).enumerate() {
        if n > 0 {
            out.push('\n');
        }
        node(&tx, &child, &mut out);
    }
    out
}

fn node<T: ReadTxn>(tx: &T, child: &XmlOut, out: &mut String) {
    match child {
        XmlOut::Text(text) => runs(tx, text, out),
        XmlOut::Element(element) => {
            out.push('<');
            out.push_str(element.tag());
            let mut attributes: Vec<String> = element
                .attributes(tx)
                .map(|(name, value)| format!(" {name}={}", out_value(&value)))
                .collect();
            attributes.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            out.extend(attributes);
            out.push('>');
            for child in element.children(tx) {
                node(tx, &child, out);
            }
            out.push_str("</>");
        }
        XmlOut::Fragment(_) => out.push_str("<fragment/>"),
    }
}

fn runs<T: ReadTxn>(tx: &T, text: &impl Text, out: &mut String) {
    out.push('"');
    let mut last = None;
    for piece in text.diff(tx, YChange::identity) {
        let marks = marks(piece.attributes.as_deref());
        if last.as_ref() != Some(&marks) {
            out.push('\x01');
            out.push_str(&marks);
            out.push('\x02');
            last = Some(marks);
        }
        match &piece.insert {
            Out::Any(Any::String(text)) => out.push_str(text),
            other => {
                out.push('<');
                out.push_str(&out_value(other));
                out.push('>');
            }
        }
    }
    out.push('"');
}

fn marks(attributes: Option<&Attrs>) -> String {
    let all: BTreeMap<&str, &Any> = attributes
        .iter()
        .flat_map(|attributes| attributes.iter())
        .filter(|(_, value)| **value != Any::Null)
        .map(|(name, value)| (name.as_ref(), value))
        .collect();
    entries(&all)
}

fn entries(all: &BTreeMap<&str, &Any>) -> String {
    let all: Vec<String> = all
        .iter()
        .map(|(name, any)| format!("{name}:{}", value(any)))
        .collect();
    format!("{{{}}}", all.join(","))
}

fn out_value(out: &Out) -> String {
    match out {
        Out::Any(any) => value(any),
        other => format!("{other:?}"),
    }
}

fn value(any: &Any) -> String {
    match any {
        Any::String(text) => format!("'{text}'"),
        Any::Array(all) => {
            let all: Vec<String> = all.iter().map(value).collect();
            format!("[{}]", all.join(","))
        }
        Any::Map(all) => entries(&all.iter().map(|(name, any)| (name.as_str(), any)).collect()),
        Any::Number(yrs::Number::Int(number)) => number.to_string(),
        Any::Number(yrs::Number::Float(number)) => number.to_string(),
        Any::Bool(yes) => yes.to_string(),
        Any::Null => "null".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Without the marks.
pub(super) fn bare(content: &str) -> String {
    let mut out = String::with_capacity(content.len());
    for piece in content.split('\x01') {
        out.push_str(piece.split_once('\x02').map_or(piece, |(_, text)| text));
    }
    out
}

/// Equal when every half of a character counts as unreadable: whether a pair was cut and what a library makes of the halves
/// differs even between two replicas of Yjs.
pub(super) fn same_units(a: &str, b: &str) -> bool {
    let blurred = |text: &str| -> Vec<u16> {
        let unit = |unit| {
            if (0xd800..0xe000).contains(&unit) {
                0xfffd
            } else {
                unit
            }
        };
        text.encode_utf16().map(unit).collect()
    };
    blurred(a) == blurred(b)
}
