//! Markdown both ways.

use proptest::prelude::*;

use crate::build::{attr, bare, doc, el, h, mark, marked, p, t};
use crate::markdown::Markdown;
use crate::schema::{Kind, MarkKind};
use crate::storage_format::StorageFormat;
use crate::tree::{Document, Element, Node};

/// The storage format on the left is this Markdown, and comes back from it.
fn check(storage: &str, markdown: &str) {
    let (document, _) = StorageFormat::parse(storage).expect("well-formed");
    assert_eq!(Markdown::write(&document), markdown, "{storage}");
    let (back, _) = Markdown::parse(markdown);
    assert_eq!(StorageFormat::write(&back), storage, "{markdown}");
}

fn macro_with(name: &str, parameters: &str, body: &str) -> String {
    format!(
        "<ac:structured-macro ac:name=\"{name}\">{parameters}<ac:rich-text-body>{body}</ac:rich-text-body></ac:structured-macro>"
    )
}

#[test]
fn plain_things() {
    check(
        "<h2>A</h2><p>b <strong>c</strong> <em>d</em> <s>e</s> <code>f`g</code></p>",
        "## A\n\nb **c** _d_ ~~e~~ ``f`g``\n",
    );
    check("<p>a<br />b</p><hr />", "a\\\nb\n\n---\n");
    check(
        "<p><a href=\"https://x.org/a_b\">l</a></p>",
        "[l](https://x.org/a_b)\n",
    );
    check(
        "<p>1. x * y &lt;b&gt; [z] # | _ &amp;amp;</p>",
        "1\\. x \\* y \\<b\\> \\[z\\] # \\| \\_ \\&amp;\n",
    );
    check("<p>- a</p><p># b</p>", "\\- a\n\n\\# b\n");
}

#[test]
fn lists_and_quotes() {
    check(
        "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>",
        "- a\n  - b\n- c\n",
    );
    check("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b\n");
    check("<ul><li><p>a</p><p>b</p></li></ul>", "- a\n\n  b\n");
    check(
        "<ul><li>a</li></ul><ul><li>b</li></ul>",
        "- a\n\n<!-- -->\n\n- b\n",
    );
    check("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b\n");
    let (tasks, _) = Markdown::parse("- [x] a\n- [ ] b\n");
    assert_eq!(Markdown::write(&tasks), "- [x] a\n- [ ] b\n");
}

#[test]
fn panels_are_alerts() {
    check(&macro_with("info", "", "<p>a</p>"), "> [!NOTE]\n> a\n");
    check(
        &macro_with("warning", "", "<p>a</p><p>b</p>"),
        "> [!CAUTION]\n> a\n>\n> b\n",
    );
    let title = "<ac:parameter ac:name=\"title\">T &lt;</ac:parameter>";
    check(
        &macro_with("expand", title, "<p>a</p>"),
        "<details><summary>T &lt;</summary>\n\na\n\n</details>\n",
    );
}

#[test]
fn code_keeps_its_parameters() {
    let source = "<ac:structured-macro ac:name=\"code\"><ac:parameter ac:name=\"language\">rust</ac:parameter><ac:parameter ac:name=\"title\">a b</ac:parameter><ac:plain-text-body><![CDATA[```\nx]]></ac:plain-text-body></ac:structured-macro>";
    check(source, "````rust title=\"a b\"\n```\nx\n````\n");
}

#[test]
fn tables() {
    check(
        "<table><tbody><tr><th>a</th><th>b</th></tr><tr><td>c|d</td><td><code>e|f</code></td></tr></tbody></table>",
        "| a | b |\n| --- | --- |\n| c\\|d | `e\\|f` |\n",
    );
    let (wide, _) = StorageFormat::parse(
        "<table><tbody><tr><td colspan=\"2\"><p>a</p><p>b</p></td></tr></tbody></table>",
    )
    .expect("well-formed");
    let written = Markdown::write(&wide);
    assert!(
        written.starts_with("<div") && written.lines().count() == 1,
        "{written}"
    );
    assert_eq!(
        StorageFormat::write(&Markdown::parse(&written).0),
        StorageFormat::write(&wide)
    );
}

#[test]
fn what_markdown_cannot_say_comes_back() {
    check(
        "<p>x<sup>2</sup><u>u</u> a<strong>: b</strong>c</p>",
        "x<sup>2</sup><u>u</u> a<strong>: b</strong>c\n",
    );
    check(
        "<p><ac:link><ri:page ri:space-key=\"K\" ri:content-title=\"A b\" /></ac:link></p>",
        "[A b](wiki:page?space-key=K&content-title=A%20b)\n",
    );
    check(
        "<p><ac:image ac:alt=\"x\"><ri:attachment ri:filename=\"a b.png\" /></ac:image></p>",
        "![x](a%20b.png)\n",
    );
    check(
        "<p>on <time datetime=\"2024-02-29\" /></p>",
        "on <time datetime=\"2024-02-29\">29 Feb 2024</time>\n",
    );
    let unknown = macro_with("zz", "", "<p>a</p>");
    check(&unknown, &format!("```storage\n{unknown}\n```\n"));
    let inline = "<p>a <ac:structured-macro ac:name=\"jira\"><ac:parameter ac:name=\"key\">K-1</ac:parameter></ac:structured-macro> b</p>";
    let (document, _) = StorageFormat::parse(inline).expect("well-formed");
    assert_eq!(
        StorageFormat::write(&Markdown::parse(&Markdown::write(&document)).0),
        inline
    );
}

