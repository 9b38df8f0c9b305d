use std::io::Write as _;
use std::path::Path;

use super::super::{ImportOptions, ImportReport, Severity};
use super::support::{Export, Lab, fixture, on_each};
use crate::{Actor, ContentId, Error};

fn problems(report: &ImportReport, what: &str) -> Vec<String> {
    let matching = report
        .problems
        .iter()
        .filter(|problem| problem.what.contains(what));
    matching
        .map(|problem| {
            format!(
                "{} {} {}",
                problem.object,
                problem.id.as_deref().unwrap_or("-"),
                problem.line.unwrap_or(0)
            )
        })
        .collect()
}

#[track_caller]
fn refused(lab: &Lab, path: &Path, reason: &str) {
    let before = lab.everything();
    match lab.try_import(path, ImportOptions::default()) {
        Err(Error::Invalid(text)) => assert!(text.contains(reason), "{text}"),
        other => panic!("expected a refusal with `{reason}`, got {other:?}"),
    }
    assert_eq!(lab.everything(), before, "a refused export writes nothing");
}

#[test]
fn what_is_no_export_is_refused_with_a_reason() {
    on_each(|lab| {
        let folder = tempfile::tempdir().unwrap();
        refused(lab, &folder.path().join("missing.zip"), "cannot be read");
        refused(lab, folder.path(), "holds no `entities.xml`");
        let text = folder.path().join("text.zip");
        std::fs::write(&text, "this is not a zip file").unwrap();
        refused(lab, &text, "not a complete zip file");
        let export = Export::new();
        refused(
            lab,
            export.path_with("<!DOCTYPE x [<!ENTITY a 'b'>]><hibernate-generic/>"),
            "document type",
        );
        refused(
            lab,
            export.path_with("<hibernate-generic></hibernate-generic>"),
            "no space",
        );
        refused(lab, export.path_with("<html/>"), "no space");
        refused(lab, export.path_with(""), "no space");
    });
}

#[test]
fn a_zip_that_was_cut_off_is_refused() {
    on_each(|lab| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.zip");
        let mut export = Export::new();
        export.page(10, "Home", "");
        write_zip(&path, &[("entities.xml", export.xml().as_bytes())]);
        let bytes = std::fs::read(&path).unwrap();
        for keep in [0, 10, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..keep]).unwrap();
            refused(lab, &path, "zip file");
        }
    });
}

fn write_zip(path: &Path, files: &[(&str, &[u8])]) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn names_that_lead_elsewhere_are_never_followed() {
    on_each(|lab| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evil.zip");
        let mut export = Export::new();
        export.page(10, "Home", "");
        let xml = export.xml();
        let files: [(&str, &[u8]); 4] = [
            ("../../escaped", b"x"),
            ("/escaped", b"x"),
            ("inner/entities.xml", xml.as_bytes()),
            ("inner/../../escaped", b"x"),
        ];
        write_zip(&path, &files);
        let report = lab.import(&path);
        assert_eq!(
            report.results["page"].created, 1,
            "the export in the inner folder is read"
        );
        assert_eq!(problems(&report, "name or kind").len(), 3);
        let mut seen = Vec::new();
        walk(folder.path(), &mut seen);
        walk(lab.folder.path(), &mut seen);
        assert!(
            seen.iter().all(|path| !path.contains("escaped")),
            "{seen:?}"
        );
        assert!(
            seen.iter().all(|path| !path.contains("table.sqlite")),
            "nothing temporary stays: {seen:?}"
        );
    });
}

#[test]
fn a_space_key_that_no_address_can_hold_is_refused_unless_another_is_given() {
    on_each(|lab| {
        let mut export = Export::new();
        export.page(10, "Home", "");
        let xml = export.xml();
        let mark = "name=\"key\"><![CDATA[";
        let (before, after) = xml.split_once(mark).expect("the key of the space");
        let (_, after) = after.split_once("]]>").unwrap();
        let evil = format!("{before}{mark}../../<b>]]>{after}");
        let path = export.path_with(&evil);
        refused(lab, path, "choose another key with `--as`");
        let options = ImportOptions {
            space_key: Some("GOOD".to_owned()),
            ..ImportOptions::default()
        };
        let report = lab.try_import(path, options).unwrap();
        assert_eq!(report.results["page"].created, 1);
    });
}

fn walk(folder: &Path, seen: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        seen.push(path.display().to_string());
        if path.is_dir() {
            walk(&path, seen);
        }
    }
}

