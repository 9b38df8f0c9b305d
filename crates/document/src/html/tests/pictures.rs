//! Storage format on the left, what readers get on the right.

use super::{render, storage};
use crate::html::Html;

fn check(source: &str, expected: &str) {
    assert_eq!(render(source), expected, "{source}");
}

#[test]
fn text_and_marks() {
    check(
        "<p>a <b>b</b><i>c</i> <del>d</del> <code>e &lt;</code></p>",
        "<p>a <strong>b</strong><em>c</em> <s>d</s> <code>e &lt;</code></p>",
    );
    check(
        "<p><strong>a<em>b</em></strong></p>",
        "<p><strong>a<em>b</em></strong></p>",
    );
    check(
        "<p style=\"text-align: center;margin-left: 30.0px;\">x</p>",
        "<p style=\"text-align:center;margin-left:30.0px\">x</p>",
    );
    check(
        "<p><span style=\"color: rgb(255,0,0);\">red</span></p>",
        "<p><span class=\"fg\" style=\"--fg:rgb(255,0,0)\">red</span></p>",
    );
    check("<p class=\"auto-cursor-target\"><br /></p><p />", "");
    check("<p style=\"display: none;\">x</p>", "<p hidden>x</p>");
}

#[test]
fn headings_have_the_ids_that_links_expect() {
    check(
        "<h1>Restart steps</h1><h2>Restart steps</h2>",
        "<h1 id=\"MyPage-Restartsteps\">Restart steps</h1><h2 id=\"MyPage-Restartsteps.1\">Restart steps</h2>",
    );
    let outline = Html::outline(
        &storage(
            "<h1>A</h1><ac:structured-macro ac:name=\"zz\"><ac:rich-text-body><h3>B</h3></ac:rich-text-body></ac:structured-macro>",
        ),
        "T",
    );
    let ids = outline
        .iter()
        .map(|heading| (heading.level, heading.id.as_str()))
        .collect::<Vec<_>>();
    assert_eq!(ids, [(1, "T-A"), (3, "T-B")]);
}

#[test]
fn links() {
    check(
        "<p><ac:link><ri:page ri:content-title=\"Runbook\" /></ac:link></p>",
        "<p><a href=\"/display/OPSA/Runbook\">Runbook</a></p>",
    );
    check(
        "<p><ac:link ac:anchor=\"two words\"><ri:page ri:content-title=\"Runbook\" /></ac:link></p>",
        "<p><a href=\"/display/OPSA/Runbook#Runbook-twowords\">Runbook</a></p>",
    );
    check(
        "<p><ac:link><ri:page ri:content-title=\"New\" /><ac:link-body>a <em>b</em></ac:link-body></ac:link></p>",
        "<p><a class=\"missing\" href=\"/create\">a <em>b</em></a></p>",
    );
    check(
        "<p><ac:link ac:anchor=\"top\"><ac:plain-text-link-body><![CDATA[up]]></ac:plain-text-link-body></ac:link></p>",
        "<p><a href=\"#MyPage-top\">up</a></p>",
    );
    check(
        "<p><ac:link><ri:user ri:username=\"jon\" /></ac:link></p>",
        "<p><a class=\"mention\" href=\"/people/jon\">Jon Doe</a></p>",
    );
    check(
        "<p><a href=\"https://example.org/\">x</a></p>",
        "<p><a class=\"external\" href=\"https://example.org/\" rel=\"nofollow noopener\">x</a></p>",
    );
    check(
        "<p><ac:link><ri:content-entity ri:content-id=\"1\" /></ac:link></p>",
        "<p><span class=\"missing\">1</span></p>",
    );
}

#[test]
fn images() {
    check(
        "<p><ac:image ac:width=\"300\" ac:align=\"center\" ac:alt=\"front\"><ri:attachment ri:filename=\"rack.png\" /></ac:image></p>",
        "<p><span class=\"image image-center\"><a class=\"image-link\" href=\"/files/rack.png\"><img src=\"/thumbs/rack.png\" alt=\"front\" width=\"300\" loading=\"lazy\" decoding=\"async\"></a></span></p>",
    );
}

