//! Labels and restrictions of an export, brought from their objects into rows beside the content they belong to.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::tz::TimeZone;
use storage::{Tx, Value, WriteTx, params};

use super::entities::{Object, Reference};
use super::model;
use super::people::each_object;
use super::report::{Problem, Severity};
use super::time;
use crate::error::Result;
use crate::names;

/// The subject of a restriction whose real subject is unknown: nobody but administrators gets in.
pub(crate) const NOBODY: &str = "nobody";
/// The subject that is everybody who is logged in.
pub(crate) const USERS: &str = "users";

/// How many objects of which class could not be used.
pub(crate) type Skipped = BTreeMap<&'static str, u64>;

const TABLES: [&str; 4] = [
    "CREATE TABLE labelled (content BIGINT NOT NULL, name TEXT NOT NULL, author TEXT, created_ms BIGINT,
        PRIMARY KEY (content, name))",
    "CREATE TABLE restricted (content BIGINT NOT NULL, operation TEXT NOT NULL, subject TEXT NOT NULL,
        PRIMARY KEY (content, operation, subject))",
    "CREATE TABLE own (id BIGINT PRIMARY KEY)",
    "INSERT INTO own (id) SELECT id FROM content WHERE role = 'current' AND class IN ('Page', 'BlogPost', 'Attachment')",
];

/// Makes the rows. Runs once, after roles were given.
pub(crate) fn decide(
    tx: &WriteTx,
    zone: &TimeZone,
    users_group: &str,
) -> Result<(Skipped, Vec<Problem>)> {
    for sql in TABLES {
        tx.execute(sql, params![])?;
    }
    let mut skipped = Skipped::new();
    let mut problems = Vec::new();
    labels(tx, zone, &mut skipped, &mut problems)?;
    restrictions(tx, users_group, &mut skipped, &mut problems)?;
    Ok((skipped, problems))
}

fn labels(
    tx: &WriteTx,
    zone: &TimeZone,
    skipped: &mut Skipped,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let mut global: HashMap<String, String> = HashMap::new();
    let mut all = 0;
    each_object(tx, "Label", |label| {
        all += 1;
        let is_global = label
            .text("namespace")
            .is_none_or(|namespace| namespace == "global");
        if let Some(name) = label
            .text("name")
            .filter(|_| is_global)
            .and_then(clean_label)
        {
            global.insert(label.id, name);
        }
    })?;
    let owners = members(tx, "labellings")?;
    let mut used: HashSet<String> = HashSet::new();
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut left_out = 0;
    let mut labellings: Vec<Object> = Vec::new();
    each_object(tx, "Labelling", |labelling| labellings.push(labelling))?;
    for labelling in labellings {
        let content =
            owner(&labelling, "content", &owners).or_else(|| model::int(&labelling, "labelableId"));
        let label = labelling
            .one("label")
            .and_then(|label| Some((label.id.clone(), global.get(&label.id)?)));
        let (Some(content), Some((label_id, name))) = (content, label) else {
            left_out += 1;
            continue;
        };
        if !is_own(tx, content)? {
            left_out += 1;
            continue;
        }
        used.insert(label_id);
        let created_ms = labelling
            .text("creationDate")
            .and_then(|text| time::parse_ms(text, zone));
        rows.push(
            params![
                content,
                name,
                model::person(&labelling, "owningUser"),
                created_ms
            ]
            .to_vec(),
        );
    }
    tx.execute_many("INSERT INTO labelled (content, name, author, created_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", &rows)?;
    skipped.insert("Labelling", left_out);
    skipped.insert("Label", all - used.len() as u64);
    if left_out > 0 {
        problems.push(note(
            "Labelling",
            format!("{left_out} labels are personal, of a space or of other objects"),
        ));
    }
    Ok(())
}

/// A label as this wiki has them: lower case, without the characters that addresses need.
fn clean_label(name: &str) -> Option<String> {
    if let Ok(label) = names::label(name) {
        return Some(label);
    }
    let cleaned: String = name
        .trim()
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect();
    names::label(&cleaned).ok()
}

