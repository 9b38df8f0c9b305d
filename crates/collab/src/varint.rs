//! Numbers, bytes and texts as lib0 writes them, read without trust.

use crate::limits::NUMBER_MAX;
use std::fmt;

/// Why bytes are not a frame or not an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// Nothing at all.
    Empty,
    /// A first byte that no frame of this direction has.
    UnknownType,
    /// The bytes end before the value does.
    Truncated,
    /// Bytes follow after the end.
    Trailing,
    /// A number above 2^53-1, or one that does not end.
    BadNumber,
    /// A text that is not UTF-8.
    BadText,
    /// A value that is not in its list.
    BadValue,
    /// A count or a length above its limit.
    TooLarge,
}

impl Malformed {
    /// The word for it in the byte vectors.
    pub fn word(self) -> &'static str {
        match self {
            Malformed::Empty => "empty",
            Malformed::UnknownType => "unknown_type",
            Malformed::Truncated => "truncated",
            Malformed::Trailing => "trailing",
            Malformed::BadNumber => "bad_number",
            Malformed::BadText => "bad_text",
            Malformed::BadValue => "bad_value",
            Malformed::TooLarge => "too_large",
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::Empty => "empty",
            Malformed::UnknownType => "of an unknown type",
            Malformed::Truncated => "cut short",
            Malformed::Trailing => "followed by further bytes",
            Malformed::BadNumber => "with a number out of range",
            Malformed::BadText => "with a text that is not UTF-8",
            Malformed::BadValue => "with an unknown value",
            Malformed::TooLarge => "too large",
        })
    }
}

/// A place in bytes; every step is checked against what is left.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed::Trailing)
        }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.rest.split_first().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Malformed> {
        let mut value: u64 = 0;
        for shift in (0..=49).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return if value <= NUMBER_MAX {
                    Ok(value)
                } else {
                    Err(Malformed::BadNumber)
                };
            }
        }
        Err(Malformed::BadNumber)
    }

    /// A count of things that take at least `each` bytes; more than can follow is refused here.
    pub(crate) fn count(&mut self, each: usize, max: u64) -> Result<usize, Malformed> {
        let count = self.number()?;
        if count > max {
            return Err(Malformed::TooLarge);
        }
        let count = usize::try_from(count).map_err(|_| Malformed::TooLarge)?;
        if count.saturating_mul(each) > self.left() {
            Err(Malformed::Truncated)
        } else {
            Ok(count)
        }
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn bytes(&mut self, max: usize) -> Result<&'a [u8], Malformed> {
        let len = self.number()?;
        let len = usize::try_from(len).map_err(|_| Malformed::TooLarge)?;
        if len > self.left() {
            return Err(Malformed::Truncated);
        }
        if len > max {
            return Err(Malformed::TooLarge);
        }
        self.take(len)
    }

    pub(crate) fn text(&mut self, max: usize) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes(max)?).map_err(|_| Malformed::BadText)
    }
}

/// Appends a number.
pub(crate) fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a length and the bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
