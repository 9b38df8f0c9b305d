//! Who wrote which run of a draft: the accounts behind the client ids of its text. [WHO-1] [WHO-2]
//!
//! Client ids that were leased or claimed belong to one account each. The text with which an epoch begins was written by the server
//! in one go; whose it is was known before (of the version, of the epoch before) and is kept by its clocks.

use super::authors;
use super::drafts::Drafts;
use super::follow::State;
use super::log::column;
use crate::actor::{Actor, Person};
use crate::authorship::Runs;
use crate::error::{Error, Result};
use crate::ids::{ContentId, UserId};
use crate::permissions::{self, Right};
use crate::view;
use document::{Live, Written};
use std::collections::HashMap;
use storage::{Tx, WriteTx, params};

/// A run of the text with which an epoch began: clock, UTF-16 units, index of a person.
pub type OriginRun = (u64, u64, Option<usize>);

/// Whose the client ids of a page's live document are, for the view of contributors in the editor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveAuthors {
    /// Everybody who wrote.
    pub people: Vec<Person>,
    /// Client ids and the index of their person; ids of visitors without an account are left out.
    pub clients: Vec<(u64, usize)>,
    /// The client id of the text with which the epoch began, and its runs.
    pub origin: Option<(u64, Vec<OriginRun>)>,
}

impl Drafts<'_> {
    /// Who wrote in the live document of a page, by client id. [WHO-6]
    pub async fn authors(&self, actor: &Actor, page: ContentId) -> Result<LiveAuthors> {
        let actor = actor.clone();
        self.wiki
            .read(move |tx| {
                permissions::require(tx, &actor, page, Right::View)?;
                let Some(state) = State::read(tx, page)? else {
                    return Ok(LiveAuthors::default());
                };
                let mut people = People::default();
                let mut clients = Vec::new();
                for author in authors::of_epoch(tx, page, state.epoch)? {
                    let user = author.user.parse().ok().map(UserId::new);
                    if let Some(index) = people.index(tx, user)? {
                        clients.push((author.client_id, index));
                    }
                }
                let origin = match origin(tx, page, state.epoch)? {
                    Some(origin) => Some((origin.client_id, people.runs(tx, &origin.runs)?)),
                    None => None,
                };
                Ok(LiveAuthors {
                    people: people.people,
                    clients,
                    origin,
                })
            })
            .await
    }
}

/// People in the order in which they were first asked for.
#[derive(Default)]
struct People {
    indexes: HashMap<UserId, Option<usize>>,
    people: Vec<Person>,
}

impl People {
    fn index(&mut self, tx: &Tx, user: Option<UserId>) -> Result<Option<usize>> {
        let Some(user) = user else { return Ok(None) };
        if let Some(known) = self.indexes.get(&user) {
            return Ok(*known);
        }
        let person = view::person(tx, Some(user.get()))?;
        let index = person.map(|person| {
            self.people.push(person);
            self.people.len() - 1
        });
        self.indexes.insert(user, index);
        Ok(index)
    }

    fn runs(&mut self, tx: &Tx, runs: &[(u64, u64, Option<UserId>)]) -> Result<Vec<OriginRun>> {
        runs.iter()
            .map(|(clock, units, user)| Ok((*clock, *units, self.index(tx, *user)?)))
            .collect()
    }
}

/// The text with which an epoch began.
struct Origin {
    client_id: u64,
    /// Clock, UTF-16 units, whose; ascending.
    runs: Vec<(u64, u64, Option<UserId>)>,
}

/// Whose the runs of a live document's text are, in the order of reading; neighbours of one account are one run.
pub(crate) fn runs(tx: &Tx, id: ContentId, epoch: i64, written: &[Vec<Written>]) -> Result<Runs> {
    let accounts: HashMap<u64, Option<UserId>> = authors::of_epoch(tx, id, epoch)?
        .into_iter()
        .map(|author| (author.client_id, author.user.parse().ok().map(UserId::new)))
        .collect();
    let origin = origin(tx, id, epoch)?;
    let mut runs = Runs::new();
    for piece in written.iter().flatten() {
        match &origin {
            Some(origin) if origin.client_id == piece.client_id => {
                for (units, user) in origin.split(piece.clock, piece.units) {
                    push(&mut runs, units, user);
                }
            }
            _ => {
                let user = accounts.get(&piece.client_id).copied().flatten();
                push(&mut runs, piece.units, user);
            }
        }
    }
    Ok(runs)
}

