use proptest::collection::vec;
use proptest::prelude::*;

use super::{Merge, Overlap};
use crate::pages::Choices;
use crate::{Document, StorageFormat};

fn document(body: &str) -> Document {
    StorageFormat::parse(body).unwrap().0
}

fn merge(base: &str, ours: &str, theirs: &str) -> Result<String, Vec<Overlap>> {
    let merged = Merge::blocks(&document(base), &document(ours), &document(theirs));
    merged.map(|document| StorageFormat::write(&document))
}

fn merges(base: &str, ours: &str, theirs: &str, expected: &str) {
    assert_eq!(merge(base, ours, theirs).as_deref(), Ok(expected));
}

const BASE: &str = "<h1>Plan</h1><p>one fine day</p><p>two fine days</p><p>three fine days</p>";

/// [WRITE-2] What one side changed, added, removed or moved is taken, wherever the other side changed something else.
#[test]
fn changes_of_different_blocks() {
    merges(
        BASE,
        "<h1>Plan</h1><p>one fine long day</p><p>two fine days</p><p>three fine days</p>",
        "<h1>Plan B</h1><p>one fine day</p><p>two fine days</p><p>three fine days</p><p>four</p>",
        "<h1>Plan B</h1><p>one fine long day</p><p>two fine days</p><p>three fine days</p><p>four</p>",
    );
    merges(
        BASE,
        "<h1>Plan</h1><p>two fine days</p><p>three fine days</p>",
        "<h1>Plan</h1><p>one fine day</p><p>new</p><p>two fine days</p><p>three cold days</p>",
        "<h1>Plan</h1><p>new</p><p>two fine days</p><p>three cold days</p>",
    );
    let same = "<h1>Plan</h1><p>other</p><p>two fine days</p><p>three fine days</p>";
    merges(BASE, same, same, same);
}

/// [WRITE-2] A block that one side moved takes the other side's change along.
#[test]
fn a_moved_block() {
    merges(
        BASE,
        "<h1>Plan</h1><p>three fine days</p><p>one fine day</p><p>two fine days</p>",
        "<h1>Plan</h1><p>one fine day</p><p>two fine days</p><p>three very fine days</p>",
        "<h1>Plan</h1><p>three very fine days</p><p>one fine day</p><p>two fine days</p>",
    );
}

/// [WRITE-2] Both add in one place: ours first.
#[test]
fn additions_in_one_place() {
    merges(
        "<p>a</p>",
        "<p>a</p><p>x</p>",
        "<p>a</p><p>y</p>",
        "<p>a</p><p>x</p><p>y</p>",
    );
    merges(
        "<p>a</p>",
        "<p>a</p><p>x</p>",
        "<p>a</p><p>x</p>",
        "<p>a</p><p>x</p>",
    );
}

/// [WRITE-3] The same block changed on both sides is a real overlap, with both texts.
#[test]
fn overlaps() {
    let ours = BASE.replace("one fine day", "one fine long day");
    let theirs = BASE.replace("one fine day", "one fine short day");
    let overlap = |ours: &str, theirs: &str| {
        vec![Overlap {
            ours: ours.into(),
            theirs: theirs.into(),
        }]
    };
    assert_eq!(
        merge(BASE, &ours, &theirs),
        Err(overlap("one fine long day", "one fine short day"))
    );
    let removed = BASE.replace("<p>one fine day</p>", "");
    assert_eq!(
        merge(BASE, &removed, &theirs),
        Err(overlap("", "one fine short day"))
    );
    let ours = BASE.replace("one fine day", "quite another thing");
    let theirs = BASE.replace("one fine day", "something else altogether");
    assert_eq!(
        merge(BASE, &ours, &theirs),
        Err(overlap("quite another thing", "something else altogether"))
    );
}

/// [WRITE-2] Containers are merged by what is in them.
#[test]
fn containers() {
    merges(
        "<ul><li>red apple</li><li>green pear</li></ul>",
        "<ul><li>red sweet apple</li><li>green pear</li></ul>",
        "<ul><li>red apple</li><li>green sour pear</li><li>plum</li></ul>",
        "<ul><li>red sweet apple</li><li>green sour pear</li><li>plum</li></ul>",
    );
    let table = |a: &str, b: &str, more: &str| {
        format!("<table><tbody><tr><td>{a}</td><td>{b}</td>{more}</tr></tbody></table>")
    };
    merges(
        &table("1", "2", ""),
        &table("one", "2", ""),
        &table("1", "two", ""),
        &table("one", "two", ""),
    );
    let row = "<tr><td>3</td><td>4</td></tr></tbody>";
    let longer = table("1", "2", "").replace("</tbody>", row);
    let wider = table("1", "2", "<td>x</td>");
    assert!(merge(&table("1", "2", ""), &longer, &wider).is_err());
}

/// [WRITE-2] However deep the blocks lie, no stack is too small for them.
#[test]
fn deep_blocks() {
    let deep = |inner: &str| format!("{}{inner}{}", "<div>".repeat(190), "</div>".repeat(190));
    merges(
        &deep("<p>one fine day</p><p>two</p>"),
        &deep("<p>one fine long day</p><p>two</p>"),
        &deep("<p>one fine day</p><p>two</p><p>three</p>"),
        &deep("<p>one fine long day</p><p>two</p><p>three</p>"),
    );
}

/// A page made of these choices; when they are used up, everything is the first of its kind.
fn page(choices: &[u16]) -> Document {
    let mut rest = choices.iter();
    let mut choose = |limit: usize| rest.next().map_or(0, |choice| usize::from(*choice) % limit);
    document(&Choices(&mut choose).page())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// [WRITE-2] Where only one side changed anything, its page comes out, whatever the pages are; merging never panics.
    #[test]
    fn one_side_only(old in vec(any::<u16>(), 0..60), new in vec(any::<u16>(), 0..60), other in vec(any::<u16>(), 0..60)) {
        let (old, new, other) = (page(&old), page(&new), page(&other));
        prop_assert_eq!(Merge::blocks(&old, &new, &old), Ok(new.clone()));
        prop_assert_eq!(Merge::blocks(&old, &old, &new), Ok(new.clone()));
        prop_assert_eq!(Merge::blocks(&old, &new, &new), Ok(new.clone()));
        if let Ok(merged) = Merge::blocks(&old, &new, &other) {
            let written = StorageFormat::write(&merged);
            prop_assert!(StorageFormat::parse(&written).is_ok(), "{}", written);
        }
    }
}
