use yrs::updates::encoder::Encode as _;
use yrs::{Text as _, Xml as _, XmlElementPrelim, XmlFragment as _, XmlTextPrelim};

use super::*;
use crate::StorageFormat;
use crate::build::*;
use crate::schema::{Kind, MarkKind};

fn parsed(source: &str) -> Document {
    StorageFormat::parse(source).unwrap().0
}

fn read(updates: &[Vec<u8>]) -> (Document, String) {
    let (document, title, _) = Live::read(updates).unwrap();
    (document, title)
}

/// Seeds one tree, rewrites it to another, and gives the size of the update.
fn check_rewrite(from: &Document, to: &Document) -> usize {
    let seed = Live::seed(from, "old", 1);
    let update = Live::rewrite(&seed, to, "new", 2).unwrap();
    let size = update.len();
    assert_eq!(read(&[seed, update]), (to.clone(), "new".to_owned()));
    size
}

/// A live document made by hand.
fn live(make: impl FnOnce(&Doc)) -> Vec<u8> {
    let doc = Doc::with_options(Options {
        client_id: ClientID::new(9),
        offset_kind: OffsetKind::Utf16,
        ..Options::default()
    });
    make(&doc);
    doc.transact()
        .encode_state_as_update_v1(&yrs::StateVector::default())
}

#[test]
fn a_seed_reads_as_what_it_was_made_of() {
    let document =
        parsed("<h1>a😀<strong>b</strong></h1><p>c<br/><a href='x'>d</a></p><ul><li/></ul>");
    let seed = Live::seed(&document, "Tïtle", 77);
    assert_eq!(read(&[seed]), (document, "Tïtle".to_owned()));
    assert_eq!(Live::seed(&Document::default(), "", 1), [0, 0]);
    assert_eq!(read(&[vec![0, 0]]), (Document::default(), String::new()));
}

#[test]
fn a_rewrite_reads_as_its_target() {
    let a = parsed("<p>one</p><p>two <em>three</em></p><ul><li>x</li><li>y</li></ul><p>end</p>");
    let b = parsed(
        "<h2>new</h2><p>one</p><p>two <em>thr</em>ee 😀</p><ul><li>x</li><li>z</li><li>y</li></ul>",
    );
    check_rewrite(&a, &b);
    check_rewrite(&b, &a);
    check_rewrite(&a, &Document::default());
    check_rewrite(&Document::default(), &b);
    let marked =
        parsed("<p><span><span class='q'>a</span></span><strong>b</strong><strong>c</strong></p>");
    check_rewrite(&parsed("<p>abc</p>"), &marked);
    check_rewrite(&marked, &parsed("<p>a<u>bc</u></p>"));
}

#[test]
fn a_rewrite_to_the_same_tree_is_empty() {
    let document =
        parsed("<p>one <span>two</span></p><table><tbody><tr><td/></tr></tbody></table>");
    let seed = Live::seed(&document, "t", 1);
    assert_eq!(Live::rewrite(&seed, &document, "t", 2).unwrap(), [0, 0]);
}

#[test]
fn a_block_put_in_at_the_top_does_not_rewrite_the_blocks_below() {
    let below = "<p>a paragraph with some words</p><h1>a heading</h1>".repeat(50);
    let (from, to) = (parsed(&below), parsed(&format!("<p>new</p>{below}")));
    assert!(check_rewrite(&from, &to) < 100);
    let changed = parsed(&format!(
        "<hr/>{}<p>last</p>",
        below.replacen("words", "letters", 1)
    ));
    assert!(check_rewrite(&from, &changed) < 200);
}

#[test]
fn an_edit_made_meanwhile_survives_a_rewrite() {
    let seed = Live::seed(&parsed("<p>one</p><p>two</p>"), "t", 1);
    let ours = Live::rewrite(
        &seed,
        &parsed("<h1>x</h1><p>one</p><p>two and more</p>"),
        "t",
        2,
    )
    .unwrap();
    let theirs = Live::rewrite(&seed, &parsed("<p>one!</p><p>two</p>"), "t", 3).unwrap();
    let (document, _) = read(&[seed, ours, theirs]);
    assert_eq!(document, parsed("<h1>x</h1><p>one!</p><p>two and more</p>"));
}