#[test]
fn small_things_in_a_line() {
    check(
        "<p><ac:emoticon ac:name=\"tick\" /></p>",
        "<p><span class=\"emoticon\" role=\"img\" aria-label=\"tick\">✅</span></p>",
    );
    check(
        "<p><time datetime=\"2024-02-29\" /></p>",
        "<p><time class=\"date\" datetime=\"2024-02-29\">29 Feb 2024</time></p>",
    );
    check(
        "<p><ac:structured-macro ac:name=\"status\"><ac:parameter ac:name=\"colour\">Green</ac:parameter><ac:parameter ac:name=\"title\">On call</ac:parameter></ac:structured-macro></p>",
        "<p><span class=\"status status-green\">On call</span></p>",
    );
    check(
        "<p><ac:structured-macro ac:name=\"anchor\"><ac:parameter ac:name=\"\">re start</ac:parameter></ac:structured-macro>x</p>",
        "<p><span class=\"anchor\" id=\"MyPage-restart\"></span>x</p>",
    );
    check(
        "<p><ac:inline-comment-marker ac:ref=\"ab-1\">x</ac:inline-comment-marker></p>",
        "<p><mark class=\"comment-marker\" data-ref=\"ab-1\">x</mark></p>",
    );
    check(
        "<p>Owner: <ac:placeholder>who</ac:placeholder></p>",
        "<p>Owner: </p>",
    );
}

#[test]
fn tables() {
    check(
        "<table><colgroup><col style=\"width: 30.0%;\" /></colgroup><thead><tr><th scope=\"col\">H</th></tr></thead><tbody><tr><td colspan=\"2\" class=\"highlight-green\">x</td></tr></tbody></table>",
        "<div class=\"table-scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Table 1\"><table><colgroup><col style=\"width:30.0%\"></colgroup><thead><tr><th scope=\"col\">H</th></tr></thead><tbody><tr><td class=\"highlight-green\" colspan=\"2\">x</td></tr></tbody></table></div>",
    );
}

#[test]
fn tasks() {
    check(
        "<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>complete</ac:task-status><ac:task-body>do it</ac:task-body></ac:task></ac:task-list>",
        "<ul class=\"task-list\"><li class=\"task done\" data-task=\"1\"><input type=\"checkbox\" disabled aria-label=\"do it\" checked><div class=\"task-body\">do it</div></li></ul>",
    );
}

#[test]
fn macros() {
    check(
        "<ac:structured-macro ac:name=\"info\"><ac:parameter ac:name=\"title\">T</ac:parameter><ac:rich-text-body><p>x</p></ac:rich-text-body></ac:structured-macro>",
        "<aside class=\"panel panel-info\" role=\"note\" aria-label=\"T\"><p class=\"panel-title\">T</p><div class=\"panel-body\"><p>x</p></div></aside>",
    );
    check(
        "<ac:structured-macro ac:name=\"code\"><ac:parameter ac:name=\"language\">bash</ac:parameter><ac:parameter ac:name=\"title\">a.sh</ac:parameter><ac:plain-text-body><![CDATA[a <b>]]></ac:plain-text-body></ac:structured-macro>",
        "<figure class=\"code\"><figcaption>a.sh</figcaption><pre tabindex=\"0\"><code class=\"language-bash\">a &lt;b&gt;</code></pre></figure>",
    );
    check(
        "<ac:structured-macro ac:name=\"expand\"><ac:parameter ac:name=\"title\">more</ac:parameter><ac:rich-text-body><p>x</p></ac:rich-text-body></ac:structured-macro>",
        "<details class=\"expand\"><summary>more</summary><div class=\"expand-body\"><p>x</p></div></details>",
    );
    check(
        "<ac:structured-macro ac:name=\"html\"><ac:plain-text-body><![CDATA[<b>]]></ac:plain-text-body></ac:structured-macro>",
        "<figure class=\"code inert\" data-macro=\"html\"><figcaption>Macro “html” is not run; this is its source</figcaption><pre tabindex=\"0\"><code>&lt;b&gt;</code></pre></figure>",
    );
}

