//! The structural check of update bytes (Yjs update v1): no recursion, a cap on everything, one pass.
//!
//! It says which clocks an update brings, which it refers to and which it deletes, without building a document. What it accepts,
//! every Yjs library decodes, and to the same ranges. It is robustness and attribution, not a judgement of content.

use crate::limits::*;
use crate::value::{check_any, check_json};
use crate::varint::{Malformed, Reader};
use std::collections::BTreeMap;

/// Clocks `start..end` of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clocks {
    pub(crate) client: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// What an update brings, needs and deletes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Runs of structs in the order of the bytes; skipped clocks split a run.
    pub(crate) brings: Vec<Clocks>,
    /// Deleted ranges.
    pub(crate) deletes: Vec<Clocks>,
    /// For each client that is referred to, the highest clock.
    pub(crate) needs: BTreeMap<u64, u64>,
    /// The texts that it brings, if somebody wants them.
    texts: Option<String>,
}

/// How much is allowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    clients_max: u64,
    structs_max: u64,
    deletes_max: u64,
    bytes_max: usize,
    roots: &'static [&'static str],
}

impl Bounds {
    /// For what a client sends; only these root names, or any if there are none.
    pub(crate) fn update(roots: &'static [&'static str]) -> Bounds {
        Bounds {
            clients_max: SCAN_CLIENTS_MAX,
            structs_max: SCAN_STRUCTS_MAX,
            deletes_max: SCAN_DELETES_MAX,
            bytes_max: UPDATE_BYTES_MAX,
            roots,
        }
    }

    /// For what the server stored itself.
    pub(crate) fn snapshot() -> Bounds {
        Bounds {
            clients_max: SNAPSHOT_CLIENTS_MAX,
            structs_max: SNAPSHOT_STRUCTS_MAX,
            deletes_max: SNAPSHOT_STRUCTS_MAX,
            bytes_max: usize::MAX,
            roots: &[],
        }
    }
}

/// Checks an update and says what is in it.
pub(crate) fn scan(bytes: &[u8], bounds: &Bounds) -> Result<Scan, Malformed> {
    if bytes.len() > bounds.bytes_max {
        return Err(Malformed::TooLarge);
    }
    let mut pass = Pass {
        r: Reader::new(bytes),
        bounds,
        structs_left: bounds.structs_max,
        found: Scan::default(),
    };
    pass.sections()?;
    pass.delete_set()?;
    pass.r.end()?;
    Ok(pass.found)
}

/// One struct, and where it is in the bytes.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) client: u64,
    pub(crate) clock: u64,
    pub(crate) len: u64,
    /// It is only a gap.
    pub(crate) skipped: bool,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// Goes through the structs of an update that was scanned before, one after the other, and gives its deleted ranges.
pub(crate) fn pieces(bytes: &[u8], each: &mut dyn FnMut(&Piece)) -> Result<Vec<Clocks>, Malformed> {
    let bounds = Bounds::snapshot();
    let mut pass = Pass {
        r: Reader::new(bytes),
        bounds: &bounds,
        structs_left: bounds.structs_max,
        found: Scan::default(),
    };
    for _ in 0..pass.r.count(4, bounds.clients_max)? {
        let structs = pass.r.count(2, bounds.structs_max)?;
        let client = pass.r.number()?;
        let mut clock = pass.clock()?;
        for _ in 0..structs {
            let from = bytes.len() - pass.r.left();
            let (len, skipped) = pass.one_struct(client, clock)?;
            let to = bytes.len() - pass.r.left();
            each(&Piece {
                client,
                clock,
                len,
                skipped,
                from,
                to,
            });
            clock = clock.saturating_add(len);
        }
    }
    pass.delete_set()?;
    Ok(pass.found.deletes)
}

/// The texts that an update brings, in the order of its bytes, each on a line.
pub(crate) fn texts(bytes: &[u8], bounds: &Bounds) -> Result<String, Malformed> {
    let mut pass = Pass {
        r: Reader::new(bytes),
        bounds,
        structs_left: bounds.structs_max,
        found: Scan {
            texts: Some(String::new()),
            ..Scan::default()
        },
    };
    pass.sections()?;
    Ok(pass.found.texts.unwrap_or_default())
}

struct Pass<'a> {
    r: Reader<'a>,
    bounds: &'a Bounds,
    structs_left: u64,
    found: Scan,
}

/// Info bits of a struct (the low five are the kind of content).
const HAS_ORIGIN: u8 = 0x80;
const HAS_RIGHT_ORIGIN: u8 = 0x40;
const HAS_PARENT_SUB: u8 = 0x20;
const KIND: u8 = 0x1f;

