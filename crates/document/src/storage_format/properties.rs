//! What must hold for every page, tried on random ones.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::Live;
use crate::pages::Choices;

/// A page made of these choices; when they are used up, everything is the first of its kind.
fn page(choices: &[u16]) -> String {
    let mut rest = choices.iter();
    let mut choose = |limit: usize| rest.next().map_or(0, |choice| usize::from(*choice) % limit);
    Choices(&mut choose).page()
}

fn assert_same(source: &str, written: &str) {
    let (a, b) = (
        Fragment::parse(source).unwrap(),
        Fragment::parse(written).unwrap(),
    );
    assert_eq!(first_difference(&a, &b), None, "\n{source}\n{written}");
}

fn assert_not_preserved_whole(document: &Document, source: &str) {
    let whole = |element: &Element| element.text("label") == Some("page");
    let elements = document.content.iter().filter_map(|node| node.as_element());
    assert!(!elements.into_iter().any(whole), "{source}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_page_comes_back_as_it_was(choices in vec(any::<u16>(), 0..120)) {
        let source = page(&choices);
        let (document, _) = StorageFormat::parse(&source).unwrap();
        assert_not_preserved_whole(&document, &source);
        let written = StorageFormat::write(&document);
        assert_same(&source, &written);
        let (again, _) = StorageFormat::parse(&written).unwrap();
        prop_assert_eq!(StorageFormat::write(&again), written, "{}", source);
    }

    #[test]
    fn every_typed_page_needs_no_second_reading(choices in vec(any::<u16>(), 0..120)) {
        let source = page(&choices);
        let xml = Fragment::parse(&source).unwrap();
        let survey = Survey::of(&xml);
        let forced = HashSet::new();
        let document = Document::new(Reader::new(&xml, &survey, &forced).document());
        let found = difference(&xml, &document);
        prop_assert!(found.is_none(), "{}\n{}\n{:?}", source, write::write(&document), found);
    }

    #[test]
    fn every_page_survives_the_live_document(choices in vec(any::<u16>(), 0..60)) {
        let (document, _) = StorageFormat::parse(&page(&choices)).unwrap();
        let seed = Live::seed(&document, "t", 3);
        let (back, _, _) = Live::read(&[&seed]).unwrap();
        prop_assert_eq!(&back, &document);
        prop_assert_eq!(Live::rewrite(&seed, &document, "t", 4).unwrap(), vec![0, 0]);
    }

    #[test]
    fn no_text_makes_the_reader_panic(source in "[ -~]{0,20}(<[a-z/!?]{1,3}[^\\n]{0,30}){0,4}") {
        let _ = StorageFormat::parse(&source);
    }
}
