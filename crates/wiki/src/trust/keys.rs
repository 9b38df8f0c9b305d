//! The keys that tokens are signed with: made at the first start, kept in the database, changed by a command.

use super::jwt::Refusal;
use crate::error::{Error, Result};
use crate::limits::{LIVE_TOKEN_MS_MAX, LIVE_TOKEN_SKEW_MS, TRUST_KEYS_AGE_MAX_MS};
use crate::settings;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};
use storage::{Tx, WriteTx};

/// Setting: the key that signs, and the public keys that are still believed.
const SETTING: &str = "trust_keys";

#[derive(Serialize, Deserialize)]
struct Stored {
    /// The private key, in hexadecimal digits.
    seed: String,
    old: Vec<OldKey>,
}

/// A public key whose tokens may still be about.
#[derive(Clone, Serialize, Deserialize)]
struct OldKey {
    name: String,
    public: String,
    until_ms: i64,
}

/// The keys of a wiki.
pub(crate) struct Keys {
    name: String,
    pair: Ed25519KeyPair,
    old: Vec<(OldKey, Vec<u8>)>,
}

impl Keys {
    /// The name of the key that signs.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.pair.sign(text).as_ref().to_vec()
    }

    pub(super) fn verify(
        &self,
        name: &str,
        text: &[u8],
        signature: &[u8],
        now_ms: i64,
    ) -> Result<(), Refusal> {
        let public = if name == self.name {
            self.pair.public_key().as_ref()
        } else {
            let known = |(old, _): &&(OldKey, _)| old.name == name && now_ms < old.until_ms;
            let (_, public) = self.old.iter().find(known).ok_or(Refusal::UnknownKey)?;
            public
        };
        UnparsedPublicKey::new(&ED25519, public)
            .verify(text, signature)
            .map_err(|_| Refusal::Forged)
    }

    fn of(stored: &Stored) -> Option<Keys> {
        let seed = hex::decode(&stored.seed).ok()?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).ok()?;
        let with_bytes = |old: &OldKey| Some((old.clone(), hex::decode(&old.public).ok()?));
        Some(Keys {
            name: name_of(pair.public_key().as_ref()),
            pair,
            old: stored.old.iter().map(with_bytes).collect::<Option<_>>()?,
        })
    }
}

/// Short and the same wherever it is computed.
fn name_of(public: &[u8]) -> String {
    let digest = Sha256::digest(public);
    hex::encode(digest.get(..8).unwrap_or_default())
}

/// The keys, if there are any yet.
pub(super) fn read(tx: &Tx) -> Result<Option<Keys>> {
    match stored(tx)? {
        Some(stored) => checked(&stored).map(Some),
        None => Ok(None),
    }
}

/// The keys; if there are none, they are made from the seed.
pub(super) fn read_or_make(tx: &WriteTx, seed: &[u8]) -> Result<Keys> {
    if let Some(keys) = read(tx)? {
        return Ok(keys);
    }
    let made = Stored {
        seed: hex::encode(seed),
        old: Vec::new(),
    };
    put(tx, &made)
}

/// New keys from the seed. The old ones are believed for as long as a token of theirs may be good, or not at all.
pub(super) fn rotate(tx: &WriteTx, seed: &[u8], now_ms: i64, at_once: bool) -> Result<Keys> {
    let mut old = Vec::new();
    if !at_once && let Some(stored) = stored(tx)? {
        let keys = checked(&stored)?;
        old = stored.old;
        old.retain(|key| now_ms < key.until_ms);
        old.push(OldKey {
            name: keys.name.clone(),
            public: hex::encode(keys.pair.public_key()),
            // Another process signs with it until it reads the keys anew.
            until_ms: now_ms + LIVE_TOKEN_MS_MAX + TRUST_KEYS_AGE_MAX_MS + LIVE_TOKEN_SKEW_MS,
        });
    }
    let made = Stored {
        seed: hex::encode(seed),
        old,
    };
    put(tx, &made)
}

fn stored(tx: &Tx) -> Result<Option<Stored>> {
    let text = settings::get(tx, SETTING)?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| damaged()))
        .transpose()
}

fn put(tx: &WriteTx, stored: &Stored) -> Result<Keys> {
    let json = serde_json::to_string(stored).map_err(Error::internal)?;
    settings::put(tx, SETTING, &json)?;
    checked(stored)
}

fn checked(stored: &Stored) -> Result<Keys> {
    Keys::of(stored).ok_or_else(damaged)
}

fn damaged() -> Error {
    Error::internal(format!(
        "the setting `{SETTING}` is no key; make new ones with `watersmeet sync rotate-keys --at-once`"
    ))
}

/// The keys in memory, and when they were read.
#[derive(Default)]
pub(crate) struct KeptKeys {
    // A lock around one value, never held across an await.
    kept: Mutex<Option<(Arc<Keys>, i64)>>,
}

impl KeptKeys {
    pub(super) fn younger_than(&self, age_ms: i64, now_ms: i64) -> Option<Arc<Keys>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (keys, read_at_ms) = kept.as_ref()?;
        (0..age_ms)
            .contains(&(now_ms - read_at_ms))
            .then(|| Arc::clone(keys))
    }

    pub(super) fn keep(&self, keys: Arc<Keys>, now_ms: i64) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((keys, now_ms));
    }
}
