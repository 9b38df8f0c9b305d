//! No input puts anything into a page that is not on the lists.

use proptest::prelude::*;

use super::browser::check;
use super::vectors::VECTORS;
use super::{Wiki, storage};
use crate::html::Html;
use crate::limits::DEPTH_MAX;
use crate::markdown::Markdown;
use crate::references::References;
use crate::schema::{Kind, MarkKind};
use crate::storage_format::StorageFormat;
use crate::text::PlainText;
use crate::tree::{Document, Element, Mark, Node, Text};

/// Renders with both kinds of answers about links, and checks the result as a browser reads it.
fn check_document(document: &Document) {
    for title in ["My Page", "ws-main", "\"><script>"] {
        check(&Html::render(document, title, &Wiki));
    }
    check(&Html::render(document, "", &()));
    PlainText::write(document);
    PlainText::excerpt(document, 100);
    References::of(document);
}

fn preserved(kind: Kind, source: &str) -> Node {
    Element::new(kind)
        .with("source", source)
        .with("label", source)
        .into()
}

#[test]
fn hostile_bodies_stay_inert_whichever_way_they_come() {
    assert!(VECTORS.len() >= 80);
    for vector in VECTORS {
        if let Ok((document, _)) = StorageFormat::parse(vector) {
            check_document(&document);
        }
        check_document(&Html::parse(vector).0);
        let (markdown, _) = Markdown::parse(vector);
        check_document(&markdown);
        check_document(&Markdown::parse(&Markdown::write(&markdown)).0);
        // As a live document may hold it: any text as a preserved source.
        let inline = Element::new(Kind::Paragraph).with_content(vec![
            Node::plain("a "),
            preserved(Kind::PreservedInline, vector),
        ]);
        check_document(&Document::new(vec![
            preserved(Kind::PreservedBlock, vector),
            inline.into(),
        ]));
    }
}

/// Fragments that mean something to one of the parsers.
const BITS: &[&str] = &[
    "<",
    ">",
    "\"",
    "'",
    "&",
    "&lt;",
    "&#106;",
    "javascript:",
    "script",
    "<p>",
    "</p>",
    "<script>",
    "</script>",
    "<a href=\"javascript:x\">",
    "</a>",
    "<img src=x onerror=x>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    " onclick=x ",
    "style=\"x\"",
    "url(",
    ")",
    ";",
    "{",
    "}",
    "<ac:link>",
    "</ac:link>",
    "<ri:page ri:content-title=\"x\"/>",
    "<ac:structured-macro ac:name=\"info\">",
    "<ac:rich-text-body>",
    "</ac:rich-text-body>",
    "</ac:structured-macro>",
    "<ul>",
    "<li>",
    "</li>",
    "</ul>",
    "<table>",
    "<tr>",
    "<td>",
    "</td>",
    "</tr>",
    "</table>",
    "<h1>",
    "</h1>",
    "<div>",
    "</div>",
    "<svg>",
    "<math>",
    "<style>",
    "`",
    "*",
    "[",
    "]",
    "(",
    "\n",
    "\t",
    "\0",
    "a",
    "b c",
    "\u{202e}",
    "2024-01-01",
    "[[\"title\",\"x\"]]",
    "{\"type\":\"page\",\"content-title\":\"<b>\"}",
    "{\"type\":\"url\",\"value\":\"javascript:x\"}",
    "{\"attrs\":[[\"style\",\"color: red\"]]}",
    "[[\"link\",{\"href\":\"/x\"}]]",
    "[[\"strong\",{}]]",
];

fn hostile_text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(BITS), 0..6).prop_map(|bits| bits.concat())
}

fn hostile_mark() -> impl Strategy<Value = Mark> {
    (prop::sample::select(MarkKind::ALL.to_vec()), hostile_text()).prop_map(|(kind, text)| {
        let mut mark = Mark::new(kind);
        for (name, _) in kind.spec().attrs {
            mark.set(name, text.clone());
        }
        mark
    })
}

