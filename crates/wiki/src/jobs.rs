//! What is done after a change, in the background: feeding the search index.

use crate::error::Result;
use crate::wiki::Wiki;

impl Wiki {
    /// Does all jobs that are due now. The server calls it when woken and every few seconds; the command line at the
    /// end of an import.
    pub async fn run_due_jobs(&self) -> Result<usize> {
        todo!()
    }
}
