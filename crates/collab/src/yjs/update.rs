//! What can be done to updates by their structure alone: joined, cut to what somebody lacks, compared. No CRDT.

use crate::clocks::ClockMap;
use crate::limits::*;
use crate::scan::{Bounds, Clocks, Piece, pieces, scan};
use crate::varint::{Malformed, Reader, put_number};
use bytes::Bytes;
use std::collections::BTreeMap;

/// [YJS-9] Several updates as one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Merged {
    /// Everything that could be joined.
    pub(crate) update: Bytes,
    /// Updates that overlap in the middle of a struct, or follow one that does: to be sent as they are, before or after.
    pub(crate) rest: Vec<Bytes>,
}

/// Structs of one client without a hole.
struct Section {
    start: u64,
    next: u64,
    count: u64,
    parts: Vec<Bytes>,
}

/// Neighbouring structs of one update that are taken over.
struct Run {
    client: u64,
    start: u64,
    end: u64,
    count: u64,
    from: usize,
    to: usize,
}

/// Joins updates in the order of the log. With `since`, leaves out what somebody with that state vector has; deletions always stay.
pub(crate) fn merge_updates(
    updates: &[Bytes],
    since: Option<&ClockMap>,
) -> Result<Merged, Malformed> {
    if let ([update], None) = (updates, since) {
        return Ok(Merged {
            update: update.clone(),
            rest: Vec::new(),
        });
    }
    let mut sections: BTreeMap<u64, Section> = BTreeMap::new();
    let mut deletes = Deletes::default();
    let mut rest = Vec::new();
    for update in updates {
        let (runs, ranges) = fitting(update, &sections, since)?;
        let Some(runs) = runs else {
            rest.push(update.clone());
            continue;
        };
        for run in runs {
            let section = sections.entry(run.client).or_insert_with(|| Section {
                start: run.start,
                next: run.start,
                count: 0,
                parts: Vec::new(),
            });
            section.next = run.end;
            section.count += run.count;
            section.parts.push(update.slice(run.from..run.to));
        }
        deletes.add(&ranges);
    }
    Ok(Merged {
        update: written(&sections, &deletes),
        rest,
    })
}

/// The structs of an update that are new, if they follow what there is without a hole and without an overlap inside a struct.
fn fitting(
    update: &Bytes,
    sections: &BTreeMap<u64, Section>,
    since: Option<&ClockMap>,
) -> Result<(Option<Vec<Run>>, Vec<Clocks>), Malformed> {
    let mut runs: Vec<Run> = Vec::new();
    let mut fits = true;
    // Of the client at hand: what is there, and whether the next struct must begin exactly there.
    let (mut client, mut have, mut exact) = (None, 0, true);
    let ranges = pieces(update, &mut |piece: &Piece| {
        if client != Some(piece.client) {
            client = Some(piece.client);
            (have, exact) = match (sections.get(&piece.client), since) {
                (Some(section), _) => (section.next, true),
                // An overlap with what a reader has is harmless: it skips that.
                (None, Some(known)) => (known.get(piece.client), false),
                (None, None) => (piece.clock, true),
            };
        }
        let end = piece.clock + piece.len;
        if piece.skipped || end <= have {
            return;
        }
        fits &= piece.clock == have || (!exact && piece.clock < have);
        (have, exact) = (end, true);
        match runs.last_mut() {
            Some(run) if run.client == piece.client && run.to == piece.from => {
                run.end = end;
                run.count += 1;
                run.to = piece.to;
            }
            _ => runs.push(Run {
                client: piece.client,
                start: piece.clock,
                end,
                count: 1,
                from: piece.from,
                to: piece.to,
            }),
        }
    })?;
    Ok((fits.then_some(runs), ranges))
}