#[test]
fn foreign_markdown_is_stable() {
    let source = "Title\n=====\n\n* a\n* b\n\n    code\n\n[toc]: /x\n\n[TOC]\n\n![i](http://x/i.png \"t\") <b>bold</b>\n\n> [!IMPORTANT]\n> n\n\n3. c\n4. d\n";
    let (first, _) = Markdown::parse(source);
    let (second, _) = Markdown::parse(&Markdown::write(&first));
    assert_eq!(first, second);
    assert_eq!(Markdown::write(&first), Markdown::write(&second));
}

/// Text with everything in it that Markdown might take for markup.
fn words() -> impl Strategy<Value = String> {
    let bits = [
        "a",
        "b",
        "word",
        " ",
        "*",
        "_",
        "`",
        "[",
        "]",
        "(",
        ")",
        "<",
        ">",
        "&",
        "&amp;",
        "#",
        "-",
        "+",
        "1.",
        "!",
        "|",
        "~",
        "\\",
        ":",
        "=",
        "ä",
        "漢",
        "“",
        "\u{301}",
        "\u{a0}",
        "http://x.y",
        "<b>",
    ];
    prop::collection::vec(prop::sample::select(bits.to_vec()), 1..8).prop_map(|bits| {
        let text = bits.concat();
        text.split(' ')
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    })
}

/// A line of runs whose neighbours differ in their marks.
fn line() -> impl Strategy<Value = Vec<Node>> {
    let kinds = [
        None,
        Some(MarkKind::Strong),
        Some(MarkKind::Em),
        Some(MarkKind::Strike),
        Some(MarkKind::Underline),
        Some(MarkKind::Superscript),
        Some(MarkKind::Code),
        Some(MarkKind::Link),
    ];
    let run = (
        words(),
        prop::collection::vec(prop::sample::select(kinds.to_vec()), 0..3),
    );
    prop::collection::vec(run, 1..5).prop_map(|runs| {
        let mut line = Vec::new();
        for (text, kinds) in runs {
            let text = if text.is_empty() {
                "x".to_owned()
            } else {
                text
            };
            let marks = kinds.into_iter().flatten().map(|kind| match kind {
                MarkKind::Link => mark(kind).with("href", "https://example.org/a(b)_c?d=e&f"),
                _ => mark(kind),
            });
            crate::line::push_text(&mut line, &text, &marks.collect::<Vec<_>>());
        }
        line
    })
}

fn paragraph() -> impl Strategy<Value = Node> {
    line().prop_map(|line| Element::new(Kind::Paragraph).with_content(line).into())
}

fn block() -> impl Strategy<Value = Node> {
    let code = "[a`~\n ]{0,12}".prop_map(|text| {
        let content = if text.is_empty() {
            Vec::new()
        } else {
            vec![Node::plain(text)]
        };
        Node::from(Element::new(Kind::CodeBlock).with_content(content))
    });
    let heading = (1..7_i64, line()).prop_map(|(level, line)| {
        Element::new(Kind::Heading)
            .with("level", level)
            .with_content(line)
            .into()
    });
    let item = line().prop_map(|line| {
        let paragraph = Element::new(Kind::Paragraph)
            .with("bare", 1)
            .with_content(line);
        Node::from(Element::new(Kind::ListItem).with_content(vec![paragraph.into()]))
    });
    let list = (any::<bool>(), prop::collection::vec(item, 1..4)).prop_map(|(ordered, items)| {
        let kind = if ordered {
            Kind::OrderedList
        } else {
            Kind::BulletList
        };
        Node::from(Element::new(kind).with_content(items))
    });
    let quote = prop::collection::vec(paragraph(), 1..3)
        .prop_map(|content| Node::from(Element::new(Kind::Blockquote).with_content(content)));
    prop_oneof![4 => paragraph(), 1 => code, 1 => heading, 1 => list, 1 => quote]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_both_can_say_survives(content in prop::collection::vec(block(), 0..5)) {
        let document = Document::new(content);
        let written = Markdown::write(&document);
        let (back, _) = Markdown::parse(&written);
        prop_assert_eq!(back, document, "{}", written);
    }

    #[test]
    fn any_text_is_stable_after_one_round(source in "[a-c *_`\\[\\]()<>#!|~&;:\n>-]{0,60}") {
        let (first, _) = Markdown::parse(&source);
        let written = Markdown::write(&first);
        let (second, _) = Markdown::parse(&written);
        prop_assert_eq!(Markdown::write(&second), written);
    }
}

#[test]
fn the_picture_of_a_document() {
    let document = doc([
        h(1, [t("A")]),
        p([t("b "), marked("c", [mark(MarkKind::Strong)])]),
        el(Kind::BulletList, [el(Kind::ListItem, [bare([t("d")])])]),
    ]);
    assert_eq!(Markdown::write(&document), "# A\n\nb **c**\n\n- d\n");
    let titled = attr(
        el(Kind::Panel, [p([t("x")])]),
        "params",
        "[[\"title\",\"T\"]]",
    );
    assert_eq!(
        Markdown::write(&doc([titled])),
        "> [!NOTE]\n> **T**\n>\n> x\n"
    );
}
