//! Who connects, from whose page, by which way; and what a browser of another site is told.
//!
//! A cookie counts only for pages of this site, because a browser sends it whoever asks; a token counts from anywhere, because
//! somebody has to put it there.

use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use wiki::{Actor, Claims, Error, TokenRights, Trust};

use crate::failure::{Answer, Failure, Ready};
use crate::state::Web;
use crate::visitor::{self, Proof, Visitor};

/// Told of a connection that came through the wiki to a sync engine in another process.
const PATH_HEADER: &str = "watersmeet-path";

/// By which address a client came. [TRANS-10]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The sync engine's own.
    Direct,
    /// The wiki's.
    InternalProxy,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::Direct => "direct",
            Way::InternalProxy => "internal proxy",
        }
    }
}

/// Whose page asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// One of this site, or a program.
    Ours,
    /// One of another site.
    Foreign,
}

/// Whom a token stands for, and for what.
#[derive(Clone, Debug)]
pub(crate) struct Pass {
    pub(crate) actor: Actor,
    /// What a signed token says; none: a personal access token, which is as good as its account.
    pub(crate) claims: Option<Claims>,
}

/// Who asks for a live endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) actor: Actor,
    /// What a signed token limits this to.
    pub(crate) claims: Option<Claims>,
    /// A page of another site brought no token yet: nothing but AUTH will do. [TRANS-4]
    pub(crate) needs_token: bool,
    pub(crate) way: Way,
    /// The client's network address.
    pub(crate) address: String,
}

impl FromRequestParts<Web> for Entry {
    type Rejection = Failure;

    /// [TRANS-4]
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Answer<Self> {
        let asker = asker(web, &parts.headers, &parts.uri);
        let bearer = bearer(&parts.headers).map(str::to_owned);
        let mut claims = None;
        let (actor, needs_token) = match (bearer, asker) {
            (Some(token), _) => {
                let pass = of_token(web, &token).await.map_err(wrong_token)?;
                claims = pass.claims;
                (pass.actor, false)
            }
            (None, Asker::Ours) => {
                let visitor = Visitor::of_headers(web, &parts.headers).await?;
                (visitor.actor, false)
            }
            (None, Asker::Foreign) => {
                let visitor = Visitor::of_headers(web, &parts.headers).await?;
                if visitor.proof != Proof::None {
                    return Err(foreign());
                }
                (Actor::Anonymous, true)
            }
        };
        Ok(Self {
            actor,
            claims,
            needs_token,
            way: way(parts),
            address: visitor::client_address(&parts.headers),
        })
    }
}

/// What a signed token says beyond who somebody is.
pub(super) fn claims(entry: &Entry) -> Option<&Claims> {
    entry.claims.as_ref()
}

/// Whether what somebody brought is good for a document.
pub(super) fn covers(entry: &Entry, document: &str) -> bool {
    claims(entry).is_none_or(|claims| claims.covers(document))
}

impl Entry {
    /// Whether a signed token is one of the service's own. A token for documents opens nothing else, whoever bears it.
    fn is_service(&self) -> bool {
        let claims = self.claims.as_ref();
        claims.is_some_and(|claims| claims.rights == TokenRights::Admin)
    }

    /// An administrator, or another process of the wiki.
    pub(super) fn require_admin(&self) -> Answer<()> {
        if self.is_service() || (self.claims.is_none() && self.actor.is_admin()) {
            return Ok(());
        }
        let message = "this is for administrators; log in as one";
        Err(Failure::new(StatusCode::FORBIDDEN, message))
    }

    /// An administrator in a browser of theirs, or another process of the wiki. [ROLE-11]
    pub(super) fn require_admin_session(&self) -> Answer<()> {
        let session = |actor: &Actor| match actor {
            Actor::User { admin, proof, .. } => *admin && matches!(proof, wiki::Proof::Session(_)),
            Actor::Anonymous | Actor::System => false,
        };
        if self.is_service() || (self.claims.is_none() && session(&self.actor)) {
            return Ok(());
        }
        let message =
            "this address is for the wiki itself and for administrators who are logged in";
        Err(Failure::new(StatusCode::FORBIDDEN, message))
    }
}