fn restrictions(
    tx: &WriteTx,
    users_group: &str,
    skipped: &mut Skipped,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let mut sets: HashMap<String, (i64, &'static str)> = HashMap::new();
    let mut all: Vec<Object> = Vec::new();
    each_object(tx, "ContentPermissionSet", |set| all.push(set))?;
    let set_owners = members(tx, "contentPermissionSets")?;
    let mut left_out_sets = 0;
    for set in all {
        let operation = operation_of(set.text("type"));
        match (owner(&set, "owningContent", &set_owners), operation) {
            (Some(content), Some(operation)) if is_own(tx, content)? => {
                sets.insert(set.id, (content, operation));
            }
            _ => left_out_sets += 1,
        }
    }
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut left_out = 0;
    let owners = members(tx, "contentPermissions")?;
    each_object(tx, "ContentPermission", |permission| {
        let set = permission
            .one("owningSet")
            .map(|set| set.id.clone())
            .or_else(|| owners.get(&permission.id).cloned());
        let Some((content, operation)) = set.and_then(|set| sets.get(&set)) else {
            left_out += 1;
            return;
        };
        let subject = subject_of(&permission, "groupName", users_group).unwrap_or_else(|| {
            problems.push(lost_subject(&permission));
            NOBODY.to_owned()
        });
        rows.push(params![*content, *operation, subject].to_vec());
    })?;
    tx.execute_many("INSERT INTO restricted (content, operation, subject) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", &rows)?;
    skipped.insert("ContentPermission", left_out);
    skipped.insert("ContentPermissionSet", left_out_sets);
    Ok(())
}

fn operation_of(kind: Option<&str>) -> Option<&'static str> {
    match kind {
        Some("View") => Some("view"),
        Some("Edit") => Some("edit"),
        _ => None,
    }
}

/// To whom a permission is given: [`USERS`], `group:NAME`, or a reference to a person.
pub(crate) fn subject_of(
    permission: &Object,
    group_field: &str,
    users_group: &str,
) -> Option<String> {
    if let Some(person) = model::person(permission, "userSubject") {
        return Some(person);
    }
    let group = permission.text(group_field)?;
    match names::fold(group) == names::fold(users_group) {
        true => Some(USERS.to_owned()),
        false => Some(format!("group:{}", group.trim())),
    }
}

/// Members of collections, by member id -> owner id.
fn members(tx: &Tx, name: &str) -> Result<HashMap<String, String>> {
    let mut found = HashMap::new();
    tx.query_each::<crate::Error>(
        "SELECT id, owner FROM member WHERE name = $1",
        params![name],
        |row| {
            found.insert(row.text(0)?, row.text(1)?);
            Ok(())
        },
    )?;
    Ok(found)
}

fn owner(object: &Object, field: &str, owners: &HashMap<String, String>) -> Option<i64> {
    object
        .one(field)
        .map(|reference: &Reference| &reference.id)
        .or_else(|| owners.get(&object.id))?
        .parse()
        .ok()
}

fn is_own(tx: &Tx, content: i64) -> Result<bool> {
    Ok(tx
        .query_opt("SELECT id FROM own WHERE id = $1", params![content])?
        .is_some())
}

fn note(class: &str, what: String) -> Problem {
    let (severity, done) = (Severity::Note, "left out".to_owned());
    Problem {
        severity,
        object: class.to_owned(),
        id: None,
        line: None,
        what,
        done,
    }
}

fn lost_subject(permission: &Object) -> Problem {
    Problem {
        severity: Severity::Warning,
        object: permission.class.clone(),
        id: Some(permission.id.clone()),
        line: Some(permission.line),
        what: "the export does not say for whom this restriction is".to_owned(),
        done: "only administrators are let in; change the restrictions of the page".to_owned(),
    }
}
