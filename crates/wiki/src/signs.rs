//! Signs: characters of a private area that stand in the text of a document for elements, so that it can be rendered like any
//! other and the elements be put in afterwards.

use document::{Document, Element, Node, Text};

/// The first of the characters that no script uses and that serve as signs.
const FIRST: char = '\u{10fe00}';
/// Before and after inserted text.
pub(crate) const INSERTED: (char, char) = ('\u{10ff00}', '\u{10ff01}');
/// Before and after deleted text.
pub(crate) const DELETED: (char, char) = ('\u{10ff02}', '\u{10ff03}');
/// After the text of an author; before it stands [`author_sign`].
pub(crate) const AUTHOR_END: char = '\u{10feff}';
/// How many authors can be told apart.
pub(crate) const AUTHORS_MAX: usize = 254;

/// The sign before the text of one of the authors, counted from 0; those beyond the last one share its sign.
pub(crate) fn author_sign(index: usize) -> char {
    let index = u32::try_from(index.min(AUTHORS_MAX)).unwrap_or(0);
    char::from_u32(u32::from(FIRST) + index).unwrap_or(FIRST)
}

/// The author of a sign of [`author_sign`].
pub(crate) fn author_of(c: char) -> Option<usize> {
    let is_author = (FIRST..AUTHOR_END).contains(&c);
    is_author.then(|| (u32::from(c) - u32::from(FIRST)) as usize)
}

fn is_sign(c: char) -> bool {
    (FIRST..=DELETED.1).contains(&c)
}

/// The document without characters that would be taken for signs.
pub(crate) fn without_signs(document: &Document) -> Document {
    fn clean(node: &Node) -> Node {
        match node {
            Node::Text(text) => {
                let plain = text.text.chars().filter(|c| !is_sign(*c)).collect();
                Node::Text(Text {
                    text: plain,
                    marks: text.marks.clone(),
                })
            }
            Node::Element(element) => {
                let content = element.content.iter().map(clean).collect();
                Node::Element(Element {
                    kind: element.kind,
                    attrs: element.attrs.clone(),
                    content,
                })
            }
        }
    }
    Document::new(document.content.iter().map(clean).collect())
}

/// Turns the signs in text into tags and drops those that got into attributes (ids of headings hold the text).
pub(crate) fn to_tags(html: &str, write_tag: impl Fn(char, &mut String)) -> String {
    let mut tags = String::with_capacity(html.len() + html.len() / 8);
    let mut in_tag = false;
    let mut quote = None;
    for c in html.chars() {
        match c {
            '<' if !in_tag => in_tag = true,
            '>' if in_tag && quote.is_none() => in_tag = false,
            '"' | '\'' if in_tag && quote.is_none() => quote = Some(c),
            _ if in_tag && quote == Some(c) => quote = None,
            _ => {}
        }
        match (is_sign(c), in_tag) {
            (true, false) => write_tag(c, &mut tags),
            (true, true) => {}
            (false, _) => tags.push(c),
        }
    }
    tags
}
