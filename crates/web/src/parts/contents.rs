//! The contents of a page: its headings, read out of the finished HTML.

use maud::{Markup, html};

use crate::parts::icons::icon;

/// One heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heading {
    pub(crate) level: u8,
    pub(crate) id: String,
    pub(crate) text: String,
}

/// Fewer headings than this need no contents.
const HEADINGS_MIN: usize = 3;

/// The headings of sanitised HTML that have an id, with levels counted from the highest one used.
pub(crate) fn headings(html: &str) -> Vec<Heading> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find("<h") {
        rest = rest.get(at + 2..).unwrap_or("");
        let Some(level) = rest
            .bytes()
            .next()
            .filter(|byte| (b'1'..=b'6').contains(byte))
        else {
            continue;
        };
        let Some((tag, inside)) = rest.split_once('>') else {
            break;
        };
        let end = format!("</h{}>", char::from(level));
        let Some((text, after)) = inside.split_once(end.as_str()) else {
            continue;
        };
        let id = tag
            .split_once(" id=\"")
            .and_then(|(_, value)| value.split_once('"'))
            .map(|(id, _)| unescape(id));
        let text = plain(text);
        if let (Some(id), false) = (id, text.is_empty()) {
            found.push(Heading {
                level: level - b'0',
                id,
                text,
            });
        }
        rest = after;
    }
    let top = found.iter().map(|heading| heading.level).min().unwrap_or(1);
    for heading in &mut found {
        heading.level = (heading.level - top + 1).min(4);
    }
    found.retain(|heading| heading.level < 4);
    found
}

/// Text of HTML: tags dropped, the five entities that the writer uses put back.
fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ if !in_tag => text.push(c),
            _ => {}
        }
    }
    unescape(text.trim())
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", "\u{a0}")
        .replace("&amp;", "&")
}

/// Whether a page has enough headings for a column of contents.
pub(crate) fn worth_it(headings: &[Heading]) -> bool {
    headings.len() >= HEADINGS_MIN
}

/// A folded list above the text, for narrower windows.
pub(crate) fn folded(headings: &[Heading]) -> Markup {
    html! {
        details.contents.contents-fold { summary { (icon("contents")) "On this page" }
            nav aria-label="On this page" { (list(headings)) }
        }
    }
}

/// The column beside the text, for wide windows.
pub(crate) fn column(headings: &[Heading]) -> Markup {
    html! { nav.contents.contents-side aria-labelledby="contents-title" { h2 #contents-title { "Contents" } (list(headings)) } }
}

fn list(headings: &[Heading]) -> Markup {
    html! {
        ol { @for heading in headings {
            li.{ "l" (heading.level) } { a href={ "#" (crate::params::encode(&heading.id)) } { (heading.text) } }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_with_an_id_are_listed_and_levels_start_at_one() {
        let html = "<p>x</p><h2 id=\"P-One\">One &amp; <em>two</em></h2><header>no</header><h3 class=\"a\" id=\"P-1\">&lt;script&gt;</h3><h4>no id</h4><hr>";
        let expect = [
            Heading {
                level: 1,
                id: "P-One".into(),
                text: "One & two".into(),
            },
            Heading {
                level: 2,
                id: "P-1".into(),
                text: "<script>".into(),
            },
        ];
        assert_eq!(headings(html), expect);
        assert_eq!(headings("<h1"), []);
        assert_eq!(headings("<h1 id=\"a\">never closed"), []);
    }
}
