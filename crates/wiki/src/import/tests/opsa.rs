use std::io::Read;

use super::support::{Lab, NOW_MS, corpus, on_each};
use crate::{Actor, Address, Destination};

const HOME: i64 = 1_310_727;
const RUNBOOK: i64 = 1_310_779;
const PAY: i64 = 1_310_788;
const BLOG: i64 = 1_310_915;

#[track_caller]
fn check(lab: &Lab, sql: &str, expect: &[&str]) {
    assert_eq!(lab.lines(sql), expect, "{}: {sql}", lab.name);
}

fn with_opsa(test: impl Fn(&Lab)) {
    let Some(folder) = corpus() else {
        return;
    };
    on_each(|lab| {
        lab.import(&folder.join("synthetic-OPSA-dc-8.5.xml.zip"));
        test(lab);
    });
}

#[test]
fn pages_have_their_place_author_and_time() {
    with_opsa(|lab| {
        check(
            lab,
            "SELECT c.id, c.parent_id, c.position, c.status, c.version, c.title, a.name, b.name, c.created_at_ms, c.updated_at_ms
                FROM content c JOIN user_account a ON a.id = c.created_by JOIN user_account b ON b.id = c.updated_by
                WHERE c.kind = 'page' ORDER BY c.id",
            &[
                "1310727 | - | 0 | current | 2 | Operations Home | maria | jon.doe | 1699699868068 | 1699731548363",
                "1310778 | 1310727 | 1 | current | 1 | Runbooks | maria | maria | 1699875432969 | 1699875432969",
                "1310779 | 1310778 | 3 | current | 3 | Runbook: restart \"edge\" (prod) | jon.doe | Zoë | 1699892173313 | 1699939995244",
                "1310781 | 1310727 | 2 | current | 1 | Weekly tasks | maria | maria | 1700288901580 | 1700288901580",
                "1310788 | 1310727 | - | current | 1 | On-call pay 100% / C++ & Ärger? | maria | maria | 1700327302044 | 1700327302044",
                "1310789 | 1310779 | - | current | 1 | deep | maria | maria | 1700387844468 | 1700387844468",
                "1310794 | 1310727 | - | trashed | 1 | Old wiki rules | maria | maria | 1700482945287 | 1700482945287",
                "1310795 | - | - | current | 1 | Orphan of a purged parent | maria | maria | 1700528545931 | 1700528545931",
            ],
        );
        check(
            lab,
            "SELECT key, name, kind, status, home_id, description FROM space",
            &[
                "OPSA | Operations & \"Platform\" Ä | global | current | 1310727 | Runbooks and decisions of the platform group.",
            ],
        );
    });
}

#[test]
fn versions_have_number_title_author_message_and_body() {
    with_opsa(|lab| {
        check(
            lab,
            "SELECT v.content_id, v.number, v.historical_id, v.title, a.name, v.created_at_ms, v.message
                FROM content_version v JOIN content c ON c.id = v.content_id LEFT JOIN user_account a ON a.id = v.author
                WHERE c.id IN (1310727, 1310779) ORDER BY v.content_id, v.number",
            &[
                "1310727 | 1 | 1310796 | Operations Home | maria | 1699699868068 | ",
                "1310727 | 2 | - | Operations Home | jon.doe | 1699731548363 | new layout",
                "1310779 | 1 | 1310828 | Runbook restart edge | jon.doe | 1699892173313 | ",
                "1310779 | 2 | 1310830 | Runbook restart edge | jon.doe | 1699893254300 | typo",
                "1310779 | 3 | - | Runbook: restart \"edge\" (prod) | Zoë | 1699939995244 | code block",
            ],
        );
        assert_eq!(lab.body(HOME, 1), "<p>Old start page</p>");
        assert_eq!(lab.body(RUNBOOK, 2), "<p>second</p>");
        assert!(
            lab.body(RUNBOOK, 3).contains("]]></ac:plain-text-body>"),
            "guards of quotations are undone"
        );
        assert!(
            lab.body(1_310_789, 1)
                .contains("<![CDATA[to the steps]]></ac:plain-text-link-body>")
        );
    });
}

