//! Starting other programs: one small builder that always runs in the project's root and says what failed.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The project's root: the folder above `xtask`. Asked of cargo at run time, because clones that share a target directory
/// also share the built program, and the path it was compiled in may be another clone's.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().unwrap_or(&here).to_path_buf()
}

/// A program to be started in the project's root.
pub(crate) struct Program {
    command: Command,
    shown: String,
}

/// A program by name or path.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Program {
    let shown = program.as_ref().to_string_lossy().into_owned();
    let mut command = Command::new(program);
    command.current_dir(root());
    Program { command, shown }
}

/// `cargo` with these arguments.
pub(crate) fn cargo(arguments: &[&str]) -> Program {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())).args(arguments)
}

impl Program {
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&argument.as_ref().to_string_lossy());
        self.command.arg(argument);
        self
    }

    pub(crate) fn args<I>(self, arguments: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        arguments.into_iter().fold(self, Program::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn directory(mut self, path: impl AsRef<Path>) -> Self {
        self.command.current_dir(path);
        self
    }

    /// Runs it with the terminal's own output; an error names the command.
    pub(crate) fn check(mut self) -> Result<(), String> {
        let status = self
            .command
            .status()
            .map_err(|error| format!("`{}` could not be started: {error}", self.shown))?;
        if status.success() {
            return Ok(());
        }
        Err(format!("`{}` failed: {status}", self.shown))
    }

    /// Runs it and gives its standard output.
    pub(crate) fn output(mut self) -> Result<String, String> {
        let output = self
            .command
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("`{}` could not be started: {error}", self.shown))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(text);
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "`{}` failed: {}\n{text}{errors}",
            self.shown, output.status
        ))
    }

    /// Runs it, shows each line as it comes and hands it to `see`; both streams in one. True on success.
    pub(crate) fn watch(mut self, mut see: impl FnMut(&str)) -> Result<bool, String> {
        let (reader, writer) = std::io::pipe().map_err(|error| error.to_string())?;
        let second = writer.try_clone().map_err(|error| error.to_string())?;
        self.command
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(second);
        let mut child = self
            .command
            .spawn()
            .map_err(|error| format!("`{}` could not be started: {error}", self.shown))?;
        // The builder still holds the pipe's writing ends; without this the loop below would never see the end.
        drop(self.command);
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .map_err(|error| error.to_string())?
            > 0
        {
            let text = String::from_utf8_lossy(&line);
            print!("{text}");
            see(text.trim_end());
            line.clear();
        }
        let status = child.wait().map_err(|error| error.to_string())?;
        Ok(status.success())
    }
}

/// The path of a program found on PATH or in one of the given folders.
pub(crate) fn find(name: &str, folders: &[&Path]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders
        .iter()
        .map(|folder| folder.to_path_buf())
        .chain(on_path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}