impl Pass<'_> {
    fn sections(&mut self) -> Result<(), Malformed> {
        let sections = self.r.count(4, self.bounds.clients_max)?;
        let mut seen = Vec::with_capacity(sections);
        for _ in 0..sections {
            let structs = self.r.count(2, self.structs_left)?;
            if structs == 0 {
                return Err(Malformed::BadValue);
            }
            self.structs_left -= structs as u64;
            let client = self.r.number()?;
            seen.push(client);
            self.section(structs, client)?;
        }
        unique(seen)
    }

    fn section(&mut self, structs: usize, client: u64) -> Result<(), Malformed> {
        let mut clock = self.clock()?;
        let mut run = Clocks {
            client,
            start: clock,
            end: clock,
        };
        for _ in 0..structs {
            let (len, skipped) = self.one_struct(client, clock)?;
            clock = clock
                .checked_add(len)
                .filter(|c| *c <= SCAN_CLOCK_MAX)
                .ok_or(Malformed::BadNumber)?;
            if skipped {
                self.bring(run);
                run.start = clock;
            }
            run.end = clock;
        }
        self.bring(run);
        Ok(())
    }

    fn bring(&mut self, run: Clocks) {
        if run.end > run.start {
            self.found.brings.push(run);
        }
    }

    /// Reads a struct: its length in clocks, and whether it is only a gap.
    fn one_struct(&mut self, client: u64, clock: u64) -> Result<(u64, bool), Malformed> {
        let info = self.r.byte()?;
        match info {
            0 => Ok((self.len()?, false)),
            10 => Ok((self.len()?, true)),
            _ => {
                self.links(info, client, clock)?;
                Ok((self.content(info & KIND)?, false))
            }
        }
    }

    /// Origins, parent and attribute name of an item.
    fn links(&mut self, info: u8, client: u64, clock: u64) -> Result<(), Malformed> {
        if info & HAS_ORIGIN != 0 {
            self.reference(client, clock)?;
        }
        if info & HAS_RIGHT_ORIGIN != 0 {
            self.reference(client, clock)?;
        }
        if info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN) != 0 {
            return Ok(());
        }
        match self.r.number()? {
            0 => self.reference(client, clock)?,
            1 => {
                let root = self.r.text(SCAN_NAME_BYTES_MAX)?;
                if !self.bounds.roots.is_empty() && !self.bounds.roots.contains(&root) {
                    return Err(Malformed::BadValue);
                }
            }
            _ => return Err(Malformed::BadValue),
        }
        if info & HAS_PARENT_SUB != 0 {
            self.r.text(SCAN_NAME_BYTES_MAX)?;
        }
        Ok(())
    }

    /// The id of another struct; one of the same client must lie before.
    fn reference(&mut self, client: u64, clock: u64) -> Result<(), Malformed> {
        let (of, at) = (self.r.number()?, self.clock()?);
        if of == client && at >= clock {
            return Err(Malformed::BadValue);
        }
        let highest = self.found.needs.entry(of).or_insert(at);
        *highest = at.max(*highest);
        Ok(())
    }

    /// Reads an item's content: its length in clocks.
    fn content(&mut self, kind: u8) -> Result<u64, Malformed> {
        match kind {
            1 => self.len(),                          // deleted
            3 => self.r.bytes(usize::MAX).map(|_| 1), // binary
            4 => self.string(),
            5 => self.json().map(|()| 1), // embed
            6 => {
                self.r.text(SCAN_NAME_BYTES_MAX)?; // format
                self.json().map(|()| 1)
            }
            7 => self.shared_type().map(|()| 1),
            8 => self.values(),
            // 2 is the legacy JSON, 9 a sub-document; see [SCAN-4].
            _ => Err(Malformed::BadValue),
        }
    }

    fn string(&mut self) -> Result<u64, Malformed> {
        let text = self.r.text(usize::MAX)?;
        if let Some(texts) = &mut self.found.texts {
            texts.push_str(text);
            texts.push('\n');
        }
        match text.encode_utf16().count() {
            0 => Err(Malformed::BadValue),
            units => Ok(units as u64),
        }
    }

    fn json(&mut self) -> Result<(), Malformed> {
        check_json(self.r.text(SCAN_VALUE_BYTES_MAX)?)
    }

    fn shared_type(&mut self) -> Result<(), Malformed> {
        match self.r.byte()? {
            // array, map, text, fragment, XML text
            0 | 1 | 2 | 4 | 6 => Ok(()),
            3 => self.r.text(SCAN_NAME_BYTES_MAX).map(|_| ()),
            _ => Err(Malformed::BadValue),
        }
    }

    fn values(&mut self) -> Result<u64, Malformed> {
        let count = self.r.count(1, SCAN_CLOCK_MAX)?;
        if count == 0 {
            return Err(Malformed::BadValue);
        }
        for _ in 0..count {
            check_any(&mut self.r)?;
        }
        Ok(count as u64)
    }

    fn delete_set(&mut self) -> Result<(), Malformed> {
        let sections = self.r.count(2, self.bounds.clients_max)?;
        let mut seen = Vec::with_capacity(sections);
        let mut ranges_left = self.bounds.deletes_max;
        for _ in 0..sections {
            let client = self.r.number()?;
            seen.push(client);
            let ranges = self.r.count(2, ranges_left)?;
            ranges_left -= ranges as u64;
            let mut after = 0;
            for _ in 0..ranges {
                let (start, len) = (self.clock()?, self.len()?);
                let end = start.checked_add(len).filter(|end| *end <= SCAN_CLOCK_MAX);
                let end = end.ok_or(Malformed::BadNumber)?;
                if start < after {
                    return Err(Malformed::BadValue);
                }
                after = end;
                self.found.deletes.push(Clocks { client, start, end });
            }
        }
        unique(seen)
    }

    fn clock(&mut self) -> Result<u64, Malformed> {
        let clock = self.r.number()?;
        if clock <= SCAN_CLOCK_MAX {
            Ok(clock)
        } else {
            Err(Malformed::BadNumber)
        }
    }

    fn len(&mut self) -> Result<u64, Malformed> {
        match self.clock()? {
            0 => Err(Malformed::BadValue),
            len => Ok(len),
        }
    }
}

/// A client id named twice would be read differently by different libraries.
fn unique(mut clients: Vec<u64>) -> Result<(), Malformed> {
    clients.sort_unstable();
    let all = clients.len();
    clients.dedup();
    if clients.len() == all {
        Ok(())
    } else {
        Err(Malformed::BadValue)
    }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
