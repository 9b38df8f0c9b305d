//! Foreign HTML, plain text, references; and the corpus.

use super::{Wiki, render, storage};
use crate::html::Html;
use crate::links::Resource;
use crate::references::References;
use crate::storage_format::StorageFormat;
use crate::text::PlainText;

/// Name and source of every recorded body; empty where there is no corpus.
pub(super) fn corpus() -> Vec<(String, String)> {
    let Ok(root) = std::env::var("WATERSMEET_CORPUS") else {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "WATERSMEET_CORPUS must be set"
        );
        eprintln!("skipped: WATERSMEET_CORPUS is not set");
        return Vec::new();
    };
    let mut found = Vec::new();
    for folder in ["storage", "storage-synthetic"] {
        let folder = std::path::Path::new(&root).join("confluence").join(folder);
        for entry in std::fs::read_dir(folder).expect("corpus") {
            let path = entry.expect("entry").path();
            if path
                .extension()
                .is_some_and(|extension| extension == "xhtml")
            {
                let name = path
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                found.push((name, std::fs::read_to_string(path).expect("text")));
            }
        }
    }
    found.sort();
    assert!(found.len() > 200, "the corpus is not complete");
    found
}

/// `html` is read as the document that this storage format gives.
fn reads(html: &str, expected: &str) {
    let (document, _) = Html::parse(html);
    assert_eq!(StorageFormat::write(&document), expected, "{html}");
}

#[test]
fn foreign_html_keeps_its_blocks() {
    reads("<h2> A  <i>b</i></h2><p>c", "<h2>A <em>b</em></h2><p>c</p>");
    reads(
        "loose <b>text</b><div>block<p>p</p></div>",
        "<p>loose <strong>text</strong></p><p>block</p><p>p</p>",
    );
    reads(
        "<ul><li>a<ol><li>b</ol><li><p>c</ul>",
        "<ul><li>a<ol><li>b</li></ol></li><li><p>c</p></li></ul>",
    );
    reads(
        "<blockquote>q</blockquote><hr>",
        "<blockquote><p>q</p></blockquote><hr />",
    );
    reads("<p>a<br>b<br></p>", "<p>a<br />b</p>");
    reads(
        "<p style='text-align:center'>x</p>",
        "<p style=\"text-align: center;\">x</p>",
    );
}

#[test]
fn foreign_html_keeps_marks_and_links() {
    reads(
        "<p><a href='https://x.org/'>l <b>b</b></a></p>",
        "<p><a href=\"https://x.org/\">l <strong>b</strong></a></p>",
    );
    reads("<p><a href='javascript:x'>l</a></p>", "<p>l</p>");
    reads(
        "<b style='font-weight:normal'><p>docs <span style='font-weight:700'>bold</span></p></b>",
        "<p>docs <strong>bold</strong></p>",
    );
    reads(
        "<p>x<sup>2</sup> <del>d</del> <kbd>k</kbd></p>",
        "<p>x<sup>2</sup> <s>d</s> <code>k</code></p>",
    );
}

#[test]
fn foreign_html_keeps_tables_code_and_tasks() {
    reads(
        "<table><thead><tr><th>h</th></tr></thead><tbody><tr><td colspan=2>a<br>b</td></tr></table>",
        "<table><thead><tr><th>h</th></tr></thead><tbody><tr><td colspan=\"2\">a<br />b</td></tr></tbody></table>",
    );
    let code = StorageFormat::write(
        &Html::parse("<pre><code class='language-rust'>fn a() {}\n  b</code></pre>").0,
    );
    assert!(
        code.contains("<ac:parameter ac:name=\"language\">rust</ac:parameter>"),
        "{code}"
    );
    assert!(code.contains("fn a() {}\n  b"), "{code}");
    let tasks = StorageFormat::write(
        &Html::parse(
            "<ul><li><input type=checkbox checked> done<li><input type=checkbox> open</ul>",
        )
        .0,
    );
    assert!(
        tasks.contains("<ac:task-status>complete</ac:task-status>") && tasks.contains("incomplete"),
        "{tasks}"
    );
}

