//! Who wrote which passage of a version: kept beside it, over its text in the order of reading. [WHO-3]

use crate::actor::{Actor, Person};
use crate::error::{Error, Result};
use crate::head;
use crate::ids::{ContentId, UserId};
use crate::links::PageLinks;
use crate::publish;
use crate::readable::readable;
use crate::signs::{self, AUTHOR_END, author_of, author_sign};
use crate::versions::{self, VersionSummary, Versions};
use crate::view::{self, Place};
use document::{Document, Element, Html, Node, Text};
use storage::{Tx, WriteTx, params};

/// Runs of the text of a whole document: how many UTF-16 units, and whose; `None`: nobody knows.
pub(crate) type Runs = Vec<(u64, Option<UserId>)>;

/// A run with the index of its author among the shares.
type Indexed = (u64, Option<usize>);

/// How many colours there are for authors.
const COLOURS: usize = 12;

/// A version on which each passage shows who wrote it.
#[derive(Clone, Debug)]
pub struct Authorship {
    /// The version.
    pub summary: VersionSummary,
    /// Sanitised HTML; text of the author with index `n` is in `<span class="by hN" data-by="n">`, N being `n` modulo 12;
    /// text of nobody known is in none.
    pub html: String,
    /// The authors in the order of their share, largest first; the index is that of `data-by`.
    pub shares: Vec<Share>,
}

/// How much of a version's text somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Who; `None`: text from before live editing, from an import or a program without an account.
    pub person: Option<Person>,
    /// UTF-16 units of text.
    pub units: u64,
}

impl Versions<'_> {
    /// Who wrote what in a version; none: the current one.
    pub async fn authorship(
        &self,
        actor: &Actor,
        page: ContentId,
        number: Option<i64>,
    ) -> Result<Authorship> {
        let actor = actor.clone();
        self.wiki
            .read(move |tx| {
                let head = head::read(tx, &actor, page)?;
                let summary = versions::summary(tx, page, number.unwrap_or(head.version))?;
                let document = readable(&publish::read_body(tx, page, summary.number)?);
                let runs = read(tx, page, summary.number)?.unwrap_or_default();
                let (shares, indexed) = shares(tx, &runs)?;
                let marked = mark(&signs::without_signs(&document), &indexed);
                let place = Place {
                    title: summary.title.clone(),
                    ..Place::of(&head)
                };
                let html = Html::render(&marked, &place.title, &PageLinks::new(tx, &place));
                Ok(Authorship {
                    html: signs::to_tags(&html, write_tag),
                    summary,
                    shares,
                })
            })
            .await
    }
}

/// Keeps who wrote a version, in the transaction that stores it.
pub(crate) fn store(tx: &WriteTx, page: ContentId, number: i64, runs: &Runs) -> Result<()> {
    let runs = serde_json::to_string(runs).map_err(Error::internal)?;
    tx.execute(
        "INSERT INTO version_authorship (content_id, number, runs) VALUES ($1, $2, $3)",
        params![page, number, runs],
    )?;
    Ok(())
}

/// Who wrote a version, if that was kept.
pub(crate) fn read(tx: &Tx, page: ContentId, number: i64) -> Result<Option<Runs>> {
    let sql = "SELECT runs FROM version_authorship WHERE content_id = $1 AND number = $2";
    let row = tx.query_opt(sql, params![page, number])?;
    row.map(|row| serde_json::from_str(row.text_ref(0)?).map_err(Error::internal))
        .transpose()
}