/// Whom a token stands for: one that the wiki signed, or a personal access token. `Forbidden` with the reason. [WIRE-10]
pub(super) async fn of_token(web: &Web, token: &str) -> wiki::Result<Pass> {
    if Trust::is_token(token) {
        let trust = web.wiki().trust();
        let claims = trust.verify(token).await?;
        let actor = trust.actor(&claims).await?;
        let claims = Some(claims);
        return Ok(Pass { actor, claims });
    }
    let found = web.wiki().tokens().authenticate(token).await?;
    let claims = None;
    found
        .map(|actor| Pass { actor, claims })
        .ok_or_else(|| Error::Forbidden("this token does not hold; it may be revoked".into()))
}

fn wrong_token(error: Error) -> Failure {
    match error {
        Error::Forbidden(reason) => Failure::new(StatusCode::UNAUTHORIZED, reason),
        error => error.into(),
    }
}

fn foreign() -> Failure {
    Failure::new(
        StatusCode::FORBIDDEN,
        "a session cookie counts only on pages of this site; a page of another site uses a token",
    )
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = given.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

fn way(parts: &Parts) -> Way {
    let told = parts.headers.get(PATH_HEADER);
    if told.is_some_and(|it| it == Way::InternalProxy.name()) {
        return Way::InternalProxy;
    }
    let nested = parts.extensions.get::<Way>();
    nested.copied().unwrap_or(Way::Direct)
}

/// Whether a browser's page of this site asks, or a program (they send no `Origin`).
fn asker(web: &Web, headers: &HeaderMap, uri: &Uri) -> Asker {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if !headers.contains_key(header::ORIGIN) {
        // Without CORS a browser may leave the origin out, but says of what kind it is.
        let site = headers
            .get("sec-fetch-site")
            .and_then(|value| value.to_str().ok());
        return match site {
            Some("cross-site" | "same-site") => Asker::Foreign,
            _ => Asker::Ours,
        };
    }
    let Some(origin) = text(header::ORIGIN) else {
        return Asker::Foreign;
    };
    let host = text(header::HOST).or_else(|| uri.authority().map(|it| it.as_str()));
    let of_origin = origin.split_once("://").map(|(_, host)| host);
    if origin == origin_of(web.public_url()) || (host.is_some() && host == of_origin) {
        Asker::Ours
    } else {
        Asker::Foreign
    }
}

/// Scheme, host and port of an address.
pub(crate) fn origin_of(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    let path = url.get(after..).and_then(|rest| rest.find('/'));
    path.and_then(|at| url.get(..after + at)).unwrap_or(url)
}

/// Answers preflights, lets pages that may read the answer, and gives failures as JSON. [TRANS-5]
pub(super) async fn cors(State(web): State<Web>, request: Request, next: Next) -> Response {
    let ours = asker(&web, request.headers(), request.uri()) == Asker::Ours;
    let origin = request.headers().get(header::ORIGIN).cloned();
    let preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight {
        permitted()
    } else {
        as_json(next.run(request).await)
    };
    response.extensions_mut().insert(Ready);
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("etag"),
        );
        if ours {
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
        }
    }
    response
}

fn permitted() -> Response {
    let headers = [
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "GET, POST, PUT, PATCH, DELETE",
        ),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type, if-match, if-none-match, last-event-id",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Programs ask here: no failure becomes a page.
fn as_json(response: Response) -> Response {
    let Some(failure) = response.extensions().get::<Failure>() else {
        return response;
    };
    let body = Json(json!({ "error": failure.message }));
    let mut answer = (failure.status, body).into_response();
    if let Some(seconds) = failure.retry_after_s {
        let value = HeaderValue::from(seconds.max(1));
        answer.headers_mut().insert(header::RETRY_AFTER, value);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (url, origin) in [
            ("https://wiki.example", "https://wiki.example"),
            (
                "http://wiki.example:8090/wiki/x",
                "http://wiki.example:8090",
            ),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(origin_of(url), origin);
        }
    }
}
