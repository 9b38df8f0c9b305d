//! `import confluence`.

use crate::cli::ImportCommand;
use crate::config::Config;
use crate::outcome::{Failure, Output};

pub(super) fn run(
    _config: &Config,
    _command: ImportCommand,
    _output: &Output,
) -> Result<(), Failure> {
    Err(Failure::new("the import is not wired yet"))
}
