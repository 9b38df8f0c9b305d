//! Carries requests to a program behind this one.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Body;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::watch;

use crate::ending::{self, Ending};
use crate::upgrade::{self, Ask};
use crate::{headers, limits};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body on its way; each piece is handed on when it comes.
pub type TunnelBody = UnsyncBoxBody<Bytes, BoxError>;

/// Where a tunnel leads.
#[derive(Debug, Clone)]
pub struct TunnelSettings {
    /// `http://HOST:PORT` and the path below which requests are put.
    pub target: String,
    /// A header that tells the target by which way a request came. What clients send under this name is taken away.
    pub mark: (HeaderName, HeaderValue),
    /// The scheme that clients use, `http` or `https`, for `X-Forwarded-Proto`.
    pub scheme: HeaderValue,
}

/// Why a request could not be carried.
#[derive(Debug)]
pub enum TunnelError {
    /// The target's address is not one.
    Address(String),
    /// Nobody answers at the target, or it broke off before the head of an answer.
    Unreachable(String),
    /// The target took too long.
    TooSlow,
}

impl fmt::Display for TunnelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TunnelError::Address(address) => write!(
                f,
                "`{address}` is no address of a server; write `http://HOST:PORT/PATH`"
            ),
            TunnelError::Unreachable(why) => write!(f, "the server behind does not answer: {why}"),
            TunnelError::TooSlow => f.write_str("the server behind did not answer in time"),
        }
    }
}

impl std::error::Error for TunnelError {}

/// A way to a program behind this one. Clones share its connections.
#[derive(Clone)]
pub struct Tunnel {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client<HttpConnector, TunnelBody>,
    authority: Authority,
    prefix: String,
    settings: TunnelSettings,
    closed: watch::Sender<bool>,
}

impl Tunnel {
    /// A tunnel; nothing is connected before the first request.
    pub fn new(settings: TunnelSettings) -> Result<Tunnel, TunnelError> {
        let wrong = || TunnelError::Address(settings.target.clone());
        let target: Uri = settings.target.parse().map_err(|_| wrong())?;
        let plain = target.scheme() == Some(&Scheme::HTTP) && target.query().is_none();
        let authority = target.authority().filter(|_| plain).ok_or_else(wrong)?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(limits::CONNECT));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(limits::IDLE)
            .pool_max_idle_per_host(limits::IDLE_MAX)
            .build(connector);
        Ok(Tunnel {
            inner: Arc::new(Inner {
                client,
                authority: authority.clone(),
                prefix: target.path().trim_end_matches('/').to_owned(),
                settings,
                closed: watch::channel(false).0,
            }),
        })
    }

    /// Ends what would go on by itself, WebSockets and event streams, and refuses what comes from now on: to be called when the
    /// program stops. Clients come back, to this program or another.
    pub fn close(&self) {
        self.inner.closed.send_replace(true);
    }

    /// Carries a request; its path is put below the target's. The answer comes when its head is there, its body piece by piece. A
    /// request for a WebSocket that the target grants goes on by itself until one side ends.
    pub async fn carry<B>(
        &self,
        mut request: Request<B>,
    ) -> Result<Response<TunnelBody>, TunnelError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let client = hyper::upgrade::on(&mut request);
        let (mut parts, body) = request.into_parts();
        let ask = Ask::of(&parts);
        let settings = &self.inner.settings;
        headers::forward(&mut parts, &settings.mark, &settings.scheme);
        if let Some(ask) = ask {
            ask.put(&mut parts);
        }
        parts.uri = self.uri(&parts.uri)?;
        parts.version = Version::HTTP_11;
        // What belongs to this connection must not reach the next, but has to live as long as the WebSocket.
        let along = std::mem::take(&mut parts.extensions);
        let body = match ask {
            Some(_) => http_body_util::Empty::new()
                .map_err(|never| match never {})
                .boxed_unsync(),
            None => body.map_err(Into::into).boxed_unsync(),
        };
        let asked = self.inner.client.request(Request::from_parts(parts, body));
        let mut response = tokio::select! {
            asked = tokio::time::timeout(limits::ANSWER, asked) => asked
                .map_err(|_| TunnelError::TooSlow)?
                .map_err(|error| TunnelError::Unreachable(causes(&error)))?,
            () = ending::closed(self.inner.closed.subscribe()) => {
                return Err(TunnelError::Unreachable("this server stops".into()));
            }
        };
        let granted = ask.filter(|_| response.status() == StatusCode::SWITCHING_PROTOCOLS);
        if granted.is_some() {
            let target = hyper::upgrade::on(&mut response);
            let closed = self.inner.closed.subscribe();
            tokio::spawn(async move {
                tokio::select! {
                    () = upgrade::join(client, target, along) => {}
                    () = ending::closed(closed) => {}
                }
            });
        }
        let endless = ending::is_endless(response.headers());
        let response = response.map(|body| {
            let body = body.map_err(Into::into).boxed_unsync();
            match endless {
                true => Ending::new(body, self.inner.closed.subscribe()).boxed_unsync(),
                false => body,
            }
        });
        Ok(answer(response, granted))
    }

    fn uri(&self, asked: &Uri) -> Result<Uri, TunnelError> {
        let path = asked.path_and_query().map_or("/", PathAndQuery::as_str);
        let prefix = &self.inner.prefix;
        Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.inner.authority.clone())
            .path_and_query(format!("{prefix}{path}"))
            .build()
            .map_err(|_| TunnelError::Address(path.to_owned()))
    }
}

/// The answer as the client may have it.
fn answer(mut response: Response<TunnelBody>, granted: Option<Ask>) -> Response<TunnelBody> {
    match granted {
        // `Connection` and `Upgrade` are the answer here.
        Some(Ask::Upgrade) => {}
        Some(Ask::Connect) => {
            *response.status_mut() = StatusCode::OK;
            headers::remove_of_the_connection(response.headers_mut());
            response.headers_mut().remove("sec-websocket-accept");
        }
        None => headers::remove_of_the_connection(response.headers_mut()),
    }
    *response.version_mut() = Version::default();
    response.extensions_mut().clear();
    response
}

/// The error and what is behind it: the last one says what happened.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = cause.to_string();
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