#[test]
fn a_cut_off_file_gives_what_is_before_the_cut_and_the_rest_comes_with_a_whole_one() {
    on_each(|lab| {
        let mut export = Export::new();
        export
            .page(10, "Home", "")
            .page(11, "One", "parent>Page:10")
            .page(12, "Two", "parent>Page:10");
        let xml = export.xml();
        let cut = xml.find("Two").unwrap();
        let report = lab.import(export.path_with(&xml[..cut]));
        assert_eq!(report.results["page"].created, 2);
        let line = xml[..cut].matches('\n').count() + 1;
        assert_eq!(
            problems(&report, "cannot be read from here on"),
            [format!("entities.xml - {line}")]
        );
        assert_eq!(
            lab.number("SELECT COUNT(*) FROM space_permission"),
            0,
            "permissions may be missing: administrators only"
        );

        let whole = lab.import(export.path());
        assert_eq!(
            (
                whole.results["page"].created,
                whole.results["page"].unchanged
            ),
            (1, 2)
        );
        assert_eq!(
            lab.lines("SELECT subject_kind, level FROM space_permission"),
            ["users | 3"]
        );
    });
}

#[test]
fn a_file_cut_off_before_its_space_still_gives_its_pages() {
    on_each(|lab| {
        let mut export = Export::empty();
        export
            .page(10, "Home", "")
            .page(11, "One", "parent>Page:10");
        let xml = export.xml();
        let report = lab.import(export.path_with(xml.trim_end_matches("</hibernate-generic>")));
        assert_eq!(report.spaces[0].key, "K");
        assert_eq!(report.spaces[0].pages, 2);
        assert_eq!(report.worst(), Some(Severity::Error));
    });
}

/// A page whose body is not well-formed is read as its source, and counts as healthy.
fn assert_readable(lab: &Lab, page: i64, source: &str) {
    let page = ContentId::new(page);
    let view = lab
        .wait(lab.wiki.pages().view(&Actor::System, page))
        .unwrap();
    assert!(view.content.html.contains(source), "{}", view.content.html);
    let report = lab.wait(lab.wiki.check()).unwrap();
    let about = |lines: &[String]| lines.iter().filter(|line| line.contains("`21`")).count();
    assert_eq!((about(&report.faults), about(&report.remarks)), (0, 1));
}

#[test]
fn references_that_lead_nowhere_are_reported_line_by_line() {
    on_each(|lab| {
        let report = lab.import(&fixture("broken"));
        assert_eq!(problems(&report, "page above it is not"), ["Page 11 24"]);
        assert_eq!(
            problems(&report, "above itself").len(),
            1,
            "a circle is cut once"
        );
        assert_eq!(
            problems(&report, "body is not in the export"),
            ["Page 20 100"]
        );
        assert_eq!(problems(&report, "not well-formed"), ["Page 21 107"]);
        assert_eq!(problems(&report, "this id was there before").len(), 1);
        assert_eq!(problems(&report, "what it is a version of").len(), 1);
        assert_eq!(
            problems(&report, "page it is on is not").len(),
            2,
            "a comment and an attachment"
        );
        assert_eq!(problems(&report, "its id is not a number").len(), 1);
        assert_eq!(problems(&report, "file is not in the export").len(), 1);
        assert_eq!(lab.body(21, 1), "<p>open <b>");
        assert_readable(lab, 21, "&lt;p&gt;open &lt;b&gt;");
        let huge = lab.lines(
            "SELECT id, title FROM content WHERE title = 'Huge' OR title = 'Larger than 32 bits'",
        );
        assert_eq!(huge.len(), 2);
        assert!(
            huge.contains(&"5000000000 | Larger than 32 bits".to_owned()),
            "{huge:?}"
        );
        assert!(
            !huge
                .iter()
                .any(|line| line.starts_with("9223372036854775807")),
            "an id above the limit gets another: {huge:?}"
        );
        assert_eq!(
            lab.number("SELECT COUNT(*) FROM content_redirect WHERE old_id = 9223372036854775807"),
            1
        );
        assert_eq!(
            lab.number("SELECT COUNT(*) FROM content c WHERE c.parent_id = c.id"),
            0
        );
    });
}

#[test]
fn titles_too_long_or_taken_are_changed_and_reported() {
    on_each(|lab| {
        let mut export = Export::new();
        let long = "x".repeat(300);
        export
            .page(10, "Home", "")
            .page(11, &long, "")
            .page(12, &format!("{long}y"), "")
            .page(13, "hOME", "")
            .page(14, "_", "");
        export.page(15, "Home", "contentStatus=deleted");
        let report = lab.import(export.path());
        let titles =
            lab.lines("SELECT id, title, status FROM content WHERE kind = 'page' ORDER BY id");
        assert_eq!(titles[0], "10 | Home | current");
        assert_eq!(titles[1], format!("11 | {} | current", "x".repeat(255)));
        assert_eq!(titles[2], format!("12 | {} (2) | current", "x".repeat(251)));
        assert_eq!(titles[3], "13 | hOME (2) | current");
        assert_eq!(titles[4], "14 | Untitled 14 | current");
        assert_eq!(problems(&report, "longer than 255").len(), 2);
        assert_eq!(problems(&report, "another page of the space").len(), 2);
        assert!(
            lab.import(export.path()).changed_nothing(),
            "the changed titles are recognised"
        );
    });
}

