//! Decides, inside the temporary database, what the objects of an export are together: which are versions of which, what hangs
//! on what, in which order they can be written. Whatever does not fit is set aside with a problem, never silently.
//!
//! Conditions that look at other rows find them by an index (`EXISTS .. WHERE id = ..`), never by walking all: exports are large.

use std::collections::{HashMap, HashSet};

use storage::{Tx, WriteTx, params};

use super::report::{Problem, Severity};
use crate::error::Result;

/// Roles that content gets: `current`, `version`, or why it is not imported: `draft`, `lost`, `spare`.
///
/// Runs once, after all objects are in the tables.
pub(crate) fn decide(tx: &WriteTx) -> Result<Vec<Problem>> {
    let mut found = Vec::new();
    fill_from_collections(tx)?;
    give_roles(tx, &mut found)?;
    settle_bodies(tx)?;
    settle_spaces(tx, &mut found)?;
    settle_pages(tx, &mut found)?;
    settle_comments(tx, &mut found)?;
    settle_attachments(tx, &mut found)?;
    settle_versions(tx, &mut found)?;
    Ok(found)
}

/// Old layouts name some owners only in their collections.
fn fill_from_collections(tx: &WriteTx) -> Result<()> {
    let owner = |name: &str, id: &str| {
        format!(
            "(SELECT CAST(owner AS BIGINT) FROM member WHERE member.name = '{name}' AND member.id = {id})"
        )
    };
    let text_id = "CAST(content.id AS TEXT)";
    let statements = [
        format!(
            "UPDATE property SET content = {} WHERE content IS NULL",
            owner("contentProperties", "property.id")
        ),
        format!(
            "UPDATE body SET content = {} WHERE content IS NULL",
            owner("bodyContents", "body.id")
        ),
        format!(
            "UPDATE content SET original = {} WHERE original IS NULL",
            owner("historicalVersions", text_id)
        ),
        format!(
            "UPDATE content SET parent = {} WHERE parent IS NULL AND class = 'Page'",
            owner("children", text_id)
        ),
        format!(
            "UPDATE content SET container = {} WHERE container IS NULL AND class = 'Comment'",
            owner("comments", text_id)
        ),
        "UPDATE content SET original = NULL WHERE original = id".to_owned(),
        "CREATE INDEX body_content ON body (content)".to_owned(),
    ];
    for statement in statements {
        tx.execute(&statement, params![])?;
    }
    Ok(())
}

fn give_roles(tx: &WriteTx, found: &mut Vec<Problem>) -> Result<()> {
    for statement in [
        // A version of a version belongs to the content that is current.
        "UPDATE content SET original = (SELECT o.original FROM content o WHERE o.id = content.original)
            WHERE status <> 'draft' AND original IN (SELECT id FROM content WHERE original IS NOT NULL AND status <> 'draft')",
        "UPDATE content SET role = 'draft' WHERE status = 'draft'",
        "UPDATE content SET role = 'version' WHERE role = '' AND EXISTS
            (SELECT 1 FROM content o WHERE o.id = content.original AND o.original IS NULL AND o.class = content.class AND o.status <> 'draft')",
        "UPDATE content SET role = 'lost' WHERE role = '' AND original IS NOT NULL",
        "UPDATE content SET role = 'current' WHERE role = ''",
        "UPDATE content SET role = 'spare' WHERE class = 'SpaceDescription' AND role <> 'current'",
    ] {
        tx.execute(statement, params![])?;
    }
    each_problem(
        tx,
        "role = 'lost'",
        "what it is a version of is not in the export",
        "left out",
        Severity::Error,
        found,
    )?;
    each_problem(
        tx,
        "role = 'draft'",
        "it is an unpublished draft",
        "left out",
        Severity::Warning,
        found,
    )
}

/// One body for each content; the storage format wins over others.
fn settle_bodies(tx: &WriteTx) -> Result<()> {
    let sql = "UPDATE body SET content = NULL WHERE EXISTS (SELECT 1 FROM body b WHERE b.content = body.content
        AND (b.kind > body.kind OR (b.kind = body.kind AND b.rowid < body.rowid)))";
    tx.execute(sql, params![])?;
    Ok(())
}

/// Pages without a space in the export go to its only one, or are lost.
fn settle_spaces(tx: &WriteTx, found: &mut Vec<Problem>) -> Result<()> {
    let spaces = tx.query(
        "SELECT CAST(id AS BIGINT) AS id FROM object WHERE class = 'Space' ORDER BY 1",
        params![],
    )?;
    let top = "role = 'current' AND class IN ('Page', 'BlogPost')";
    let homeless = format!(
        "{top} AND (space IS NULL OR space NOT IN (SELECT CAST(id AS BIGINT) FROM object WHERE class = 'Space'))"
    );
    let [only] = spaces.as_slice() else {
        let what = "its space is not in the export";
        each_problem(tx, &homeless, what, "left out", Severity::Error, found)?;
        tx.execute(
            &format!("UPDATE content SET role = 'lost' WHERE {homeless}"),
            params![],
        )?;
        return Ok(());
    };
    let what = "its space is not in the export";
    each_problem(
        tx,
        &homeless,
        what,
        "put into the space of the export",
        Severity::Warning,
        found,
    )?;
    tx.execute(
        &format!("UPDATE content SET space = $1 WHERE {homeless}"),
        params![only.i64(0)?],
    )?;
    Ok(())
}

