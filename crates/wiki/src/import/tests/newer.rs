use super::super::ImportOptions;
use super::support::{Export, Lab, on_each};
use crate::Error;

/// A space of three pages, of which `One` has as many versions as are asked for.
fn export(versions: i64) -> Export {
    export_below(versions, 10)
}

/// The same with `Two` below another page.
fn export_below(versions: i64, above_two: i64) -> Export {
    let mut export = Export::new();
    export.page(10, "Home", "");
    let more = "space>Space:1 parent>Page:10 lastModificationDate=2020-02-01T00:00:00";
    export.object(
        "Page",
        11,
        &format!("title=One{versions} version={versions} {more}"),
    );
    export.body(11, "Page", &format!("<p>version {versions}</p>"));
    for number in 1..versions {
        export.object(
            "Page",
            100 + number,
            &format!("title=One{number} version={number} originalVersion>Page:11"),
        );
        export.body(100 + number, "Page", &format!("<p>version {number}</p>"));
    }
    export.page(12, "Two", &format!("parent>Page:{above_two}"));
    export
}

fn versions(lab: &Lab) -> Vec<String> {
    lab.lines("SELECT number, title, historical_id FROM content_version WHERE content_id = 11 ORDER BY number")
}

#[test]
fn a_newer_export_adds_versions_to_what_nobody_has_touched() {
    on_each(|lab| {
        lab.import(export(2).path());
        assert_eq!(versions(lab), ["1 | One1 | 101", "2 | One2 | -"]);
        let mut newer = export(4);
        newer.page(13, "Three", "parent>Page:11");
        let report = lab.import(newer.path());
        assert_eq!(
            (
                report.results["page"].created,
                report.results["page"].updated,
                report.results["page"].unchanged
            ),
            (1, 1, 2)
        );
        assert_eq!(
            versions(lab),
            [
                "1 | One1 | 101",
                "2 | One2 | -",
                "3 | One3 | 103",
                "4 | One4 | -"
            ]
        );
        assert_eq!(
            lab.lines("SELECT title, version FROM content WHERE id = 11"),
            ["One4 | 4"]
        );
        assert_eq!(lab.body(11, 4), "<p>version 4</p>");
        assert!(
            lab.lines("SELECT lower_title FROM title_history WHERE content_id = 11")
                .contains(&"one2".to_owned())
        );
        assert!(lab.import(newer.path()).changed_nothing());
        assert!(lab.import(newer.path()).problems.is_empty());
    });
}

#[test]
fn what_was_edited_here_is_left_and_reported() {
    on_each(|lab| {
        lab.import(export(2).path());
        lab.execute(
            "INSERT INTO content_version (content_id, number, title, body, created_at_ms)
                SELECT content_id, 3, 'Mine', body, created_at_ms FROM content_version WHERE content_id = 11 AND number = 2",
        );
        lab.execute(
            "UPDATE content SET version = 3, title = 'Mine', lower_title = 'mine' WHERE id = 11",
        );
        lab.execute("UPDATE content SET parent_id = 12 WHERE id = 11");
        let before = lab.lines("SELECT * FROM content ORDER BY id");
        let report = lab.import(export(4).path());
        assert_eq!(report.results["page"].updated, 0);
        let conflict = report
            .problems
            .iter()
            .find(|problem| problem.id.as_deref() == Some("11"))
            .unwrap();
        assert!(conflict.what.contains("2 newer versions"), "{conflict:?}");
        assert_eq!(lab.lines("SELECT * FROM content ORDER BY id"), before);
        assert_eq!(versions(lab).len(), 3);
    });
}

#[test]
fn what_was_deleted_here_stays_deleted_and_what_was_moved_stays_there() {
    on_each(|lab| {
        lab.import(export(2).path());
        lab.execute("UPDATE content SET status = 'trashed' WHERE id = 12");
        lab.execute("UPDATE content SET parent_id = NULL WHERE id = 11");
        lab.import(export(3).path());
        assert_eq!(lab.lines("SELECT id, parent_id, status, version FROM content WHERE id IN (11, 12) ORDER BY id"), [
            "11 | - | current | 3",
            "12 | 10 | trashed | 1"
        ]);
    });
}

#[test]
fn one_export_can_live_twice_under_two_keys_and_an_occupied_key_is_refused() {
    on_each(|lab| {
        lab.import(export(2).path());
        let options = ImportOptions {
            space_key: Some("COPY".to_owned()),
            ..ImportOptions::default()
        };
        let copy = lab.try_import(export(2).path(), options.clone()).unwrap();
        assert_eq!(copy.results["page"].created, 3);
        assert_eq!(
            lab.lines("SELECT key FROM space ORDER BY key"),
            ["COPY", "K"]
        );
        assert!(
            lab.try_import(export(2).path(), options)
                .unwrap()
                .changed_nothing()
        );
        let mut other = Export::empty();
        other
            .object("Space", 77, "key=K name=Other")
            .page(500, "Home", "");
        assert!(matches!(
            lab.try_import(other.path(), ImportOptions::default()),
            Err(Error::Conflict(_))
        ));
        let bad = ImportOptions {
            space_key: Some("no key!".to_owned()),
            ..ImportOptions::default()
        };
        assert!(matches!(
            lab.try_import(export(2).path(), bad),
            Err(Error::Invalid(_))
        ));
    });
}

