//! Two versions of a page compared in place: the page as it reads, with insertions and deletions marked.
//!
//! The two trees are merged into one (`merge.rs`), in which characters of a private area stand around what was inserted
//! and deleted; it is rendered like any page, and then the characters become `<ins>` and `<del>`.

use crate::merge;
use crate::signs::{self, DELETED, INSERTED};
use crate::versions::VersionSummary;
use document::{Aligned, Document, Html, Links, Node};
use serde::Serialize;

/// What happened to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// The same in both.
    Same,
    /// Only in the newer one.
    Added,
    /// Only in the older one.
    Removed,
    /// In both, with words marked by `<ins>` and `<del>`.
    Changed,
}

/// One top-level block of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComparedBlock {
    /// What happened to it.
    pub change: Change,
    /// Sanitised HTML, with `<ins>` and `<del>` around changed words.
    pub html: String,
}

/// Two versions, compared.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The older one.
    pub from: VersionSummary,
    /// The newer one.
    pub to: VersionSummary,
    /// The page from top to bottom.
    pub blocks: Vec<ComparedBlock>,
    /// Blocks that are not the same.
    pub changes: usize,
}

/// Puts the answer together.
pub(crate) fn comparison(
    from: VersionSummary,
    to: VersionSummary,
    blocks: Vec<ComparedBlock>,
) -> Comparison {
    let changes = changed(&blocks);
    Comparison {
        from,
        to,
        blocks,
        changes,
    }
}

/// How many blocks are not the same.
pub(crate) fn changed(blocks: &[ComparedBlock]) -> usize {
    let is_changed = |block: &&ComparedBlock| block.change != Change::Same;
    blocks.iter().filter(is_changed).count()
}

/// The top-level blocks of both, in one order.
pub(crate) fn blocks(
    older: &Document,
    newer: &Document,
    title: &str,
    links: &dyn Links,
) -> Vec<ComparedBlock> {
    let (older, newer) = (signs::without_signs(older), signs::without_signs(newer));
    let html = |node: Node| {
        signs::to_tags(
            &Html::render(&Document::new(vec![node]), title, links),
            write_tag,
        )
    };
    document::align(&older.content, &newer.content)
        .into_iter()
        .map(|merged| match merged {
            Aligned::Same(node) => ComparedBlock {
                change: Change::Same,
                html: html(node.clone()),
            },
            Aligned::Removed(node) => ComparedBlock {
                change: Change::Removed,
                html: html(node.clone()),
            },
            Aligned::Added(node) => ComparedBlock {
                change: Change::Added,
                html: html(node.clone()),
            },
            Aligned::Pair(old, new) => ComparedBlock {
                change: Change::Changed,
                html: html(merge::pair(old, new).into()),
            },
        })
        .collect()
}