#[test]
fn foreign_elements_stay_in_the_live_document() {
    let state = live(|doc| {
        let body = doc.get_or_insert_xml_fragment(BODY);
        let mut txn = doc.transact_mut();
        for text in ["one", "two"] {
            let p = body.push_back(&mut txn, XmlElementPrelim::empty("paragraph"));
            p.push_back(&mut txn, XmlTextPrelim::new(text));
        }
        let poll = body.insert(&mut txn, 1, XmlElementPrelim::empty("poll"));
        poll.insert_attribute(&mut txn, "question", "why ]]> not");
        poll.push_back(&mut txn, XmlTextPrelim::new("because"));
    });
    let (document, _, notes) = Live::read(&[&state]).unwrap();
    let kept = document.content[1].as_element().unwrap();
    assert_eq!(
        (kept.kind, kept.text("label")),
        (Kind::PreservedBlock, Some("live-poll"))
    );
    assert_eq!(notes.len(), 1);

    let mut target = parsed(&StorageFormat::write(&document));
    target.content[0] = h(2, [t("changed")]);
    target.content[2] = el(Kind::HorizontalRule, []);
    target.content.insert(0, p([t("before")]));
    let update = Live::rewrite(&state, &target, "", 5).unwrap();
    let decoded = Update::decode_v1(&update).unwrap();
    assert!(!decoded.encode_v1().is_empty());
    let (after, _, _) = Live::read(&[&state, &update]).unwrap();
    assert_eq!(after, target);
    let doc = hydrate(&[&state, &update], 0).unwrap();
    let body = doc.get_or_insert_xml_fragment(BODY);
    let names: Vec<_> = body
        .children(&doc.transact())
        .map(|child| child.into_xml_element().unwrap().tag().to_string())
        .collect();
    assert_eq!(names, ["paragraph", "heading", "poll", "horizontal_rule"]);
}

#[test]
fn what_the_schema_does_not_allow_is_read_as_a_placeholder() {
    let state = live(|doc| {
        let body = doc.get_or_insert_xml_fragment(BODY);
        let mut txn = doc.transact_mut();
        body.push_back(&mut txn, XmlTextPrelim::new("loose"));
        body.push_back(&mut txn, XmlTextPrelim::new(""));
        let list = body.push_back(&mut txn, XmlElementPrelim::empty("bullet_list"));
        list.push_back(&mut txn, XmlElementPrelim::empty("paragraph"));
        let p = body.push_back(&mut txn, XmlElementPrelim::empty("paragraph"));
        let text = p.push_back(&mut txn, XmlTextPrelim::new("ab"));
        let unknown = [
            ("blink".into(), true.into()),
            ("strong".into(), true.into()),
        ];
        text.format(&mut txn, 0, 1, unknown.into());
    });
    let (document, _, notes) = Live::read(&[&state]).unwrap();
    let labels: Vec<_> = document.content[..2]
        .iter()
        .map(|node| node.as_element().unwrap().text("label").unwrap())
        .collect();
    assert_eq!(labels, ["live-text", "live-bullet_list"]);
    assert_eq!(document.content[2], p([strong("a"), t("b")]));
    assert_eq!(notes.len(), 3);
}

#[test]
fn hostile_bytes_are_refused_and_nothing_worse() {
    let mut nested = vec![1, 1, 9, 0, 8, 1, 1, b'x', 1];
    nested.extend([117, 1].repeat(200_000));
    nested.extend([126, 0]);
    let deep = Live::read(&[&nested]).unwrap_err();
    assert!(deep.reason.contains("nested too deeply"), "{deep}");
    for cut in [
        &[1][..],
        &[1, 255, 255, 255, 255, 15, 1, 0],
        &[0xff; 12],
        &[],
    ] {
        assert!(Live::read(&[cut]).is_err(), "{cut:?}");
    }
    let seed = Live::seed(&parsed("<p>one</p><p>two</p>"), "t", 1);
    for at in 0..seed.len() {
        for byte in [0, 1, 0x7f, 0x80, 0xff] {
            let mut broken = seed.clone();
            broken[at] = byte;
            let _ = Live::read(&[broken]);
        }
    }
}

