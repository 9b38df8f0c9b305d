//! Scenarios as the JavaScript side writes them, and those that are kept.

use bytes::Bytes;
use std::fmt::Write as _;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// One update, and the clock ranges that Yjs finds in it.
pub(super) struct Step {
    pub(super) update: Bytes,
    pub(super) ranges: String,
}

/// A session: its updates in the order of the log, and the content at the end.
pub(super) struct Scenario {
    pub(super) seed: u64,
    /// Edits may cut a character in half.
    pub(super) cuts: bool,
    /// Replicas of Yjs end with the same text under different marks.
    pub(super) vague: bool,
    pub(super) updates: Vec<Step>,
    pub(super) content: String,
}

impl Scenario {
    fn flags(&self) -> u32 {
        u32::from(self.cuts) | u32::from(self.vague) << 1
    }

    fn new(seed: u64, flags: u32, updates: Vec<Step>, content: String) -> Scenario {
        Scenario {
            seed,
            cuts: flags & 1 != 0,
            vague: flags & 2 != 0,
            updates,
            content,
        }
    }

    /// Writes it down, and says where.
    pub(super) fn keep(&self) -> PathBuf {
        let mut text = format!("{} {}\n", self.seed, self.flags());
        for step in &self.updates {
            for byte in &step.update {
                write!(text, "{byte:02x}").unwrap();
            }
            writeln!(text, " {}", step.ranges).unwrap();
        }
        text.push('\n');
        text.push_str(&self.content);
        let folder = std::env::temp_dir().join("watersmeet-differential");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{}.txt", self.seed));
        std::fs::write(&path, text).unwrap();
        path
    }

    fn parse(text: &str) -> Scenario {
        let (head, content) = text.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let (seed, flags) = lines.next().unwrap().split_once(' ').unwrap();
        let updates = lines.map(|line| {
            let (hex, ranges) = line.split_once(' ').unwrap();
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            Step {
                update: (0..hex.len()).step_by(2).map(byte).collect(),
                ranges: ranges.to_owned(),
            }
        });
        let updates = updates.collect();
        Scenario::new(
            seed.parse().unwrap(),
            flags.parse().unwrap(),
            updates,
            content.to_owned(),
        )
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/differential")
}

/// Sessions that failed once.
pub(super) fn kept() -> Vec<(String, Scenario)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.display().to_string(), Scenario::parse(&text))
    };
    files.into_iter().map(read).collect()
}

/// The folder with the JavaScript library.
pub(super) fn modules() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../frontend/node_modules");
    let folder = std::env::var_os("WATERSMEET_NODE_MODULES").map_or(own, PathBuf::from);
    if folder.join("yjs").exists() {
        return Some(folder.canonicalize().unwrap());
    }
    let required = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(
        !required,
        "{} must hold `yjs` when CI=true",
        folder.display()
    );
    println!("skipped: {} does not hold `yjs`", folder.display());
    None
}

/// A process that plays sessions.
pub(super) struct Node {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Node {
    pub(super) fn start(modules: &Path, first: u64, count: usize, step: usize) -> Node {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/differential/generate.mjs");
        let mut process = Command::new("node")
            .arg("--max-semi-space-size=64")
            .arg(script)
            .arg(modules)
            .args([first.to_string(), count.to_string(), step.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::with_capacity(1 << 18, process.stdout.take().unwrap());
        Node { process, output }
    }

    /// `None`: there are no more.
    pub(super) fn next(&mut self) -> Option<Scenario> {
        let seed = self.number()?;
        let flags = self.number().unwrap();
        let count = self.number().unwrap();
        let updates = (0..count).map(|_| Step {
            update: self.bytes().into(),
            ranges: String::from_utf8(self.bytes()).unwrap(),
        });
        let updates = updates.collect();
        let content = String::from_utf8(self.bytes()).unwrap();
        Some(Scenario::new(seed.into(), flags, updates, content))
    }

    fn number(&mut self) -> Option<u32> {
        let mut bytes = [0; 4];
        self.output.read_exact(&mut bytes).ok()?;
        Some(u32::from_le_bytes(bytes))
    }

    fn bytes(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; self.number().unwrap() as usize];
        self.output.read_exact(&mut bytes).unwrap();
        bytes
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
