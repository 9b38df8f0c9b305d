//! The form of a token: JSON Web Token (RFC 7519), signed with Ed25519 (RFC 8037), and nothing else that those allow.

use super::TokenRights;
use super::keys::Keys;
use crate::error::{Error, Result};
use crate::limits::{LIVE_TOKEN_BYTES_MAX, LIVE_TOKEN_SKEW_MS};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who issues.
pub(super) const ISSUER: &str = "watersmeet";
/// The one algorithm. What the header says about it is compared, never followed.
const ALGORITHM: &str = "EdDSA";

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default = "jwt")]
    typ: String,
    /// What must be understood; nothing of that kind is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<serde_json::Value>,
}

/// The claims, under their names on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) iss: String,
    pub(super) sub: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) rights: TokenRights,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pat: Option<i64>,
    pub(super) iat: i64,
    pub(super) exp: i64,
}

/// Why a token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It has not the form, or says something that it may not.
    Malformed,
    /// It names a key that there is not.
    UnknownKey,
    /// The signature is not that of the text.
    Forged,
    /// It is over.
    Expired,
    /// It is of the future.
    Early,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Malformed => "the token is malformed; ask for a new one",
            Refusal::UnknownKey => {
                "the token is signed with a key that is not used any more; ask for a new one"
            }
            Refusal::Forged => "the token's signature is wrong; ask for a new one",
            Refusal::Expired => "the token has expired; ask for a new one",
            Refusal::Early => "the token is of the future; check the clocks of both machines",
        })
    }
}

fn jwt() -> String {
    "JWT".to_owned()
}

/// The text of a token.
pub(super) fn sign(body: &Body, keys: &Keys) -> Result<String> {
    let header = Header {
        alg: ALGORITHM.to_owned(),
        kid: keys.name().to_owned(),
        typ: jwt(),
        crit: None,
    };
    let signed = format!("{}.{}", encoded(&header)?, encoded(body)?);
    let signature = URL_SAFE_NO_PAD.encode(keys.sign(signed.as_bytes()));
    let token = format!("{signed}.{signature}");
    if token.len() > LIVE_TOKEN_BYTES_MAX {
        return Err(Error::Invalid(
            "the names in a token are too long; shorten them".into(),
        ));
    }
    Ok(token)
}

fn encoded(part: &impl Serialize) -> Result<String> {
    let json = serde_json::to_vec(part).map_err(Error::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// What a token says, if one of the keys has signed it and it is good now. The signature is checked before anything is believed.
pub(super) fn open(token: &str, keys: &Keys, now_ms: i64) -> Result<Body, Refusal> {
    if token.len() > LIVE_TOKEN_BYTES_MAX {
        return Err(Refusal::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
    let (header, body) = signed.split_once('.').ok_or(Refusal::Malformed)?;
    if body.contains('.') {
        return Err(Refusal::Malformed);
    }
    let header: Header = decoded(header)?;
    if header.alg != ALGORITHM || header.typ != "JWT" || header.crit.is_some() {
        return Err(Refusal::Malformed);
    }
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| Refusal::Malformed)?;
    keys.verify(&header.kid, signed.as_bytes(), &signature, now_ms)?;
    let body: Body = decoded(body)?;
    if body.iss != ISSUER || body.exp < body.iat {
        return Err(Refusal::Malformed);
    }
    let at_ms = |seconds: i64| seconds.saturating_mul(1_000);
    if now_ms.saturating_sub(LIVE_TOKEN_SKEW_MS) >= at_ms(body.exp) {
        return Err(Refusal::Expired);
    }
    if now_ms.saturating_add(LIVE_TOKEN_SKEW_MS) < at_ms(body.iat) {
        return Err(Refusal::Early);
    }
    Ok(body)
}

fn decoded<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, Refusal> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| Refusal::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Refusal::Malformed)
}
