use super::*;
use std::fs;

struct Given {
    folder: tempfile::TempDir,
    place: PlaceArgs,
    serve: ServeFlags,
    environment: Vec<(String, String)>,
}

impl Given {
    fn file(text: &str) -> Given {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.toml");
        fs::write(&path, text).unwrap();
        Given {
            place: PlaceArgs {
                config: Some(path),
                data: None,
                database: None,
                json: false,
            },
            folder,
            serve: ServeFlags::default(),
            environment: Vec::new(),
        }
    }

    fn variable(mut self, name: &str, value: &str) -> Given {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn load(&self) -> Result<Config, Mistakes> {
        Config::load(
            &self.place,
            &self.serve,
            self.environment.clone().into_iter(),
        )
    }

    fn mistakes(&self) -> Vec<String> {
        let folder = format!("{}/", self.folder.path().display());
        let lines = self.load().unwrap_err().lines();
        lines.iter().map(|line| line.replace(&folder, "")).collect()
    }

    fn source(&self, key: &str) -> (String, String) {
        let config = self.load().unwrap();
        let found = config
            .effective
            .into_iter()
            .find(|it| it.key == key)
            .unwrap();
        let folder = format!("{}/", self.folder.path().display());
        (found.value, found.source.replace(&folder, ""))
    }
}

#[test]
fn the_later_layer_wins_and_the_source_is_told() {
    let mut given = Given::file("listen = \"127.0.0.1:1\"\n\ndata = \"from-file\"\n");
    assert_eq!(
        given.source("listen"),
        ("127.0.0.1:1".into(), "w.toml, line 1".into())
    );
    assert_eq!(
        given.source("data"),
        ("from-file".into(), "w.toml, line 3".into())
    );
    assert_eq!(
        given.source("database").0,
        "sqlite:from-file/watersmeet.sqlite"
    );
    given = given.variable("WATERSMEET_LISTEN", "localhost:2");
    assert_eq!(
        given.source("listen"),
        ("127.0.0.1:2".into(), "WATERSMEET_LISTEN".into())
    );
    given.serve.given = vec![("listen", Some("[::1]:3".into()))];
    assert_eq!(
        given.source("listen"),
        ("[::1]:3".into(), "--listen".into())
    );
    assert_eq!(given.source("log"), ("info".into(), "default".into()));
    assert_eq!(given.source("public_url").0, "http://[::1]:3");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let given = Given::file(
        "lisen = \"x\"\nlisten = 8090\npublic_url = \"wiki.example.org\"\n[colours]\nred = 1\n",
    )
    .variable("WATERSMEET_DATABASE", "postgres:/u:secret@x")
    .variable("WATERSMEET_LOG_FORMT", "json")
    .variable("WATERSMEET_LOG", "loud=very")
    .variable(
        "WATERSMEET_TEST_POSTGRES",
        "not a setting, and not like one",
    );
    assert_eq!(
        given.mistakes(),
        [
            "`lisen` (w.toml, line 1): is not a setting; did you mean `listen`?",
            "`listen` (w.toml, line 2): got `8090`, which is a whole number, takes ADDRESS:PORT, such as `127.0.0.1:8090` or `[::]:8090`",
            "`colours` (w.toml, line 4): is not a setting; `watersmeet config show` lists them",
            "`log_formt` (WATERSMEET_LOG_FORMT): is not a setting; did you mean `WATERSMEET_LOG_FORMAT`?",
            "`database` (WATERSMEET_DATABASE): got `postgres:***` (a database is written `sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/NAME`), takes `sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/NAME`",
            "`public_url` (w.toml, line 3): got `wiki.example.org`, takes http:// or https:// with a host and nothing after it, such as `https://wiki.example.org`",
            "`log` (WATERSMEET_LOG): got `loud=very`, takes error, warn, info, debug or trace, or a list such as `info,wiki=debug`",
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_a_mistake() {
    let given = Given::file("listen = \n");
    assert!(
        given.mistakes()[0].starts_with("`w.toml`: line 1: "),
        "{:?}",
        given.mistakes()
    );
    let mut given = Given::file("");
    given.place.config = Some(given.folder.path().join("missing.toml"));
    assert!(given.mistakes()[0].starts_with("`missing.toml`: cannot be read"));
}

#[test]
fn secrets_are_masked() {
    let given = Given::file("database = \"postgres://wiki:s3cret@db/wiki\"\n");
    assert_eq!(given.source("database").0, "postgres://wiki:***@db/wiki");
    let refused = Given::file("database = \"postgres://wiki:s3cret@db/wiki?sslmode=require\"\n");
    let told = refused.mistakes().join("\n");
    assert!(
        told.contains("encrypted") && !told.contains("s3cret"),
        "{told}"
    );
}

#[test]
fn the_public_address_has_no_path() {
    for good in [
        "https://wiki.example.org",
        "http://[::1]:8090/",
        "http://localhost:8090",
    ] {
        let given = Given::file(&format!("public_url = \"{good}\""));
        assert_eq!(given.source("public_url").0, good.trim_end_matches('/'));
    }
    for bad in [
        "https://",
        "https://a/b",
        "ftp://a",
        "https://a?b",
        "https://a b",
    ] {
        assert_eq!(
            Given::file(&format!("public_url = \"{bad}\""))
                .mistakes()
                .len(),
            1,
            "{bad}"
        );
    }
}

#[test]
fn the_settings_of_editing_together_stand_in_a_section() {
    let given = Given::file(
        "public_url = \"https://w.example\"\n[sync]\nport = 9091\nbind = \"::1\"\ncontext_path = \"/s/y\"\ntransports = [\"long-poll\", \"websocket\"]\nheartbeat_seconds = \"5\"\nopen_namespaces = \"notes, drawings-2\"\n",
    )
    .variable("WATERSMEET_SYNC_WRITERS_MAX", "12");
    let sync = given.load().unwrap().sync;
    assert_eq!(sync.port, 9_091);
    assert_eq!(sync.internal_url, "http://[::1]:9091/s/y");
    assert_eq!(
        sync.transports,
        [web::Transport::LongPoll, web::Transport::WebSocket]
    );
    assert_eq!(sync.heartbeat_seconds, 5);
    assert_eq!(sync.writers_max, 12);
    assert_eq!(sync.open_namespaces, ["notes", "drawings-2"]);
    assert_eq!(
        given.source("sync.port"),
        ("9091".into(), "w.toml, line 3".into())
    );
    assert_eq!(given.source("sync.transports").0, "long-poll, websocket");
    assert_eq!(
        given.source("sync.service_url"),
        ("https://w.example/s/y/v1".into(), "default".into())
    );
    assert_eq!(
        given.source("sync.writers_max").1,
        "WATERSMEET_SYNC_WRITERS_MAX"
    );
    assert_eq!(given.source("role").0, "all");
    assert_eq!(
        Given::file("").load().unwrap().sync,
        web::SyncSettings::default()
    );
}

/// [ROLE-7]
#[test]
fn a_wrong_setting_of_editing_together_says_what_to_do() {
    let mistake = |line: &str| {
        let mistakes = Given::file(&format!("[sync]\n{line}\n")).mistakes();
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        mistakes[0].clone()
    };
    assert_eq!(
        mistake("context_path = \"synchrony\""),
        "`sync.context_path` (w.toml, line 2): got `synchrony` (it must begin with `/`), takes a path that begins with `/` and does not end with it, such as `/synchrony`"
    );
    assert_eq!(
        mistake("heartbeat_seconds = 26"),
        "`sync.heartbeat_seconds` (w.toml, line 2): got `26`, takes a whole number from 1 to 25: proxies cut what is silent for 30 seconds"
    );
    assert!(mistake("service_url = \"https://a/synchrony\"").contains("`/v1` is missing"));
    assert!(mistake("internal_url = \"http://a:1/synchrony/v1\"").contains("one too many"));
    assert!(
        mistake("transports = [\"carrier-pigeon\"]").contains("`carrier-pigeon` is no transport")
    );
    assert!(mistake("transports = []").contains("nobody could edit"));
    assert!(mistake("open_namespaces = [\"A B\"]").contains("`A B` is no namespace"));
    assert!(mistake("prt = 1").contains("did you mean `sync.port`?"));
    for line in [
        "context_path = \"/\"",
        "context_path = \"/a/\"",
        "context_path = \"/synchrony-proxy\"",
        "context_path = \"/{a}\"",
        "port = 70000",
        "port = true",
        "bind = \"here\"",
        "proxy = \"maybe\"",
        "internal_url = \"https://a:1/synchrony\"",
        "writers_max = -1",
        "transports = [1]",
    ] {
        mistake(line);
    }
    let given = Given::file("").variable("WATERSMEET_SYNC_PROT", "1");
    assert!(given.mistakes()[0].contains("did you mean `WATERSMEET_SYNC_PORT`?"));
}

/// [ROLE-7]
#[test]
fn two_processes_need_a_server_for_the_database() {
    let mut given = Given::file("[sync]\n");
    given.serve.given = vec![("role", Some("sync".into()))];
    let told = given.mistakes().join("\n");
    assert!(
        told.starts_with("`role` (--role): two processes need PostgreSQL; set `database`"),
        "{told}"
    );
    given.place.database = Some("postgres://u@h/n".into());
    assert_eq!(given.load().unwrap().sync.role, web::Role::Sync);
}