/// A page above that is gone, in the trash, elsewhere, or (through others) below, is none.
fn settle_pages(tx: &WriteTx, found: &mut Vec<Problem>) -> Result<()> {
    tx.execute(
        "UPDATE content SET parent = NULL WHERE class = 'BlogPost'",
        params![],
    )?;
    let orphans = "class = 'Page' AND role = 'current' AND parent IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM content p WHERE p.id = content.parent AND p.class = 'Page' AND p.role = 'current' AND p.space = content.space
            AND (p.status = content.status OR p.status NOT IN ('deleted', 'trashed')))";
    let what = "the page above it is not in the export or in the trash";
    each_problem(
        tx,
        orphans,
        what,
        "put at the top of its space",
        Severity::Warning,
        found,
    )?;
    tx.execute(
        &format!("UPDATE content SET parent = NULL WHERE {orphans}"),
        params![],
    )?;
    settle_tree(tx, "Page", found)
}

fn settle_comments(tx: &WriteTx, found: &mut Vec<Problem>) -> Result<()> {
    settle_containers(tx, "Comment", found)?;
    let strangers = "class = 'Comment' AND role = 'current' AND parent IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM content p WHERE p.id = content.parent AND p.class = 'Comment' AND p.role = 'current' AND p.page = content.page)";
    let what = "the comment it answers is not in the export";
    each_problem(
        tx,
        strangers,
        what,
        "kept as a comment of its own",
        Severity::Warning,
        found,
    )?;
    tx.execute(
        &format!("UPDATE content SET parent = NULL WHERE {strangers}"),
        params![],
    )?;
    settle_tree(tx, "Comment", found)
}

fn settle_attachments(tx: &WriteTx, found: &mut Vec<Problem>) -> Result<()> {
    settle_containers(tx, "Attachment", found)
}

/// Finds the page that a comment or attachment is on: its container, what that is a version of, or what that comment is on.
fn settle_containers(tx: &WriteTx, class: &str, found: &mut Vec<Problem>) -> Result<()> {
    let current = format!("class = '{class}' AND role = 'current'");
    let sql = format!(
        "UPDATE content SET page = (SELECT CASE WHEN c.role = 'current' AND c.class IN ('Page', 'BlogPost') THEN c.id
                WHEN c.role = 'version' AND c.class IN ('Page', 'BlogPost') THEN c.original
                WHEN c.role = 'current' AND c.class = 'Comment' THEN c.page END
            FROM content c WHERE c.id = content.container) WHERE {current}"
    );
    tx.execute(&sql, params![])?;
    let drafts = format!(
        "{current} AND page IS NULL AND container IN (SELECT id FROM content WHERE role IN ('draft', 'spare') OR class = 'SpaceDescription')"
    );
    each_problem(
        tx,
        &drafts,
        "it is on a draft or a space, not on a page",
        "left out",
        Severity::Warning,
        found,
    )?;
    let lost = format!("{current} AND page IS NULL");
    let others = format!("{lost} AND NOT ({drafts})");
    each_problem(
        tx,
        &others,
        "the page it is on is not in the export",
        "left out",
        Severity::Error,
        found,
    )?;
    tx.execute(
        &format!("UPDATE content SET role = 'lost' WHERE {lost}"),
        params![],
    )?;
    let sql = format!(
        "UPDATE content SET space = (SELECT p.space FROM content p WHERE p.id = content.page) WHERE {current}"
    );
    tx.execute(&sql, params![])?;
    Ok(())
}

/// Breaks circles of parents and numbers the levels, so that parents are written first.
fn settle_tree(tx: &WriteTx, class: &str, found: &mut Vec<Problem>) -> Result<()> {
    let sql = "SELECT id, parent FROM content WHERE class = $1 AND role = 'current' AND parent IS NOT NULL ORDER BY id";
    let mut parents: HashMap<i64, i64> = HashMap::new();
    tx.query_each::<crate::Error>(sql, params![class], |row| {
        parents.insert(row.i64(0)?, row.i64(1)?);
        Ok(())
    })?;
    let (depths, cut) = levels(&mut parents);
    for id in cut {
        let which = format!("id = {id}");
        let what = "it is, through the pages above it, above itself";
        each_problem(tx, &which, what, "put at the top", Severity::Warning, found)?;
        tx.execute(
            "UPDATE content SET parent = NULL WHERE id = $1",
            params![id],
        )?;
    }
    let rows: Vec<Vec<storage::Value>> = depths
        .iter()
        .map(|(id, depth)| params![id, depth].to_vec())
        .collect();
    tx.execute_many("UPDATE content SET depth = $2 WHERE id = $1", &rows)?;
    Ok(())
}

