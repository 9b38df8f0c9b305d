//! Users and groups of an export: matched with accounts that are here, else made as accounts that cannot log in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use storage::{Tx, WriteTx, params};

use super::entities::Object;
use super::model;
use super::record::{PERSON, Record, Source, State};
use super::table::{Table, object_of};
use crate::error::Result;
use crate::{names, sequence};

/// A user as the export knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PersonIn {
    /// `key:..` or `name:..`, as content refers to them.
    pub(crate) reference: String,
    pub(crate) key: Option<String>,
    pub(crate) name: String,
    pub(crate) full_name: Option<String>,
    pub(crate) email: Option<String>,
    /// Named by content, but not described anywhere: the account is disabled.
    pub(crate) unknown: bool,
}

/// Accounts and groups of this wiki, by how the export refers to them.
#[derive(Debug, Default)]
pub(crate) struct People {
    pub(crate) accounts: HashMap<String, i64>,
    pub(crate) groups: HashMap<String, i64>,
}

impl People {
    /// The account of a reference.
    pub(crate) fn account(&self, reference: Option<&str>) -> Option<i64> {
        self.accounts.get(reference?).copied()
    }
}

/// Everybody the export names, each once.
pub(crate) fn persons(table: &Table) -> Result<Vec<PersonIn>> {
    table.read(|tx| {
        let mut persons: BTreeMap<String, PersonIn> = BTreeMap::new();
        let mut by_name: HashMap<String, String> = HashMap::new();
        each_object(tx, "ConfluenceUserImpl", |object| {
            let person = described(&object);
            by_name
                .entry(names::fold(&person.name))
                .or_insert_with(|| person.reference.clone());
            persons.insert(person.reference.clone(), person);
        })?;
        each_object(tx, "InternalUser", |object| {
            enrich(&object, &mut persons, &by_name)
        })?;
        for reference in referenced(tx)? {
            if !persons.contains_key(&reference) {
                let person = undescribed(&reference, &persons, &by_name);
                persons.insert(reference, person);
            }
        }
        Ok(persons.into_values().collect())
    })
}

fn described(object: &Object) -> PersonIn {
    let name = object
        .text("name")
        .or_else(|| object.text("lowerName"))
        .map(str::trim)
        .filter(|name| is_name(name));
    PersonIn {
        reference: format!("key:{}", object.id),
        key: Some(object.id.clone()),
        name: name.unwrap_or(&object.id).to_owned(),
        full_name: None,
        email: object
            .text("email")
            .map(str::trim)
            .filter(|email| email.contains('@'))
            .map(str::to_owned),
        unknown: name.is_none(),
    }
}

/// Deleted users are called `*` or `unknown` in some exports; those are no names.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name != "*"
        && !name.eq_ignore_ascii_case("unknown")
        && name.chars().count() <= 255
}

/// Site exports describe users a second time, with their full names.
fn enrich(
    object: &Object,
    persons: &mut BTreeMap<String, PersonIn>,
    by_name: &HashMap<String, String>,
) {
    let Some(name) = object.text("name").or_else(|| object.text("lowerName")) else {
        return;
    };
    let reference = by_name
        .get(&names::fold(name))
        .cloned()
        .unwrap_or_else(|| format!("name:{name}"));
    let person = persons
        .entry(reference.clone())
        .or_insert_with(|| PersonIn {
            reference,
            name: name.to_owned(),
            ..PersonIn::default()
        });
    person.full_name = object
        .text("displayName")
        .map(str::to_owned)
        .or_else(|| person.full_name.take());
    person.email = person
        .email
        .take()
        .or_else(|| object.text("emailAddress").map(str::to_owned));
}

fn undescribed(
    reference: &str,
    persons: &BTreeMap<String, PersonIn>,
    by_name: &HashMap<String, String>,
) -> PersonIn {
    if let Some(name) = reference.strip_prefix("name:") {
        // The same person under name and key is one account.
        let known = by_name
            .get(&names::fold(name))
            .and_then(|known| persons.get(known));
        let base = known.cloned().unwrap_or_else(|| PersonIn {
            name: name.to_owned(),
            ..PersonIn::default()
        });
        return PersonIn {
            reference: reference.to_owned(),
            ..base
        };
    }
    let key = reference.strip_prefix("key:").unwrap_or(reference);
    PersonIn {
        reference: reference.to_owned(),
        key: Some(key.to_owned()),
        name: key.to_owned(),
        unknown: true,
        ..PersonIn::default()
    }
}

/// All references to people in content, permissions and labels.
fn referenced(tx: &Tx) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let sql = "SELECT creator AS who FROM content WHERE creator IS NOT NULL
        UNION SELECT modifier FROM content WHERE modifier IS NOT NULL";
    tx.query_each::<crate::Error>(sql, params![], |row| {
        found.insert(row.text(0)?);
        Ok(())
    })?;
    for class in ["Space", "SpacePermission", "ContentPermission", "Labelling"] {
        each_object(tx, class, |object| {
            let fields: &[&str] = if class == "Space" {
                &["creator"]
            } else {
                &["userSubject", "owningUser"]
            };
            found.extend(
                fields
                    .iter()
                    .filter_map(|field| model::person(&object, field)),
            );
        })?;
    }
    Ok(found)
}

/// All objects of a class, in order of the file.
pub(crate) fn each_object(tx: &Tx, class: &str, mut each: impl FnMut(Object)) -> Result<()> {
    let sql = "SELECT class, id, line, data FROM object WHERE class = $1 ORDER BY line";
    tx.query_each::<crate::Error>(sql, params![class], |row| {
        each(object_of(&row)?);
        Ok(())
    })
}

