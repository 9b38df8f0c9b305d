//! Who may depend on whom: the table of ARCHITECTURE.md, held against the manifests.

use std::fs;

use crate::process::root;

/// Crate, and the crates of the project that it may use in its product code.
const MAY_USE: &[(&str, &[&str])] = &[
    ("document", &[]),
    ("collab", &[]),
    ("storage", &[]),
    ("gateway", &[]),
    ("wiki", &["document", "collab", "storage"]),
    ("web", &["wiki", "document", "collab"]),
    ("server", &["web", "gateway", "wiki", "storage", "document"]),
    (
        "testkit",
        &[
            "document", "collab", "storage", "gateway", "wiki", "web", "server",
        ],
    ),
];

/// Outside libraries that only the named crates may use: the borders that matter most.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("rusqlite", &["storage"]),
    ("postgres", &["storage"]),
    ("axum", &["web", "testkit"]),
    ("maud", &["web"]),
    ("clap", &["server"]),
    ("tantivy", &["wiki"]),
    ("yrs", &["document", "collab"]),
    ("quick-xml", &["document", "wiki"]),
];

pub(crate) fn check() -> Result<Vec<String>, String> {
    let mut offences = Vec::new();
    let crates = fs::read_dir(root().join("crates")).map_err(|error| error.to_string())?;
    for entry in crates.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path().join("Cargo.toml");
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let manifest: toml::Table = text
            .parse()
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| *known == name) else {
            offences.push(format!(
                "crates/{name}: not in the table of ARCHITECTURE.md; a new crate needs a decision"
            ));
            continue;
        };
        for used in names(&manifest, "dependencies") {
            offences.extend(offence(&name, &used, allowed));
        }
    }
    Ok(offences)
}

fn offence(name: &str, used: &str, allowed: &[&str]) -> Option<String> {
    let is_ours = MAY_USE.iter().any(|(ours, _)| *ours == used);
    if is_ours && !allowed.contains(&used) {
        return Some(format!("crates/{name}: must not depend on `{used}`"));
    }
    let (_, homes) = ONLY_IN.iter().find(|(library, _)| *library == used)?;
    (!homes.contains(&name))
        .then(|| format!("crates/{name}: `{used}` belongs to {}", homes.join(", ")))
}

fn names(manifest: &toml::Table, section: &str) -> Vec<String> {
    let table = manifest.get(section).and_then(|value| value.as_table());
    table
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}
