//! Connections below the requests: their bounds, HTTP/2, WebSockets over both.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use collab::{ClientFrame, PROTOCOL_VERSION, ServerFrame};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, protocol::Role};

use super::{Browser, Site};
use crate::serve::{Bounds, accept};

impl Site {
    /// Serves the site on a port of its own until the test ends.
    pub(crate) async fn listen(&self, bounds: Bounds) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(accept(
            listener,
            self.app.clone(),
            bounds,
            std::future::pending(),
        ));
        address
    }
}

type Http2 = hyper::client::conn::http2::SendRequest<Body>;

/// An HTTP/2 connection with prior knowledge; it knows the server's settings when it is given out.
async fn http2(address: SocketAddr) -> Http2 {
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (mut send, connection) = builder.handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://wiki.example/healthz");
    let answer = send.send_request(request.body(Body::empty()).unwrap());
    assert_eq!(answer.await.unwrap().status(), 200);
    send
}

/// All that a peer sends until it closes.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    let read = stream.read_to_string(&mut text);
    let ended = tokio::time::timeout(Duration::from_secs(10), read).await;
    // A reset is an end too.
    let _ = ended.expect("the connection is closed");
    text
}

/// [TRANS-1]
#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let site = Site::new().await;
    let short = Duration::from_millis(150);
    let bounds = Bounds {
        first_request: short,
        ..Bounds::default()
    };
    let first = site.listen(bounds).await;
    for begun in [
        "",
        "GET /healthz HTTP/1.1\r\nhost: a\r\nx-slow: ",
        "PRI * HTTP",
    ] {
        let mut stream = TcpStream::connect(first).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let answer = rest(stream).await;
        assert!(!answer.contains("200 OK"), "{begun}: {answer}");
    }
    let bounds = Bounds {
        idle: short,
        ..Bounds::default()
    };
    let idle = site.listen(bounds).await;
    let mut stream = TcpStream::connect(idle).await.unwrap();
    let request = "GET /healthz HTTP/1.1\r\nhost: wiki.example\r\n\r\nGET /healthz HTTP/1.1\r\nx: ";
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = rest(stream).await;
    assert_eq!(answer.matches("200 OK").count(), 1, "{answer}");
}

/// [TRANS-1]
#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let site = Site::new().await;
    let address = site.listen(Bounds::default()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}", "x".repeat(80_000));
    // The server may be done with it before it is all sent.
    let _ = stream.write_all(request.as_bytes()).await;
    let answer = rest(stream).await;
    assert!(answer.is_empty() || answer.contains(" 431 "), "{answer}");
}

/// [TRANS-2]
#[tokio::test]
async fn a_connection_too_many_is_told_so_and_others_go_on() {
    let site = Site::new().await;
    let bounds = Bounds {
        connections: 1,
        ..Bounds::default()
    };
    let address = site.listen(bounds).await;
    let mut one = http2(address).await;
    let mut refused = TcpStream::connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    refused.write_all(request).await.unwrap();
    let refused = rest(refused).await;
    let (head, body) = refused.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("503 Service Unavailable"), "{head}");
    assert!(head.contains(&format!("content-length: {}", body.len())));
    assert!(body.contains("try again"), "{body}");
    let request = Request::get("http://wiki.example/healthz");
    let answer = one.send_request(request.body(Body::empty()).unwrap());
    assert_eq!(answer.await.unwrap().status(), 200);
}

/// [TRANS-3]
#[tokio::test]
async fn a_hundred_requests_run_at_once_over_one_http2_connection() {
    let site = Site::new().await;
    site.page("DOC", "Page", "<p>text</p>").await;
    let address = site.listen(Bounds::default()).await;
    let send = http2(address).await;
    let requests = (0..100).map(|_| {
        let mut send = send.clone();
        async move {
            let request = Request::get("http://wiki.example/spaces/DOC/pages");
            let answer = send.send_request(request.body(Body::empty()).unwrap());
            answer.await.unwrap().status()
        }
    });
    let all = futures_util::future::join_all(requests).await;
    assert!(
        all.iter().all(|status| *status == StatusCode::OK),
        "{all:?}"
    );
}