/// Finds or makes the account of a person. The second value says whether it was made.
pub(crate) fn settle(tx: &WriteTx, source: &Source, person: &PersonIn) -> Result<(i64, bool)> {
    if let Some(record) = source.find(tx, PERSON, &person.reference)?
        && tx
            .query_opt(
                "SELECT id FROM user_account WHERE id = $1",
                params![record.local_id],
            )?
            .is_some()
    {
        return Ok((record.local_id, false));
    }
    let (local_id, made) = match matching(tx, person)? {
        Some(id) => (id, false),
        None => (make(tx, person, source.now_ms)?, true),
    };
    if let Some(key) = &person.key {
        let sql = "UPDATE user_account SET user_key = $2 WHERE id = $1 AND user_key IS NULL
            AND NOT EXISTS (SELECT 1 FROM user_account u WHERE u.user_key = $2)";
        tx.execute(sql, params![local_id, key.as_str()])?;
    }
    source.put(
        tx,
        PERSON,
        &person.reference,
        &Record {
            local_id,
            state: State::default(),
        },
    )?;
    Ok((local_id, made))
}

fn matching(tx: &Tx, person: &PersonIn) -> Result<Option<i64>> {
    if let Some(key) = &person.key
        && let Some(row) = tx.query_opt(
            "SELECT id FROM user_account WHERE user_key = $1",
            params![key.as_str()],
        )?
    {
        return Ok(Some(row.i64(0)?));
    }
    let by_name = tx.query_opt(
        "SELECT id FROM user_account WHERE lower_name = $1",
        params![names::fold(&person.name)],
    )?;
    if let Some(row) = by_name {
        return Ok(Some(row.i64(0)?));
    }
    let Some(email) = &person.email else {
        return Ok(None);
    };
    let same = tx.query(
        "SELECT id FROM user_account WHERE lower(email) = $1 LIMIT 2",
        params![names::fold(email)],
    )?;
    match same.as_slice() {
        [row] => Ok(Some(row.i64(0)?)),
        _ => Ok(None),
    }
}

fn make(tx: &WriteTx, person: &PersonIn, now_ms: i64) -> Result<i64> {
    let id = sequence::next_id(tx, "user")?;
    let full_name = person.full_name.as_deref().unwrap_or(&person.name);
    tx.execute(
        "INSERT INTO user_account (id, name, lower_name, full_name, email, password_hash, disabled, admin, user_key, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, NULL, $6, 0, $7, $8)",
        params![id, &person.name, names::fold(&person.name), full_name, &person.email, person.unknown, &person.key, now_ms],
    )?;
    Ok(id)
}

/// Groups that permissions and restrictions name, and who is in them (site exports say it).
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupsIn {
    pub(crate) names: BTreeSet<String>,
    /// Group name, name of the member.
    pub(crate) members: Vec<(String, String)>,
}

/// The groups of an export, without the one that stands for all users.
pub(crate) fn groups(table: &Table, users_group: &str) -> Result<GroupsIn> {
    let users_group = names::fold(users_group);
    table.read(move |tx| {
        let mut groups = GroupsIn::default();
        let mut by_id: HashMap<String, String> = HashMap::new();
        for (class, field) in [
            ("SpacePermission", "group"),
            ("ContentPermission", "groupName"),
            ("InternalGroup", "name"),
        ] {
            each_object(tx, class, |object| {
                if let Some(name) = object
                    .text(field)
                    .filter(|name| names::fold(name) != users_group)
                {
                    groups.names.insert(name.trim().to_owned());
                    by_id.insert(object.id.clone(), name.trim().to_owned());
                }
            })?;
        }
        let mut users: HashMap<String, String> = HashMap::new();
        each_object(tx, "InternalUser", |object| {
            if let Some(name) = object.text("name") {
                users.insert(object.id.clone(), name.to_owned());
            }
        })?;
        each_object(tx, "HibernateMembership", |object| {
            let group = object
                .one("parentGroup")
                .and_then(|group| by_id.get(&group.id));
            let user = object
                .one("userMember")
                .and_then(|user| users.get(&user.id));
            if let (Some(group), Some(user)) = (group, user) {
                groups.members.push((group.clone(), user.clone()));
            }
        })?;
        Ok(groups)
    })
}

/// Finds or makes a group. The second value says whether it was made.
pub(crate) fn settle_group(tx: &WriteTx, name: &str) -> Result<(i64, bool)> {
    let lower_name = names::fold(name);
    if let Some(row) = tx.query_opt(
        "SELECT id FROM user_group WHERE lower_name = $1",
        params![&lower_name],
    )? {
        return Ok((row.i64(0)?, false));
    }
    let id = sequence::next_id(tx, "group")?;
    tx.execute(
        "INSERT INTO user_group (id, name, lower_name) VALUES ($1, $2, $3)",
        params![id, name, lower_name],
    )?;
    Ok((id, true))
}

/// Puts a user into a group, if both are here. Says whether that was new.
pub(crate) fn settle_member(tx: &WriteTx, group: &str, user: &str) -> Result<bool> {
    let sql = "INSERT INTO membership (user_id, group_id)
        SELECT u.id, g.id FROM user_account u, user_group g WHERE u.lower_name = $1 AND g.lower_name = $2 ON CONFLICT DO NOTHING";
    let is_new = tx.execute(sql, params![names::fold(user), names::fold(group)])? > 0;
    if is_new {
        crate::live::rights_changed(tx)?;
    }
    Ok(is_new)
}
