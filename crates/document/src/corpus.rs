//! Tests over real pages, which are not part of the project: `WATERSMEET_CORPUS` names the folder that holds `confluence/`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::tree::{Document, Node};
use crate::xml::{Fragment, first_difference};
use crate::{Live, StorageFormat};

/// The folder of the corpus; without it a test is skipped, except where everything must run.
pub(crate) fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("WATERSMEET_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        let required = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(!required, "WATERSMEET_CORPUS must be set when CI=true");
        println!("skipped: WATERSMEET_CORPUS is not set");
    }
    folder.map(|folder| folder.join("confluence"))
}

/// Every page of the corpus with its path, and our own small ones.
pub(crate) fn pages() -> Vec<(String, String)> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/storage");
    let mut folders = vec![own];
    if let Some(corpus) = corpus() {
        folders.extend(["storage", "storage-synthetic"].map(|name| corpus.join(name)));
    }
    let mut pages = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "xhtml")
            {
                let source = std::fs::read_to_string(&path).unwrap();
                pages.push((path.display().to_string(), source));
            }
        }
    }
    assert!(pages.len() >= 4);
    pages
}

fn assert_same(path: &str, source: &str, written: &str) {
    let (a, b) = (
        Fragment::parse(source).unwrap(),
        Fragment::parse(written).unwrap(),
    );
    let found = first_difference(&a, &b);
    assert!(found.is_none(), "{path}: {found:?}\n{source}\n{written}");
}

fn count(content: &[Node], kept: &mut BTreeMap<String, usize>) -> usize {
    let mut nodes = 0;
    for element in content.iter().filter_map(Node::as_element) {
        nodes += 1 + count(&element.content, kept);
        if element.kind.name().starts_with("preserved") {
            let label = element.text("label").unwrap_or_default();
            let kind = element.kind.name();
            *kept.entry(format!("{kind} {label}")).or_default() += 1;
        }
    }
    nodes
}

#[test]
fn every_page_of_the_corpus_comes_back_as_it_was() {
    let mut kept = BTreeMap::new();
    let (mut nodes, mut whole) = (0, 0);
    for (path, source) in pages() {
        let (document, _) = StorageFormat::parse(&source).unwrap();
        let written = StorageFormat::write(&document);
        assert_same(&path, &source, &written);
        let (again, _) = StorageFormat::parse(&written).unwrap();
        assert_eq!(StorageFormat::write(&again), written, "{path}: not stable");
        nodes += count(&document.content, &mut kept);
        whole += kept.remove("preserved_block page").unwrap_or_default();
    }
    let total: usize = kept.values().sum();
    println!("{nodes} nodes, {total} preserved, {whole} pages preserved whole: {kept:#?}");
    assert_eq!(whole, 0);
    assert!(
        total * 20 < nodes,
        "more than one node in twenty is preserved"
    );
}

#[test]
fn every_page_of_the_corpus_survives_the_live_document() {
    for (path, source) in pages() {
        let (document, _) = StorageFormat::parse(&source).unwrap();
        let seed = Live::seed(&document, "Title", 7);
        let (back, title, notes): (Document, String, _) = Live::read(&[seed]).unwrap();
        assert_eq!(title, "Title");
        assert!(notes.is_empty(), "{path}: {notes:?}");
        assert!(back == document, "{path}\n{document:?}\n{back:?}");
        assert_same(&path, &source, &StorageFormat::write(&back));
    }
}

#[test]
fn every_malformed_body_is_refused_with_its_place() {
    let Some(corpus) = corpus() else { return };
    let text = std::fs::read_to_string(corpus.join("storage-malformed/cases.json")).unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    for case in cases {
        let body = case["body"].as_str().unwrap();
        let fault = StorageFormat::parse(body).expect_err(&case["name"].to_string());
        println!("{}: {fault}", case["name"]);
        assert!(fault.line == 1 && fault.column >= 1 && !fault.reason.is_empty());
        let place = usize::try_from(fault.column).unwrap();
        assert!(place <= body.chars().count() + 1, "{fault}");
    }
}
