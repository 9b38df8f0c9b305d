//! Set-up of what is missing: the front end's packages and files, a browser, a database server.
//!
//! Each function says what it installs, and what to do where it cannot.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::process::{self, command, find, root};

/// Where cargo puts what it builds.
pub(crate) fn target_directory() -> Result<PathBuf, String> {
    let text = process::cargo(&["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let path = metadata["target_directory"]
        .as_str()
        .ok_or("cargo metadata names no target directory")?;
    Ok(PathBuf::from(path))
}

/// Installs the front end's packages and builds its files, each only when something changed.
pub(crate) fn assets() -> Result<(), String> {
    packages("frontend")?;
    let manifest = root().join("frontend/dist/manifest.json");
    let sources = [
        "frontend/src",
        "frontend/styles",
        "frontend/build.mjs",
        "frontend/package-lock.json",
        "fixtures/document",
    ];
    let newest = sources
        .iter()
        .filter_map(|source| newest_change(&root().join(source)))
        .max();
    let built = fs::metadata(&manifest)
        .and_then(|metadata| metadata.modified())
        .ok();
    if built.is_some() && built >= newest {
        return Ok(());
    }
    println!("xtask: building the front end");
    command("npm")
        .args(["run", "--silent", "build"])
        .directory(root().join("frontend"))
        .check()
}

/// Installs the locked packages of a folder unless that has been done for this lock file.
pub(crate) fn packages(folder: &str) -> Result<(), String> {
    let folder = root().join(folder);
    if find("npm", &[]).is_none() {
        return Err("`npm` is missing; install Node.js 20 or newer".to_string());
    }
    let wanted = installed_from(&folder)?;
    let stamp = folder.join("node_modules/.installed-from");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("xtask: installing the packages of {}", folder.display());
    command("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .directory(&folder)
        .check()?;
    fs::write(stamp, wanted).map_err(|error| error.to_string())
}

/// What an installation is made from: the lock file and the patches that are applied to the packages.
fn installed_from(folder: &Path) -> Result<Vec<u8>, String> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("patches"))
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.sort();
    files.insert(0, folder.join("package-lock.json"));
    let mut all = Vec::new();
    for file in files {
        let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        all.extend(bytes);
    }
    Ok(all)
}

fn newest_change(path: &Path) -> Option<SystemTime> {
    let metadata = fs::metadata(path).ok()?;
    if metadata.is_file() {
        return metadata.modified().ok();
    }
    fs::read_dir(path)
        .ok()?
        .flatten()
        .filter_map(|entry| newest_change(&entry.path()))
        .max()
}

/// The browser for the end-to-end tests: `WATERSMEET_TEST_CHROMIUM`, an installed one, or Debian's package.
pub(crate) fn chromium() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("WATERSMEET_TEST_CHROMIUM") {
        return Ok(path.into());
    }
    let search = || {
        ["chromium", "chromium-browser", "google-chrome"]
            .iter()
            .find_map(|name| find(name, &[]))
    };
    if let Some(path) = search() {
        return Ok(path);
    }
    debian_package(
        "chromium",
        "set WATERSMEET_TEST_CHROMIUM to the path of a Chromium",
    )?;
    search().ok_or_else(|| "chromium was installed but is not on PATH".to_string())
}

/// The folder of PostgreSQL's own programs (`initdb`, `pg_ctl`).
pub(crate) fn postgres_programs() -> Result<PathBuf, String> {
    if let Some(folder) = installed_postgres() {
        return Ok(folder);
    }
    debian_package(
        "postgresql",
        "set WATERSMEET_TEST_POSTGRES to the URL of a server where databases may be created",
    )?;
    installed_postgres().ok_or_else(|| "postgresql was installed but has no `initdb`".to_string())
}

fn installed_postgres() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| {
            entries
                .flatten()
                .map(|entry| entry.path().join("bin"))
                .collect()
        })
        .unwrap_or_default();
    versions.sort();
    let folders: Vec<&Path> = versions.iter().rev().map(PathBuf::as_path).collect();
    let initdb = find("initdb", &folders)?;
    // A link on PATH leads to the folder that holds the other programs as well.
    fs::canonicalize(initdb)
        .ok()?
        .parent()
        .map(Path::to_path_buf)
}

fn debian_package(package: &str, otherwise: &str) -> Result<(), String> {
    let apt = find("apt-get", &[])
        .ok_or_else(|| format!("`{package}` is missing; install it, or {otherwise}"))?;
    println!("xtask: installing the Debian package `{package}`");
    let prefix: &[&str] = if is_root()? {
        &["env", "DEBIAN_FRONTEND=noninteractive"]
    } else {
        &["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive"]
    };
    let run = |arguments: &[&str]| {
        command(prefix[0])
            .args(&prefix[1..])
            .arg(&apt)
            .args(arguments)
            .check()
    };
    run(&["update", "-qq"])
        .and_then(|()| run(&["install", "-y", "-qq", "--no-install-recommends", package]))
        .map_err(|error| {
            format!(
                "{error}\n`{package}` could not be installed (no root?); install it by hand, or {otherwise}"
            )
        })
}

/// Whether this process may act for other users.
pub(crate) fn is_root() -> Result<bool, String> {
    Ok(command("id").arg("-u").output()?.trim() == "0")
}
