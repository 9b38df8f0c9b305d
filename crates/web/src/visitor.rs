//! Who asks, how they proved it, and what the page should look like for them.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use wiki::Actor;

use crate::failure::{Answer, Failure};
use crate::limits;
use crate::params::Params;
use crate::state::Web;

/// Name of the session cookie.
pub(crate) const SESSION_COOKIE: &str = "watersmeet_session";

/// How somebody proved who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Not at all.
    #[default]
    None,
    /// A cookie, which browsers send by themselves: changes need the CSRF token as well.
    Cookie,
    /// A header that only programs send.
    Header,
}

/// Colours the reader chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// Who asks, and for which look.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) actor: Actor,
    pub(crate) proof: Proof,
    /// What forms carry; empty without a session.
    pub(crate) csrf: String,
    pub(crate) theme: Theme,
    /// Width of the sidebar in pixels; 0 when closed; none: as designed.
    pub(crate) sidebar_px: Option<u16>,
}

impl Default for Visitor {
    fn default() -> Self {
        Self {
            actor: Actor::Anonymous,
            proof: Proof::None,
            csrf: String::new(),
            theme: Theme::System,
            sidebar_px: None,
        }
    }
}

impl Visitor {
    /// Reads credentials and choices from the headers. A wrong `Authorization` is an error; a stale cookie is not.
    pub(crate) async fn of_headers(web: &Web, headers: &HeaderMap) -> Answer<Self> {
        let mut visitor = Self::default();
        for (name, value) in cookies(headers) {
            match name {
                "wm_theme" => visitor.theme = theme(value),
                "wm_sidebar" => visitor.sidebar_px = value.parse().ok().map(sidebar_width),
                _ => {}
            }
        }
        if let Some(given) = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
        {
            visitor.actor = authorize(web, given, &client_address(headers)).await?;
            visitor.proof = Proof::Header;
        } else if let Some(token) = session_token(headers)
            && let Some(session) = web.wiki().sessions().resume(token).await?
        {
            visitor.actor = session.actor;
            visitor.csrf = session.csrf_token;
            visitor.proof = Proof::Cookie;
        }
        Ok(visitor)
    }

    /// Whether a change may go on: the token fits, or the proof is one that browsers do not send by themselves.
    pub(crate) fn check_csrf(&self, headers: &HeaderMap, token: Option<&str>) -> Answer<()> {
        let given = headers
            .get("x-csrf-token")
            .and_then(|value| value.to_str().ok())
            .or(token);
        let fits = match self.proof {
            Proof::Header => true,
            Proof::Cookie => {
                given.is_some_and(|given| same(given.as_bytes(), self.csrf.as_bytes()))
            }
            Proof::None => from_this_site(headers),
        };
        if fits {
            Ok(())
        } else {
            Err(Failure::new(
                StatusCode::FORBIDDEN,
                "this form is out of date; reload the page and try again",
            ))
        }
    }

    /// The person's login name; empty for anonymous visitors.
    pub(crate) fn name(&self) -> &str {
        self.actor.person().map_or("", |person| &person.name)
    }
}

impl FromRequestParts<Web> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Answer<Self> {
        Self::of_headers(web, &parts.headers).await
    }
}

/// A logged-in visitor; others are asked to log in.
pub(crate) struct Member(pub(crate) Visitor);

impl FromRequestParts<Web> for Member {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Answer<Self> {
        let visitor = Visitor::of_headers(web, &parts.headers).await?;
        if visitor.actor.is_anonymous() {
            Err(Failure::log_in_first())
        } else {
            Ok(Self(visitor))
        }
    }
}

/// A form that changes something: who sent it is known and the CSRF token is checked.
pub(crate) struct ChangeForm(pub(crate) Visitor, pub(crate) Params);

impl FromRequest<Web> for ChangeForm {
    type Rejection = Failure;

