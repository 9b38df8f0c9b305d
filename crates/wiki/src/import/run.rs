//! The course of an import, from the opened archive to the report.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use storage::{WriteTx, params};

use super::archive::{Archive, Unreadable};
use super::batch::{self, ContentIn};
use super::descriptor::Descriptor;
use super::people::{self, People};
use super::record::Source;
use super::report::{ExportInfo, ImportProgress, ImportReport, ImportedSpace, Place, Severity};
use super::scratch::Scratch;
use super::table::Table;
use super::write_page::{Outcome, Target};
use super::write_space::SpaceIn;
use super::{
    ImportOptions, macros, plan, read, small, time, write_comment, write_page, write_space,
};
use crate::error::{Error, Result};
use crate::ids::SpaceId;
use crate::{Wiki, names, spaces};

/// People written in one transaction.
const PEOPLE_BATCH: usize = 200;

/// One import.
pub(crate) struct Run<'a> {
    pub(crate) wiki: &'a Wiki,
    pub(crate) options: &'a ImportOptions,
    pub(crate) archive: Archive,
    pub(crate) table: &'a Table,
    pub(crate) zone: TimeZone,
    pub(crate) report: &'a mut ImportReport,
    pub(crate) progress: &'a mut dyn FnMut(ImportProgress),
    pub(crate) people: Arc<People>,
    /// Attachment files that an object asked for.
    pub(crate) used_files: HashSet<String>,
}

/// Imports an export. Blocks; call it on a thread that may wait.
pub(crate) fn run(
    wiki: &Wiki,
    path: &Path,
    options: &ImportOptions,
    progress: &mut dyn FnMut(ImportProgress),
) -> Result<ImportReport> {
    let started_ms = wiki.now_ms();
    let mut report = ImportReport {
        dry_run: options.dry_run,
        ..ImportReport::default()
    };
    let mut archive = Archive::open(path).map_err(invalid)?;
    let descriptor = read_descriptor(&mut archive, &mut report)?;
    let (zone, complaint) = descriptor.time_zone();
    if let Some(complaint) = complaint {
        report.problem(
            Severity::Warning,
            Place::file("exportDescriptor.properties"),
            complaint,
            "all times may be shifted",
        );
    }
    note_refused(&archive, &mut report);
    report.export = export_of(&descriptor, &zone);
    let scratch = Scratch::create(wiki.work_dir(), started_ms)?;
    let mut table = Table::create(&scratch.file())?;
    let outcome = read::read(
        archive.entities().map_err(invalid)?,
        &zone,
        &mut table,
        &mut report,
        progress,
    )?;
    report.export.written_at = outcome.written_at.clone();
    if outcome.damage.is_some() {
        let key = options.space_key.as_deref().or(descriptor.space_key());
        read::supply_space(&table, key, &mut report)?;
    }
    decide(&table, &zone, descriptor.users_group(), &mut report)?;
    note_not_kept(&mut report);
    let is_damaged = outcome.damage.is_some();
    let result = Run {
        wiki,
        options,
        archive,
        table: &table,
        zone,
        report: &mut report,
        progress,
        people: Arc::default(),
        used_files: HashSet::new(),
    }
    .write_all(&descriptor, is_damaged);
    let counted = result.and_then(|()| count(&table, &mut report));
    table.close();
    counted?;
    report.duration_ms = wiki.now_ms().saturating_sub(started_ms).unsigned_abs();
    Ok(report)
}

fn invalid(unreadable: Unreadable) -> Error {
    Error::Invalid(unreadable.0)
}

fn read_descriptor(archive: &mut Archive, report: &mut ImportReport) -> Result<Descriptor> {
    let name = "exportDescriptor.properties";
    match archive.descriptor() {
        Ok(Some(bytes)) => Ok(Descriptor::parse(&bytes)),
        Ok(None) => {
            report.problem(
                Severity::Warning,
                Place::file(name),
                "it is missing",
                "times are read as UTC",
            );
            Ok(Descriptor::default())
        }
        Err(error) => {
            report.problem(
                Severity::Warning,
                Place::file(name),
                error.0,
                "times are read as UTC",
            );
            Ok(Descriptor::default())
        }
    }
}