/// Any kind anywhere, with any text in every attribute.
fn hostile_node() -> impl Strategy<Value = Node> {
    let text = (hostile_text(), prop::collection::vec(hostile_mark(), 0..3))
        .prop_map(|(text, marks)| Node::from(Text { text, marks }));
    let element = |content: BoxedStrategy<Vec<Node>>| {
        (
            prop::sample::select(Kind::ALL.to_vec()),
            prop::collection::vec(hostile_text(), 4),
            content,
        )
            .prop_map(|(kind, texts, content)| {
                let mut element = Element::new(kind).with_content(content);
                for ((name, _), text) in kind.spec().attrs.iter().zip(texts.iter().cycle()) {
                    element.set(name, text.clone());
                }
                Node::from(element)
            })
    };
    let leaf = prop_oneof![text, element(Just(Vec::new()).boxed())];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        element(prop::collection::vec(inner, 0..4).boxed())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_renders_to_listed_elements_only(content in prop::collection::vec(hostile_node(), 0..5)) {
        check_document(&Document::new(content));
    }

    #[test]
    fn any_text_read_as_html_or_markdown_is_safe(text in hostile_text()) {
        check_document(&Html::parse(&text).0);
        let (document, _) = Markdown::parse(&text);
        check_document(&document);
        Markdown::write(&document);
    }
}

#[test]
fn deep_nesting_neither_overflows_nor_takes_long() {
    let levels = 10_000;
    for (open, close) in [
        ("<div>", "</div>"),
        ("<b>", "</b>"),
        ("<ul><li>", "</li></ul>"),
        ("<table><tr><td>", "</td></tr></table>"),
        ("<center>", "</center>"),
        (
            "<ac:structured-macro ac:name=\"x\"><ac:rich-text-body>",
            "</ac:rich-text-body></ac:structured-macro>",
        ),
        ("<dl><dd>", "</dd></dl>"),
        ("<a href=\"/x\">", "</a>"),
        ("<blockquote><p>", "</p></blockquote>"),
    ] {
        let source = format!("{}x{}", open.repeat(levels), close.repeat(levels));
        let document = storage(&source);
        check_document(&document);
        assert!(Html::render(&document, "t", &()).contains('x'), "{open}");
        check_document(&Html::parse(&source).0);
        let kept = Document::new(vec![preserved(Kind::PreservedBlock, &source)]);
        check(&Html::render(&kept, "t", &()));
    }
    for line in ["> ", "- ", "1. ", "* > "] {
        let (document, _) = Markdown::parse(&format!("{}x", line.repeat(levels)));
        check_document(&document);
        Markdown::write(&document);
    }
    let mut node = Node::plain("x");
    for _ in 0..DEPTH_MAX * 2 {
        node = Element::new(Kind::Division).with_content(vec![node]).into();
    }
    check_document(&Document::new(vec![node]));
}

#[test]
fn large_pages_take_linear_time() {
    let paragraph = "<p>Some <strong>bold</strong> &amp; <em>other</em> text, <a href=\"/x\">a link</a>.</p><h2>Head</h2>";
    let small = paragraph.repeat(2_000);
    let large = paragraph.repeat(20_000);
    let time = |source: &str| {
        let document = storage(source);
        let begin = std::time::Instant::now();
        let html = Html::render(&document, "t", &());
        assert!(html.len() > source.len());
        begin.elapsed().as_secs_f64()
    };
    let (first, second) = (time(&small), time(&large));
    assert!(
        second < first * 60.0 + 0.5,
        "{first} s, then {second} s for ten times as much"
    );
}

/// Every recorded body renders to valid HTML of the lists; every word of its text is there.
#[test]
fn the_corpus_renders() {
    for (name, source) in super::reading::corpus() {
        let Ok((document, _)) = StorageFormat::parse(&source) else {
            panic!("{name} is not well-formed");
        };
        check_document(&document);
        let html = Html::render(&document, &name, &Wiki);
        assert!(
            !html.to_ascii_lowercase().contains("=\"javascript:"),
            "{name}"
        );
        check_document(&Html::parse(&html).0);
        let markdown = Markdown::write(&document);
        check_document(&Markdown::parse(&markdown).0);
    }
}
