use super::*;
use crate::build::*;
use crate::schema::MarkKind;
use crate::tree::{Mark, Node};

/// Parses, compares the tree with a picture, writes, and compares the infoset with the source.
fn check(source: &str, picture: &Document) {
    let (document, _) = StorageFormat::parse(source).unwrap();
    assert_eq!(&document, picture, "{source}");
    assert_same(source, &StorageFormat::write(&document));
}

fn assert_same(source: &str, written: &str) {
    let (a, b) = (
        Fragment::parse(source).unwrap(),
        Fragment::parse(written).unwrap(),
    );
    assert_eq!(first_difference(&a, &b), None, "\n{source}\n{written}");
}

fn xml(node: Node, spelling: &str) -> Node {
    attr(node, "xml", spelling)
}

fn spelled(kind: MarkKind, spelling: &str) -> Mark {
    mark(kind).with("xml", spelling)
}

#[test]
fn text_directly_in_a_container_is_a_bare_paragraph() {
    check("one", &doc([bare([t("one")])]));
    check("", &doc([bare([])]));
    check(
        "<td/>",
        &doc([attr(
            attr(el(Kind::PreservedBlock, []), "source", "<td/>"),
            "label",
            "td",
        )]),
    );
    let list = el(
        Kind::BulletList,
        [el(
            Kind::ListItem,
            [bare([t("x")]), el(Kind::OrderedList, [])],
        )],
    );
    check("<ul><li>x<ol/></li></ul>", &doc([list]));
}

