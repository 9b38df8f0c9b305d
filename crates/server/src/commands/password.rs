//! Asks for a password: without echo on a terminal, or one line of standard input.

use std::io::{self, BufRead, BufReader, IsTerminal, Read};

use crate::limits;
use crate::outcome::Failure;

/// Reads a password. `from_stdin` takes the first line of standard input; otherwise a terminal is asked twice.
pub(super) fn read(from_stdin: bool) -> Result<String, Failure> {
    let password = if from_stdin { first_line()? } else { ask()? };
    if password.is_empty() {
        return Err(Failure::new("the password is empty; nothing was changed"));
    }
    Ok(password)
}

/// Whether somebody can be asked.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn first_line() -> Result<String, Failure> {
    let mut line = String::new();
    BufReader::new(io::stdin().lock().take(limits::PASSWORD_BYTES_MAX + 1))
        .read_line(&mut line)
        .map_err(|error| {
            Failure::new(format!(
                "cannot read the password from standard input: {error}"
            ))
        })?;
    if line.len() as u64 > limits::PASSWORD_BYTES_MAX {
        return Err(Failure::new(format!(
            "the password is longer than {} bytes; choose a shorter one",
            limits::PASSWORD_BYTES_MAX
        )));
    }
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

fn ask() -> Result<String, Failure> {
    if !can_ask() {
        return Err(Failure::wrong_usage(
            "there is no terminal to ask for the password; give it with --password-stdin",
        ));
    }
    let prompt = |text: &str| {
        rpassword::prompt_password(text)
            .map_err(|error| Failure::new(format!("cannot read the password: {error}")))
    };
    let password = prompt("Password: ")?;
    if prompt("Again: ")? != password {
        return Err(Failure::new(
            "the two passwords differ; nothing was changed",
        ));
    }
    Ok(password)
}
