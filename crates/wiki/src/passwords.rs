//! Password hashes: argon2id, in the usual text form, computed away from the threads that answer requests.

use crate::error::{Error, Result};
use crate::limits::{
    PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, PASSWORD_HASH_KIB, PASSWORD_HASH_PASSES,
};
use crate::secrets;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// Refuses passwords that are too short to be safe or too long to be honest.
pub(crate) fn check_rules(password: &str) -> Result<()> {
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(Error::Invalid(format!(
            "the password is shorter than {PASSWORD_CHARS_MIN} characters; use a longer one"
        )));
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(Error::Invalid(format!(
            "the password is longer than {PASSWORD_BYTES_MAX} bytes; use a shorter one"
        )));
    }
    Ok(())
}

/// The text form of a password's hash: `$argon2id$v=19$m=..,t=..,p=1$salt$hash`. Takes tens of milliseconds.
pub(crate) fn hash(password: &str, salt: [u8; SALT_BYTES]) -> Result<String> {
    let (memory, passes) = (PASSWORD_HASH_KIB, PASSWORD_HASH_PASSES);
    let hash = raw_hash(password, &salt, memory, passes)?;
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    Ok(format!(
        "$argon2id$v=19$m={memory},t={passes},p=1${salt}${hash}"
    ))
}

/// Whether the password is the one that was hashed. `None` (no such account, or one without password) takes as long.
pub(crate) fn verify(password: &str, stored: Option<&str>) -> bool {
    let parsed = stored.and_then(parse);
    let known = parsed.is_some();
    let (memory, passes, salt, expected) = parsed.unwrap_or((
        PASSWORD_HASH_KIB,
        PASSWORD_HASH_PASSES,
        vec![0; SALT_BYTES],
        vec![0; HASH_BYTES],
    ));
    if password.len() > PASSWORD_BYTES_MAX {
        return false;
    }
    raw_hash(password, &salt, memory, passes).is_ok_and(|hash| secrets::equal(&hash, &expected))
        && known
}

fn raw_hash(password: &str, salt: &[u8], memory_kib: u32, passes: u32) -> Result<[u8; HASH_BYTES]> {
    let params = Params::new(memory_kib, passes, 1, Some(HASH_BYTES)).map_err(Error::internal)?;
    let mut hash = [0; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut hash)
        .map_err(Error::internal)?;
    Ok(hash)
}

fn parse(stored: &str) -> Option<(u32, u32, Vec<u8>, Vec<u8>)> {
    let mut parts = stored.strip_prefix("$argon2id$v=19$")?.split('$');
    let mut costs = parts.next()?.split(',');
    let memory = costs.next()?.strip_prefix("m=")?.parse().ok()?;
    let passes = costs.next()?.strip_prefix("t=")?.parse().ok()?;
    let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
    let hash = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
    Some((memory, passes, salt, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_verifies() {
        let stored = hash("correct horse", [7; SALT_BYTES]).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify("correct horse", Some(&stored)));
        assert!(!verify("correct hors", Some(&stored)));
    }

    #[test]
    fn an_account_without_password_never_verifies() {
        assert!(!verify("", None));
        assert!(!verify("anything at all", None));
        assert!(!verify("anything at all", Some("damaged")));
    }
}