    async fn from_request(request: Request, web: &Web) -> Answer<Self> {
        let (parts, body) = request.into_parts();
        let visitor = Visitor::of_headers(web, &parts.headers).await?;
        let bytes = read(body).await?;
        let params = Params::parse(&String::from_utf8_lossy(&bytes));
        visitor.check_csrf(&parts.headers, Some(params.raw("csrf")))?;
        Ok(Self(visitor, params))
    }
}

/// JSON that changes or computes something for the scripts of a page; checked like `ChangeForm`.
pub(crate) struct ChangeJson<T>(pub(crate) Visitor, pub(crate) T);

impl<T: serde::de::DeserializeOwned> FromRequest<Web> for ChangeJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, web: &Web) -> Answer<Self> {
        let (parts, body) = request.into_parts();
        let visitor = Visitor::of_headers(web, &parts.headers).await?;
        visitor.check_csrf(&parts.headers, None)?;
        let bytes = read(body).await?;
        let bytes = if bytes.is_empty() {
            bytes::Bytes::from_static(b"{}")
        } else {
            bytes
        };
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            Failure::new(
                StatusCode::BAD_REQUEST,
                format!("this is not the JSON expected here: {error}"),
            )
        })?;
        Ok(Self(visitor, value))
    }
}

async fn read(body: axum::body::Body) -> Answer<bytes::Bytes> {
    axum::body::to_bytes(body, limits::FORM_BYTES_MAX)
        .await
        .map_err(|_| {
            Failure::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "that is too large; send less at once",
            )
        })
}

/// The token of the session cookie.
pub(crate) fn session_token(headers: &HeaderMap) -> Option<&str> {
    cookies(headers)
        .find(|(name, _)| *name == SESSION_COOKIE)
        .map(|(_, value)| value)
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

/// The session cookie for a new session, or one that ends it.
pub(crate) fn session_cookie(web: &Web, token: Option<&str>) -> String {
    let secure = if web.secure() { "; Secure" } else { "" };
    let (value, age) = token.map_or(("", 0), |token| {
        (token, limits::SESSION_COOKIE_AGE.as_secs())
    });
    format!("{SESSION_COOKIE}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

/// The client's network address, as `serve` notes it: the peer, or what a proxy on this machine says.
pub(crate) fn client_address(headers: &HeaderMap) -> String {
    let forwarded = headers
        .get("x-forwarded-for")
        .and_then(|value| value.to_str().ok());
    forwarded
        .and_then(|list| list.rsplit(',').next())
        .map_or_else(|| "direct".to_owned(), |last| last.trim().to_owned())
}

async fn authorize(web: &Web, given: &str, address: &str) -> Answer<Actor> {
    let wrong = || Failure::new(StatusCode::UNAUTHORIZED, "name, password or token is wrong");
    let (scheme, value) = given.split_once(' ').ok_or_else(wrong)?;
    let tokens = web.wiki().tokens();
    let found = if scheme.eq_ignore_ascii_case("bearer") {
        tokens.authenticate(value.trim()).await?
    } else if scheme.eq_ignore_ascii_case("basic") {
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(value.trim())
            .map_err(|_| wrong())?;
        let pair = String::from_utf8(bytes).map_err(|_| wrong())?;
        let (name, password) = pair.split_once(':').ok_or_else(wrong)?;
        tokens.authenticate_basic(name, password, address).await?
    } else {
        None
    };
    found.ok_or_else(wrong)
}

/// For requests without a session (login, set-up): not sent by a page of another site.
fn from_this_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => origin
            .split_once("://")
            .is_some_and(|(_, rest)| rest == host),
        (Some(_), None) => false,
        (None, _) => true,
    }
}

/// Compares secrets in a time that does not depend on where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    !b.is_empty() && a.len() == b.len() && a.iter().zip(b).fold(0, |all, (x, y)| all | (x ^ y)) == 0
}

fn theme(value: &str) -> Theme {
    match value {
        "light" => Theme::Light,
        "dark" => Theme::Dark,
        _ => Theme::System,
    }
}

fn sidebar_width(px: u16) -> u16 {
    if px == 0 {
        0
    } else {
        (px / 20 * 20).clamp(220, 480)
    }
}
