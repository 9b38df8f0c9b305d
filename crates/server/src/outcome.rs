//! How a command answers: text or one JSON object on standard output, failures on standard error, exit codes.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;

/// Exit code of a command that could not do what it was asked to.
const FAILED: u8 = 1;

/// Exit code of a wrong command line or a wrong configuration.
pub(crate) const WRONG_USAGE: u8 = 2;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
    /// The answer has been printed already; only the exit code is left to give.
    told: bool,
}

impl Failure {
    pub(crate) fn new(message: impl fmt::Display) -> Failure {
        Failure {
            message: message.to_string(),
            code: FAILED,
            told: false,
        }
    }

    pub(crate) fn wrong_usage(message: impl fmt::Display) -> Failure {
        Failure {
            code: WRONG_USAGE,
            ..Failure::new(message)
        }
    }

    /// For a wrong configuration that the printed answer describes.
    pub(crate) fn told_wrong_usage() -> Failure {
        Failure {
            told: true,
            ..Failure::wrong_usage("")
        }
    }

    /// For a command whose printed answer says what is wrong.
    pub(crate) fn told() -> Failure {
        Failure {
            told: true,
            ..Failure::new("")
        }
    }
}

impl From<storage::Error> for Failure {
    fn from(error: storage::Error) -> Failure {
        Failure::new(error)
    }
}

impl From<wiki::Error> for Failure {
    fn from(error: wiki::Error) -> Failure {
        Failure::new(error)
    }
}

/// Where the answer goes.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Output {
        Output { json }
    }

    /// Whether the answer is one JSON object.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the answer: the object with `--json`, the text otherwise.
    pub(crate) fn answer(
        &self,
        object: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json {
            let json = serde_json::to_string_pretty(object).map_err(Failure::new)?;
            return self.print(&json);
        }
        self.print(text().trim_end_matches('\n'))
    }

    /// Prints text as it is, with a line end.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
        match written {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(Failure::new),
        }
    }

    /// Tells people something that is not the answer.
    pub(crate) fn note(&self, text: &str) {
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Reports a failure and gives the exit code.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        if !failure.told {
            self.note(&format!("error: {}", failure.message));
            if self.json {
                let object = serde_json::json!({ "error": failure.message });
                let _ = self.print(&object.to_string());
            }
        }
        ExitCode::from(failure.code)
    }
}