#[test]
fn a_log_with_a_hole_is_an_error_and_not_an_empty_page() {
    let seed = Live::seed(&parsed("<p>one</p>"), "t", 1);
    let update = Live::rewrite(&seed, &parsed("<p>one two</p>"), "t", 2).unwrap();
    assert!(
        Live::read(&[update])
            .unwrap_err()
            .reason
            .contains("missing")
    );
}

#[test]
fn a_deep_live_document_is_read_as_far_as_it_may_be() {
    let state = live(|doc| {
        let body = doc.get_or_insert_xml_fragment(BODY);
        let mut txn = doc.transact_mut();
        let mut inner = body.push_back(&mut txn, XmlElementPrelim::empty("division"));
        for _ in 0..2_000 {
            inner = inner.push_back(&mut txn, XmlElementPrelim::empty("division"));
        }
    });
    let (document, _, notes) = Live::read(&[&state]).unwrap();
    assert_eq!(notes.len(), 1);
    assert!(StorageFormat::write(&document).len() > 1_000);
}

#[test]
fn overlapping_marks_have_the_keys_that_y_prosemirror_gives_them() {
    let mark = mark(MarkKind::CommentMarker).with("ref", "r1");
    assert_eq!(marks::json_text(&mark), r#"{"ref":"r1","xml":null}"#);
    assert!(marks::key(&mark).starts_with("comment_marker--"));
    assert_eq!(marks::key(&mark).len(), "comment_marker--".len() + 8);
}

#[test]
fn every_run_of_text_names_who_wrote_it() {
    let seed = Live::seed(&parsed("<p>one two 🙂</p><p/><p>rest</p>"), "t", 1);
    let update = Live::rewrite(
        &seed,
        &parsed("<p>one, well, two 🙂</p><p/><p>rest</p>"),
        "t",
        2,
    )
    .unwrap();
    let written = Live::authorship(&[seed, update]).unwrap();
    let seen: Vec<Vec<_>> = written
        .iter()
        .map(|text| {
            text.iter()
                .map(|run| (run.client_id, run.units, run.text.as_str()))
                .collect()
        })
        .collect();
    assert_eq!(
        seen,
        [
            vec![(1, 3, "one"), (2, 7, ", well,"), (1, 7, " two 🙂")],
            vec![(1, 4, "rest")]
        ]
    );
    let (first, last) = (&written[0][0], &written[0][2]);
    assert_eq!(
        first.clock + first.units,
        last.clock,
        "the clocks count on over what came between"
    );
}

/// [WRITE-6] The update at fault is found, be it noise, behind a hole, or one that the library chokes on.
#[test]
fn the_update_at_fault() {
    let one = StorageFormat::parse("<p>one</p>").unwrap().0;
    let two = StorageFormat::parse("<p>one and two</p>").unwrap().0;
    let three = StorageFormat::parse("<p>one and two and three</p>")
        .unwrap()
        .0;
    let seed = Live::seed(&one, "t", 3);
    let second = Live::rewrite(&seed, &two, "t", 4).unwrap();
    let third = {
        let doc = hydrate(&[&seed, &second], 0).unwrap();
        let state = doc
            .transact()
            .encode_state_as_update_v1(&yrs::StateVector::default());
        Live::rewrite(&state, &three, "t", 4).unwrap()
    };
    assert_eq!(Live::fault(&[&seed, &second, &third]), None);
    let at = |updates: &[&Vec<u8>]| Live::fault(updates).map(|(at, _)| at);
    assert_eq!(at(&[&seed, &third, &second]), Some(1));
    assert_eq!(at(&[&seed, &second, &vec![1, 1, 1], &third]), Some(2));
}
