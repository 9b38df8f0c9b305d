//! Client ids leased to connections, with a proof that survives restarts.

use crate::limits::PROOF_BYTES;
use crate::protocol::Lease;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// The server's secret for leases. It must stay the same over restarts, or clients cannot send what they kept.
#[derive(Clone)]
pub struct LeaseKey([u8; 32]);

impl fmt::Debug for LeaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeaseKey(..)")
    }
}

impl LeaseKey {
    /// A key from 32 random bytes.
    pub fn new(secret: [u8; 32]) -> LeaseKey {
        LeaseKey(secret)
    }

    /// Leases a client id to a user for a document.
    pub(crate) fn lease(&self, document: &str, user: &str, client_id: u64) -> Option<Lease> {
        let tag = self.mac(document, user, client_id)?.finalize().into_bytes();
        let (proof, _) = tag.split_first_chunk::<PROOF_BYTES>()?;
        Some(Lease {
            client_id,
            proof: *proof,
        })
    }

    /// Whether a lease is one that this key has made for that user and document.
    pub(crate) fn holds(&self, document: &str, user: &str, lease: &Lease) -> bool {
        self.mac(document, user, lease.client_id)
            .is_some_and(|mac| mac.verify_truncated_left(&lease.proof).is_ok())
    }

    /// Lengths before the texts, so that no two inputs run together.
    fn mac(&self, document: &str, user: &str, client_id: u64) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for text in [document, user] {
            mac.update(&(text.len() as u64).to_be_bytes());
            mac.update(text.as_bytes());
        }
        mac.update(&client_id.to_be_bytes());
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [ROOM-2] A proof holds for its document, user and id only, and for another instance of the same key.
    #[test]
    fn proofs() {
        let key = LeaseKey::new([7; 32]);
        let lease = key.lease("page-1", "ann", 99).unwrap();
        assert!(LeaseKey::new([7; 32]).holds("page-1", "ann", &lease));
        assert!(!LeaseKey::new([8; 32]).holds("page-1", "ann", &lease));
        assert!(!key.holds("page-2", "ann", &lease));
        assert!(!key.holds("page-1", "bob", &lease));
        assert!(!key.holds("page-", "1ann", &lease));
        assert!(!key.holds(
            "page-1",
            "ann",
            &Lease {
                client_id: 98,
                ..lease.clone()
            }
        ));
        let mut forged = lease;
        forged.proof[15] ^= 1;
        assert!(!key.holds("page-1", "ann", &forged));
    }
}
