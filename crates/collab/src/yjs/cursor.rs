//! Yjs relative positions: the binary form of native presence and the JSON form of awareness states.

use crate::limits::{CURSOR_BYTES_MAX, SCAN_NAME_BYTES_MAX};
use crate::varint::{Malformed, Reader, put_bytes, put_number};
use serde_json::{Map, Value, json};

/// A place in a shared type that stays where it is while others edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    at: At,
    /// Below 0: it stays behind the character before it.
    assoc: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum At {
    /// Beside an item.
    Item(u64, u64),
    /// At the end of a type that an item made.
    Type(u64, u64),
    /// At the end of a root type.
    Root(String),
}

impl Cursor {
    /// Reads `anchor` or `head` of an awareness state.
    pub(super) fn of_json(value: &Value) -> Option<Cursor> {
        let id = |name: &str| {
            let id = value.get(name)?;
            Some((id.get("client")?.as_u64()?, id.get("clock")?.as_u64()?))
        };
        let root = || {
            let name = value.get("tname")?.as_str()?;
            (name.len() <= SCAN_NAME_BYTES_MAX).then(|| At::Root(name.to_owned()))
        };
        let item = id("item").map(|(client, clock)| At::Item(client, clock));
        let at = item
            .or_else(root)
            .or_else(|| id("type").map(|(client, clock)| At::Type(client, clock)))?;
        let assoc = value.get("assoc").and_then(Value::as_i64).unwrap_or(0);
        Some(Cursor { at, assoc })
    }

    pub(super) fn to_json(&self) -> Value {
        let mut map = Map::new();
        for name in ["type", "tname", "item"] {
            map.insert(name.to_owned(), Value::Null);
        }
        let (name, value) = match &self.at {
            At::Item(client, clock) => ("item", json!({ "client": client, "clock": clock })),
            At::Type(client, clock) => ("type", json!({ "client": client, "clock": clock })),
            At::Root(root) => ("tname", json!(root)),
        };
        map.insert(name.to_owned(), value);
        map.insert("assoc".to_owned(), json!(self.assoc));
        Value::Object(map)
    }

    /// Reads one of the two parts of a native blob.
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Cursor, Malformed> {
        let mut r = Reader::new(r.bytes(CURSOR_BYTES_MAX)?);
        let at = match r.number()? {
            0 => At::Item(r.number()?, r.number()?),
            1 => At::Root(r.text(SCAN_NAME_BYTES_MAX)?.to_owned()),
            2 => At::Type(r.number()?, r.number()?),
            _ => return Err(Malformed::BadValue),
        };
        let assoc = if r.left() > 0 { signed(&mut r)? } else { 0 };
        r.end()?;
        Ok(Cursor { at, assoc })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut bytes = Vec::new();
        match &self.at {
            At::Item(client, clock) => {
                bytes.push(0);
                put_number(&mut bytes, *client);
                put_number(&mut bytes, *clock);
            }
            At::Root(root) => {
                bytes.push(1);
                put_bytes(&mut bytes, root.as_bytes());
            }
            At::Type(client, clock) => {
                bytes.push(2);
                put_number(&mut bytes, *client);
                put_number(&mut bytes, *clock);
            }
        }
        // lib0's signed number: bit 7 says that more follows, bit 6 that it is negative. Yjs knows 0 and below only by their sign.
        bytes.push(match self.assoc {
            ..0 => 0x41,
            0 => 0,
            1.. => 1,
        });
        put_bytes(out, &bytes);
    }
}

fn signed(r: &mut Reader<'_>) -> Result<i64, Malformed> {
    let first = r.byte()?;
    let magnitude = i64::from(first & 0x3f);
    if first & 0x80 != 0 {
        return Err(Malformed::BadNumber);
    }
    Ok(if first & 0x40 != 0 {
        -magnitude
    } else {
        magnitude
    })
}