fn note_refused(archive: &Archive, report: &mut ImportReport) {
    for name in archive.refused().iter().filter(|name| name.as_str() != "/") {
        report.problem(
            Severity::Warning,
            Place::file(name),
            "its name or kind is not that of a file of an export",
            "not read",
        );
    }
}

fn export_of(descriptor: &Descriptor, zone: &TimeZone) -> ExportInfo {
    let get = |key| descriptor.get(key).map(str::to_owned);
    ExportInfo {
        kind: get("exportType").unwrap_or_else(|| "space".to_owned()),
        source: get("source"),
        version: get("createdByVersionNumber"),
        build: get("createdByBuildNumber").or_else(|| get("buildNumber")),
        written_at: None,
        time_zone: zone.iana_name().map_or_else(
            || descriptor.get("timezoneId").unwrap_or("UTC").to_owned(),
            str::to_owned,
        ),
    }
}

fn decide(
    table: &Table,
    zone: &TimeZone,
    users_group: &str,
    report: &mut ImportReport,
) -> Result<()> {
    let (zone, users_group) = (zone.clone(), users_group.to_owned());
    let (problems, skipped, more) = table.write(move |tx| {
        let problems = plan::decide(tx)?;
        let (skipped, more) = small::decide(tx, &zone, &users_group)?;
        Ok((problems, skipped, more))
    })?;
    for problem in problems.into_iter().chain(more) {
        let place = Place {
            object: &problem.object,
            id: problem.id.as_deref(),
            line: problem.line,
        };
        report.problem(
            problem.severity,
            place,
            problem.what.clone(),
            problem.done.clone(),
        );
    }
    for (class, count) in skipped {
        if count > 0 {
            report.class(class).skipped += count;
        }
    }
    Ok(())
}

/// Kinds with content of people for which this wiki has no place yet.
const NOT_KEPT: [(&str, &str); 2] = [
    ("PageTemplate", "templates of pages have no place here yet"),
    (
        "CustomContentEntityObject",
        "content of plugins has no place here",
    ),
];

fn note_not_kept(report: &mut ImportReport) {
    for (class, what) in NOT_KEPT {
        let found = report.objects.get(class).map_or(0, |count| count.found);
        if found > 0 {
            let what = format!("{found} objects: {what}");
            report.problem(Severity::Warning, Place::file(class), what, "left out");
        }
    }
}

/// Fills in, per class, what was left out with its content, and from that what was imported.
fn count(table: &Table, report: &mut ImportReport) -> Result<()> {
    let rows = table.read(|tx| {
        let sql = "SELECT class, COUNT(*) FROM content WHERE role NOT IN ('current', 'version') GROUP BY class
            UNION ALL SELECT 'BodyContent', COUNT(*) FROM body WHERE NOT EXISTS
                (SELECT 1 FROM content c WHERE c.id = body.content AND c.role IN ('current', 'version'))
            UNION ALL SELECT 'ContentProperty', COUNT(*) FROM property WHERE NOT EXISTS
                (SELECT 1 FROM content c WHERE c.id = property.content AND c.role IN ('current', 'version'))";
        tx.query(sql, params![])?.iter().map(|row| Ok((row.text(0)?, row.i64(1)?.unsigned_abs()))).collect::<Result<Vec<_>>>()
    })?;
    for (class, skipped) in rows {
        if skipped > 0 {
            report.class(&class).skipped += skipped;
        }
    }
    for counts in report.objects.values_mut() {
        counts.skipped = counts.skipped.min(counts.found);
        counts.imported = counts.found - counts.skipped;
    }
    Ok(())
}