#[test]
fn a_site_export_brings_all_its_spaces() {
    on_each(|lab| {
        let report = lab.import(&fixture("two-spaces"));
        let spaces = lab.lines("SELECT s.key, s.kind, s.home_id, COUNT(c.id) FROM space s LEFT JOIN content c ON c.space_id = s.id
            AND c.kind = 'page' GROUP BY s.key, s.kind, s.home_id ORDER BY s.key");
        assert_eq!(
            spaces,
            ["ALPHA | global | 100 | 2", "~ann | personal | 200 | 1"]
        );
        assert_eq!(report.spaces.len(), 2);
        assert_eq!(
            lab.lines("SELECT full_name, email FROM user_account WHERE lower_name = 'ann'"),
            ["Ann Lee | ann@example.org"]
        );
        let members = "SELECT g.name, u.name FROM membership m JOIN user_group g ON g.id = m.group_id JOIN user_account u ON u.id = m.user_id";
        assert_eq!(lab.lines(members), ["writers | ann"]);
        let options = ImportOptions {
            space_key: Some("OTHER".to_owned()),
            ..ImportOptions::default()
        };
        assert!(matches!(
            lab.try_import(&fixture("two-spaces"), options),
            Err(Error::Invalid(_))
        ));
    });
}

#[test]
fn a_restriction_without_a_subject_lets_nobody_in() {
    on_each(|lab| {
        let mut export = Export::new();
        export
            .page(10, "Home", "")
            .page(11, "Secret", "parent>Page:10")
            .page(12, "Ours", "parent>Page:10");
        export
            .object(
                "ContentPermissionSet",
                30,
                "type=View owningContent>Page:11",
            )
            .object(
                "ContentPermission",
                31,
                "type=View owningSet>ContentPermissionSet:30",
            )
            .object(
                "ContentPermissionSet",
                32,
                "type=View owningContent>Page:12",
            )
            .object(
                "ContentPermission",
                33,
                "type=View groupName=Confluence-Users owningSet>ContentPermissionSet:32",
            );
        let report = lab.import(export.path());
        assert_eq!(problems(&report, "for whom this restriction").len(), 1);
        let sql = "SELECT r.content_id, r.subject_kind, g.name, (SELECT COUNT(*) FROM membership m WHERE m.group_id = g.id)
            FROM content_restriction r LEFT JOIN user_group g ON g.id = r.subject_id ORDER BY 1";
        assert_eq!(
            lab.lines(sql),
            [
                "11 | group | restricted-by-import | 0",
                "12 | users | - | 0"
            ]
        );
    });
}

#[test]
fn an_attachment_that_unpacks_to_too_much_is_left_out() {
    on_each(|lab| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bomb.zip");
        let mut export = Export::new();
        export.page(10, "Home", "");
        export.object(
            "Attachment",
            40,
            "title=bomb.bin version=1 containerContent>Page:10",
        );
        let bomb = vec![0; 40 << 20];
        write_zip(
            &path,
            &[
                ("entities.xml", export.xml().as_bytes()),
                ("attachments/10/40/1", &bomb),
            ],
        );
        let report = lab.import(&path);
        assert_eq!(
            problems(&report, "cannot be read: it unpacks to far more").len(),
            1
        );
        assert_eq!(report.results["attachment"].skipped, 1);
        assert_eq!(report.objects["Attachment"].imported, 0);
        assert_eq!(
            lab.number("SELECT COUNT(*) FROM content WHERE kind = 'attachment'"),
            0
        );
    });
}

#[test]
fn damage_anywhere_never_panics() {
    let mut export = Export::new();
    export
        .page(10, "Home", "")
        .page(11, "One", "parent>Page:10 position=1")
        .page(12, "Old", "originalVersion>Page:11");
    let xml = export.xml();
    let database = storage::test_databases().remove(0);
    drop(database);
    on_each(|lab| {
        if lab.name != "sqlite" {
            return;
        }
        let mut seed: u64 = 42;
        for _ in 0..60 {
            let mut bytes = xml.clone().into_bytes();
            for _ in 0..4 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (seed >> 33) as usize % bytes.len();
                bytes[at] = (seed >> 25) as u8;
            }
            export.file("entities.xml", &bytes);
            let folder = export
                .path_with(&String::from_utf8_lossy(&bytes))
                .to_owned();
            let options = ImportOptions {
                dry_run: true,
                ..ImportOptions::default()
            };
            match lab.try_import(&folder, options) {
                Ok(_) | Err(Error::Invalid(_)) => {}
                Err(other) => panic!("{other}: {}", String::from_utf8_lossy(&bytes)),
            }
        }
    });
}
