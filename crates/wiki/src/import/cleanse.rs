//! Makes the bytes of `entities.xml` readable for an XML parser: characters that XML forbids (control characters, U+FFFE,
//! U+FFFF) are taken out, bytes that are not UTF-8 become U+FFFD. Confluence writes both into its exports.

use std::io::{self, BufRead, Read};

use super::limits::OBJECT_BYTES_MAX;

const CHUNK_BYTES: usize = 64 << 10;

/// What was taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cleansed {
    /// Characters removed or replaced.
    pub(crate) characters: u64,
    /// Line of the first one, counted from 1; 0 without any.
    pub(crate) first_line: u64,
}

/// A reader that passes on only what XML allows, and at most [`OBJECT_BYTES_MAX`] bytes between two calls of
/// [`Cleanse::renew`].
pub(crate) struct Cleanse<R> {
    inner: R,
    raw: Vec<u8>,
    clean: Vec<u8>,
    start: usize,
    since_renewed: u64,
    line: u64,
    at_start: bool,
    ended: bool,
    found: Cleansed,
}

impl<R: Read> Cleanse<R> {
    pub(crate) fn new(inner: R) -> Self {
        Cleanse {
            inner,
            raw: Vec::with_capacity(CHUNK_BYTES),
            clean: Vec::with_capacity(CHUNK_BYTES),
            start: 0,
            since_renewed: 0,
            line: 1,
            at_start: true,
            ended: false,
            found: Cleansed::default(),
        }
    }

    pub(crate) fn found(&self) -> Cleansed {
        self.found
    }

    /// A new object begins: it gets the full allowance of bytes.
    pub(crate) fn renew(&mut self) {
        self.since_renewed = 0;
    }

    fn refill(&mut self) -> io::Result<()> {
        self.clean.clear();
        self.start = 0;
        while self.clean.is_empty() && !(self.ended && self.raw.is_empty()) {
            let kept = self.raw.len();
            self.raw.resize(kept + CHUNK_BYTES, 0);
            let read = match self.inner.read(&mut self.raw[kept..]) {
                Ok(read) => read,
                Err(error) => {
                    self.raw.truncate(kept);
                    if error.kind() == io::ErrorKind::Interrupted {
                        continue;
                    }
                    return Err(error);
                }
            };
            self.raw.truncate(kept + read);
            self.ended |= read == 0;
            self.cleanse_raw();
        }
        Ok(())
    }

    /// Moves all complete characters of `raw` to `clean`.
    fn cleanse_raw(&mut self) {
        let raw = std::mem::take(&mut self.raw);
        let mut rest: &[u8] = &raw;
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.push(text);
                    rest = &[];
                    break;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    self.push(std::str::from_utf8(valid).unwrap_or_default());
                    let wrong = error.error_len().or(self.ended.then_some(after.len()));
                    let Some(wrong) = wrong else {
                        rest = after;
                        break;
                    };
                    self.note();
                    self.clean.extend_from_slice("\u{FFFD}".as_bytes());
                    rest = &after[wrong..];
                }
            }
        }
        self.raw = rest.to_vec();
    }

    fn push(&mut self, text: &str) {
        let mut from = 0;
        if self.at_start && !text.is_empty() {
            self.at_start = false;
            from = if text.starts_with('\u{FEFF}') {
                '\u{FEFF}'.len_utf8()
            } else {
                0
            };
        }
        for (at, character) in text.char_indices() {
            if character == '\n' {
                self.line += 1;
            } else if !is_allowed(character) {
                self.clean.extend_from_slice(&text.as_bytes()[from..at]);
                from = at + character.len_utf8();
                self.note();
            }
        }
        self.clean.extend_from_slice(&text.as_bytes()[from..]);
    }

    fn note(&mut self) {
        self.found.characters += 1;
        if self.found.first_line == 0 {
            self.found.first_line = self.line;
        }
    }
}

/// Whether XML 1.0 allows the character.
pub(crate) fn is_allowed(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => false,
        _ => true,
    }
}

impl<R: Read> BufRead for Cleanse<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.since_renewed > OBJECT_BYTES_MAX {
            let text = format!("one object is larger than `{OBJECT_BYTES_MAX}` bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        if self.start >= self.clean.len() {
            self.refill()?;
        }
        Ok(&self.clean[self.start..])
    }

    fn consume(&mut self, amount: usize) {
        self.start = (self.start + amount).min(self.clean.len());
        self.since_renewed += amount as u64;
    }
}

impl<R: Read> Read for Cleanse<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(into.len());
        into[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out one byte at a time, so that every character is cut.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut into[..1])
        }
    }

    #[track_caller]
    fn check(input: &[u8], expect: &str, characters: u64, first_line: u64) {
        let mut whole = String::new();
        let mut reader = Cleanse::new(input);
        reader.read_to_string(&mut whole).unwrap();
        assert_eq!(whole, expect);
        assert_eq!(
            reader.found(),
            Cleansed {
                characters,
                first_line
            }
        );
        let mut dripped = String::new();
        Cleanse::new(Drip(input))
            .read_to_string(&mut dripped)
            .unwrap();
        assert_eq!(dripped, expect, "cut between all bytes");
    }

    #[test]
    fn forbidden_characters_go_and_all_others_stay() {
        check(
            "a\tb\r\nä👩‍🔬\u{2028}\u{FFFD}z".as_bytes(),
            "a\tb\r\nä👩‍🔬\u{2028}\u{FFFD}z",
            0,
            0,
        );
        check(b"one\n\x1ctwo\x08\x00", "one\ntwo", 3, 2);
        check("x\u{FFFE}y\u{FFFF}".as_bytes(), "xy", 2, 1);
        check(b"\xEF\xBB\xBFbom", "bom", 0, 0);
        check(b"\n\n\xC3(\xF0\x9F", "\n\n\u{FFFD}(\u{FFFD}", 2, 3);
    }
}