#[test]
fn white_space_between_blocks_is_kept_beside_the_tree() {
    let source = "<p>a</p>\n<p>\n  b\n</p> \n";
    let second = xml(
        p([t("b")]),
        r#"{"pre":"\n","post":"\n","lead":"\n  ","after":" \n"}"#,
    );
    check(source, &doc([p([t("a")]), second]));
    check(" \n ", &doc([xml(bare([]), r#"{"pre":" \n "}"#)]));
}

#[test]
fn marks_remember_an_unusual_nesting_and_where_they_end() {
    let bold_in_em = [
        spelled(MarkKind::Strong, r#"{"depth":1}"#),
        mark(MarkKind::Em),
    ];
    let em = mark(MarkKind::Em);
    check(
        "<p><em>a<strong>b</strong></em></p>",
        &doc([p([marked("a", [em]), marked("b", bold_in_em)])]),
    );
    let again = spelled(MarkKind::Strong, r#"{"split":1}"#);
    check(
        "<p><strong>a</strong><strong>b</strong><strong>c</strong></p>",
        &doc([p([strong("a"), marked("b", [again]), strong("c")])]),
    );
    let inner = spelled(MarkKind::Styled, r#"{"tag":"strong"}"#);
    check(
        "<p><strong>a<strong>b</strong></strong></p>",
        &doc([p([
            strong("a"),
            marked("b", [mark(MarkKind::Strong), inner]),
        ])]),
    );
    check(
        "<p><b>a</b></p>",
        &doc([p([marked(
            "a",
            [spelled(MarkKind::Strong, r#"{"tag":"b"}"#)],
        )])]),
    );
}

#[test]
fn an_atom_keeps_the_marks_around_it() {
    let br = attr(el(Kind::HardBreak, []), "wrap", r#"[["strong",{}]]"#);
    check(
        "<p><strong>a<br/>b</strong></p>",
        &doc([p([strong("a"), br, strong("b")])]),
    );
}

#[test]
fn a_paragraph_with_blocks_in_it_becomes_a_division() {
    let code = attr(el(Kind::CodeBlock, [t("x")]), "macro", "code");
    let division = xml(el(Kind::Division, [bare([t("a")]), code]), r#"{"tag":"p"}"#);
    check(
        "<p>a<ac:structured-macro ac:name=\"code\"><ac:plain-text-body>x</ac:plain-text-body></ac:structured-macro></p>",
        &doc([division]),
    );
}

#[test]
fn what_is_unknown_is_kept_with_its_source_and_a_note() {
    let (document, notes) =
        StorageFormat::parse("<p>a</p>\n  <made-up x='1'>é<b/></made-up><p>b<!-- c --></p>")
            .unwrap();
    let kept = document.content[1].as_element().unwrap();
    assert_eq!(kept.kind, Kind::PreservedBlock);
    assert_eq!(kept.text("source"), Some("<made-up x='1'>é<b/></made-up>"));
    assert_eq!(kept.text("label"), Some("made-up"));
    let places: Vec<_> = notes.iter().map(|note| (note.line, note.column)).collect();
    assert_eq!(places, [(2, 3), (2, 37)]);
}

#[test]
fn tables_keep_their_sections_and_spans() {
    let cell = attr(el(Kind::TableCell, [bare([t("1")])]), "colspan", 2);
    let table = el(Kind::Table, [el(Kind::TableRow, [cell])]);
    check(
        "<table><tbody><tr><td colspan=\"2\">1</td></tr></tbody></table>",
        &doc([table]),
    );
    let (document, notes) = StorageFormat::parse(
        "<table>\n<colgroup><col/></colgroup>\n<thead> <tr><th colspan=\"1\"/></tr></thead><tr><td rowspan=\"x\"/></tr>\n</table>",
    )
    .unwrap();
    assert!(notes.is_empty());
    assert_eq!(document.content[0].as_element().unwrap().content.len(), 2);
}

#[test]
fn a_plain_link_becomes_rich_when_its_text_gets_marks() {
    let source = "<p><ac:link ac:anchor=\"x\"><ri:page ri:content-title=\"T\"/><ac:plain-text-link-body><![CDATA[go]]></ac:plain-text-link-body></ac:link></p>";
    let link = mark(MarkKind::ResourceLink)
        .with("anchor", "x")
        .with("resource", r#"{"type":"page","content-title":"T"}"#);
    check(source, &doc([p([marked("go", [link.clone()])])]));
    let both = doc([p([marked("go", [link, mark(MarkKind::Strong)])])]);
    assert_same(
        "<p><ac:link ac:anchor=\"x\"><ri:page ri:content-title=\"T\"/><ac:link-body><strong>go</strong></ac:link-body></ac:link></p>",
        &StorageFormat::write(&both),
    );
}

#[test]
fn bare_paragraphs_that_became_neighbours_get_their_tags() {
    let cell = el(Kind::Blockquote, [bare([t("a")]), bare([t("b")])]);
    assert_eq!(
        StorageFormat::write(&doc([cell])),
        "<blockquote><p>a</p><p>b</p></blockquote>"
    );
    let emptied = el(Kind::Blockquote, [bare([]), el(Kind::HorizontalRule, [])]);
    assert_eq!(
        StorageFormat::write(&doc([emptied])),
        "<blockquote><p /><hr /></blockquote>"
    );
}

#[test]
fn new_tasks_get_the_next_free_id() {
    let task = |id: &str| attr(el(Kind::TaskItem, [bare([t("x")])]), "id", id);
    let list = el(
        Kind::TaskList,
        [task("7"), el(Kind::TaskItem, [bare([t("y")])])],
    );
    assert!(StorageFormat::write(&doc([list])).contains("<ac:task-id>8</ac:task-id>"));
}

#[test]
fn hostile_attributes_cannot_break_out_of_the_markup() {
    let evil = "x onload=\"1\"><script>";
    let document = doc([
        xml(
            p([t("a\u{0}b")]),
            &format!(
                "{{\"pre\":{evil:?},\"attrs\":[[{evil:?},\"v\"],[\"a\",\"<\"],[\"a\",\"2\"]]}}"
            ),
        ),
        xml(el(Kind::Division, []), &format!("{{\"tag\":{evil:?}}}")),
        attr(el(Kind::PreservedBlock, []), "source", "</p><b>"),
        attr(
            el(Kind::Table, []),
            "sections",
            format!("{{\"head\":\"<a>\",\"parts\":[{{\"tag\":{evil:?}}}]}}"),
        ),
        p([attr(
            el(Kind::Image, []),
            "resource",
            r#"{"type":"page","a b":"1"}"#,
        )]),
    ]);
    let written = StorageFormat::write(&document);
    assert!(Fragment::parse(&written).is_ok(), "{written}");
    assert!(!written.contains("<script"), "{written}");
}

#[test]
fn a_deep_nest_is_kept_as_source_where_it_gets_too_deep() {
    for (open, close) in [
        ("<div>", "</div>"),
        ("<em>", "</em>"),
        ("<ul><li>", "</li></ul>"),
        ("<p>", "</p>"),
    ] {
        let source = format!("{}x{}", open.repeat(10_000), close.repeat(10_000));
        let run = move || {
            let (document, notes) = StorageFormat::parse(&source).unwrap();
            assert_eq!(notes.len(), 1);
            assert_same(&source, &StorageFormat::write(&document));
        };
        let thread = std::thread::Builder::new().stack_size(2 << 20);
        thread.spawn(run).unwrap().join().unwrap();
    }
}

/// Parses and writes in the time that a page of its size may take, on a thread with a small stack.
fn check_fast(source: String) {
    let run = move || {
        let start = std::time::Instant::now();
        let (document, _) = StorageFormat::parse(&source).unwrap();
        assert_same(&source, &StorageFormat::write(&document));
        println!(
            "{:?} for {} bytes: {:.40}",
            start.elapsed(),
            source.len(),
            source
        );
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(run).unwrap().join().unwrap();
}

#[test]
fn large_and_hostile_pages_take_linear_time_and_memory() {
    check_fast("<p>some <strong>bold</strong> text, a <a href=\"x\">link</a>.</p>\n".repeat(8_000));
    check_fast(format!("<p>{}</p>", "a<br/><x/>".repeat(40_000)));
    check_fast(format!(
        "<p><span class=\"{}\">{}</span></p>",
        "x".repeat(200_000),
        "a<br/>".repeat(40_000)
    ));
    check_fast(format!(
        "<p>{}</p>",
        "<i>".repeat(50_000) + &"</i>".repeat(50_000)
    ));
    check_fast(format!(
        "<p {}/>",
        (0..40_000)
            .map(|n| format!(" a{n}=\"\""))
            .collect::<String>()
    ));
    check_fast(
        "<table><thead/>".to_owned() + &"<tbody/><tfoot><tr/></tfoot>".repeat(15_000) + "</table>",
    );
    let params = "<ac:parameter ac:name=\"a\">b</ac:parameter>\n".repeat(10_000);
    check_fast(format!(
        "<ac:structured-macro ac:name=\"info\">{params}</ac:structured-macro>"
    ));
}
