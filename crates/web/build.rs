//! Embeds the built browser files (`frontend/dist`) into the crate as one table, so that the binary needs no
//! file beside it. Without them (no Node at hand) the table is empty and the build says so.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root =
        PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets the manifest directory"));
    let dist = root.join("../../frontend/dist");
    println!("cargo:rerun-if-changed=build.rs");
    println!(
        "cargo:rerun-if-changed={}",
        dist.join("manifest.json").display()
    );
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets the output directory"))
        .join("assets.rs");
    fs::write(out, table(&dist)).expect("the output directory is writable");
}

fn table(dist: &Path) -> String {
    let manifest = fs::read_to_string(dist.join("manifest.json")).unwrap_or_else(|_| {
        println!("cargo:warning=frontend/dist is missing: pages will have no styles and no editor; run `npm ci && npm run build` in frontend/");
        "{}".to_owned()
    });
    let mut text = String::from("pub(crate) static EMBEDDED: &[Embedded] = &[\n");
    for name in names(dist) {
        let file = dist.join(&name);
        let packed = |ext: &str| {
            let path = dist.join(format!("{name}.{ext}"));
            if path.exists() {
                format!("Some(include_bytes!({path:?}))")
            } else {
                "None".to_owned()
            }
        };
        let _ = writeln!(
            text,
            "    Embedded {{ name: {name:?}, plain: include_bytes!({file:?}), br: {}, gz: {} }},",
            packed("br"),
            packed("gz")
        );
    }
    let _ = writeln!(text, "];\npub(crate) static MANIFEST: &str = {manifest:?};");
    text
}

/// Names of the files to serve, below `dist`, sorted; precompressed variants and the manifest are not files of their own.
fn names(dist: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![dist.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let Ok(name) = path.strip_prefix(dist) else {
                continue;
            };
            let name = name.to_string_lossy().replace('\\', "/");
            let skipped = [".br", ".gz", ".map"].iter().any(|ext| name.ends_with(ext))
                || name == "manifest.json";
            if !skipped {
                found.push(name);
            }
        }
    }
    found.sort();
    found
}
