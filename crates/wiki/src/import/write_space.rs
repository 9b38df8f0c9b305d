//! Writes the space itself: name, description, who may do what in it, and which page is its home.

use std::collections::BTreeMap;

use storage::{Tx, WriteTx, params};

use super::entities::Object;
use super::model;
use super::people::{People, each_object};
use super::record::{Record, SPACE, Source, State, note_former_space};
use super::report::Severity;
use super::small::{USERS, subject_of};
use super::table::Table;
use crate::error::{Error, Result};
use crate::ids::SpaceId;
use crate::{names, sequence};

/// A space of the export.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpaceIn {
    pub(crate) id: i64,
    pub(crate) line: u64,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) is_personal: bool,
    pub(crate) is_archived: bool,
    pub(crate) home: Option<i64>,
    pub(crate) creator: Option<String>,
    pub(crate) created_ms: Option<i64>,
    /// Subject -> level.
    pub(crate) permissions: BTreeMap<String, i64>,
    /// Rows of permissions that say something this wiki knows.
    pub(crate) permissions_used: u64,
    pub(crate) remarks: Vec<(Severity, String, String)>,
    /// Permissions or restrictions may be missing: only administrators are let in.
    pub(crate) is_locked: bool,
}

/// The status in the record of a space that waits for a whole export to learn its permissions.
const LOCKED: &str = "locked";

const ANONYMOUS: &str = "anonymous";
const VIEW: i64 = 1;
const COMMENT: i64 = 2;
const EDIT: i64 = 3;
const ADMIN: i64 = 4;

/// All spaces of the export, with their permissions.
pub(crate) fn spaces(
    table: &Table,
    zone: &jiff::tz::TimeZone,
    users_group: &str,
) -> Result<Vec<SpaceIn>> {
    let (zone, users_group) = (zone.clone(), users_group.to_owned());
    table.read(move |tx| {
        let mut spaces = Vec::new();
        each_object(tx, "Space", |object| {
            spaces.extend(space_of(&object, &zone))
        })?;
        let mut permissions = Vec::new();
        each_object(tx, "SpacePermission", |object| permissions.push(object))?;
        let only = (spaces.len() == 1)
            .then(|| spaces.first().map(|space: &SpaceIn| space.id))
            .flatten();
        for space in &mut spaces {
            let mine = |object: &&Object| {
                object.one("space").and_then(model::number_of).or(only) == Some(space.id)
            };
            let own: Vec<&Object> = permissions.iter().filter(mine).collect();
            decide_permissions(space, &own, &users_group);
            space.description = description(tx, space.id)?;
        }
        Ok(spaces)
    })
}

fn space_of(object: &Object, zone: &jiff::tz::TimeZone) -> Option<SpaceIn> {
    let key = object
        .text("key")
        .or_else(|| object.text("lowerKey"))?
        .trim()
        .to_owned();
    let name = object
        .text("name")
        .map_or(key.as_str(), str::trim)
        .chars()
        .take(255)
        .collect();
    Some(SpaceIn {
        id: object.id.parse().ok()?,
        line: object.line,
        name,
        is_personal: object.text("spaceType") == Some("personal") || key.starts_with('~'),
        is_archived: object
            .text("spaceStatus")
            .is_some_and(|status| status.eq_ignore_ascii_case("archived")),
        home: object.one("homePage").and_then(model::number_of),
        creator: model::person(object, "creator"),
        created_ms: object
            .text("creationDate")
            .and_then(|text| super::time::parse_ms(text, zone)),
        key,
        ..SpaceIn::default()
    })
}

fn description(tx: &Tx, space: i64) -> Result<String> {
    let sql = "SELECT b.packed FROM content c JOIN body b ON b.content = c.id
        WHERE c.class = 'SpaceDescription' AND c.role = 'current' AND c.space = $1 ORDER BY c.id LIMIT 1";
    let Some(row) = tx.query_opt(sql, params![space])? else {
        return Ok(String::new());
    };
    let text = crate::publish::decompress(row.bytes_ref(0)?)?;
    Ok(plain_text(&text))
}

/// Descriptions are plain text, or in newer exports simple markup.
fn plain_text(text: &str) -> String {
    if !text.contains("</") {
        return text.trim().to_owned();
    }
    match document::StorageFormat::parse(text) {
        Ok((document, _)) => document::PlainText::write(&document).trim().to_owned(),
        Err(_) => text.trim().to_owned(),
    }
}

