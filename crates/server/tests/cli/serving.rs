//! A running server: starting, stopping, being killed, and commands beside it.

use std::net::TcpListener;

use crate::support::Machine;

const PASSWORD: &[u8] = b"correct horse battery\n";

#[test]
fn a_first_start_prints_a_set_up_address_and_a_later_one_does_not() {
    let machine = Machine::new();
    let server = machine.serve(&[]);
    let setup = server.said["setup"].as_str().unwrap().to_owned();
    assert!(setup.contains("/setup?token="), "{setup}");
    let path = setup
        .strip_prefix(server.said["url"].as_str().unwrap())
        .unwrap();
    assert_eq!(server.get(path).0, "HTTP/1.1 200 OK");
    assert!(
        server
            .get("/status")
            .1
            .contains("{\"state\":\"FIRST_RUN\"}")
    );
    // An account that is made beside the running server is seen at once.
    machine
        .run_with(
            &["user", "add", "ann", "--admin", "--password-stdin"],
            PASSWORD,
        )
        .ok();
    assert!(server.get("/status").1.contains("{\"state\":\"RUNNING\"}"));
    server.signal("TERM");
    assert_eq!(server.end().0, Some(0));
    let again = machine.serve(&["--public-url", "https://wiki.example.org/"]);
    assert_eq!(again.said["setup"], serde_json::Value::Null);
    assert_eq!(again.said["url"], "https://wiki.example.org");
}

#[test]
fn signals_stop_it_in_order() {
    for signal in ["TERM", "INT"] {
        let machine = Machine::new();
        let server = machine.serve(&[]);
        // An idle connection must not hold it up.
        let idle = std::net::TcpStream::connect(server.address()).unwrap();
        server.signal(signal);
        let (code, log) = server.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("stopped"), "{log}");
        drop(idle);
    }
}

#[test]
fn a_killed_server_starts_again_on_what_was_there() {
    let machine = Machine::new();
    let server = machine.serve(&[]);
    machine
        .run_with(
            &["user", "add", "ann", "--admin", "--password-stdin"],
            PASSWORD,
        )
        .ok();
    server.signal("KILL");
    assert_eq!(server.end().0, None);
    machine.run(&["check"]).ok();
    let server = machine.serve(&[]);
    assert_eq!(server.said["setup"], serde_json::Value::Null);
    assert_eq!(server.get("/healthz").0, "HTTP/1.1 200 OK");
}

#[test]
fn two_servers_cannot_share_a_data_directory_or_a_port() {
    let machine = Machine::new();
    let server = machine.serve(&[]);
    let second = machine.run(&["serve", "--listen", "127.0.0.1:0"]);
    second.fails(1, "another server uses the data directory");
    machine.run(&["restore", "any.zip"]).fails(1, "any.zip");
    drop(server);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    machine
        .run(&["serve", "--listen", &address])
        .fails(1, "--listen");
}

#[test]
fn the_log_is_json_on_demand_and_holds_no_secret() {
    let machine = Machine::new();
    std::fs::write(
        machine.path("watersmeet.toml"),
        "log_format = \"json\"\nlog = \"debug\"\n",
    )
    .unwrap();
    let server = machine.serve(&[]);
    let setup = server.said["setup"].as_str().unwrap().to_owned();
    let token = setup.split("token=").last().unwrap().to_owned();
    server.get(&format!("/setup?token={token}"));
    server.signal("TERM");
    let (_, log) = server.end();
    assert!(!log.is_empty());
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line)
            .unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    assert!(!log.contains(&token));
}
