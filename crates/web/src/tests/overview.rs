//! What the server tells of live connections: to a page where to connect, to administrators who is there, to a browser what its path does.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use collab::{ClientFrame, PROTOCOL_VERSION, ServerFrame};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use wiki::{Actor, TokenRights};

use super::{Browser, Reply, Site};
use crate::serve::Bounds;

impl Site {
    async fn get_with(&self, path: &str, token: &str) -> Reply {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn token(&self, actor: &Actor, document: &str, rights: TokenRights) -> String {
        let trust = self.kit.wiki.trust();
        let valid = Duration::from_secs(600);
        trust
            .issue(actor, document, rights, valid)
            .await
            .unwrap()
            .token
    }
}

fn json(reply: Reply) -> Value {
    serde_json::from_slice(&reply.is(200).bytes).unwrap()
}

/// [TRANS-12]
#[tokio::test]
async fn a_page_learns_where_its_editor_connects() {
    let site = Site::new().await;
    let open = site.page("DOC", "Plan", "<p>text</p>").await;
    let closed = site.page("OPS", "Secret", "<p>text</p>").await;
    let answer = json(site.get(&format!("/api/pages/{open}/connection")).await);
    assert_eq!(answer["document"], format!("page-{open}"));
    let paths = serde_json::json!([
        { "name": "direct", "url": "/synchrony/v1" },
        { "name": "internal proxy", "url": "/synchrony-proxy/v1" },
    ]);
    assert_eq!(answer["paths"], paths);
    let all = serde_json::json!(["websocket", "event-stream", "long-poll"]);
    assert_eq!(answer["transports"], all);
    assert_eq!(
        (&answer["heartbeat_ms"], &answer["mode"]),
        (&20_000.into(), &"on".into())
    );
    let token = answer["token"].as_str().unwrap();
    let claims = site.kit.wiki.trust().verify(token).await.unwrap();
    assert_eq!(
        (claims.user, claims.document),
        (None, format!("page-{open}"))
    );
    assert_eq!(answer["token_expires_at_ms"], claims.expires_at_ms);
    let path = format!("/api/pages/{closed}/connection");
    site.get(&path).await.is(403);
    let ann = site.log_in("ann").await;
    let answer = json(site.get_as(&ann, &path).await);
    let trust = site.kit.wiki.trust();
    let claims = trust.verify(answer["token"].as_str().unwrap());
    assert_eq!(claims.await.unwrap().user, site.ann.user_id());

    let elsewhere = Site::with(crate::SyncSettings {
        service_url: Some("https://sync.example:8443/x/v1".into()),
        proxy: crate::SyncProxy::Off,
        transports: vec![crate::Transport::LongPoll],
        ..crate::SyncSettings::default()
    });
    let site = elsewhere.await;
    let page = site.page("DOC", "Plan", "<p>text</p>").await;
    let reply = site.get(&format!("/api/pages/{page}/connection")).await;
    let policy = reply.header("content-security-policy").to_owned();
    assert!(
        policy.ends_with("connect-src 'self' https://sync.example:8443 wss://sync.example:8443")
    );
    let answer = json(reply);
    let paths = serde_json::json!([{ "name": "direct", "url": "https://sync.example:8443/x/v1" }]);
    assert_eq!(answer["paths"], paths);
    assert_eq!(answer["transports"], serde_json::json!(["long-poll"]));
}

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn socket(address: std::net::SocketAddr, path: &str, headers: &[(&str, &str)]) -> Socket {
    let mut request = format!("ws://{address}{path}")
        .into_client_request()
        .unwrap();
    for (name, value) in headers {
        let name = header::HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    tokio_tungstenite::connect_async(request).await.unwrap().0
}

async fn frame(socket: &mut Socket) -> Result<ServerFrame, u16> {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Binary(frame) => return Ok(ServerFrame::decode(&frame).unwrap()),
            Message::Close(end) => return Err(end.unwrap().code.into()),
            _ => {}
        }
    }
}

fn hello(document: &str) -> Message {
    let frame = ClientFrame::Hello {
        version: PROTOCOL_VERSION,
        document: document.into(),
        resume: None,
        leases: Vec::new(),
    };
    Message::Binary(frame.encode())
}

/// [TRANS-10] [TRANS-13]
#[tokio::test]
async fn administrators_see_every_connection_and_others_do_not() {
    let site = Site::new().await;
    let page = site.page("DOC", "Plan", "<p>text</p>").await;
    let document = format!("page-{page}");
    let address = site.listen(Bounds::default()).await;
    let bo = site.log_in("bo").await;
    let headers = [
        ("cookie", bo.cookie.as_str()),
        ("origin", "http://wiki.example"),
        ("watersmeet-path", "internal proxy"),
    ];
    let mut one = socket(address, "/synchrony/v1/live", &headers).await;
    let ping = ClientFrame::Ping {
        nonce: 1,
        rtt_ms: 34,
    };
    one.send(Message::Binary(ping.encode())).await.unwrap();
    one.send(hello(&document)).await.unwrap();
    while !matches!(frame(&mut one).await, Ok(ServerFrame::Presence { .. })) {}

    site.get("/synchrony/v1/state").await.is(403);
    site.get_as(&bo, "/synchrony/v1/state").await.is(403);
    let mine = site.token(&site.ann, "*", TokenRights::Write).await;
    site.get_with("/synchrony/v1/state", &mine).await.is(403);
    let ann = site.log_in("ann").await;
    let seen = json(site.get_as(&ann, "/synchrony/v1/state").await);
    assert_eq!(seen["rooms"], 1);
    let person = &seen["connections"][0];
    for (key, value) in [
        ("document", Value::from(document.clone())),
        ("user", "bo".into()),
        ("transport", "websocket".into()),
        ("path", "internal proxy".into()),
        ("rtt_ms", 34.into()),
        ("lag", 0.into()),
    ] {
        assert_eq!(person[key], value, "{key} of {person}");
    }
    assert!(person["bytes_in"].as_u64() > Some(10) && person["bytes_out"].as_u64() > Some(10));
    assert_eq!(seen["logs"][0]["document"], document);
    assert_eq!(seen["logs"][0]["title"], "Plan");
    assert!(seen["logs"][0]["snapshot_bytes"].as_i64() > Some(10));
    let service = site.token(&Actor::System, "*", TokenRights::Admin).await;
    let path = "/synchrony-proxy/v1/state";
    assert_eq!(json(site.get_with(path, &service).await)["mode"], "on");
    let metrics = site.get("/metrics").await.text();
    let line = "transport=\"websocket\",path=\"internal proxy\"} 1";
    assert!(metrics.contains(line), "{metrics}");
}