/// The authors with their shares, and the runs by their index.
fn shares(tx: &Tx, runs: &Runs) -> Result<(Vec<Share>, Vec<Indexed>)> {
    let mut totals: Vec<(Option<UserId>, u64)> = Vec::new();
    for (units, user) in runs {
        match totals.iter_mut().find(|(known, _)| known == user) {
            Some((_, total)) => *total += units,
            None => totals.push((*user, *units)),
        }
    }
    totals.sort_by_key(|(_, units)| std::cmp::Reverse(*units));
    let index_of = |user: &Option<UserId>| {
        user.and_then(|_| totals.iter().position(|(known, _)| known == user))
    };
    let indexed = runs.iter().map(|(units, user)| (*units, index_of(user)));
    let indexed = indexed.collect();
    let mut shares = Vec::with_capacity(totals.len());
    for (user, units) in &totals {
        let person = view::person(tx, user.map(UserId::get))?;
        shares.push(Share {
            person,
            units: *units,
        });
    }
    Ok((shares, indexed))
}

/// The document with a sign before and after each author's text; text beyond the runs has none.
fn mark(document: &Document, runs: &[Indexed]) -> Document {
    let mut pen = Pen { runs, used: 0 };
    let content = document.content.iter().map(|node| pen.node(node)).collect();
    Document::new(content)
}

/// Goes through the text of a document and the runs side by side.
struct Pen<'r> {
    runs: &'r [Indexed],
    /// Units of the first run that are behind.
    used: u64,
}

impl Pen<'_> {
    fn node(&mut self, node: &Node) -> Node {
        match node {
            Node::Text(text) => Node::Text(Text {
                text: self.text(&text.text),
                marks: text.marks.clone(),
            }),
            Node::Element(element) => Node::Element(Element {
                kind: element.kind,
                attrs: element.attrs.clone(),
                content: element
                    .content
                    .iter()
                    .map(|child| self.node(child))
                    .collect(),
            }),
        }
    }

    /// Signs are closed at the end of each line: code may be rendered line by line.
    fn text(&mut self, text: &str) -> String {
        let mut signed = String::with_capacity(text.len() + 16);
        let mut open = None;
        for c in text.chars() {
            let author = self.next(c.len_utf16() as u64).filter(|_| c != '\n');
            if author != open {
                if open.is_some() {
                    signed.push(AUTHOR_END);
                }
                signed.extend(author.map(author_sign));
                open = author;
            }
            signed.push(c);
        }
        if open.is_some() {
            signed.push(AUTHOR_END);
        }
        signed
    }

    /// Whose the next unit is; goes on by so many units.
    fn next(&mut self, units: u64) -> Option<usize> {
        while let Some((length, author)) = self.runs.first() {
            if self.used < *length {
                self.used += units;
                return *author;
            }
            self.used -= length;
            self.runs = &self.runs[1..];
        }
        None
    }
}

fn write_tag(sign: char, tags: &mut String) {
    match author_of(sign) {
        Some(index) => {
            let colour = index % COLOURS;
            tags.push_str(&format!(
                "<span class=\"by h{colour}\" data-by=\"{index}\">"
            ));
        }
        None => tags.push_str("</span>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use document::StorageFormat;

    fn check(source: &str, runs: &[Indexed], expect: &str) {
        let (document, _) = StorageFormat::parse(source).unwrap();
        let html = Html::render(&mark(&document, runs), "T", &());
        assert_eq!(signs::to_tags(&html, write_tag), expect);
    }

    #[test]
    fn each_passage_stands_in_an_element_of_its_author() {
        check(
            "<p>one <strong>two</strong></p><p>three</p>",
            &[(2, Some(0)), (5, Some(1)), (1, None), (1, Some(0))],
            "<p><span class=\"by h0\" data-by=\"0\">on</span><span class=\"by h1\" data-by=\"1\">e </span><strong><span class=\"by h1\" data-by=\"1\">two</span></strong></p>\
             <p>t<span class=\"by h0\" data-by=\"0\">h</span>ree</p>",
        );
    }

    #[test]
    fn a_pair_of_surrogates_counts_two_units() {
        check(
            "<p>🙂ab</p>",
            &[(2, Some(0)), (1, Some(13))],
            "<p><span class=\"by h0\" data-by=\"0\">🙂</span><span class=\"by h1\" data-by=\"13\">a</span>b</p>",
        );
    }
}
