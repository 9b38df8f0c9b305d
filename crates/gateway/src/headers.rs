//! Which headers go on, and which are ours to write.

use http::header::{
    CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;

/// Headers of one connection, not of the message.
const OF_THE_CONNECTION: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-authenticate"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Takes away what concerns one connection only, the headers that `Connection` names included.
pub(crate) fn remove_of_the_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&OF_THE_CONNECTION) {
        headers.remove(name);
    }
}

/// Makes the headers of a request fit for the target: which host and scheme the client used, and our own mark in place of any other.
/// `X-Forwarded-For` stays: who accepted the connection has written it.
pub(crate) fn forward(parts: &mut Parts, mark: &(HeaderName, HeaderValue), scheme: &HeaderValue) {
    remove_of_the_connection(&mut parts.headers);
    // HTTP/2 has the host in the address.
    let authority = parts.uri.authority().map(|it| it.as_str().to_owned());
    if !parts.headers.contains_key(HOST)
        && let Some(value) = authority.and_then(|it| HeaderValue::from_str(&it).ok())
    {
        parts.headers.insert(HOST, value);
    }
    match parts.headers.get(HOST).cloned() {
        Some(host) => parts.headers.insert(FORWARDED_HOST, host),
        None => parts.headers.remove(FORWARDED_HOST),
    };
    parts.headers.insert(FORWARDED_PROTO, scheme.clone());
    parts.headers.insert(mark.0.clone(), mark.1.clone());
}
