//! yrs against the real Yjs. `differential/generate.mjs` plays editing sessions of several people (nested elements, text with
//! emoji, marks, attributes, splits, undo, snapshots, diffs, merged updates) and says which clock ranges Yjs finds in each update
//! and what the document holds at the end. Here each update is scanned, judged and integrated as the server would, in the same order.
//!
//! Needs Node and a folder that holds `yjs`: `WATERSMEET_NODE_MODULES`, or `frontend/node_modules`. `DIFFERENTIAL_SCENARIOS` sets
//! how many sessions are played, `DIFFERENTIAL_SEED` where they begin. A session that fails is written down, to be moved to
//! `fixtures/differential`; what lies there is always played first, and needs no Node.

mod content;
mod scenario;

use crate::authors::Claimant;
use crate::clocks::{ClockMap, Layers};
use crate::hydrate::fold;
use crate::room::Dialect;
use crate::scan::{Bounds, Scan, scan};
use crate::yjs::merge_updates;
use content::{bare, content_of, same_units};
use scenario::{Node, Scenario, kept, modules};
use yrs::updates::decoder::Decode;
use yrs::{Doc, OffsetKind, Options, Transact, Update};

const SCENARIOS: usize = 20_000;
/// Sessions that one thread writes down when they fail.
const KEPT_MAX: usize = 10;
/// Every so many a session is folded, too.
const FOLD_EVERY: u64 = 5;
/// Node processes, each with a thread that checks what it plays.
const PROCESSES: usize = 2;

/// How yrs and Yjs agree about a scenario.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Agreement {
    Full,
    /// The same content; Yjs does not agree with itself about the marks.
    Content,
    /// The same but for characters that an edit cut in half, which every library mends in its own way.
    Halves,
}

fn check(scenario: &Scenario, folding: bool) -> Result<Agreement, String> {
    let mut known = ClockMap::default();
    for (n, step) in scenario.updates.iter().enumerate() {
        let found = scan(&step.update, &Bounds::update(&["default", "title"]))
            .map_err(|why| format!("update {n} is refused: {why}"))?;
        let ranges = ranges(&found);
        if ranges != step.ranges {
            return Err(format!(
                "update {n}: the scan finds {ranges}, Yjs {}",
                step.ranges
            ));
        }
        let leased: Vec<u64> = found.brings.iter().map(|run| run.client).collect();
        let mut layers = Layers {
            committed: &known,
            running: None,
            waiting: &ClockMap::default(),
            batch: ClockMap::default(),
        };
        layers
            .judge(&found, &mut holder_of(&leased))
            .map_err(|why| format!("update {n} in causal order is refused: {why:?}"))?;
        known.absorb(&found);
    }
    let updates: Vec<_> = scenario.updates.iter().map(|s| s.update.clone()).collect();
    let one_by_one = integrate(&updates)?;
    let agreement = compare(scenario, &one_by_one)?;
    if folding {
        compare(scenario, &joined_by_structure(&updates)?)
            .map_err(|why| format!("joined by structure: {why}"))?;
        let folded = fold(&updates, &known).map_err(|why| why.to_string())?;
        compare(scenario, &integrate(&[folded])?).map_err(|why| format!("folded: {why}"))?;
    }
    Ok(agreement)
}

/// Somebody who may use every client id: whose they are is not the question here.
fn holder_of(leased: &[u64]) -> Claimant<'_> {
    Claimant {
        dialect: Dialect::Native,
        user: "u",
        leased,
        authors: [None; 3],
        leased_elsewhere: &|_| false,
        first: Vec::new(),
    }
}

fn integrate(updates: &[bytes::Bytes]) -> Result<String, String> {
    let doc = Doc::with_options(Options {
        offset_kind: OffsetKind::Utf16,
        ..Default::default()
    });
    for (n, update) in updates.iter().enumerate() {
        let update = Update::decode_v1(update).map_err(|why| format!("update {n}: {why}"))?;
        doc.transact_mut()
            .apply_update(update)
            .map_err(|why| format!("update {n}: {why}"))?;
    }
    Ok(content_of(&doc))
}

/// What somebody sees who has half of the log, and gets the rest as one update that no document was built for.
fn joined_by_structure(updates: &[bytes::Bytes]) -> Result<String, String> {
    let (first, _) = updates.split_at(updates.len() / 2);
    let mut half = ClockMap::default();
    for update in first {
        let found = scan(update, &Bounds::snapshot()).map_err(|why| why.to_string())?;
        half.absorb(&found);
    }
    let joined = |updates, since: Option<&ClockMap>| {
        merge_updates(updates, since).map_err(|why| why.to_string())
    };
    let begun = joined(first, None)?;
    let rest = joined(updates, Some(&half))?;
    let mut sent = begun.rest;
    sent.insert(0, begun.update);
    // What overlaps is sent as it is, and may be wanted by the rest or want it: yrs keeps what it cannot place yet.
    sent.extend(rest.rest);
    sent.push(rest.update);
    integrate(&sent)
}

