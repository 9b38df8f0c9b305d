//! The live face against the real JavaScript libraries, on the same trees, in both directions.
//!
//! Needs Node and a folder with `yjs`, `y-prosemirror`, `prosemirror-model` and `prosemirror-transform`: `WATERSMEET_NODE_MODULES`, or
//! `frontend/node_modules`. Without them the test says that it is skipped, and fails where everything must run.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use document::{Document, Json, Live, Node, StorageFormat};
use serde_json::{Value, json};

mod pages;

/// Random pages beside those of the corpus.
const RANDOM_PAGES: usize = 300;

struct Libraries {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Libraries {
    fn start(modules: &Path) -> Libraries {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut process = Command::new("node")
            .arg(here.join("tests/differential.mjs"))
            .arg(modules)
            .arg(here.join("../../fixtures/document/schema.json"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Libraries {
            requests: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.requests, "{request}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert!(answer["error"].is_null(), "{}", answer["error"]);
        answer
    }
}

impl Drop for Libraries {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn modules() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../frontend/node_modules");
    let folder = std::env::var_os("WATERSMEET_NODE_MODULES").map_or(own, PathBuf::from);
    if folder.join("y-prosemirror").exists() && folder.join("prosemirror-transform").exists() {
        return Some(folder.canonicalize().unwrap());
    }
    let required = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(
        !required,
        "{} must hold the JavaScript libraries when CI=true",
        folder.display()
    );
    println!(
        "skipped: {} does not hold the JavaScript libraries",
        folder.display()
    );
    None
}

/// Numbers that are the same in every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        number as usize % limit.max(1)
    }
}

/// The corpus, if there is one, and random pages.
fn documents() -> Vec<Document> {
    let mut sources = Vec::new();
    if let Some(corpus) = std::env::var_os("WATERSMEET_CORPUS") {
        for folder in ["storage", "storage-synthetic"] {
            for entry in
                std::fs::read_dir(Path::new(&corpus).join("confluence").join(folder)).unwrap()
            {
                let path = entry.unwrap().path();
                if path
                    .extension()
                    .is_some_and(|extension| extension == "xhtml")
                {
                    sources.push(std::fs::read_to_string(path).unwrap());
                }
            }
        }
    }
    let mut numbers = Numbers(20_261_122);
    for _ in 0..RANDOM_PAGES {
        sources.push(pages::Choices(&mut |limit| numbers.below(limit)).page());
    }
    sources
        .iter()
        .map(|source| StorageFormat::parse(source).unwrap().0)
        .collect()
}

/// Marks of one kind on the same text have no order that both sides keep.
fn sorted(mut json: Value) -> Value {
    if let Some(marks) = json.get_mut("marks").and_then(Value::as_array_mut) {
        marks.sort_by_key(Value::to_string);
    }
    if let Some(content) = json.get_mut("content").and_then(Value::as_array_mut) {
        for child in content {
            *child = sorted(child.take());
        }
    }
    json
}

fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn decode(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn the_live_face_agrees_with_yjs_and_y_prosemirror() {
    let Some(modules) = modules() else { return };
    let mut libraries = Libraries::start(&modules);
    let documents = documents();
    for (number, document) in documents.iter().enumerate() {
        let seed = check_seed(&mut libraries, number, document);
        let target = &documents[(number * 7 + 1) % documents.len()];
        check_changes(&mut libraries, number, &seed, target);
    }
    println!("{} documents", documents.len());
}

/// Both sides make the same bytes of a tree, and JavaScript reads ours as the same tree.
fn check_seed(libraries: &mut Libraries, number: usize, document: &Document) -> Vec<u8> {
    let title = format!("Title {number} 😀");
    let seed = Live::seed(document, &title, 7);
    let expected = Json::write(document);
    let theirs =
        libraries.ask(&json!({ "op": "seed", "json": expected, "title": title, "client": 7 }));
    assert!(
        decode(&theirs["update"]) == seed,
        "{number}: other bytes for {expected}"
    );
    let read = libraries.ask(&json!({ "op": "read", "updates": [encode(&seed)] }));
    assert_eq!(read["json"], expected, "{number}");
    assert_eq!(read["title"], json!(title));
    assert_eq!(read["untouched"], json!(true));
    let (back, back_title, _) = Live::read(&[&seed]).unwrap();
    assert_eq!((&back, back_title), (document, title));
    seed
}

/// We read what JavaScript changed; JavaScript reads what we changed after that.
fn check_changes(libraries: &mut Libraries, number: usize, seed: &[u8], target: &Document) {
    let request =
        json!({ "op": "change", "updates": [encode(seed)], "number": number, "client": 11 });
    let changed = libraries.ask(&request);
    let (document, _, _) = Live::read(&[seed, &decode(&changed["update"])]).unwrap();
    assert_eq!(
        sorted(Json::write(&document)),
        sorted(changed["json"].clone()),
        "{number}"
    );

    check_storage(number, &document);
    check_concurrent(libraries, number, seed, &changed["update"]);

    let state = decode(&changed["state"]);
    check_rewrite(libraries, number, &state, &document, 13);
    let rewritten = check_rewrite(libraries, number, &state, target, 13);
    let request = json!({ "op": "change", "updates": [encode(&state), encode(&rewritten)], "number": number + 1, "client": 17 });
    let changed = libraries.ask(&request);
    let state = decode(&changed["state"]);
    let (document, title, _) = Live::read(&[&state]).unwrap();
    assert_eq!(title, "another title");
    assert_eq!(
        sorted(Json::write(&document)),
        sorted(changed["json"].clone()),
        "{number}"
    );
}

/// An edited tree, which no parser would have made, is written so that nothing is lost and nothing changes any more.
fn check_storage(number: usize, document: &Document) {
    let written = StorageFormat::write(document);
    let (again, _) = StorageFormat::parse(&written).unwrap();
    assert_eq!(StorageFormat::write(&again), written, "{number}");
    assert_eq!(words(&again), words(document), "{number}: {written}");
}

/// All text, without white space and tags.
fn words(document: &Document) -> String {
    fn collect(nodes: &[Node], out: &mut String) {
        for node in nodes {
            match node {
                Node::Text(text) => out.push_str(&text.text),
                Node::Element(element) => {
                    for piece in element.text("source").unwrap_or_default().split('<') {
                        out.push_str(piece.split_once('>').map_or(piece, |(_, text)| text));
                    }
                    collect(&element.content, out);
                }
            }
        }
    }
    let mut out = String::new();
    collect(&document.content, &mut out);
    out.retain(|c| !c.is_whitespace());
    out
}

/// Two people who did not see each other's changes: both sides read the same of what comes out.
fn check_concurrent(libraries: &mut Libraries, number: usize, seed: &[u8], update: &Value) {
    let request = json!({ "op": "change", "updates": [encode(seed)], "number": number + 5_000, "client": 12 });
    let other = libraries.ask(&request)["update"].clone();
    let read = libraries.ask(&json!({ "op": "read", "updates": [encode(seed), update, other] }));
    let (document, _, _) = Live::read(&[seed, &decode(&other), &decode(update)]).unwrap();
    assert_eq!(
        sorted(Json::write(&document)),
        sorted(read["json"].clone()),
        "{number}"
    );
}

fn check_rewrite(
    libraries: &mut Libraries,
    number: usize,
    state: &[u8],
    target: &Document,
    client: u64,
) -> Vec<u8> {
    let update = Live::rewrite(state, target, "another title", client).unwrap();
    let read = libraries.ask(&json!({ "op": "read", "updates": [encode(state), encode(&update)] }));
    assert_eq!(
        sorted(read["json"].clone()),
        sorted(Json::write(target)),
        "{number}"
    );
    assert_eq!(read["title"], json!("another title"));
    assert_eq!(read["untouched"], json!(true));
    update
}