impl Run<'_> {
    fn write_all(mut self, descriptor: &Descriptor, is_damaged: bool) -> Result<()> {
        let users_group = descriptor.users_group().to_owned();
        let mut spaces = write_space::spaces(self.table, &self.zone, &users_group)?;
        if spaces.is_empty() {
            return Err(Error::Invalid(
                "the export holds no space; export one again as XML".to_owned(),
            ));
        }
        if self.options.space_key.is_some() && spaces.len() > 1 {
            let text = format!(
                "the export holds {} spaces, so one key cannot be given to it; leave `--as` out",
                spaces.len()
            );
            return Err(Error::Invalid(text));
        }
        self.write_people(&users_group)?;
        self.count_permissions(&spaces);
        for space in &mut spaces {
            if is_damaged {
                lock(space);
            }
            self.write_space(space)?;
        }
        self.note_unused_files();
        Ok(())
    }

    /// Runs a change; in a dry run it is undone at once.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        mut run: impl FnMut(&WriteTx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if !self.options.dry_run {
            return self.wiki.database().write_blocking(run);
        }
        let undone = self
            .wiki
            .database()
            .write_blocking::<(), Undo<T>, _>(move |tx| match run(tx) {
                Ok(value) => Err(Undo::Undone(value)),
                Err(error) => Err(Undo::Failed(error)),
            });
        match undone {
            Err(Undo::Undone(value)) => Ok(value),
            Err(Undo::Failed(error)) => Err(error),
            Ok(()) => Err(Error::internal("a dry run was not undone")),
        }
    }

    pub(crate) fn tell(&mut self, phase: &str, done: u64, total: Option<u64>) {
        (self.progress)(ImportProgress {
            phase: phase.to_owned(),
            done,
            total,
        });
    }

    fn write_people(&mut self, users_group: &str) -> Result<()> {
        let source = Source::of_people(self.wiki.now_ms());
        let persons = people::persons(self.table)?;
        let mut people = People::default();
        for chunk in persons.chunks(PEOPLE_BATCH) {
            let (source, chunk) = (source.clone(), chunk.to_vec());
            let settled = self.write(move |tx| {
                let settle = |person: &people::PersonIn| {
                    Ok((
                        person.reference.clone(),
                        people::settle(tx, &source, person)?,
                    ))
                };
                chunk.iter().map(settle).collect::<Result<Vec<_>>>()
            })?;
            for (reference, (id, made)) in settled {
                let count = self.report.result("account");
                if made {
                    count.created += 1
                } else {
                    count.unchanged += 1
                }
                people.accounts.insert(reference, id);
            }
            self.tell(
                "accounts",
                people.accounts.len() as u64,
                Some(persons.len() as u64),
            );
        }
        let groups = people::groups(self.table, users_group)?;
        let settled = self.write(move |tx| {
            let settle = |name: &String| Ok((names::fold(name), people::settle_group(tx, name)?));
            let settled = groups
                .names
                .iter()
                .map(settle)
                .collect::<Result<Vec<_>>>()?;
            for (group, user) in &groups.members {
                people::settle_member(tx, group, user)?;
            }
            Ok(settled)
        })?;
        for (name, (id, made)) in settled {
            let count = self.report.result("group");
            if made {
                count.created += 1
            } else {
                count.unchanged += 1
            }
            people.groups.insert(name, id);
        }
        self.people = Arc::new(people);
        Ok(())
    }

    fn count_permissions(&mut self, spaces: &[SpaceIn]) {
        let used: u64 = spaces.iter().map(|space| space.permissions_used).sum();
        if let Some(counts) = self.report.objects.get_mut("SpacePermission") {
            counts.skipped += counts.found.saturating_sub(used);
        }
        let usable = spaces.len() as u64;
        if let Some(counts) = self.report.objects.get_mut("Space") {
            counts.skipped = counts.found.saturating_sub(usable);
        }
    }

    fn write_space(&mut self, space: &SpaceIn) -> Result<()> {
        let renamed = self
            .options
            .space_key
            .as_deref()
            .filter(|key| !key.eq_ignore_ascii_case(&space.key));
        let key = match renamed {
            Some(key) => names::space_key(key)?,
            None => names::space_key(&space.key).map_err(|_| unusable_key(&space.key))?,
        };
        let source = Source {
            is_dry: self.options.dry_run,
            ..Source::of_space(
                &space.key,
                &space.id.to_string(),
                renamed,
                self.wiki.now_ms(),
            )
        };
        for (severity, what, done) in &space.remarks {
            let id = space.id.to_string();
            self.report.problem(
                *severity,
                Place::object("Space", &id, space.line),
                what.clone(),
                done.clone(),
            );
        }
        let (people, plain, given) = (Arc::clone(&self.people), space.clone(), key.clone());
        let own = source.clone();
        let (id, made) =
            self.write(move |tx| write_space::write(tx, &own, &people, &plain, &given))?;
        let count = self.report.result("space");
        if made {
            count.created += 1
        } else {
            count.unchanged += 1
        }
        let pages = self.write_contents(
            space,
            &source,
            id,
            "'Page', 'BlogPost'",
            "pages",
            write_page::write,
        )?;
        self.write_home(space, &source, id)?;
        self.write_attachments(space, &source, id)?;
        self.write_contents(
            space,
            &source,
            id,
            "'Comment'",
            "comments",
            write_comment::write,
        )?;
        let source_key = space.key.clone();
        self.report.spaces.push(ImportedSpace {
            key,
            source_key,
            name: space.name.clone(),
            pages,
        });
        Ok(())
    }

    fn write_home(&mut self, space: &SpaceIn, source: &Source, id: SpaceId) -> Result<()> {
        let Some(home) = space.home else {
            return Ok(());
        };
        let source = source.clone();
        let found = self.write(move |tx| write_space::write_home(tx, &source, id, home))?;
        if !found && !self.options.dry_run {
            let space_id = space.id.to_string();
            let place = Place::object("Space", &space_id, space.line);
            self.report.problem(
                Severity::Warning,
                place,
                format!("its home page `{home}` is not in the export"),
                "it has none",
            );
        }
        Ok(())
    }

    /// Writes all content of some classes; returns how many current pages there were.
    fn write_contents(
        &mut self,
        space: &SpaceIn,
        source: &Source,
        id: SpaceId,
        classes: &'static str,
        phase: &str,
        write: fn(&WriteTx, Target<'_>, &ContentIn) -> Result<Outcome>,
    ) -> Result<u64> {
        let space_id = space.id;
        let total = self.count_contents(space_id, classes)?;
        let (mut after, mut done, mut pages) = ((-1, i64::MIN), 0, 0);
        loop {
            let mut contents = self
                .table
                .read(move |tx| batch::next(tx, classes, space_id, after))?;
            let Some(last) = contents.last() else {
                return Ok(pages);
            };
            after = (last.depth, last.id);
            for content in contents
                .iter_mut()
                .filter(|content| content.class == "BlogPost")
            {
                content.posted_on = Some(time::day(content.created_ms, &self.zone));
            }
            let contents = Arc::new(contents);
            let (people, source, batch) = (
                Arc::clone(&self.people),
                source.clone(),
                Arc::clone(&contents),
            );
            let outcomes = self.write(move |tx| {
                let target = Target {
                    source: &source,
                    people: &people,
                    space: id,
                };
                let outcomes = batch
                    .iter()
                    .map(|content| write(tx, target, content))
                    .collect::<Result<Vec<_>>>()?;
                if outcomes.iter().any(changed) {
                    spaces::bump_stamp(tx, id)?;
                }
                Ok(outcomes)
            })?;
            done += contents.len() as u64;
            pages += contents
                .iter()
                .filter(|content| content.class == "Page" && content.status == "current")
                .count() as u64;
            for (content, outcome) in contents.iter().zip(&outcomes) {
                self.note(content, outcome)?;
            }
            self.tell(phase, done, Some(total));
        }
    }

    fn count_contents(&self, space: i64, classes: &'static str) -> Result<u64> {
        self.table.read(move |tx| {
            let sql = format!("SELECT COUNT(*) FROM content WHERE role = 'current' AND class IN ({classes}) AND space = $1");
            Ok(tx.query_one(&sql, params![space])?.i64(0)?.unsigned_abs())
        })
    }

    /// Brings what was done with one content into the report.
    pub(crate) fn note(&mut self, content: &ContentIn, outcome: &Outcome) -> Result<()> {
        let (kind, versions) = match content.class.as_str() {
            "BlogPost" => ("blog post", "page version"),
            "Comment" => ("comment", "comment version"),
            "Attachment" => ("attachment", "attachment version"),
            _ => ("page", "page version"),
        };
        let count = self.report.result(kind);
        match outcome {
            Outcome { left_out: true, .. } => count.skipped += 1,
            Outcome { created: true, .. } => count.created += 1,
            Outcome { updated: true, .. } => count.updated += 1,
            _ => count.unchanged += 1,
        }
        let count = self.report.result(versions);
        count.created += outcome.versions;
        count.unchanged += outcome.versions_kept;
        self.report.result("label").created += outcome.labels;
        self.report.result("restriction").created += outcome.restrictions;
        let id = content.id.to_string();
        for (what, done) in &outcome.remarks {
            self.report.problem(
                Severity::Warning,
                Place::object(&content.class, &id, content.line),
                what.clone(),
                done.clone(),
            );
        }
        if outcome.left_out {
            return self.lose(content.id);
        }
        for (name, uses) in &content.macros {
            self.report.count_macro(name, *uses, macros::is_typed(name));
        }
        if content.class != "Attachment" {
            self.note_bodies(content);
        }
        Ok(())
    }

    /// Content that could not be written counts as left out, with all that belongs to it.
    pub(crate) fn lose(&self, id: i64) -> Result<()> {
        self.table.write(move |tx| {
            tx.execute(
                "UPDATE content SET role = 'lost' WHERE id = $1 OR original = $1",
                params![id],
            )?;
            Ok(())
        })
    }

    fn note_bodies(&mut self, content: &ContentIn) {
        for version in content.former.iter().chain([&content.current]) {
            let id = version.id.to_string();
            let place = Place::object(&content.class, &id, version.line);
            let severity = if version.id == content.id {
                Severity::Warning
            } else {
                Severity::Note
            };
            if let Some(reason) = &version.malformed {
                let what = format!("its body is not well-formed: {reason}");
                self.report.problem(severity, place, what, "kept as it is");
            } else if !version.has_body {
                self.report.problem(
                    severity,
                    place,
                    "its body is not in the export",
                    "it is empty",
                );
            }
        }
    }

    fn note_unused_files(&mut self) {
        let mut unused: Vec<String> = self
            .archive
            .attachment_files()
            .map(|[content, attachment, version]| {
                format!("attachments/{content}/{attachment}/{version}")
            })
            .filter(|name| !self.used_files.contains(name))
            .collect();
        unused.sort_unstable();
        for name in unused {
            self.report.problem(
                Severity::Note,
                Place::file(&name),
                "no attachment of the export has this file",
                "left out",
            );
        }
    }
}

pub(crate) fn changed(outcome: &Outcome) -> bool {
    outcome.created || outcome.updated || outcome.versions > 0
}

fn lock(space: &mut SpaceIn) {
    space.is_locked = true;
    let what = "the export is damaged, so permissions and restrictions may be missing";
    let done = "a new space can be read by administrators only, until somebody permits more";
    space
        .remarks
        .push((Severity::Warning, what.to_owned(), done.to_owned()));
}

/// A key that no address can hold.
fn unusable_key(key: &str) -> Error {
    let shown: String = key.chars().take(40).collect();
    Error::Invalid(format!(
        "the space key `{}` of the export cannot be used here; choose another key with `--as`",
        shown.escape_debug()
    ))
}

enum Undo<T> {
    Undone(T),
    Failed(Error),
}

impl<T> From<storage::Error> for Undo<T> {
    fn from(error: storage::Error) -> Undo<T> {
        Undo::Failed(error.into())
    }
}