fn compare(scenario: &Scenario, ours: &str) -> Result<Agreement, String> {
    let theirs = &scenario.content;
    if ours == theirs {
        return Ok(Agreement::Full);
    }
    let (bare_ours, bare_theirs) = (bare(ours), bare(theirs));
    if scenario.vague && bare_ours == bare_theirs {
        return Ok(Agreement::Content);
    }
    if scenario.cuts && same_units(&bare_ours, &bare_theirs) {
        return Ok(Agreement::Halves);
    }
    let what = if bare_ours == bare_theirs {
        "marks"
    } else {
        "content"
    };
    Err(format!("other {what}\nYjs: {theirs}\nyrs: {ours}"))
}

/// In the words of the JavaScript side.
fn ranges(found: &Scan) -> String {
    let needs = found
        .needs
        .iter()
        .map(|(client, clock)| format!("{client}:{clock}"));
    let needs: Vec<_> = needs.collect();
    format!(
        "{};{};{}",
        joined(&found.brings),
        joined(&found.deletes),
        needs.join(",")
    )
}

fn joined(ranges: &[crate::scan::Clocks]) -> String {
    let mut all = ranges.to_vec();
    all.sort_by_key(|range| (range.client, range.start, range.end));
    all.dedup_by(|next, last| {
        let joins = next.client == last.client && next.start <= last.end;
        if joins {
            last.end = last.end.max(next.end);
        }
        joins
    });
    let all: Vec<_> = all
        .iter()
        .map(|range| format!("{}:{}:{}", range.client, range.start, range.end))
        .collect();
    all.join(",")
}

/// Plays sessions `first, first + step, ...` and checks each: how many agree in full, in content, but for halves; and what fails.
fn play(
    modules: &std::path::Path,
    first: u64,
    count: usize,
    step: usize,
) -> ([usize; 3], Vec<u64>) {
    let mut node = Node::start(modules, first, count, step);
    let mut counts = [0; 3];
    let mut failed = Vec::new();
    while let Some(scenario) = node.next() {
        let checked =
            std::panic::catch_unwind(|| check(&scenario, scenario.seed.is_multiple_of(FOLD_EVERY)));
        match checked.unwrap_or_else(|_| Err("a panic".to_owned())) {
            Ok(agreement) => counts[agreement as usize] += 1,
            Err(why) => {
                // When everything fails, a few say why.
                if failed.len() < KEPT_MAX {
                    let path = scenario.keep();
                    println!("DIFFERENTIAL_SEED={} fails: {why}", scenario.seed);
                    println!("move {} to fixtures/differential", path.display());
                }
                failed.push(scenario.seed);
            }
        }
    }
    assert_eq!(
        counts.iter().sum::<usize>() + failed.len(),
        count,
        "Node ended early"
    );
    (counts, failed)
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

/// [SCAN-1] [SCAN-3] [ROOM-3] [LOG-9] What failed once.
#[test]
fn kept_sessions_of_yjs() {
    for (name, scenario) in kept() {
        if let Err(why) = check(&scenario, true) {
            panic!("{name}: {why}");
        }
    }
}

/// [SCAN-1] [SCAN-3] [ROOM-3] [LOG-9] Every update of Yjs is accepted, with the ranges that Yjs finds; in causal order it fits, and
/// yrs makes the same content of it, also after a fold.
#[test]
fn sessions_of_yjs_end_the_same_in_yrs() {
    let Some(modules) = modules() else { return };
    let modules = modules.as_path();
    let only = std::env::var("DIFFERENTIAL_SEED").is_ok();
    let all = number(
        "DIFFERENTIAL_SCENARIOS",
        if only { 1 } else { SCENARIOS as u64 },
    ) as usize;
    let first = number("DIFFERENTIAL_SEED", 1);
    let processes = PROCESSES.min(all);
    let parts: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..processes)
            .map(|n| {
                let count = all / processes + usize::from(n < all % processes);
                scope.spawn(move || play(modules, first + n as u64, count, processes))
            })
            .collect();
        workers.into_iter().map(|w| w.join().unwrap()).collect()
    });
    let failed: Vec<u64> = parts
        .iter()
        .flat_map(|(_, failed)| failed.clone())
        .collect();
    let sum = |i: usize| parts.iter().map(|(counts, _)| counts[i]).sum::<usize>();
    println!(
        "{all} sessions: {} agree in full, {} in content while Yjs differs from itself in marks, {} but for halves of characters",
        sum(0),
        sum(1),
        sum(2)
    );
    assert!(
        failed.is_empty(),
        "{} sessions differ: {:.200}",
        failed.len(),
        format!("{failed:?}")
    );
}
