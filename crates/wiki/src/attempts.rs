//! Failed logins: counted for each account and each network address; each one too many makes the next wait longer.

use crate::error::Result;
use crate::limits::{
    ATTEMPT_WAIT_MAX_MS, ATTEMPT_WAIT_MIN_MS, ATTEMPTS_FORGOTTEN_MS, ATTEMPTS_PER_ACCOUNT,
    ATTEMPTS_PER_ADDRESS,
};
use crate::names;
use storage::{WriteTx, params};

/// Whether an attempt will be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Yes; it counts as failed until `succeed`.
    Go,
    /// No, and it was not counted.
    Wait { retry_at_ms: i64 },
}

/// The row of an account's attempts. Names without an account count too.
pub(crate) fn account_subject(name: &str) -> String {
    format!("account:{}", names::fold(name))
}

/// The row of an address's attempts.
pub(crate) fn address_subject(address: &str) -> String {
    format!("address:{address}")
}

/// Counts an attempt for all subjects, unless one of them has to wait.
pub(crate) fn begin(tx: &WriteTx, subjects: &[String], now_ms: i64) -> Result<Verdict> {
    let mut failures = Vec::with_capacity(subjects.len());
    for subject in subjects {
        let sql =
            "SELECT failures, last_at_ms, blocked_until_ms FROM login_attempt WHERE subject = $1";
        let row = tx.query_opt(sql, params![subject])?;
        let Some(row) = row else {
            failures.push(0);
            continue;
        };
        let blocked_until_ms = row.i64("blocked_until_ms")?;
        if blocked_until_ms > now_ms {
            return Ok(Verdict::Wait {
                retry_at_ms: blocked_until_ms,
            });
        }
        let forgotten = now_ms - row.i64("last_at_ms")? >= ATTEMPTS_FORGOTTEN_MS;
        failures.push(if forgotten { 0 } else { row.i64("failures")? });
    }
    for (subject, failures) in subjects.iter().zip(failures) {
        note_failure(tx, subject, failures + 1, now_ms)?;
    }
    Ok(Verdict::Go)
}

/// Forgives the account all, and the address this attempt: a right password does not clear an address that guesses others'.
pub(crate) fn succeed(tx: &WriteTx, account: &str, address: &str) -> Result<()> {
    tx.execute(
        "DELETE FROM login_attempt WHERE subject = $1",
        params![account],
    )?;
    let sql = "UPDATE login_attempt SET failures = failures - 1, blocked_until_ms = 0 WHERE subject = $1 AND failures > 0";
    tx.execute(sql, params![address])?;
    Ok(())
}

/// What to tell somebody who has to wait this long.
pub(crate) fn limited_message(wait_ms: i64) -> String {
    let seconds = (wait_ms.max(0) + 999) / 1_000;
    let (number, unit) = if seconds < 120 {
        (seconds, "second")
    } else {
        ((seconds + 59) / 60, "minute")
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("too many attempts to log in failed; try again in {number} {unit}{plural}")
}

fn note_failure(tx: &WriteTx, subject: &str, failures: i64, now_ms: i64) -> Result<()> {
    let allowed = if subject.starts_with("account:") {
        ATTEMPTS_PER_ACCOUNT
    } else {
        ATTEMPTS_PER_ADDRESS
    };
    let sql = "INSERT INTO login_attempt (subject, failures, last_at_ms, blocked_until_ms) VALUES ($1, $2, $3, $4)
        ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, last_at_ms = excluded.last_at_ms,
        blocked_until_ms = excluded.blocked_until_ms";
    tx.execute(
        sql,
        params![
            subject,
            failures,
            now_ms,
            now_ms + wait_ms(failures - allowed)
        ],
    )?;
    tx.execute(
        "DELETE FROM login_attempt WHERE last_at_ms < $1",
        params![now_ms - ATTEMPTS_FORGOTTEN_MS],
    )?;
    Ok(())
}

/// How long to wait after this many failures beyond the allowed ones.
fn wait_ms(beyond: i64) -> i64 {
    if beyond < 0 {
        return 0;
    }
    (ATTEMPT_WAIT_MIN_MS << beyond.min(10)).min(ATTEMPT_WAIT_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_ends_at_a_quarter_of_an_hour() {
        let waits: Vec<i64> = [-3, -1, 0, 1, 2, 50].map(wait_ms).to_vec();
        assert_eq!(waits, [0, 0, 5_000, 10_000, 20_000, 900_000]);
    }

    #[test]
    fn the_message_says_when_to_try_again() {
        assert!(limited_message(4_200).ends_with("try again in 5 seconds"));
        assert!(limited_message(900_000).ends_with("try again in 15 minutes"));
    }
}