#[test]
fn what_has_no_place_is_noted_and_its_text_stays() {
    let (document, notes) = Html::parse(
        "<p>a <custom-thing>b</custom-thing></p><video src=x>c</video><script>d</script>",
    );
    assert_eq!(StorageFormat::write(&document), "<p>a b</p>");
    let notes = notes
        .into_iter()
        .map(|note| note.message)
        .collect::<Vec<_>>();
    assert_eq!(notes, ["`script` was left out", "`video` was left out"]);
}

#[test]
fn rendered_pages_can_be_read_back() {
    let source = "<h1>A</h1><p>b <strong>c</strong></p><ul><li>d</li></ul><table><tbody><tr><th>e</th><td>f</td></tr></tbody></table>";
    reads(&render(source), source);
}

#[test]
fn plain_text_parts_blocks_and_cells() {
    let text = |source| PlainText::write(&storage(source));
    assert_eq!(
        text("<h1>A</h1><p>b<em>c</em><br />d</p><ul><li>e</li><li>f</li></ul>"),
        "A\nbc\nd\ne\nf"
    );
    assert_eq!(
        text(
            "<table><tbody><tr><td>a</td><td><p>b</p></td></tr><tr><td>c</td></tr></tbody></table>"
        ),
        "a\tb\nc"
    );
    let unknown = "<ac:structured-macro ac:name=\"zz\"><ac:parameter ac:name=\"k\">hidden</ac:parameter><ac:rich-text-body><p>seen</p><p>too</p></ac:rich-text-body></ac:structured-macro>";
    assert_eq!(text(unknown), "seen\ntoo");
    let code = "<ac:structured-macro ac:name=\"code\"><ac:plain-text-body><![CDATA[a\n  b]]></ac:plain-text-body></ac:structured-macro>";
    assert_eq!(text(code), "a\n  b");
}

#[test]
fn an_excerpt_ends_at_a_word() {
    let excerpt =
        |length| PlainText::excerpt(&storage("<h1>Title</h1><p>Some words here.</p>"), length);
    assert_eq!(excerpt(100), "Title Some words here.");
    assert_eq!(excerpt(14), "Title Some…");
    assert_eq!(excerpt(3), "Ti…");
}

#[test]
fn references_count_everything_that_is_pointed_at() {
    let source = "<p><ac:link><ri:page ri:content-title=\"A\" /></ac:link> <a href=\"/x\">a<em>b</em></a> <ac:image><ri:attachment ri:filename=\"i.png\" /></ac:image></p>\
        <ac:structured-macro ac:name=\"zz\"><ac:rich-text-body><p><ac:link><ri:page ri:content-title=\"A\" /></ac:link></p>\
        <ac:structured-macro ac:name=\"info\"><ac:rich-text-body><p>x</p></ac:rich-text-body></ac:structured-macro></ac:rich-text-body></ac:structured-macro>";
    let found = References::of(&storage(source));
    let page = Resource::Page {
        space: None,
        title: "A".into(),
    };
    assert_eq!(found.resources.get(&page), Some(&2));
    assert_eq!(found.resources.get(&Resource::Url("/x".into())), Some(&1));
    assert_eq!(found.resources.len(), 3);
    assert_eq!(
        found.macros.into_iter().collect::<Vec<_>>(),
        [("info".to_owned(), 1), ("zz".to_owned(), 1)]
    );
}

#[test]
fn resources_survive_their_json() {
    let source = "{\"type\":\"attachment\",\"filename\":\"f\",\"container\":{\"type\":\"page\",\"space-key\":\"K\",\"content-title\":\"T\"}}";
    assert_eq!(
        Resource::from_json(source)
            .map(|resource| resource.to_json())
            .as_deref(),
        Some(source)
    );
    assert_eq!(Resource::from_json("{\"type\":\"page\"}"), None);
    let _ = Wiki;
}
