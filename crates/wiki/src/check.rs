//! Verifies what is stored: hashes of blobs, continuity of logs, references, the search index.

use crate::error::{Error, Result};
use crate::live;
use crate::publish;
use crate::wiki::Wiki;
use serde::Serialize;
use std::collections::HashSet;
use storage::{Database, Row, Tx, check_blobs, check_database, job_counts, params};

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// What was looked at: name and number.
    pub examined: Vec<(String, u64)>,
    /// One line for each thing that is wrong. Empty: all is well.
    pub faults: Vec<String>,
    /// One line for each thing that is odd but harms nobody.
    pub remarks: Vec<String>,
}

impl Wiki {
    /// Verifies everything that is stored. Reads all of it, so it takes its time.
    pub async fn check(&self) -> Result<CheckReport> {
        let wiki = self.clone();
        tokio::task::spawn_blocking(move || wiki.check_blocking())
            .await
            .map_err(Error::internal)?
    }

    fn check_blocking(&self) -> Result<CheckReport> {
        let mut report = CheckReport::default();
        report.faults.extend(check_database(self.database())?);
        for rule in RULES {
            report.apply(self.database(), rule)?;
        }
        report.bodies(self.database())?;
        report.logs(self.database())?;
        report.blobs(self)?;
        report.index(self)?;
        Ok(report)
    }
}

/// A rule as a query for what breaks it: `id` and `other` go into the sentence.
struct Rule {
    broken: &'static str,
    sentence: fn(i64, i64) -> String,
}

const RULES: &[Rule] = &[
    Rule {
        broken: "SELECT c.id, c.parent_id AS other FROM content c JOIN content p ON p.id = c.parent_id
            WHERE c.kind = 'page' AND (p.kind <> 'page' OR p.space_id <> c.space_id)",
        sentence: |id, other| format!("page `{id}` stands below `{other}`, which is not a page of its space; move it"),
    },
    Rule {
        broken: "SELECT s.id, COALESCE(s.home_id, 0) AS other FROM space s LEFT JOIN content c ON c.id = s.home_id
            WHERE s.home_id IS NOT NULL AND (c.id IS NULL OR c.kind <> 'page' OR c.space_id <> s.id)",
        sentence: |id, other| format!("space `{id}` has `{other}` as home page, which is not a page of it; choose another"),
    },
    Rule {
        broken: "SELECT c.id, c.version AS other FROM content c
            LEFT JOIN content_version v ON v.content_id = c.id AND v.number = c.version
            WHERE c.kind <> 'attachment' AND c.version > 0 AND v.content_id IS NULL",
        sentence: |id, other| format!("content `{id}` is at version {other}, which is missing; restore it from a backup"),
    },
    Rule {
        broken: "SELECT c.id, c.version AS other FROM content c
            LEFT JOIN attachment_version v ON v.attachment_id = c.id AND v.number = c.version
            WHERE c.kind = 'attachment' AND v.attachment_id IS NULL",
        sentence: |id, other| format!("attachment `{id}` is at version {other}, which is missing; upload the file again"),
    },
    Rule {
        broken: "SELECT c.id, COALESCE(c.page_id, 0) AS other FROM content c LEFT JOIN content p ON p.id = c.page_id
            WHERE c.kind IN ('comment', 'attachment') AND (p.id IS NULL OR p.kind NOT IN ('page', 'blogpost') OR p.space_id <> c.space_id)",
        sentence: |id, other| format!("comment or attachment `{id}` belongs to `{other}`, which is not a page of its space"),
    },
    Rule {
        broken: "SELECT c.id, 0 AS other FROM content c WHERE c.kind IN ('page', 'blogpost') AND c.status = 'current' AND c.version = 0",
        sentence: |id, _| format!("page `{id}` counts as published but has no version; publish it again"),
    },
    Rule {
        broken: "SELECT d.document_id AS id, d.head_seq AS other FROM live_document d
            LEFT JOIN content c ON c.id = d.document_id LEFT JOIN open_document o ON o.id = d.document_id
            WHERE c.id IS NULL AND o.id IS NULL",
        sentence: |id, other| format!("the live document `{id}` at update {other} belongs to nothing; restore a backup"),
    },
    Rule {
        broken: "SELECT d.document_id AS id, d.head_seq AS other FROM live_document d
            WHERE d.published_seq > d.head_seq OR d.snapshot_seq > d.head_seq",
        sentence: |id, other| format!("the live document of page `{id}` has marks beyond its head {other}; discard the draft"),
    },
];