/// The tag that a sign stands for.
fn write_tag(sign: char, tags: &mut String) {
    tags.push_str(match sign {
        _ if sign == INSERTED.0 => "<ins>",
        _ if sign == INSERTED.1 => "</ins>",
        _ if sign == DELETED.0 => "<del>",
        _ if sign == DELETED.1 => "</del>",
        _ => "",
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use document::StorageFormat;

    fn check(older: &str, newer: &str, expect: &[(Change, &str)]) {
        let parse = |source| StorageFormat::parse(source).unwrap().0;
        let blocks = blocks(&parse(older), &parse(newer), "T", &());
        let found: Vec<(Change, &str)> = blocks
            .iter()
            .map(|block| (block.change, block.html.as_str()))
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn words_are_marked_where_a_paragraph_changed() {
        check(
            "<p>the quick brown fox jumps</p>",
            "<p>the slow brown fox jumps high</p>",
            &[(
                Change::Changed,
                "<p>the <del>quick</del><ins>slow</ins> brown fox jumps<ins> high</ins></p>",
            )],
        );
    }

    #[test]
    fn blocks_are_added_and_removed_whole() {
        check(
            "<p>one</p><p>two</p>",
            "<p>zero</p><p>one</p>",
            &[
                (Change::Added, "<p>zero</p>"),
                (Change::Same, "<p>one</p>"),
                (Change::Removed, "<p>two</p>"),
            ],
        );
    }

    #[test]
    fn a_list_is_compared_item_by_item() {
        check(
            "<ul><li>milk</li><li>bread and butter</li></ul>",
            "<ul><li>milk</li><li>bread and honey</li><li>tea</li></ul>",
            &[(
                Change::Changed,
                "<ul><li>milk</li><li>bread and <del>butter</del><ins>honey</ins></li><li><ins>tea</ins></li></ul>",
            )],
        );
    }

    #[test]
    fn signs_never_reach_the_ids_of_headings() {
        check(
            "<h2>old name of it</h2>",
            "<h2>new name of it</h2>",
            &[(
                Change::Changed,
                "<h2 id=\"T-oldnewnameofit\"><del>old</del><ins>new</ins> name of it</h2>",
            )],
        );
    }

    #[test]
    fn marks_are_kept_around_what_changed() {
        check(
            "<p>a <strong>bold word</strong> here</p>",
            "<p>a <strong>bold deed</strong> here</p>",
            &[(
                Change::Changed,
                "<p>a <strong>bold <del>word</del><ins>deed</ins></strong> here</p>",
            )],
        );
    }

    #[test]
    fn text_that_looks_like_signs_marks_nothing() {
        check(
            "<p>a\u{10ff00}b c</p>",
            "<p>a\u{10ff00}b d</p>",
            &[(Change::Changed, "<p>ab <del>c</del><ins>d</ins></p>")],
        );
    }

    /// A small page made of what this number says.
    fn page(mut seed: u64) -> String {
        let mut next = move |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        let words = [
            "tea",
            "milk",
            "<strong>bread</strong>",
            "honey & jam",
            "<br />",
            "<em>a <u>b</u></em>",
            "c\nd",
        ];
        let mut page = String::new();
        for _ in 0..1 + next(6) {
            let line: Vec<&str> = (0..next(7)).map(|_| words[next(7) as usize]).collect();
            let line = line.join(" ").replace('&', "&amp;");
            page.push_str(&match next(6) {
                0 => format!("<h2>{line}</h2>"),
                1 => format!("<ul><li>{line}</li><li>tea</li></ul>"),
                2 => format!("<table><tbody><tr><td>{line}</td><td><p>milk</p></td></tr></tbody></table>"),
                3 => format!("<ac:structured-macro ac:name=\"info\"><ac:rich-text-body><p>{line}</p></ac:rich-text-body></ac:structured-macro>"),
                4 => "<ac:structured-macro ac:name=\"code\"><ac:plain-text-body><![CDATA[x = 1\ny = 2]]></ac:plain-text-body></ac:structured-macro>".to_owned(),
                _ => format!("<p>{line}</p>"),
            });
        }
        page
    }

    /// The words of HTML; `dropped` elements are left out whole.
    fn words_of(html: &str, dropped: &str) -> String {
        let (open, close) = (format!("<{dropped}>"), format!("</{dropped}>"));
        let kept: String = html
            .split(&open)
            .enumerate()
            .map(|(number, part)| match number {
                0 => part,
                _ => part.split_once(&close).expect("an element that ends").1,
            })
            .collect();
        let mut in_tag = false;
        kept.chars()
            .filter(|c| {
                in_tag = (in_tag || *c == '<') && *c != '>';
                !in_tag && *c != '>'
            })
            .filter(|c| !c.is_whitespace())
            .collect()
    }

    #[test]
    fn without_what_was_inserted_it_is_the_old_page_and_without_what_was_deleted_the_new_one() {
        let parse = |source: &str| StorageFormat::parse(source).unwrap().0;
        let whole = |document: &Document| words_of(&Html::render(document, "T", &()), "del");
        for seed in 1..400_u64 {
            let (older, newer) = (
                parse(&page(seed.wrapping_mul(0x9e37_79b9))),
                parse(&page((seed / 3 + 7).wrapping_mul(0x85eb_ca6b))),
            );
            let blocks = blocks(&older, &newer, "T", &());
            let side = |left_out: Change, dropped: &str| -> String {
                let kept = blocks.iter().filter(|block| block.change != left_out);
                kept.map(|block| words_of(&block.html, dropped)).collect()
            };
            assert_eq!(side(Change::Added, "ins"), whole(&older), "seed {seed}");
            assert_eq!(side(Change::Removed, "del"), whole(&newer), "seed {seed}");
        }
    }
}