/// [TRANS-3] A WebSocket over HTTP/2 (RFC 8441) at the address of the other one.
#[tokio::test]
async fn a_page_is_joined_over_a_websocket_over_http2() {
    let site = Site::new().await;
    let page = site.page("DOC", "Page", "<p>text</p>").await;
    let ann = site.log_in("ann").await;
    let address = site.listen(Bounds::default()).await;
    let mut socket = websocket2(address, &ann).await.unwrap();
    let hello = ClientFrame::Hello {
        version: PROTOCOL_VERSION,
        document: format!("page-{page}"),
        resume: None,
        leases: Vec::new(),
    };
    socket.send(Message::Binary(hello.encode())).await.unwrap();
    let frame = loop {
        if let Message::Binary(frame) = socket.next().await.unwrap().unwrap() {
            break frame;
        }
    };
    let welcome = ServerFrame::decode(&frame).unwrap();
    assert!(
        matches!(welcome, ServerFrame::Welcome { .. }),
        "{welcome:?}"
    );
}

type Socket2 = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

async fn websocket2(address: SocketAddr, browser: &Browser) -> Result<Socket2, StatusCode> {
    let mut send = http2(address).await;
    let request = Request::builder()
        .method(Method::CONNECT)
        .extension(hyper::ext::Protocol::from_static("websocket"))
        .uri("http://wiki.example/synchrony/v1/live")
        .header("sec-websocket-version", "13")
        .header("origin", "http://wiki.example")
        .header("cookie", &browser.cookie);
    let request = request.body(Body::empty()).unwrap();
    let mut answer = send.send_request(request).await.unwrap();
    if answer.status() != 200 {
        return Err(answer.status());
    }
    let upgraded = TokioIo::new(hyper::upgrade::on(&mut answer).await.unwrap());
    Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await)
}

/// [TRANS-4] [TRANS-5]
#[tokio::test]
async fn a_cookie_counts_only_on_pages_of_this_site() {
    let site = Site::new().await;
    let ann = site.log_in("ann").await;
    let address = site.listen(Bounds::default()).await;
    let ask = async |method: &str, headers: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "{method} /synchrony/v1/live HTTP/1.1\r\nhost: wiki.example\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap()
    };
    let cookie = format!("cookie: {}\r\n", ann.cookie);
    let ours = ask("GET", &format!("{cookie}origin: http://wiki.example\r\n")).await;
    assert!(ours.contains("101 Switching"), "{ours}");
    assert!(ours.contains("access-control-allow-credentials: true"));
    for foreign in [
        "origin: https://evil.example\r\n",
        "origin: null\r\n",
        "sec-fetch-site: cross-site\r\n",
    ] {
        let answer = ask("GET", &format!("{cookie}{foreign}")).await;
        assert!(answer.contains("403 Forbidden"), "{foreign}: {answer}");
        assert!(answer.contains("content-type: application/json"));
        assert!(!answer.contains("allow-credentials"), "{answer}");
        let anonymous = ask("GET", foreign).await;
        assert!(anonymous.contains("101 Switching"), "{anonymous}");
    }
    let preflight = "origin: https://app.example\r\naccess-control-request-method: POST\r\n";
    let answer = ask("OPTIONS", preflight).await;
    assert!(answer.contains("204 No Content"), "{answer}");
    assert!(answer.contains("access-control-allow-origin: https://app.example"));
    assert!(answer.contains("access-control-allow-headers: authorization"));
    assert!(!answer.contains("allow-credentials"), "{answer}");
}

/// [TRANS-6] [TRANS-11]
#[tokio::test]
async fn what_the_administrator_switches_off_is_refused_with_a_reason() {
    let mut sync = crate::SyncSettings {
        transports: vec![crate::Transport::LongPoll],
        ..crate::SyncSettings::default()
    };
    let site = Site::with(sync.clone()).await;
    let address = site.listen(Bounds::default()).await;
    let ann = site.log_in("ann").await;
    assert_eq!(
        websocket2(address, &ann).await.err(),
        Some(StatusCode::FORBIDDEN)
    );
    for path in ["/synchrony/heartbeat", "/synchrony-proxy/heartbeat"] {
        site.get(path).await.is(200).shows("OK");
    }
    sync.proxy = crate::SyncProxy::Off;
    sync.context_path = "/collab".into();
    let site = Site::with(sync).await;
    site.get("/collab/heartbeat").await.is(200).shows("OK");
    for path in ["/synchrony/heartbeat", "/synchrony-proxy/heartbeat"] {
        site.get(path).await.is(404);
    }
}
