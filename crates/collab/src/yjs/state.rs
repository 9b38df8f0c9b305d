//! Between native presence (identity and a blob of two places) and awareness states as editors for Yjs write them:
//! `{"user":{"name","color"},"cursor":{"anchor","head"}}`.

use super::cursor::Cursor;
use crate::limits::PRESENCE_BYTES_MAX;
use crate::varint::Reader;
use bytes::Bytes;
use serde_json::{Value, json};

/// [YJS-7] The native blob of an awareness state; empty when it has no cursor that we understand.
pub(crate) fn blob_of_state(state: &Value) -> Bytes {
    let place = |name| Cursor::of_json(state.get("cursor")?.get(name)?);
    let (Some(anchor), Some(head)) = (place("anchor"), place("head")) else {
        return Bytes::new();
    };
    let mut blob = Vec::new();
    anchor.encode(&mut blob);
    head.encode(&mut blob);
    if blob.len() > PRESENCE_BYTES_MAX {
        return Bytes::new();
    }
    blob.into()
}

/// [YJS-7] The awareness state of somebody with a native client.
pub(crate) fn state_of_person(identity: &str, blob: &[u8]) -> String {
    let cursor = || {
        let mut r = Reader::new(blob);
        let (anchor, head) = (Cursor::decode(&mut r).ok()?, Cursor::decode(&mut r).ok()?);
        Some(json!({ "anchor": anchor.to_json(), "head": head.to_json() }))
    };
    json!({ "user": user(identity), "cursor": cursor() }).to_string()
}

/// [YJS-8] A client's own state under the name that the server knows.
pub(crate) fn with_identity(mut state: Value, identity: &str) -> String {
    if let Value::Object(fields) = &mut state {
        fields.insert("user".to_owned(), user(identity));
    }
    state.to_string()
}

fn user(identity: &str) -> Value {
    let identity: Value = serde_json::from_str(identity).unwrap_or_default();
    let text = |name: &str| identity.get(name).and_then(Value::as_str).unwrap_or("");
    let hue = identity.get("hue").and_then(Value::as_u64).unwrap_or(0);
    json!({ "name": text("name"), "color": colour(hue), "id": text("user") })
}

/// A hue as editors for Yjs take colours, `#rrggbb`: middling saturation and lightness, readable under white text.
fn colour(hue: u64) -> String {
    // HSL with s = 60 % and l = 42 %, in whole numbers.
    let channel = |offset: u64| {
        let k = i64::try_from((offset * 30 + hue) % 360).unwrap_or(0);
        let t = (k - 90).min(270 - k).clamp(-30, 30);
        (420 - 252 * t / 30) * 255 / 1_000
    };
    let [red, green, blue] = [channel(0), channel(8), channel(4)];
    format!("#{:02x}{:02x}{:02x}", red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: &str = r#"{"user":"ann","name":"Ann","hue":120}"#;

    /// [YJS-7] A cursor survives the way from awareness to native presence and back.
    #[test]
    fn cursors() {
        let state = json!({ "cursor": {
            "anchor": { "type": null, "tname": "default", "item": null, "assoc": 0 },
            "head": { "type": null, "tname": null, "item": { "client": 7, "clock": 3 }, "assoc": -1 },
        } });
        let blob = blob_of_state(&state);
        assert_eq!(blob, &b"\x0a\x01\x07default\0\x04\x00\x07\x03\x41"[..]);
        let back: Value = serde_json::from_str(&state_of_person(ANN, &blob)).unwrap();
        assert_eq!(back["cursor"], state["cursor"]);
        assert_eq!(back["user"]["name"], "Ann");
        let kind = json!({ "cursor": {
            "anchor": { "type": { "client": 4_000_000_000_u32, "clock": 0 } },
            "head": { "type": { "client": 4_000_000_000_u32, "clock": 0 } },
        } });
        let back: Value =
            serde_json::from_str(&state_of_person(ANN, &blob_of_state(&kind))).unwrap();
        assert_eq!(
            back["cursor"]["head"]["type"],
            kind["cursor"]["head"]["type"]
        );
        for none in [
            json!({}),
            json!({ "cursor": 3 }),
            json!({ "cursor": { "anchor": {} } }),
        ] {
            assert!(blob_of_state(&none).is_empty());
        }
        let nowhere: Value = serde_json::from_str(&state_of_person(ANN, b"\xff")).unwrap();
        assert_eq!(nowhere["cursor"], Value::Null);
    }

    /// [YJS-8] Nobody goes by another's name.
    #[test]
    fn identities() {
        let claimed = json!({ "user": { "name": "Bob" }, "extra": 1 });
        let told: Value = serde_json::from_str(&with_identity(claimed, ANN)).unwrap();
        assert_eq!(
            (&told["user"]["name"], &told["extra"]),
            (&json!("Ann"), &json!(1))
        );
        for hue in 0..360 {
            assert_eq!(colour(hue).len(), 7);
        }
        assert_ne!(colour(0), colour(120));
    }
}