/// The level of everything that has a parent (1 and more), and where circles were cut.
fn levels(parents: &mut HashMap<i64, i64>) -> (Vec<(i64, i64)>, Vec<i64>) {
    let mut depths: HashMap<i64, i64> = HashMap::new();
    let mut cut = Vec::new();
    let mut ids: Vec<i64> = parents.keys().copied().collect();
    ids.sort_unstable();
    for id in ids {
        let mut path = Vec::new();
        let mut on_path = HashSet::new();
        let mut at = id;
        let mut depth = loop {
            if let Some(depth) = depths.get(&at) {
                break *depth;
            }
            if !on_path.insert(at) {
                parents.remove(&at);
                cut.push(at);
                // The circle is open now: the way is walked once more, and ends at the cut.
                path.clear();
                on_path.clear();
                at = id;
                continue;
            }
            match parents.get(&at) {
                Some(parent) => {
                    path.push(at);
                    at = *parent;
                }
                None => break 0,
            }
        };
        for id in path.into_iter().rev() {
            depth += 1;
            depths.insert(id, depth);
        }
    }
    let mut depths: Vec<(i64, i64)> = depths.into_iter().collect();
    depths.sort_unstable();
    (depths, cut)
}

/// Two versions of one number, and versions that are not older than what they are versions of.
fn settle_versions(tx: &WriteTx, found: &mut Vec<Problem>) -> Result<()> {
    tx.execute(
        "UPDATE content SET number = (SELECT COALESCE(MAX(v.number), 0) + 1 FROM content v WHERE v.original = content.id
            AND v.role = 'version') WHERE role = 'current' AND (number IS NULL OR number < 1)",
        params![],
    )?;
    let gone = "role = 'version' AND original IN (SELECT id FROM content WHERE role <> 'current')";
    each_problem(
        tx,
        gone,
        "what it is a version of was left out",
        "left out",
        Severity::Error,
        found,
    )?;
    tx.execute(
        &format!("UPDATE content SET role = 'lost' WHERE {gone}"),
        params![],
    )?;
    let twins =
        "role = 'version' AND EXISTS (SELECT 1 FROM content v WHERE v.original = content.original
        AND v.role = 'version' AND v.number = content.number AND v.id < content.id)";
    let hash =
        |id: &str| format!("(SELECT COALESCE(MAX(hash), '') FROM body WHERE body.content = {id})");
    let same = format!(
        "{twins} AND {} = (SELECT {} FROM content v WHERE v.original = content.original AND v.role = 'version'
            AND v.number = content.number ORDER BY v.id LIMIT 1)",
        hash("content.id"),
        hash("v.id")
    );
    each_problem(
        tx,
        &same,
        "the same version is there twice",
        "kept once",
        Severity::Note,
        found,
    )?;
    let different = format!("{twins} AND NOT ({same})");
    each_problem(
        tx,
        &different,
        "two different versions have the same number",
        "the first one was kept",
        Severity::Error,
        found,
    )?;
    let late = "role = 'version' AND (number IS NULL OR number < 1 OR number >=
        (SELECT c.number FROM content c WHERE c.id = content.original))";
    each_problem(
        tx,
        late,
        "its number is not below that of the current version",
        "left out",
        Severity::Error,
        found,
    )?;
    tx.execute(
        &format!("UPDATE content SET role = 'spare' WHERE ({twins}) OR ({late})"),
        params![],
    )?;
    Ok(())
}

fn each_problem(
    tx: &Tx,
    which: &str,
    what: &str,
    done: &str,
    severity: Severity,
    found: &mut Vec<Problem>,
) -> Result<()> {
    let left = (super::limits::PROBLEMS_MAX + 1).saturating_sub(found.len());
    let sql =
        format!("SELECT class, id, line FROM content WHERE {which} ORDER BY line LIMIT {left}");
    tx.query_each::<crate::Error>(&sql, params![], |row| {
        found.push(Problem {
            severity,
            object: row.text(0)?,
            id: Some(row.i64(1)?.to_string()),
            line: Some(row.i64(2)?.unsigned_abs()),
            what: what.to_owned(),
            done: done.to_owned(),
        });
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pairs: &[(i64, i64)], depths: &[(i64, i64)], cut: &[i64]) {
        let mut parents = pairs.iter().copied().collect();
        assert_eq!(levels(&mut parents), (depths.to_vec(), cut.to_vec()));
    }

    #[test]
    fn circles_of_parents_are_cut_once_and_everything_gets_a_level() {
        check(&[(2, 1), (3, 2), (4, 2)], &[(2, 1), (3, 2), (4, 2)], &[]);
        check(&[(1, 1)], &[], &[1]);
        check(&[(1, 2), (2, 1)], &[(2, 1)], &[1]);
        check(
            &[(1, 2), (2, 3), (3, 2), (4, 1)],
            &[(1, 1), (3, 1), (4, 2)],
            &[2],
        );
    }

    #[test]
    fn a_long_chain_neither_overflows_nor_takes_square_time() {
        let pairs: Vec<(i64, i64)> = (1..200_000).map(|id| (id, id + 1)).collect();
        let mut parents = pairs.into_iter().collect();
        let (depths, cut) = levels(&mut parents);
        assert_eq!((depths.len(), cut.len()), (199_999, 0));
        assert_eq!(depths[0], (1, 199_999));
    }
}
