//! JSON-like values inside updates, checked without recursion: lib0's binary form and JSON text.

use crate::limits::{SCAN_DEPTH_MAX, SCAN_NAME_BYTES_MAX, SCAN_VALUE_BYTES_MAX};
use crate::varint::{Malformed, Reader};

/// What is open around the place where we read: how many values are still to come, and whether each has a name.
struct Open {
    left: usize,
    named: bool,
}

/// Steps over one value in lib0's binary form.
pub(crate) fn check_any(r: &mut Reader<'_>) -> Result<(), Malformed> {
    let before = r.left();
    let mut open: Vec<Open> = vec![Open {
        left: 1,
        named: false,
    }];
    while let Some(inner) = open.last_mut() {
        if inner.left == 0 {
            open.pop();
            continue;
        }
        inner.left -= 1;
        if inner.named {
            r.text(SCAN_NAME_BYTES_MAX)?;
        }
        if let Some(container) = one_any(r)? {
            if open.len() > SCAN_DEPTH_MAX {
                return Err(Malformed::TooLarge);
            }
            open.push(container);
        }
        if before - r.left() > SCAN_VALUE_BYTES_MAX {
            return Err(Malformed::TooLarge);
        }
    }
    Ok(())
}

/// Steps over a scalar, or into a container.
fn one_any(r: &mut Reader<'_>) -> Result<Option<Open>, Malformed> {
    match r.byte()? {
        // undefined, null, false, true
        127 | 126 | 121 | 120 => {}
        125 => signed(r)?,
        124 => r.take(4).map(|_| ())?,
        122 | 123 => r.take(8).map(|_| ())?,
        119 => r.text(SCAN_VALUE_BYTES_MAX).map(|_| ())?,
        116 => r.bytes(SCAN_VALUE_BYTES_MAX).map(|_| ())?,
        118 => {
            return Ok(Some(Open {
                left: r.count(2, u64::MAX)?,
                named: true,
            }));
        }
        117 => {
            return Ok(Some(Open {
                left: r.count(1, u64::MAX)?,
                named: false,
            }));
        }
        _ => return Err(Malformed::BadValue),
    }
    Ok(None)
}

/// A signed number: six bits and the sign in the first byte, then seven a byte, 53 bits at most.
fn signed(r: &mut Reader<'_>) -> Result<(), Malformed> {
    let mut byte = r.byte()?;
    let mut value = u64::from(byte & 0x3f);
    let mut shift = 6;
    while byte >= 0x80 {
        if shift > 48 {
            return Err(Malformed::BadNumber);
        }
        byte = r.byte()?;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
    }
    if value < 1 << 53 {
        Ok(())
    } else {
        Err(Malformed::BadNumber)
    }
}

/// Checks that a text is one JSON value that every parser reads: no lone surrogate escapes, no infinite numbers.
pub(crate) fn check_json(text: &str) -> Result<(), Malformed> {
    let mut json = Json {
        rest: text.as_bytes(),
    };
    json.blank();
    json.value()?;
    json.blank();
    if json.rest.is_empty() {
        Ok(())
    } else {
        Err(Malformed::Trailing)
    }
}

struct Json<'a> {
    rest: &'a [u8],
}

