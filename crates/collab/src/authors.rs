//! Whose client ids are whose in one document: loaded with the log, grown with every append.
//!
//! A client id belongs to the user who first put something under it into the log. The engine knows users only as texts.

use crate::log::Author;
use crate::room::Dialect;
use crate::scan::Clocks;
use std::collections::HashMap;

/// The users of client ids, compact: a document may have very many ids of few users.
#[derive(Debug, Clone, Default)]
pub(crate) struct Authors {
    users: Vec<Box<str>>,
    /// Client id and place in `users`, sorted.
    of: Vec<(u64, u32)>,
}

impl Authors {
    /// What a load brings.
    pub(crate) fn new(list: Vec<Author>) -> Authors {
        let mut authors = Authors::default();
        authors.absorb(list);
        authors
    }

    /// Who has put something under this id first.
    pub(crate) fn user_of(&self, client: u64) -> Option<&str> {
        let place = self.of.binary_search_by_key(&client, |(id, _)| *id).ok()?;
        let (_, user) = self.of.get(place)?;
        self.users.get(*user as usize).map(|user| &**user)
    }

    /// Takes over a list. Who is known stays: the first counts.
    pub(crate) fn absorb(&mut self, list: Vec<Author>) {
        if list.is_empty() {
            return;
        }
        let users = self.users.iter().zip(0..);
        let mut places: HashMap<Box<str>, u32> =
            users.map(|(user, place)| (user.clone(), place)).collect();
        for Author { client_id, user } in list {
            let place = *places.entry(user.into()).or_insert_with_key(|user| {
                self.users.push(user.clone());
                (self.users.len() - 1) as u32
            });
            self.of.push((client_id, place));
        }
        // A stable sort: of two with the same id the earlier one stays.
        self.of.sort_by_key(|(id, _)| *id);
        self.of.dedup_by_key(|(id, _)| *id);
        self.of.shrink_to_fit();
    }

    /// Everything, by client id.
    pub(crate) fn list(&self) -> Vec<Author> {
        let author = |(client_id, place): &(u64, u32)| {
            let user = self.users.get(*place as usize)?;
            let (client_id, user) = (*client_id, user.to_string());
            Some(Author { client_id, user })
        };
        self.of.iter().filter_map(author).collect()
    }

    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        self.of.capacity() * size_of::<(u64, u32)>()
            + self.users.iter().map(|user| user.len() + 16).sum::<usize>()
    }
}

/// Somebody who wants to put structs under client ids.
pub(crate) struct Claimant<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) user: &'a str,
    /// The ids leased to the connection.
    pub(crate) leased: &'a [u64],
    /// What is known: committed, at the log, and before it.
    pub(crate) authors: [Option<&'a Authors>; 3],
    /// Whether another connection holds a lease of this id.
    pub(crate) leased_elsewhere: &'a dyn Fn(u64) -> bool,
    /// Ids that it uses as the first.
    pub(crate) first: Vec<u64>,
}

impl Claimant<'_> {
    /// [ROOM-2] Whether it may bring this run; the clock known so far tells whether somebody has used the id.
    pub(crate) fn may(&mut self, run: &Clocks, known: u64) -> bool {
        if self.dialect == Dialect::Native && !self.leased.contains(&run.client) {
            return false;
        }
        if self.first.contains(&run.client) {
            return true;
        }
        let author = self
            .authors
            .iter()
            .flatten()
            .find_map(|authors| authors.user_of(run.client));
        if let Some(author) = author {
            return author == self.user || self.repeats(run, known);
        }
        let free = match self.dialect {
            // The proof of the lease says that it is this user's.
            Dialect::Native => true,
            Dialect::Yjs => known == 0 && !(self.leased_elsewhere)(run.client),
        };
        if free && run.end > known {
            self.first.push(run.client);
        }
        free || self.repeats(run, known)
    }

    /// Clients that choose their ids send what others wrote as well, when they do not know what is known.
    fn repeats(&self, run: &Clocks, known: u64) -> bool {
        self.dialect == Dialect::Yjs && run.end <= known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(client_id: u64, user: &str) -> Author {
        let user = user.to_owned();
        Author { client_id, user }
    }

    /// [ROOM-2] The first user of an id stays its author; a hundred thousand ids of few users take little.
    #[test]
    fn first_user_counts() {
        let mut authors = Authors::new(vec![author(9, "ann"), author(3, "bob")]);
        authors.absorb(vec![author(9, "bob"), author(5, "cleo")]);
        assert_eq!(authors.user_of(9), Some("ann"));
        assert_eq!(authors.user_of(5), Some("cleo"));
        assert_eq!(authors.user_of(4), None);
        assert_eq!(
            authors.list(),
            [author(3, "bob"), author(5, "cleo"), author(9, "ann")]
        );
        let many = (0..100_000).map(|i| author(i, if i % 2 == 0 { "ann" } else { "bob" }));
        let many = Authors::new(many.collect());
        assert!(many.held_bytes() <= 1_700_000, "{}", many.held_bytes());
    }

    /// [ROOM-2] Who chooses ids may use one that nobody used, or its own; never one that another was given.
    #[test]
    fn claims() {
        let authors = Authors::new(vec![author(9, "ann"), author(3, "bob")]);
        let claim = |dialect, user, client, known, end| {
            let leased_elsewhere = |id| id == 77;
            let mut claimant = Claimant {
                dialect,
                user,
                leased: &[9, 50],
                authors: [Some(&authors), None, None],
                leased_elsewhere: &leased_elsewhere,
                first: Vec::new(),
            };
            let start = known;
            let may = claimant.may(&Clocks { client, start, end }, known);
            (may, claimant.first)
        };
        assert_eq!(claim(Dialect::Yjs, "ann", 9, 4, 5), (true, vec![]));
        assert_eq!(claim(Dialect::Yjs, "bob", 9, 4, 5), (false, vec![]));
        assert_eq!(claim(Dialect::Yjs, "bob", 9, 4, 4), (true, vec![]));
        assert_eq!(claim(Dialect::Yjs, "bob", 1, 0, 1), (true, vec![1]));
        assert_eq!(claim(Dialect::Yjs, "bob", 1, 2, 3), (false, vec![]));
        assert_eq!(claim(Dialect::Yjs, "bob", 77, 0, 1), (false, vec![]));
        assert_eq!(claim(Dialect::Native, "ann", 50, 0, 1), (true, vec![50]));
        assert_eq!(claim(Dialect::Native, "ann", 51, 0, 1), (false, vec![]));
        // A lease of an id that somebody else has used meanwhile is worth nothing.
        assert_eq!(claim(Dialect::Native, "bob", 9, 4, 4), (false, vec![]));
    }
}
