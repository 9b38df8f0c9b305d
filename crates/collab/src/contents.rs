//! What a live document holds, as JSON: for programs that do not want to build a CRDT.

use crate::log::LogError;
use bytes::Bytes;
use serde_json::{Map, Value};
use yrs::branch::BranchPtr;
use yrs::types::ToJson;
use yrs::updates::decoder::Decode;
use yrs::{
    Any, ArrayRef, Doc, GetString, Map as _, MapRef, Out, ReadTxn, TextRef, Transact, Update,
    XmlFragmentRef,
};

/// The root types of a document by name: a text as a string, XML as a string of its markup, a map as an object, an array as an array.
/// Updates do not say of what kind a root is; it is told from what is in it. To be called within [`crate::hydrate()`].
pub fn contents(updates: &[Bytes]) -> Result<Value, LogError> {
    let damaged =
        |why: &dyn std::fmt::Display| LogError::Corrupt(format!("hydration failed: {why}"));
    let doc = Doc::new();
    let mut tx = doc.transact_mut();
    for update in updates {
        let update = Update::decode_v1(update).map_err(|why| damaged(&why))?;
        tx.apply_update(update).map_err(|why| damaged(&why))?;
    }
    drop(tx);
    let tx = doc.transact();
    let mut roots = Map::new();
    for (name, root) in tx.root_refs() {
        let value = match root {
            Out::UndefinedRef(branch) => untyped(branch, &tx),
            typed => json(&typed.to_json(&tx)),
        };
        roots.insert(name.to_owned(), value);
    }
    Ok(Value::Object(roots))
}

fn untyped<T: ReadTxn>(branch: BranchPtr, tx: &T) -> Value {
    let map = MapRef::from(branch);
    if map.len(tx) > 0 {
        return json(&map.to_json(tx));
    }
    let text = TextRef::from(branch).get_string(tx);
    if !text.is_empty() {
        return Value::String(text);
    }
    let array = ArrayRef::from(branch);
    let is_xml = yrs::Array::iter(&array, tx).any(|item| {
        matches!(
            item,
            Out::YXmlElement(_) | Out::YXmlText(_) | Out::YXmlFragment(_)
        )
    });
    if is_xml {
        return Value::String(XmlFragmentRef::from(branch).get_string(tx));
    }
    json(&array.to_json(tx))
}

fn json(any: &Any) -> Value {
    let mut text = String::new();
    any.to_json(&mut text);
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use yrs::{Array, Map, StateVector, Text, XmlElementPrelim, XmlFragment, XmlTextPrelim};

    /// [YJS-31] Every kind of root is read as what it is.
    #[test]
    fn kinds() {
        let doc = Doc::new();
        let (text, map) = (doc.get_or_insert_text("text"), doc.get_or_insert_map("map"));
        let array = doc.get_or_insert_array("array");
        let xml = doc.get_or_insert_xml_fragment("xml");
        let mut tx = doc.transact_mut();
        text.insert(&mut tx, 0, "hello");
        map.insert(&mut tx, "a", 1);
        array.push_back(&mut tx, "x");
        array.push_back(&mut tx, true);
        let paragraph = xml.push_back(&mut tx, XmlElementPrelim::empty("paragraph"));
        paragraph.push_back(&mut tx, XmlTextPrelim::new("words"));
        let update = tx.encode_state_as_update_v1(&StateVector::default());
        drop(tx);
        let read = contents(&[update.into()]).unwrap();
        assert_eq!(read["text"], "hello");
        assert_eq!(read["map"], json!({ "a": 1 }));
        assert_eq!(read["xml"], "<paragraph>words</paragraph>");
        assert_eq!(read["array"], json!(["x", true]));
        assert_eq!(contents(&[]).unwrap(), json!({}));
        assert!(contents(&[Bytes::from_static(b"\x01")]).is_err());
    }
}
