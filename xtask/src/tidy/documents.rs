//! Documents must not rot: links and paths in Markdown lead to something that exists.

use std::path::{Component, Path, PathBuf};

use super::tree::{File, Tree};
use crate::process::root;

pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let mut offences = Vec::new();
    for file in tree.ending(&[".md"]) {
        for (number, line) in file.text.lines().enumerate() {
            let dead = links(line).into_iter().filter(|link| !exists(file, link));
            offences.extend(dead.map(|link| {
                format!(
                    "{}:{}: link to `{link}` leads nowhere",
                    file.path,
                    number + 1
                )
            }));
            let gone = code_paths(line)
                .into_iter()
                .filter(|path| !root().join(path).exists());
            offences.extend(
                gone.map(|path| {
                    format!("{}:{}: path `{path}` does not exist", file.path, number + 1)
                }),
            );
        }
    }
    offences
}

/// Host names of package registries belong to lock files only.
pub(crate) fn registries(tree: &Tree) -> Vec<String> {
    let hosts = ["crates", "npmjs", "pypi", "debian"]
        .map(|name| (name, if name == "crates" { ".io" } else { ".org" }));
    let mut offences = Vec::new();
    for file in tree
        .files
        .iter()
        .filter(|file| !file.path.ends_with("package-lock.json") && file.path != "Cargo.lock")
    {
        for (name, ending) in hosts {
            let host = format!("{name}{ending}");
            if file.text.contains(&host) {
                offences.push(format!("{}: names the registry host `{host}`", file.path));
            }
        }
    }
    offences
}

/// Targets of `[text](target)` that are neither addresses nor anchors.
fn links(line: &str) -> Vec<&str> {
    let targets = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next());
    targets
        .filter(|target| {
            !target.contains("://") && !target.starts_with('#') && !target.starts_with("mailto:")
        })
        .collect()
}

fn exists(file: &File, link: &str) -> bool {
    let path = link.split('#').next().unwrap_or(link);
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    let mut resolved = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::ParentDir => drop(resolved.pop()),
            Component::Normal(part) => resolved.push(part),
            _ => {}
        }
    }
    root().join(resolved).exists()
}

/// Paths in back quotes that begin in a folder of the project.
fn code_paths(line: &str) -> Vec<&str> {
    const FOLDERS: &[&str] = &[
        "crates/",
        "frontend/src/",
        "frontend/styles/",
        "e2e/",
        "fixtures/",
        "bench/",
        "xtask/",
        "docs/",
    ];
    let quoted = line.split('`').skip(1).step_by(2);
    quoted
        .filter(|text| FOLDERS.iter().any(|folder| text.starts_with(folder)))
        .filter(|text| !text.contains(['*', '<', ' ', '{', '…', ':']) && !text.contains("NAME"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_links_and_paths_but_not_addresses() {
        assert_eq!(
            links("see [a](docs/A.md#x), [b](https://example.org), [c](#top)"),
            vec!["docs/A.md#x"]
        );
        assert_eq!(
            code_paths("in `crates/document/src/tree.rs` and `cargo test`, `crates/*/src`"),
            vec!["crates/document/src/tree.rs"]
        );
    }
}
