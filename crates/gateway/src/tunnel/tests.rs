use super::*;
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A server that answers with a function, and can give its connections away.
async fn server<F, W>(answer: F) -> SocketAddr
where
    F: Fn(Request<Incoming>) -> W + Clone + Send + Sync + 'static,
    W: Future<Output = Response<TunnelBody>> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let answer = answer.clone();
                async move { Ok::<_, Infallible>(answer(request).await) }
            });
            let served = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            tokio::spawn(served);
        }
    });
    address
}

fn tunnel(to: SocketAddr) -> Tunnel {
    Tunnel::new(TunnelSettings {
        target: format!("http://{to}/below/"),
        mark: (
            HeaderName::from_static("by-way"),
            HeaderValue::from_static("of the tunnel"),
        ),
        scheme: HeaderValue::from_static("https"),
    })
    .unwrap()
}

/// A server in front that carries everything.
async fn front(tunnel: Tunnel) -> SocketAddr {
    server(move |request| {
        let tunnel = tunnel.clone();
        async move {
            tunnel.carry(request).await.unwrap_or_else(|error| {
                let mut response = Response::new(text(error.to_string()));
                *response.status_mut() = StatusCode::BAD_GATEWAY;
                response
            })
        }
    })
    .await
}

fn text(text: impl Into<Bytes>) -> TunnelBody {
    http_body_util::Full::new(text.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// Sends bytes and reads until `end` was read.
async fn talk(to: SocketAddr, say: &str, end: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(say.as_bytes()).await.unwrap();
    let said = read_until(&mut stream, end).await;
    (stream, said)
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut said = Vec::new();
    let read = async {
        while !String::from_utf8_lossy(&said).contains(end) {
            let mut part = [0; 1_024];
            let count = stream.read(&mut part).await.unwrap();
            assert!(count > 0, "ended: {}", String::from_utf8_lossy(&said));
            said.extend_from_slice(&part[..count]);
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), read).await;
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(waited.is_ok(), "no `{end}` in {said}");
    said
}

/// Tells what of a request arrived.
async fn echo(request: Request<Incoming>) -> Response<TunnelBody> {
    let (parts, body) = request.into_parts();
    let mut told = format!("{} {}\n", parts.method, parts.uri);
    for (name, value) in &parts.headers {
        told += &format!("{name}={}\n", value.to_str().unwrap());
    }
    let body = body.collect().await.unwrap().to_bytes();
    told += &format!("[{}]", String::from_utf8_lossy(&body));
    Response::new(text(told))
}

/// [ROLE-8]
#[tokio::test]
async fn a_request_arrives_below_the_target_with_our_marks_and_nobody_elses() {
    let front = front(tunnel(server(echo).await)).await;
    let say = "POST /v1/send?first=1 HTTP/1.1\r\nHost: wiki.example\r\nContent-Length: 3\r\n\
        By-Way: of the liar\r\nX-Forwarded-Host: liar\r\nX-Forwarded-Proto: ftp\r\nX-Forwarded-For: 192.0.2.1\r\n\
        Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\nCookie: a=b\r\n\r\nabc";
    let (_, said) = talk(front, say, "[abc]").await;
    for line in [
        "POST /below/v1/send?first=1\n",
        "host=wiki.example\n",
        "by-way=of the tunnel\n",
        "x-forwarded-host=wiki.example\n",
        "x-forwarded-proto=https\n",
        "x-forwarded-for=192.0.2.1\n",
        "cookie=a=b\n",
    ] {
        assert!(said.contains(line), "{line:?} in {said}");
    }
    for word in ["liar", "x-hop", "te=", "ftp"] {
        assert!(!said.contains(word), "{word:?} in {said}");
    }
}

/// [ROLE-8]
#[tokio::test]
async fn an_event_stream_is_not_held_back() {
    let (send, receive) = mpsc::channel::<Bytes>(1);
    let events = std::sync::Arc::new(std::sync::Mutex::new(Some(receive)));
    let target = server(move |_| {
        let mut receive = events.lock().unwrap().take().unwrap();
        let pieces = futures_util::stream::poll_fn(move |context| {
            receive
                .poll_recv(context)
                .map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
        });
        let body = http_body_util::StreamBody::new(pieces).boxed_unsync();
        async { Response::new(body) }
    })
    .await;
    let front = front(tunnel(target)).await;
    send.send(Bytes::from_static(b"data: one\n\n"))
        .await
        .unwrap();
    let say = "GET /v1/stream HTTP/1.1\r\nHost: a\r\n\r\n";
    let (mut stream, _) = talk(front, say, "data: one\n\n").await;
    // The second piece is made only after the first was read at the far end.
    send.send(Bytes::from_static(b"data: two\n\n"))
        .await
        .unwrap();
    read_until(&mut stream, "data: two\n\n").await;
    // The client goes: the target learns of it, because what it says is not taken any more.
    drop(stream);
    while send.send(Bytes::from_static(b"x")).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

const UPGRADE: &str = "GET /v1/live HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
    Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Grants every WebSocket, says `hello`, and gives back what it hears in capital letters until it hears `.`.
async fn shouting(mut request: Request<Incoming>) -> Response<TunnelBody> {
    assert_eq!(request.headers()["upgrade"], "websocket");
    assert!(request.headers().contains_key("sec-websocket-key"));
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut stream = TokioIo::new(upgrade.await.unwrap());
        stream.write_all(b"hello").await.unwrap();
        let mut part = [0; 100];
        loop {
            let count = stream.read(&mut part).await.unwrap();
            if count == 0 || part[..count].contains(&b'.') {
                return;
            }
            let loud = part[..count].to_ascii_uppercase();
            stream.write_all(&loud).await.unwrap();
        }
    });
    let response = Response::builder()
        .status(101)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    response.body(text("")).unwrap()
}

/// [ROLE-8]
#[tokio::test]
async fn a_websocket_goes_both_ways_until_one_side_ends() {
    let front = front(tunnel(server(shouting).await)).await;
    let (mut stream, said) = talk(front, UPGRADE, "hello").await;
    assert!(said.starts_with("HTTP/1.1 101 "), "{said}");
    assert!(said.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{said}");
    for word in ["one", "two"] {
        stream.write_all(word.as_bytes()).await.unwrap();
        read_until(&mut stream, &word.to_uppercase()).await;
    }
    stream.write_all(b".").await.unwrap();
    let mut rest = [0; 10];
    let ended = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut rest));
    assert_eq!(ended.await.unwrap().unwrap(), 0);
}