/// Folds the rows of permissions into one level for each subject.
fn decide_permissions(space: &mut SpaceIn, rows: &[&Object], users_group: &str) {
    if rows.is_empty() {
        space.permissions.insert(USERS.to_owned(), EDIT);
        let what = "the export does not say who may do what in the space";
        space.remarks.push((
            Severity::Warning,
            what.to_owned(),
            "everybody who is logged in may edit it".to_owned(),
        ));
        return;
    }
    // Confluence never gives these rights to anonymous visitors: rows without a subject are then rows that lost theirs.
    let never_anonymous = ["SETSPACEPERMISSIONS", "SETPAGEPERMISSIONS", "REMOVEMAIL"];
    let subject = |row: &Object| subject_of(row, "group", users_group);
    let is_lost = rows.iter().any(|row| {
        subject(row).is_none()
            && row.text("allUsersSubject").is_none()
            && row
                .text("type")
                .is_some_and(|kind| never_anonymous.contains(&kind))
    });
    let mut views: BTreeMap<String, bool> = BTreeMap::new();
    for row in rows {
        let kind = row.text("type").unwrap_or_default();
        let level = match kind {
            "VIEWSPACE" => VIEW,
            "COMMENT" => COMMENT,
            "EDITSPACE" => EDIT,
            "SETSPACEPERMISSIONS" => ADMIN,
            _ => continue,
        };
        let subject = match subject(row) {
            Some(subject) => subject,
            None if row.text("allUsersSubject").is_some() => USERS.to_owned(),
            None if is_lost => continue,
            None if level == ADMIN => continue,
            None => ANONYMOUS.to_owned(),
        };
        space.permissions_used += 1;
        *views.entry(subject.clone()).or_default() |= kind == "VIEWSPACE";
        let known = space.permissions.entry(subject).or_default();
        *known = level.max(*known);
    }
    drop_blind(space, &views);
    if is_lost {
        let what = "the export does not say to whom some permissions are given";
        let done = "nobody was given them; open the space to anonymous visitors or name administrators by hand, if they are wanted";
        space
            .remarks
            .push((Severity::Warning, what.to_owned(), done.to_owned()));
    }
}

/// A right to write without one to read is none, unless reading comes from elsewhere.
fn drop_blind(space: &mut SpaceIn, views: &BTreeMap<String, bool>) {
    let sees = |subject: &str| views.get(subject).copied().unwrap_or_default();
    let (anonymous, users) = (sees(ANONYMOUS), sees(USERS));
    let any_group = views
        .iter()
        .any(|(subject, sees)| *sees && subject.starts_with("group:"));
    space.permissions.retain(|subject, level| {
        let is_person = subject.starts_with("key:") || subject.starts_with("name:");
        *level == ADMIN
            || sees(subject)
            || anonymous
            || (users && subject != ANONYMOUS)
            || (any_group && is_person)
    });
}

/// The space here, and whether it was made by this run.
pub(crate) fn write(
    tx: &WriteTx,
    source: &Source,
    people: &People,
    space: &SpaceIn,
    key: &str,
) -> Result<(SpaceId, bool)> {
    if let Some(record) = source.find(tx, SPACE, &space.id.to_string())?
        && tx
            .query_opt(
                "SELECT id FROM space WHERE id = $1",
                params![record.local_id],
            )?
            .is_some()
    {
        let id = SpaceId::new(record.local_id);
        if record.state.status == LOCKED && !space.is_locked {
            open(tx, source, people, space, id)?;
        }
        return Ok((id, false));
    }
    let lower_key = free_key(tx, key)?;
    let id = SpaceId::new(sequence::next_id(tx, "space")?);
    tx.execute(
        "INSERT INTO space (id, key, lower_key, name, kind, status, description, created_by, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            id,
            key,
            lower_key,
            &space.name,
            if space.is_personal { "personal" } else { "global" },
            if space.is_archived { "archived" } else { "current" },
            &space.description,
            people.account(space.creator.as_deref()),
            space.created_ms.unwrap_or(source.now_ms)
        ],
    )?;
    if names::fold(&space.key) != names::fold(key) {
        note_former_space(tx, &names::fold(&space.key), id.get(), source.now_ms)?;
    }
    if space.is_locked {
        let state = State {
            status: LOCKED.to_owned(),
            ..State::default()
        };
        source.put(
            tx,
            SPACE,
            &space.id.to_string(),
            &Record {
                local_id: id.get(),
                state,
            },
        )?;
    } else {
        open(tx, source, people, space, id)?;
    }
    Ok((id, true))
}

/// The key as it is compared, if no other space has it.
fn free_key(tx: &WriteTx, key: &str) -> Result<String> {
    let lower_key = names::fold(key);
    let taken = tx.query_opt(
        "SELECT id FROM space WHERE lower_key = $1",
        params![&lower_key],
    )?;
    if taken.is_some() {
        let text = format!(
            "there is a space `{key}` already, and it is not from this export; choose another key with `--as`"
        );
        return Err(Error::Conflict(text));
    }
    Ok(lower_key)
}