/// [WIRE-10] [TRANS-4] A signed token opens its own document, from any site, as header or as frame.
#[tokio::test]
async fn a_signed_token_opens_its_document_and_no_other() {
    let site = Site::new().await;
    let page = site.page("OPS", "Plan", "<p>text</p>").await;
    let other = site.page("OPS", "Other", "<p>text</p>").await;
    let document = format!("page-{page}");
    let address = site.listen(Bounds::default()).await;
    let token = site.token(&site.ann, &document, TokenRights::Write).await;
    let bearer = format!("Bearer {token}");
    let origin = ("origin", "https://app.example");
    let path = "/synchrony/v1/live";
    let mut one = socket(address, path, &[origin, ("authorization", &bearer)]).await;
    one.send(hello(&document)).await.unwrap();
    assert!(matches!(
        frame(&mut one).await,
        Ok(ServerFrame::Welcome { .. })
    ));
    for (document, code) in [(document, None), (format!("page-{other}"), Some(4403))] {
        let mut one = socket(address, path, &[origin]).await;
        let auth = ClientFrame::Auth {
            token: token.clone(),
        };
        one.send(Message::Binary(auth.encode())).await.unwrap();
        one.send(hello(&document)).await.unwrap();
        assert_eq!(frame(&mut one).await.err(), code, "{document}");
    }
    let document = format!("page-{page}");
    let watch = site.token(&site.ann, &document, TokenRights::Read).await;
    let bearer = format!("Bearer {watch}");
    let mut one = socket(address, path, &[("authorization", &bearer)]).await;
    one.send(hello(&document)).await.unwrap();
    let welcome = frame(&mut one).await;
    let Ok(ServerFrame::Welcome { rights, .. }) = welcome else {
        panic!("{welcome:?}");
    };
    assert_eq!(rights, collab::Rights::Read);
    let mut one = socket(address, path, &[origin]).await;
    let token = format!("{token}x");
    let auth = ClientFrame::Auth { token };
    one.send(Message::Binary(auth.encode())).await.unwrap();
    assert_eq!(frame(&mut one).await.err(), Some(4401));
}

/// [TRANS-13]
#[tokio::test]
async fn an_administrator_tests_a_path_step_by_step() {
    let site = Site::new().await;
    let (ann, bo) = (site.log_in("ann").await, site.log_in("bo").await);
    let at = |path: &str| format!("/synchrony/v1/probe/{path}");
    for browser in [&bo, &Browser::default()] {
        for path in ["events", "wait", "headers"] {
            site.get_as(browser, &at(path)).await.is(403);
        }
    }
    let events = site
        .get_as(&ann, &at("events?count=3&every_ms=1&padding=10"))
        .await;
    assert_eq!(events.header("content-type"), "text/event-stream");
    let text = events.text();
    assert!(
        text.starts_with(": ") && text.contains("\n\nid: 0\ndata: {\"number\":0,\"sent_at_ms\":")
    );
    assert_eq!(
        text.matches("\"padding\":\"xxxxxxxxxx\"").count(),
        3,
        "{text}"
    );
    let upload = Request::post(at("upload")).header(header::COOKIE, &ann.cookie);
    let upload = upload.body(Body::from(vec![1; 100_000])).unwrap();
    assert_eq!(json(site.send(upload).await)["bytes"], 100_000);
    let waited = json(site.get_as(&ann, &at("wait?seconds=0")).await);
    assert!(waited["waited_ms"].as_u64() < Some(1_000));
    let headers = Request::get(at("headers"))
        .header(header::COOKIE, &ann.cookie)
        .header(header::HOST, "127.0.0.1:8091")
        .header("x-forwarded-proto", "https");
    let seen = json(site.send(headers.body(Body::empty()).unwrap()).await);
    assert_eq!(seen["host"], "127.0.0.1:8091");
    assert_eq!(seen["forwarded_proto"], "https");
    assert_eq!(seen["public_url"], "http://wiki.example");
    assert_eq!(seen["path"], "direct");
    let address = site.listen(Bounds::default()).await;
    let mut echo = socket(address, &at("socket"), &[("cookie", &ann.cookie)]).await;
    echo.send(Message::Text("there and back".into()))
        .await
        .unwrap();
    assert_eq!(
        echo.next().await.unwrap().unwrap(),
        Message::Text("there and back".into())
    );
}
