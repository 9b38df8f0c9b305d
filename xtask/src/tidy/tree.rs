//! The project's own files as git knows them, with their text.

use std::fs;

use crate::process::{command, root};

/// One text file of the project.
pub(crate) struct File {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// All text files that git tracks or would track.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

impl Tree {
    pub(crate) fn read() -> Result<Tree, String> {
        let listing = command("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .output()?;
        let files = listing
            .lines()
            .filter_map(|path| {
                let text = fs::read_to_string(root().join(path)).ok()?;
                Some(File {
                    path: path.to_string(),
                    text,
                })
            })
            .collect();
        Ok(Tree { files })
    }

    /// Files with one of these endings.
    pub(crate) fn ending<'a>(&'a self, endings: &'a [&str]) -> impl Iterator<Item = &'a File> {
        self.files
            .iter()
            .filter(move |file| endings.iter().any(|ending| file.path.ends_with(ending)))
    }
}