#[test]
fn comments_keep_their_threads_and_inline_ones_their_place() {
    with_opsa(|lab| {
        check(
            lab,
            "SELECT c.id, c.page_id, c.parent_id, a.name, c.created_at_ms FROM content c JOIN user_account a ON a.id = c.created_by
                WHERE c.kind = 'comment' ORDER BY c.id",
            &[
                "1310873 | 1310779 | - | maria | 1700189060414",
                "1310875 | 1310779 | 1310873 | jon.doe | 1700202320866",
                "1310877 | 1310779 | 1310875 | maria | 1700249961490",
                "1310879 | 1310779 | - | Zoë | 1700273841565",
                "1310933 | 1310915 | - | jon.doe | 1700673268051",
            ],
        );
        assert_eq!(lab.body(1_310_877, 1), "<p>:)</p>");
        check(
            lab,
            "SELECT content_id, name, value FROM content_property ORDER BY content_id, name",
            &[
                "1310844 | MINOR_EDIT | 0",
                "1310862 | MINOR_EDIT | 0",
                "1310879 | inline-comment | true",
                "1310879 | inline-marker-ref | 0d3f2d9e-1111-4a4a-9b9b-aaaaaaaaaaa1",
                "1310879 | inline-original-selection | Drain first",
                "1310879 | status | open",
                "1310921 | MINOR_EDIT | 0",
            ],
        );
    });
}

#[test]
fn labels_restrictions_and_permissions_are_kept() {
    with_opsa(|lab| {
        check(
            lab,
            "SELECT c.content_id, l.name, a.name, c.created_at_ms FROM content_label c JOIN label l ON l.id = c.label_id
                JOIN user_account a ON a.id = c.created_by ORDER BY c.content_id, l.name",
            &[
                "1310727 | ops | maria | 1699798150492",
                "1310727 | start | maria | 1699773069557",
                "1310779 | ops | jon.doe | 1699990396794",
                "1310779 | runbook | jon.doe | 1699961655978",
                "1310915 | news | maria | 1700634207031",
            ],
        );
        check(
            lab,
            "SELECT r.content_id, r.operation, r.subject_kind, COALESCE(g.name, u.name) FROM content_restriction r
                LEFT JOIN user_group g ON r.subject_kind = 'group' AND g.id = r.subject_id
                LEFT JOIN user_account u ON r.subject_kind = 'user' AND u.id = r.subject_id ORDER BY 1, 2, 3",
            &["1310788 | edit | user | maria", "1310788 | view | group | site-editors", "1310788 | view | user | maria"],
        );
        check(
            lab,
            "SELECT p.subject_kind, u.name, p.level FROM space_permission p
                LEFT JOIN user_account u ON p.subject_kind = 'user' AND u.id = p.subject_id ORDER BY 1",
            &["anonymous | - | 1", "user | maria | 4", "users | - | 3"],
        );
        check(
            lab,
            "SELECT name, email, password_hash, disabled, admin, user_key FROM user_account ORDER BY user_key",
            &[
                "maria | maria@ops.example | - | 0 | 0 | 2c9d8f2e8b1a0c01018b1a0f00010000",
                "jon.doe | jon@ops.example | - | 0 | 0 | 2c9d8f2e8b1a0c01018b1a0f00020001",
                "Zoë | zoe@ops.example | - | 0 | 0 | 2c9d8f2e8b1a0c01018b1a0f00030002",
                "left-the-company | - | - | 0 | 0 | 2c9d8f2e8b1a0c01018b1a0f00040003",
            ],
        );
    });
}

#[test]
fn attachments_have_all_versions_byte_for_byte() {
    let Some(folder) = corpus() else {
        return;
    };
    let mut archive = zip::ZipArchive::new(
        std::fs::File::open(folder.join("synthetic-OPSA-dc-8.5.xml.zip")).unwrap(),
    )
    .unwrap();
    with_opsa_attachments(&mut archive);
}

fn with_opsa_attachments(archive: &mut zip::ZipArchive<std::fs::File>) {
    let mut files: Vec<Vec<u8>> = Vec::new();
    for name in [
        "1310779/1310844/1",
        "1310779/1310844/2",
        "1310779/1310862/1",
        "1310915/1310921/1",
    ] {
        let mut bytes = Vec::new();
        archive
            .by_name(&format!("attachments/{name}"))
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        files.push(bytes);
    }
    with_opsa(|lab| {
        check(
            lab,
            "SELECT v.attachment_id, v.number, v.historical_id, c.title, c.page_id, c.version, v.size, v.media_type, a.name, v.message
                FROM attachment_version v JOIN content c ON c.id = v.attachment_id JOIN user_account a ON a.id = v.author
                ORDER BY v.attachment_id, v.number",
            &[
                "1310844 | 1 | 1310851 | edge diagram.png | 1310779 | 2 | 70 | image/png | maria | v1",
                "1310844 | 2 | - | edge diagram.png | 1310779 | 2 | 71 | image/png | Zoë | v2",
                "1310862 | 1 | - | topology.svg | 1310779 | 1 | 114 | image/svg+xml | maria | ",
                "1310921 | 1 | - | notes.txt | 1310915 | 1 | 14 | text/plain | maria | ",
            ],
        );
        let blobs = lab.lines("SELECT blob FROM attachment_version ORDER BY attachment_id, number");
        for (blob, bytes) in blobs.iter().zip(&files) {
            let mut stored = Vec::new();
            lab.wiki
                .blobs()
                .open(blob)
                .unwrap()
                .read_to_end(&mut stored)
                .unwrap();
            assert_eq!(&stored, bytes);
        }
    });
}