#[test]
fn the_former_key_of_a_space_leads_to_it() {
    on_each(|lab| {
        let options = ImportOptions {
            space_key: Some("NEWKEY".to_owned()),
            ..ImportOptions::default()
        };
        lab.try_import(export(2).path(), options).unwrap();
        let title = crate::Address::Title {
            key: "k".to_owned(),
            title: "two".to_owned(),
        };
        let found = lab.wait(lab.wiki.resolve(&crate::Actor::System, &title));
        assert!(
            matches!(&found, Ok(crate::Destination::Page { id, .. }) if id.get() == 12),
            "{found:?}"
        );
    });
}

#[test]
fn moves_here_and_in_the_export_never_make_a_circle() {
    on_each(|lab| {
        lab.import(export(2).path());
        lab.execute("UPDATE content SET parent_id = 12 WHERE id = 11");
        let report = lab.import(export_below(2, 11).path());
        assert!(
            report
                .problems
                .iter()
                .any(|problem| problem.what.contains("moved"))
        );
        assert_eq!(
            lab.lines("SELECT id, parent_id FROM content WHERE id IN (11, 12) ORDER BY id"),
            ["11 | 12", "12 | 10"]
        );
    });
}

#[test]
fn an_import_that_was_cut_off_goes_on_where_it_ended() {
    on_each(|lab| {
        let mut export = Export::new();
        export.page(10, "Home", "");
        for id in 11..240 {
            export.page(id, &format!("Page_{id}"), "parent>Page:10");
        }
        for stop in [60, 120, 200] {
            let cut_off =
                lab.import_telling(export.path(), ImportOptions::default(), move |progress| {
                    assert!(
                        progress.phase != "pages" || progress.done < stop,
                        "the plug is pulled"
                    );
                });
            assert!(cut_off.is_err());
        }
        let there = lab.number("SELECT COUNT(*) FROM content");
        assert!((200..230).contains(&there), "{there}");
        let report = lab.import(export.path());
        assert_eq!(report.results["page"].unchanged as i64, there);
        assert_eq!(
            lab.number("SELECT COUNT(*) FROM content WHERE kind = 'page'"),
            230
        );
        assert_eq!(lab.number("SELECT COUNT(*) FROM content_version"), 230);
    });
}

#[test]
fn people_who_are_here_already_are_not_made_again() {
    on_each(|lab| {
        lab.execute(
            "INSERT INTO user_account (id, name, lower_name, full_name, email, password_hash, disabled, admin, created_at_ms)
                VALUES (900, 'Ann', 'ann', 'Ann Lee', NULL, 'hash', 0, 1, 0), (901, 'bob2', 'bob2', 'Bob', 'Bob@Example.org', NULL, 0, 0, 0)",
        );
        let mut export = Export::new();
        let user = |key: &str, fields: &str| {
            format!(
                "<object class=\"ConfluenceUserImpl\" package=\"p\"><id name=\"key\"><![CDATA[{key}]]></id>{fields}</object>\n"
            )
        };
        let name = |name: &str| format!("<property name=\"name\"><![CDATA[{name}]]></property>");
        export.raw(&user("k1", &name("ann")));
        export.raw(&user(
            "k2",
            &format!(
                "{}<property name=\"email\"><![CDATA[bob@example.org]]></property>",
                name("bob")
            ),
        ));
        export.raw(&user("k3", &name("unknown")));
        export
            .page(10, "Home", "creator>ConfluenceUserImpl:k1")
            .page(11, "B", "creator>ConfluenceUserImpl:k2");
        export
            .page(12, "C", "creator>ConfluenceUserImpl:k3")
            .page(13, "D", "creator>ConfluenceUserImpl:gone")
            .page(14, "E", "creatorName=ANN");
        lab.import(export.path());
        let authors = "SELECT c.id, u.id < 1000 AND u.id >= 900, u.name, u.disabled FROM content c JOIN user_account u ON u.id = c.created_by ORDER BY c.id";
        let authors: Vec<String> = lab.lines(&authors.replace(
            "u.id < 1000 AND u.id >= 900",
            "CASE WHEN u.id >= 900 THEN 1 ELSE 0 END",
        ));
        assert_eq!(
            authors,
            [
                "10 | 1 | Ann | 0",
                "11 | 1 | bob2 | 0",
                "12 | 0 | k3 | 1",
                "13 | 0 | gone | 1",
                "14 | 1 | Ann | 0"
            ]
        );
        assert_eq!(
            lab.lines("SELECT password_hash, user_key FROM user_account WHERE id = 900"),
            ["hash | k1"]
        );
    });
}