fn written(sections: &BTreeMap<u64, Section>, deletes: &Deletes) -> Bytes {
    let bytes: usize = sections
        .values()
        .flat_map(|section| &section.parts)
        .map(Bytes::len)
        .sum();
    let mut out = Vec::with_capacity(bytes + sections.len() * 12 + deletes.0.len() * 16 + 8);
    put_number(&mut out, sections.len() as u64);
    // Yjs writes high ids first.
    for (client, section) in sections.iter().rev() {
        put_number(&mut out, section.count);
        put_number(&mut out, *client);
        put_number(&mut out, section.start);
        for part in &section.parts {
            out.extend_from_slice(part);
        }
    }
    put_number(&mut out, deletes.0.len() as u64);
    for (client, ranges) in deletes.0.iter().rev() {
        put_number(&mut out, *client);
        put_number(&mut out, ranges.len() as u64);
        for (start, end) in ranges {
            put_number(&mut out, *start);
            put_number(&mut out, end - start);
        }
    }
    out.into()
}

/// Deleted ranges by client: sorted, and neighbours joined.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Deletes(BTreeMap<u64, Vec<(u64, u64)>>);

impl Deletes {
    /// Those of updates.
    pub(crate) fn of(updates: &[Bytes]) -> Result<Deletes, Malformed> {
        let mut deletes = Deletes::default();
        for update in updates {
            deletes.add(&pieces(update, &mut |_| {})?);
        }
        Ok(deletes)
    }

    fn add(&mut self, ranges: &[Clocks]) {
        for range in ranges {
            let known = self.0.entry(range.client).or_default();
            // The first that ends at or after the start.
            let at = known.partition_point(|(_, end)| *end < range.start);
            let touching = known
                .iter()
                .skip(at)
                .take_while(|(start, _)| *start <= range.end)
                .count();
            let touched = known.iter().skip(at).take(touching);
            let joined = touched.fold((range.start, range.end), |(start, end), known| {
                (start.min(known.0), end.max(known.1))
            });
            known.splice(at..at + touching, [joined]);
        }
    }

    /// Whether nothing in these ranges would be news.
    pub(crate) fn cover(&self, ranges: &[Clocks]) -> bool {
        ranges.iter().all(|range| {
            let Some(known) = self.0.get(&range.client) else {
                return false;
            };
            let at = known.partition_point(|(_, end)| *end < range.end);
            known
                .get(at)
                .is_some_and(|(start, _)| *start <= range.start)
        })
    }
}

/// [YJS-10] A state vector as the y-protocols write it.
pub(crate) fn encode_state_vector(clocks: &ClockMap) -> Bytes {
    let mut out = Vec::new();
    put_number(&mut out, clocks.len() as u64);
    for (client, clock) in clocks.iter().rev() {
        put_number(&mut out, client);
        put_number(&mut out, clock);
    }
    out.into()
}

/// [YJS-10] Reads a state vector.
pub(crate) fn decode_state_vector(bytes: &[u8]) -> Result<ClockMap, Malformed> {
    let mut r = Reader::new(bytes);
    let mut clocks = ClockMap::default();
    for _ in 0..r.count(2, SNAPSHOT_CLIENTS_MAX)? {
        let client = r.number()?;
        clocks.raise(client, r.number()?);
    }
    r.end()?;
    Ok(clocks)
}

/// What somebody with a state vector lacks of a document, as one update (v1). The parts must be those of one log, in order.
pub fn difference(updates: &[Bytes], state_vector: &[u8]) -> Result<Bytes, Malformed> {
    let merged = merge_updates(updates, Some(&decode_state_vector(state_vector)?))?;
    if merged.rest.is_empty() {
        return Ok(merged.update);
    }
    // Overlapping updates were stored: a real document sorts them out.
    let whole = crate::hydrate::merge(updates).map_err(|_| Malformed::BadValue)?;
    Ok(whole)
}

/// Whether bytes are an update (v1) that a client may send to a document of any application.
pub fn is_update(bytes: &[u8]) -> Result<(), Malformed> {
    scan(bytes, &Bounds::update(&[])).map(|_| ())
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