impl Json<'_> {
    fn blank(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn eat(&mut self, wanted: u8) -> Result<(), Malformed> {
        if self.try_eat(wanted) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn try_eat(&mut self, wanted: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == wanted => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn unexpected(&self) -> Malformed {
        if self.rest.is_empty() {
            Malformed::Truncated
        } else {
            Malformed::BadValue
        }
    }

    /// Reads one value; `open` holds the closing bytes of what is open around it.
    fn value(&mut self) -> Result<(), Malformed> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            let entered = self.start_value(&mut open)?;
            if entered {
                continue;
            }
            if !self.after_value(&mut open)? {
                return Ok(());
            }
        }
    }

    /// A scalar, or the beginning of a container that is not empty (then its first value comes next).
    fn start_value(&mut self, open: &mut Vec<u8>) -> Result<bool, Malformed> {
        let (closing, object) = match self.rest {
            [b'{', ..] => (b'}', true),
            [b'[', ..] => (b']', false),
            _ => return self.scalar().map(|()| false),
        };
        self.rest = self.rest.split_first().map_or(&[], |(_, rest)| rest);
        self.blank();
        if self.try_eat(closing) {
            return Ok(false);
        }
        if open.len() >= SCAN_DEPTH_MAX {
            return Err(Malformed::TooLarge);
        }
        open.push(closing);
        if object {
            self.name()?;
        }
        Ok(true)
    }

    /// Closes what ends here; true if another value follows.
    fn after_value(&mut self, open: &mut Vec<u8>) -> Result<bool, Malformed> {
        while let Some(closing) = open.last().copied() {
            self.blank();
            if self.try_eat(b',') {
                self.blank();
                if closing == b'}' {
                    self.name()?;
                }
                return Ok(true);
            }
            self.eat(closing)?;
            open.pop();
        }
        Ok(false)
    }

    fn name(&mut self) -> Result<(), Malformed> {
        self.string()?;
        self.blank();
        self.eat(b':')?;
        self.blank();
        Ok(())
    }

    fn scalar(&mut self) -> Result<(), Malformed> {
        for word in [&b"null"[..], b"true", b"false"] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(());
            }
        }
        match self.rest {
            [b'"', ..] => self.string(),
            [b'-' | b'0'..=b'9', ..] => self.number(),
            _ => Err(self.unexpected()),
        }
    }

    fn string(&mut self) -> Result<(), Malformed> {
        self.eat(b'"')?;
        loop {
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return Ok(());
                }
                [b'\\', b'u', rest @ ..] => {
                    self.rest = rest;
                    self.escape()?;
                }
                [
                    b'\\',
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                    rest @ ..,
                ] => {
                    self.rest = rest;
                }
                [b'\\' | 0..0x20, ..] => return Err(Malformed::BadValue),
                [_, rest @ ..] => self.rest = rest,
                [] => return Err(Malformed::Truncated),
            }
        }
    }

    /// The digits of a `\u` escape, and the second half of a pair.
    fn escape(&mut self) -> Result<(), Malformed> {
        match self.hex()? {
            0xdc00..0xe000 => Err(Malformed::BadText),
            0xd800..0xdc00 => {
                self.eat(b'\\')?;
                self.eat(b'u')?;
                if (0xdc00..0xe000).contains(&self.hex()?) {
                    Ok(())
                } else {
                    Err(Malformed::BadText)
                }
            }
            _ => Ok(()),
        }
    }

    fn hex(&mut self) -> Result<u32, Malformed> {
        let (digits, rest) = self
            .rest
            .split_first_chunk::<4>()
            .ok_or(Malformed::Truncated)?;
        self.rest = rest;
        digits.iter().try_fold(0, |value, digit| {
            let digit = char::from(*digit).to_digit(16).ok_or(Malformed::BadValue)?;
            Ok(value * 16 + digit)
        })
    }

    fn number(&mut self) -> Result<(), Malformed> {
        let all = self.rest;
        self.try_eat(b'-');
        if !self.try_eat(b'0') {
            self.digits()?;
        }
        if self.try_eat(b'.') {
            self.digits()?;
        }
        if self.try_eat(b'e') || self.try_eat(b'E') {
            let _ = self.try_eat(b'+') || self.try_eat(b'-');
            self.digits()?;
        }
        let (number, _) = all.split_at(all.len() - self.rest.len());
        let finite = std::str::from_utf8(number)
            .ok()
            .and_then(|n| n.parse::<f64>().ok());
        if finite.is_some_and(f64::is_finite) {
            Ok(())
        } else {
            Err(Malformed::BadNumber)
        }
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let digits = self
            .rest
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits == 0 {
            return Err(self.unexpected());
        }
        self.rest = self.rest.split_at(digits).1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expect: Result<(), Malformed>) {
        assert_eq!(check_json(text), expect, "{text}");
    }

    /// [SCAN-1] JSON text is taken exactly if a JSON parser takes it.
    #[test]
    fn json_text() {
        check(r#"{"a":[1,-2.5e3,null,{"b":"\u00e9\n"}],"c":{}}"#, Ok(()));
        check(" [ ] ", Ok(()));
        check("", Err(Malformed::Truncated));
        check("[1,]", Err(Malformed::BadValue));
        check("01", Err(Malformed::Trailing));
        check("1e999", Err(Malformed::BadNumber));
        check(r#""\ud83c\udf0a""#, Ok(()));
        check(r#""\ud83c""#, Err(Malformed::BadValue));
        check(r#""\udf0a""#, Err(Malformed::BadText));
        check("\"a\nb\"", Err(Malformed::BadValue));
    }

    /// [SCAN-2] Depth is capped in both forms.
    #[test]
    fn depth() {
        let nest = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        check(&nest(SCAN_DEPTH_MAX), Ok(()));
        check(&nest(100_000), Err(Malformed::TooLarge));
        let mut bytes = [117u8, 1].repeat(100_000);
        bytes.push(126);
        assert_eq!(
            check_any(&mut Reader::new(&bytes)),
            Err(Malformed::TooLarge)
        );
    }

    proptest! {
        /// [SCAN-1] The same, for texts near JSON.
        #[test]
        fn json_like_serde(text in r#"[\[\]{}:,"0-9eE.+\-\\utrfalsn d89c]{0,14}"#) {
            let parsed = serde_json::from_str::<serde_json::Value>(&text);
            prop_assert_eq!(check_json(&text).is_ok(), parsed.is_ok(), "{}", text);
        }
    }
}