#[test]
fn macros_of_others_keep_their_place_and_body() {
    check(
        "<ac:structured-macro ac:name=\"zz\"><ac:parameter ac:name=\"key\">v</ac:parameter><ac:rich-text-body><p>kept</p></ac:rich-text-body></ac:structured-macro>",
        "<div class=\"macro\" data-macro=\"zz\"><p class=\"macro-name\"><span class=\"macro-label\">zz</span> <span class=\"macro-parameter\">v</span></p><div class=\"macro-body\"><p>kept</p></div></div>",
    );
    check(
        "<p>see <ac:structured-macro ac:name=\"jira\"><ac:parameter ac:name=\"key\">K-1</ac:parameter></ac:structured-macro></p>",
        "<p>see <span class=\"macro\" data-macro=\"jira\"><span class=\"macro-label\">jira</span> <span class=\"macro-parameter\">K-1</span></span></p>",
    );
    check(
        "<ac:structured-macro ac:name=\"children\"><ac:parameter ac:name=\"depth\">2</ac:parameter></ac:structured-macro>",
        "<ul><li>1 parameters</li></ul>",
    );
    check(
        "<ac:macro ac:name=\"tip\"><ac:rich-text-body><p>x</p></ac:rich-text-body></ac:macro>",
        "<aside class=\"panel panel-tip\" role=\"note\" aria-label=\"Tip\"><div class=\"panel-body\"><p>x</p></div></aside>",
    );
    check(
        "<ac:structured-macro ac:name=\"excerpt\"><ac:parameter ac:name=\"hidden\">true</ac:parameter><ac:rich-text-body><p>x</p></ac:rich-text-body></ac:structured-macro>",
        "",
    );
}

#[test]
fn contents_list_the_headings() {
    check(
        "<ac:structured-macro ac:name=\"toc\"><ac:parameter ac:name=\"maxLevel\">2</ac:parameter><ac:parameter ac:name=\"exclude\">No.*</ac:parameter></ac:structured-macro><h1>A</h1><h2>B</h2><h3>C</h3><h2>Not</h2><h1>D</h1>",
        "<nav class=\"toc\" aria-label=\"Table of contents\"><ul><li><a href=\"#MyPage-A\">A</a><ul><li><a href=\"#MyPage-B\">B</a></li></ul></li><li><a href=\"#MyPage-D\">D</a></li></ul></nav><h1 id=\"MyPage-A\">A</h1><h2 id=\"MyPage-B\">B</h2><h3 id=\"MyPage-C\">C</h3><h2 id=\"MyPage-Not\">Not</h2><h1 id=\"MyPage-D\">D</h1>",
    );
}

#[test]
fn blocks_in_lines_do_not_break_the_page() {
    check(
        "<p>a<ac:structured-macro ac:name=\"zz\"><ac:rich-text-body><p>b</p></ac:rich-text-body></ac:structured-macro></p>",
        "<div class=\"p\">a<div class=\"macro\" data-macro=\"zz\"><p class=\"macro-name\"><span class=\"macro-label\">zz</span></p><div class=\"macro-body\"><p>b</p></div></div></div>",
    );
    check(
        "<dl><dt>t</dt><dd><p>d</p></dd></dl>",
        "<dl><dt>t</dt><dd><p>d</p></dd></dl>",
    );
    check(
        "<strong><div>x</div></strong>",
        "<strong><div>x</div></strong>",
    );
}

#[test]
fn layouts() {
    check(
        "<ac:layout><ac:layout-section ac:type=\"two_left_sidebar\"><ac:layout-cell><p>a</p></ac:layout-cell><ac:layout-cell><p>b</p></ac:layout-cell></ac:layout-section></ac:layout>",
        "<div class=\"layout\"><div class=\"layout-section layout-two-left-sidebar\"><div class=\"layout-cell\"><p>a</p></div><div class=\"layout-cell\"><p>b</p></div></div></div>",
    );
}
