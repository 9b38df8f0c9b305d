//! A walk over the bytes of an update before they are decoded: every length is covered by bytes, and no value nests deeply.
//!
//! The decoder of `yrs` follows nested values by recursion and believes lengths; this walk does neither.

use super::Unreadable;
use crate::limits::ANY_DEPTH_MAX;

struct Walk<'b> {
    rest: &'b [u8],
}

type Walked<T> = Result<T, Unreadable>;

/// Refuses an update that is cut off, holds types that no page has, or nests values deeper than [`ANY_DEPTH_MAX`].
pub(super) fn check(update: &[u8]) -> Walked<()> {
    let mut walk = Walk { rest: update };
    for _ in 0..walk.uint()? {
        let structs = walk.uint()?;
        walk.uint()?;
        walk.uint()?;
        for _ in 0..structs {
            walk.block()?;
        }
    }
    for _ in 0..walk.uint()? {
        walk.uint()?;
        for _ in 0..walk.uint()? {
            walk.uint()?;
            walk.uint()?;
        }
    }
    Ok(())
}

impl Walk<'_> {
    fn block(&mut self) -> Walked<()> {
        let info = self.byte()?;
        let content = info & 0x1f;
        if matches!(content, 0 | 10) {
            return self.uint().map(drop);
        }
        if info & 0x80 != 0 {
            self.id()?;
        }
        if info & 0x40 != 0 {
            self.id()?;
        }
        if info & 0xc0 == 0 {
            match self.uint()? {
                1 => self.bytes()?,
                _ => self.id()?,
            }
            if info & 0x20 != 0 {
                self.bytes()?;
            }
        }
        self.content(content)
    }

    fn content(&mut self, content: u8) -> Walked<()> {
        match content {
            1 => self.uint().map(drop),
            2 => {
                for _ in 0..self.uint()? {
                    self.bytes()?;
                }
                Ok(())
            }
            3..=5 => self.bytes(),
            6 => {
                self.bytes()?;
                self.bytes()
            }
            7 => match self.uint()? {
                3 | 5 => self.bytes(),
                0..=6 => Ok(()),
                _ => Err(refuse("a shared type that no page has")),
            },
            8 => {
                let count = self.uint()?;
                self.anys(count)
            }
            9 => {
                self.bytes()?;
                self.anys(1)
            }
            _ => Err(refuse("content of an unknown type")),
        }
    }

    /// So many values beside each other, with all that is nested in them.
    fn anys(&mut self, count: u64) -> Walked<()> {
        // For each open value: how many more are in it, and whether they have keys.
        let mut open = vec![(count, false)];
        while let Some((left, keys)) = open.last_mut() {
            if *left == 0 {
                open.pop();
                continue;
            }
            *left -= 1;
            if *keys {
                self.bytes()?;
            }
            match self.byte()? {
                125 => self.uint().map(drop)?,
                124 => self.skip(4)?,
                122 | 123 => self.skip(8)?,
                119 | 116 => self.bytes()?,
                120 | 121 | 126 | 127 => {}
                tag @ (117 | 118) => {
                    let count = self.uint()?;
                    open.push((count, tag == 118));
                    if open.len() > ANY_DEPTH_MAX {
                        return Err(refuse("values nested too deeply"));
                    }
                }
                _ => return Err(refuse("a value of an unknown type")),
            }
        }
        Ok(())
    }

    fn id(&mut self) -> Walked<()> {
        self.uint()?;
        self.uint().map(drop)
    }

    fn byte(&mut self) -> Walked<u8> {
        let (byte, rest) = self.rest.split_first().ok_or_else(cut)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn uint(&mut self) -> Walked<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(refuse("a number that is too long"))
    }

    fn bytes(&mut self) -> Walked<()> {
        let length = self.uint()?;
        self.skip(usize::try_from(length).map_err(|_| cut())?)
    }

    fn skip(&mut self, length: usize) -> Walked<()> {
        self.rest = self.rest.get(length..).ok_or_else(cut)?;
        Ok(())
    }
}

fn cut() -> Unreadable {
    refuse("fewer bytes than it announces")
}

fn refuse(what: &str) -> Unreadable {
    Unreadable {
        reason: format!("the update holds {what}"),
    }
}