#[test]
fn the_report_names_every_macro_and_what_was_left_out() {
    let Some(folder) = corpus() else {
        return;
    };
    on_each(|lab| {
        let report = lab.import(&folder.join("synthetic-OPSA-dc-8.5.xml.zip"));
        let macros: Vec<String> = report
            .macros
            .iter()
            .map(|(name, m)| format!("{name} {} {}", m.count, m.typed))
            .collect();
        assert!(macros.contains(&"code 1 true".to_owned()), "{macros:?}");
        assert!(
            macros.contains(&"children 1 false".to_owned()),
            "{macros:?}"
        );
        let count = |class: &str| (report.objects[class].found, report.objects[class].imported);
        assert_eq!(count("Page"), (12, 11), "the draft is left out");
        assert_eq!(count("BlogPost"), (1, 1));
        assert_eq!(count("Comment"), (5, 5));
        assert_eq!(count("Attachment"), (4, 4));
        assert_eq!(count("BodyContent"), (19, 18));
        assert_eq!(
            count("Labelling"),
            (7, 5),
            "one is of the space, one personal"
        );
        assert_eq!(count("Label"), (6, 4));
        assert_eq!(count("ConfluenceUserImpl"), (4, 4));
        assert_eq!(count("ContentPermission"), (3, 3));
        assert_eq!(count("LikeEntity"), (1, 0));
        assert_eq!(report.spaces[0].pages, 7);
        assert_eq!(report.export.time_zone, "Europe/Madrid");
        let lines: Vec<_> = report
            .problems
            .iter()
            .map(|problem| (problem.object.as_str(), problem.id.as_deref()))
            .collect();
        assert!(
            lines.contains(&("Page", Some("1310791"))),
            "the draft: {lines:?}"
        );
        assert!(
            lines.contains(&("Page", Some("1310795"))),
            "the orphan: {lines:?}"
        );
        assert_eq!(
            lab.number("SELECT MAX(imported_at_ms) FROM import_record"),
            NOW_MS
        );
    });
}

#[test]
fn old_addresses_lead_to_the_imported_content() {
    with_opsa(|lab| {
        let to = |address: Address| {
            lab.wait(lab.wiki.resolve(&Actor::System, &address))
                .unwrap()
        };
        let page = |address: Address| match to(address) {
            Destination::Page {
                id,
                version,
                comment,
                ..
            } => (id.get(), version, comment.map(crate::ContentId::get)),
            other => panic!("{other:?}"),
        };
        for id in [
            HOME, 1_310_778, RUNBOOK, 1_310_781, PAY, 1_310_789, 1_310_795, BLOG,
        ] {
            assert_eq!(page(Address::Id(id)), (id, None, None));
        }
        assert_eq!(
            page(Address::Id(1_310_828)),
            (RUNBOOK, Some(1), None),
            "a former version"
        );
        assert_eq!(
            page(Address::Id(1_310_875)),
            (RUNBOOK, None, Some(1_310_875)),
            "a comment"
        );
        let title = |title: &str| Address::Title {
            key: "opsa".to_owned(),
            title: title.to_owned(),
        };
        assert_eq!(page(title("Runbook: restart \"edge\" (prod)")).0, RUNBOOK);
        assert_eq!(
            page(title("runbook restart edge")).0,
            RUNBOOK,
            "a former title"
        );
        assert_eq!(page(title("On-call pay 100% / C++ & Ärger?")).0, PAY);
        let post = Address::BlogTitle {
            key: "OPSA".to_owned(),
            day: "2023-11-21".to_owned(),
            title: "Release 7 is out".to_owned(),
        };
        assert_eq!(page(post).0, BLOG);
        assert!(
            matches!(to(Address::Id(1_310_844)), Destination::Attachment { page, .. } if page.get() == RUNBOOK)
        );
        assert!(
            matches!(to(Address::Space { key: "opsa".to_owned() }), Destination::Space { home: Some(home), .. } if home.get() == HOME)
        );
    });
}