/// Gives the permissions of the export.
fn open(
    tx: &WriteTx,
    source: &Source,
    people: &People,
    space: &SpaceIn,
    id: SpaceId,
) -> Result<()> {
    for (subject, level) in &space.permissions {
        permit(tx, people, id, subject, *level)?;
    }
    let record = Record {
        local_id: id.get(),
        state: State::default(),
    };
    source.put(tx, SPACE, &space.id.to_string(), &record)
}

fn permit(tx: &WriteTx, people: &People, space: SpaceId, subject: &str, level: i64) -> Result<()> {
    let (kind, id) = match subject.strip_prefix("group:") {
        Some(group) => ("group", people.groups.get(&names::fold(group)).copied()),
        None if subject == USERS => ("users", Some(0)),
        None if subject == ANONYMOUS => ("anonymous", Some(0)),
        None => ("user", people.account(Some(subject))),
    };
    let Some(id) = id else {
        return Ok(());
    };
    let sql = "INSERT INTO space_permission (space_id, subject_kind, subject_id, level) VALUES ($1, $2, $3, $4)
        ON CONFLICT (space_id, subject_kind, subject_id) DO UPDATE SET level =
        CASE WHEN excluded.level > space_permission.level THEN excluded.level ELSE space_permission.level END";
    tx.execute(sql, params![space, kind, id, level])?;
    Ok(())
}

/// Names the home page, once it is here and unless one was chosen here.
pub(crate) fn write_home(tx: &WriteTx, source: &Source, space: SpaceId, home: i64) -> Result<bool> {
    let Some(home) = source.content(tx, home)? else {
        return Ok(false);
    };
    tx.execute(
        "UPDATE space SET home_id = $2 WHERE id = $1 AND home_id IS NULL",
        params![space, home],
    )?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::super::entities::{Field, Reference};
    use super::*;

    fn row(kind: &str, subject: &str) -> Object {
        let mut fields = vec![("type".to_owned(), Field::Text(kind.to_owned()))];
        match subject.split_once(':') {
            Some(("group", name)) => {
                fields.push(("group".to_owned(), Field::Text(name.to_owned())))
            }
            Some(("user", key)) => {
                let user = Reference {
                    class: "ConfluenceUserImpl".to_owned(),
                    id: key.to_owned(),
                };
                fields.push(("userSubject".to_owned(), Field::One(user)));
            }
            _ => {}
        }
        Object {
            class: "SpacePermission".to_owned(),
            id: "1".to_owned(),
            line: 1,
            fields,
        }
    }

    #[track_caller]
    fn check(rows: &[(&str, &str)], expect: &[(&str, i64)], remarks: usize) {
        let rows: Vec<Object> = rows
            .iter()
            .map(|(kind, subject)| row(kind, subject))
            .collect();
        let mut space = SpaceIn::default();
        decide_permissions(&mut space, &rows.iter().collect::<Vec<_>>(), "all-people");
        let expect = expect
            .iter()
            .map(|(subject, level)| ((*subject).to_owned(), *level))
            .collect();
        assert_eq!(space.permissions, expect);
        assert_eq!(space.remarks.len(), remarks);
    }

    #[test]
    fn permissions_become_the_highest_level_of_each_subject() {
        check(
            &[
                ("VIEWSPACE", "group:All-People"),
                ("EDITSPACE", "group:all-people"),
                ("COMMENT", "group:all-people"),
                ("VIEWSPACE", ""),
                ("VIEWSPACE", "group:devs"),
                ("SETSPACEPERMISSIONS", "user:ff"),
                ("EXPORTPAGE", "user:aa"),
                ("EDITSPACE", "user:bb"),
            ],
            &[
                ("users", EDIT),
                ("anonymous", VIEW),
                ("group:devs", VIEW),
                ("key:ff", ADMIN),
                ("key:bb", EDIT),
            ],
            0,
        );
    }

    #[test]
    fn rights_that_lost_their_subject_are_given_to_nobody() {
        check(
            &[
                ("VIEWSPACE", ""),
                ("SETSPACEPERMISSIONS", ""),
                ("VIEWSPACE", "group:all-people"),
            ],
            &[("users", VIEW)],
            1,
        );
    }

    #[test]
    fn writing_without_reading_is_no_right() {
        check(
            &[("EDITSPACE", "group:devs"), ("VIEWSPACE", "user:ff")],
            &[("key:ff", VIEW)],
            0,
        );
    }

    #[test]
    fn without_any_row_everybody_logged_in_may_edit() {
        check(&[], &[("users", EDIT)], 1);
    }
}