/// The same of a state, as one update.
pub(crate) fn of_state(tx: &Tx, id: ContentId, epoch: i64, state: &[u8]) -> Result<Runs> {
    let written = Live::authorship(&[state]).map_err(|why| Error::internal(why.reason))?;
    runs(tx, id, epoch, &written)
}

/// Keeps whose the text is with which an epoch begins. `runs` are over the same text in the order of reading.
pub(crate) fn note_origin(
    tx: &WriteTx,
    id: ContentId,
    epoch: i64,
    seed: &[u8],
    runs: &Runs,
) -> Result<()> {
    let written = Live::authorship(&[seed]).map_err(|why| Error::internal(why.reason))?;
    let Some(client_id) = written.iter().flatten().map(|piece| piece.client_id).next() else {
        return Ok(());
    };
    let clocks = by_clock(&written, runs);
    tx.execute(
        "DELETE FROM live_origin WHERE document_id = $1",
        params![id],
    )?;
    tx.execute(
        "INSERT INTO live_origin (document_id, epoch, client_id, runs) VALUES ($1, $2, $3, $4)",
        params![
            id,
            epoch,
            column(client_id),
            serde_json::to_string(&clocks).map_err(Error::internal)?
        ],
    )?;
    Ok(())
}

fn origin(tx: &Tx, id: ContentId, epoch: i64) -> Result<Option<Origin>> {
    let sql = "SELECT client_id, runs FROM live_origin WHERE document_id = $1 AND epoch = $2";
    let Some(row) = tx.query_opt(sql, params![id, epoch])? else {
        return Ok(None);
    };
    Ok(Some(Origin {
        client_id: row.i64("client_id")?.unsigned_abs(),
        runs: serde_json::from_str(row.text_ref("runs")?).map_err(Error::internal)?,
    }))
}

impl Origin {
    /// Whose so many units from a clock on are.
    fn split(&self, mut clock: u64, mut units: u64) -> Vec<(u64, Option<UserId>)> {
        let mut split = Vec::new();
        let first = self
            .runs
            .partition_point(|(start, length, _)| start + length <= clock);
        for (start, length, user) in self.runs.iter().skip(first) {
            if units == 0 || *start > clock {
                break;
            }
            let taken = units.min(start + length - clock);
            split.push((taken, *user));
            (clock, units) = (clock + taken, units - taken);
        }
        if units > 0 {
            split.push((units, None));
        }
        split
    }
}

/// The runs of a text beside the clocks that its units have.
fn by_clock(written: &[Vec<Written>], runs: &Runs) -> Vec<(u64, u64, Option<UserId>)> {
    let mut runs = runs.iter().copied().filter(|(units, _)| *units > 0);
    let mut current = runs.next();
    let mut clocks = Vec::new();
    for piece in written.iter().flatten() {
        let (mut clock, mut left) = (piece.clock, piece.units);
        while left > 0 {
            let Some((units, user)) = &mut current else {
                break;
            };
            let taken = left.min(*units);
            clocks.push((clock, taken, *user));
            (clock, left, *units) = (clock + taken, left - taken, *units - taken);
            if *units == 0 {
                current = runs.next();
            }
        }
    }
    clocks.sort_by_key(|(clock, _, _)| *clock);
    clocks
}

fn push(runs: &mut Runs, units: u64, user: Option<UserId>) {
    match runs.last_mut() {
        Some((last, known)) if *known == user => *last += units,
        _ => runs.push((units, user)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: i64) -> Option<UserId> {
        Some(UserId::new(id))
    }

    fn piece(clock: u64, text: &str) -> Vec<Written> {
        vec![Written {
            client_id: 9,
            clock,
            units: text.encode_utf16().count() as u64,
            text: text.to_owned(),
        }]
    }

    /// [WHO-2] Whose the text was survives a new epoch, also where a run goes over two paragraphs.
    #[test]
    fn what_is_written_by_the_server_stays_the_text_of_its_authors() {
        let written = [piece(3, "hello"), piece(20, "world")];
        let clocks = by_clock(&written, &vec![(4, user(1)), (3, user(2)), (1, None)]);
        let origin = Origin {
            client_id: 9,
            runs: clocks,
        };
        assert_eq!(origin.split(3, 5), [(4, user(1)), (1, user(2))]);
        assert_eq!(origin.split(21, 4), [(1, user(2)), (1, None), (2, None)]);
        assert_eq!(origin.split(6, 1), [(1, user(1))]);
        assert_eq!(origin.split(100, 2), [(2, None)]);
    }
}