/// [ROLE-8]
#[tokio::test]
async fn a_refused_websocket_and_a_missing_target_are_told() {
    let refusing = server(async |_| {
        let response = Response::builder().status(403);
        response.body(text("not you")).unwrap()
    })
    .await;
    let (_, said) = talk(front(tunnel(refusing)).await, UPGRADE, "not you").await;
    assert!(said.starts_with("HTTP/1.1 403 "), "{said}");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let front = front(tunnel(nobody)).await;
    for say in [UPGRADE, "GET /v1/poll HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let (_, said) = talk(front, say, "does not answer").await;
        assert!(said.starts_with("HTTP/1.1 502 "), "{said}");
    }
}

/// [ROLE-8] As a browser does behind a proxy that speaks HTTP/2 to us.
#[tokio::test]
async fn a_websocket_over_http2_becomes_one_over_http1() {
    let tunnel = tunnel(server(shouting).await);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(move |request: Request<Incoming>| {
            let tunnel = tunnel.clone();
            async move { tunnel.carry(request).await }
        });
        let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder.enable_connect_protocol();
        let _ = builder
            .serve_connection(TokioIo::new(stream), service)
            .await;
    });
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
            .await
            .unwrap();
    tokio::spawn(connection);
    let request = || {
        Request::builder()
            .method("CONNECT")
            .uri("http://wiki.example/v1/live")
            .header("sec-websocket-version", "13")
            .extension(hyper::ext::Protocol::from_static("websocket"))
            .body(text(""))
            .unwrap()
    };
    // The server's settings must have come first.
    sender.ready().await.unwrap();
    let mut response = sender.send_request(request()).await;
    while response.is_err() {
        tokio::task::yield_now().await;
        response = sender.send_request(request()).await;
    }
    let response = response.unwrap();
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("upgrade"));
    let mut stream = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    let mut hello = [0; 5];
    stream.read_exact(&mut hello).await.unwrap();
    assert_eq!(&hello, b"hello");
    stream.write_all(b"two").await.unwrap();
    let mut loud = [0; 3];
    stream.read_exact(&mut loud).await.unwrap();
    assert_eq!(&loud, b"TWO");
}

/// [ROLE-8]
#[tokio::test]
async fn closing_ends_what_would_go_on_by_itself() {
    let tunnel = tunnel(
        server(async |request: Request<Incoming>| {
            if request.uri().path().ends_with("live") {
                return shouting(request).await;
            }
            let first = futures_util::stream::once(async {
                Ok(Frame::data(Bytes::from_static(b"data: one\n\n")))
            });
            let pieces = futures_util::StreamExt::chain(first, futures_util::stream::pending());
            let body = http_body_util::StreamBody::new(pieces).boxed_unsync();
            let response = Response::builder().header("content-type", "text/event-stream");
            response.body(body).unwrap()
        })
        .await,
    );
    let front = front(tunnel.clone()).await;
    let (mut socket, _) = talk(front, UPGRADE, "hello").await;
    let say = "GET /v1/stream HTTP/1.1\r\nHost: a\r\n\r\n";
    let (mut events, _) = talk(front, say, "data: one\n\n").await;
    tunnel.close();
    // The last, empty piece: the stream has ended in order.
    read_until(&mut events, "0\r\n\r\n").await;
    let mut rest = [0; 10];
    let ended = tokio::time::timeout(Duration::from_secs(10), socket.read(&mut rest));
    assert_eq!(ended.await.unwrap().unwrap(), 0);
    let (_, said) = talk(front, say, "this server stops").await;
    assert!(said.starts_with("HTTP/1.1 502 "), "{said}");
}

#[test]
fn an_address_that_is_none_is_refused() {
    for target in ["", "https://a/b", "/synchrony", "http://", "http://a/b?c"] {
        let settings = TunnelSettings {
            target: target.to_owned(),
            mark: (HeaderName::from_static("a"), HeaderValue::from_static("b")),
            scheme: HeaderValue::from_static("http"),
        };
        assert!(Tunnel::new(settings).is_err(), "{target}");
    }
}
