use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::super::{ImportOptions, Severity};
use super::support::{corpus, on_each};

/// Counts objects without any XML parser.
fn counted(path: &Path) -> BTreeMap<String, u64> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut text = String::new();
    archive
        .by_name("entities.xml")
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("<object class=\"") {
            *counts
                .entry(rest.split('"').next().unwrap().to_owned())
                .or_insert(0) += 1;
        }
    }
    counts
}

fn exports() -> Vec<std::path::PathBuf> {
    let Some(folder) = corpus() else {
        return Vec::new();
    };
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "zip"));
    paths.sort();
    assert_eq!(paths.len(), 8);
    paths
}

#[test]
fn every_real_export_is_imported_with_the_counts_of_its_entities() {
    for path in exports() {
        on_each(|lab| {
            let shown = format!("{} on {}", path.file_name().unwrap().display(), lab.name);
            let report = lab.import(&path);
            let found: BTreeMap<String, u64> = report
                .objects
                .iter()
                .map(|(class, count)| (class.clone(), count.found))
                .collect();
            assert_eq!(found, counted(&path), "{shown}");
            assert!(
                report
                    .objects
                    .values()
                    .all(|count| count.found == count.imported + count.skipped),
                "{shown}"
            );
            for (class, kind) in [
                ("Page", "page"),
                ("BlogPost", "blogpost"),
                ("Comment", "comment"),
                ("Attachment", "attachment"),
            ] {
                let imported = report.objects.get(class).map_or(0, |count| count.imported);
                let (own, table) = match kind {
                    "attachment" => ("attachment_id", "attachment_version"),
                    _ => ("content_id", "content_version"),
                };
                let sql = format!(
                    "SELECT COUNT(*) FROM {table} v JOIN content c ON c.id = v.{own} WHERE c.kind = '{kind}'"
                );
                assert_eq!(lab.number(&sql) as u64, imported, "{shown}: {class}");
            }
            let unread: Vec<_> = report
                .problems
                .iter()
                .filter(|problem| problem.severity == Severity::Error)
                .collect();
            assert!(
                unread.is_empty() || shown.contains("synthetic"),
                "{shown}: {unread:#?}"
            );
            assert_eq!(
                lab.number("SELECT COUNT(*) FROM space WHERE home_id IS NOT NULL"),
                1,
                "{shown}"
            );

            let before = lab.everything();
            let again = lab.import(&path);
            assert!(again.changed_nothing(), "{shown}: {:#?}", again.results);
            assert_eq!(lab.everything(), before, "{shown}: a second run");
            assert_eq!(again.objects, report.objects, "{shown}");
            assert_eq!(again.macros, report.macros, "{shown}");
        });
    }
}

#[test]
fn a_dry_run_reports_the_same_and_writes_nothing() {
    for path in exports() {
        on_each(|lab| {
            let before = lab.everything();
            let options = ImportOptions {
                dry_run: true,
                ..ImportOptions::default()
            };
            let dry = lab.try_import(&path, options).unwrap();
            assert_eq!(lab.everything(), before);
            assert!(
                !lab.folder
                    .path()
                    .join("blobs")
                    .read_dir()
                    .unwrap()
                    .any(|entry| entry.unwrap().file_name().len() == 2)
            );
            let real = lab.import(&path);
            assert_eq!(dry.objects, real.objects);
            assert_eq!(dry.macros, real.macros);
            assert_eq!(dry.problems, real.problems);
        });
    }
}

#[test]
fn exports_with_the_same_ids_live_side_by_side_and_the_first_keeps_its_addresses() {
    let paths = exports();
    if paths.is_empty() {
        return;
    }
    let find = |name: &str| {
        paths
            .iter()
            .find(|path| path.to_string_lossy().contains(name))
            .unwrap()
    };
    on_each(|lab| {
        lab.import(find("DE-v7-structured"));
        let first = lab.lines("SELECT id, title FROM content ORDER BY id");
        let report = lab.import(find("nanogiants"));
        assert_eq!(report.results["page"].created, 31);
        assert_eq!(lab.number("SELECT COUNT(*) FROM space"), 2);
        assert_eq!(
            lab.number("SELECT COUNT(*) FROM content WHERE kind = 'page'"),
            62
        );
        let still = lab.lines("SELECT c.id, c.title FROM content c JOIN space s ON s.id = c.space_id WHERE s.lower_key = '7sg' ORDER BY c.id");
        assert_eq!(still, first);
        let space = "SELECT COUNT(*) FROM content c JOIN content p ON p.id = c.parent_id WHERE c.space_id <> p.space_id";
        assert_eq!(lab.number(space), 0, "no parent in another space");
    });
}

#[test]
fn illegal_characters_and_lost_subjects_are_reported() {
    let paths = exports();
    if paths.is_empty() {
        return;
    }
    let find = |name: &str| {
        paths
            .iter()
            .find(|path| path.to_string_lossy().contains(name))
            .unwrap()
    };
    on_each(|lab| {
        let report = lab.import(find("QRKA"));
        assert!(
            report.problems.iter().any(
                |problem| problem.what.contains("not allowed in XML") && problem.line.is_some()
            )
        );
        let body = lab.body(1_810_724, 1);
        assert!(
            body.starts_with("<p>control  character, line\u{2028}separator"),
            "{body}"
        );
        let report = lab.import(find("DE-v6"));
        assert!(
            report
                .problems
                .iter()
                .any(|problem| problem.what.contains("to whom some permissions"))
        );
        let anonymous = "SELECT COUNT(*) FROM space_permission p JOIN space s ON s.id = p.space_id
            WHERE p.subject_kind = 'anonymous' AND s.lower_key = 'templatede'";
        assert_eq!(lab.number(anonymous), 0);
    });
}