impl CheckReport {
    fn apply(&mut self, database: &Database, rule: &'static Rule) -> Result<()> {
        let broken = database
            .read_blocking(|tx| -> Result<Vec<Row>> { Ok(tx.query(rule.broken, params![])?) })?;
        for row in broken {
            self.faults
                .push((rule.sentence)(row.i64("id")?, row.i64("other")?));
        }
        Ok(())
    }

    fn note(&mut self, what: &str, number: u64) {
        self.examined.push((what.to_owned(), number));
    }

    /// Every body can be unpacked and read.
    fn bodies(&mut self, database: &Database) -> Result<()> {
        let (examined, faults, remarks) = database.read_blocking(|tx| {
            let (mut examined, mut faults, mut remarks) = (0_u64, Vec::new(), Vec::new());
            tx.query_each(
                "SELECT content_id, number, body FROM content_version",
                params![],
                |row| {
                    examined += 1;
                    let (id, number) = (row.i64("content_id")?, row.i64("number")?);
                    match publish::decompress(row.bytes_ref("body")?) {
                        Err(error) => faults.push(format!(
                            "version {number} of content `{id}` cannot be read: {error}"
                        )),
                        // An import keeps such a body as it came; readers see its source.
                        Ok(body) => {
                            if let Err(error) = publish::check_body(&body) {
                                remarks
                                    .push(format!("version {number} of content `{id}`: {error}"));
                            }
                        }
                    }
                    Ok::<_, Error>(())
                },
            )?;
            Ok::<_, Error>((examined, faults, remarks))
        })?;
        self.note("versions", examined);
        self.faults.extend(faults);
        self.remarks.extend(remarks);
        Ok(())
    }

    /// Every log has all updates from its snapshot to its head, and each is what was written.
    fn logs(&mut self, database: &Database) -> Result<()> {
        let (examined, faults) = database.read_blocking(live::check)?;
        self.note("live documents", examined);
        self.faults.extend(faults);
        Ok(())
    }

    fn blobs(&mut self, wiki: &Wiki) -> Result<()> {
        let needed = wiki.database().read_blocking(needed_blobs)?;
        let found = check_blobs(wiki.blobs().as_ref(), &needed, &mut |_| {})?;
        self.note("files", found.examined);
        for blob in found.damaged {
            self.faults.push(format!(
                "file `{blob}` is damaged; restore it from a backup"
            ));
        }
        for blob in found.missing {
            self.faults.push(format!(
                "file `{blob}` is missing; restore it from a backup"
            ));
        }
        if !found.orphans.is_empty() {
            self.remarks.push(format!(
                "{} files belong to nothing (uploads that were not finished, or are running)",
                found.orphans.len()
            ));
        }
        Ok(())
    }

    /// The index has what can be found, once all jobs are done.
    fn index(&mut self, wiki: &Wiki) -> Result<()> {
        let sql = "SELECT COUNT(*) AS count FROM content c JOIN content p ON p.id = COALESCE(c.page_id, c.id)
            WHERE c.status = 'current' AND p.status = 'current'";
        let (expected, jobs) = wiki.database().read_blocking(|tx| {
            Ok::<_, Error>((tx.query_one(sql, params![])?.i64("count")?, job_counts(tx)?))
        })?;
        let indexed = wiki.search_index().count()?;
        self.note("entries of the search index", indexed);
        if jobs.dead > 0 {
            self.faults.push(format!(
                "{} jobs were given up after many attempts; the log says why",
                jobs.dead
            ));
        }
        if jobs.queued + jobs.running > 0 {
            self.remarks.push(format!(
                "{} jobs wait; the search index is compared when they are done",
                jobs.queued + jobs.running
            ));
        } else if i64::try_from(indexed).ok() != Some(expected) {
            self.faults.push(format!(
                "the search index has {indexed} entries instead of {expected}; delete its folder, and it is made anew at the next start"
            ));
        }
        Ok(())
    }
}

fn needed_blobs(tx: &Tx) -> Result<HashSet<String>> {
    let mut needed = HashSet::new();
    tx.query_each(
        "SELECT DISTINCT blob FROM attachment_version",
        params![],
        |row| {
            needed.insert(row.text("blob")?);
            Ok::<_, Error>(())
        },
    )?;
    Ok(needed)
}
