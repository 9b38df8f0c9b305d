//! The command line without a running server: usage, configuration, documents, accounts.

use std::fs;

use crate::support::Machine;

#[test]
fn wrong_usage_is_told_with_exit_code_2() {
    let machine = Machine::new();
    for words in [
        &["frobnicate"][..],
        &["serve", "--colour", "blue"],
        &["serve", "--listen"],
        &["document", "convert", "--from", "storage"],
        &["document", "convert", "--from", "word", "--to", "html"],
        &["page", "export", "forty-two", "--format", "html"],
        &["user", "add"],
        &["token", "create", "--user", "ann"],
        &[],
    ] {
        let outcome = machine.run(words);
        assert_eq!(outcome.code, Some(2), "{words:?}: {}", outcome.stderr);
        assert!(
            outcome.stdout.is_empty() && !outcome.stderr.is_empty(),
            "{words:?}"
        );
    }
    assert!(machine.run(&["--help"]).ok().stdout.contains("serve"));
    assert!(
        machine
            .run(&["--version"])
            .ok()
            .stdout
            .starts_with("watersmeet ")
    );
    assert!(!machine.path("data").exists());
}

#[test]
fn all_mistakes_of_a_configuration_are_told_at_once() {
    let machine = Machine::new();
    fs::write(
        machine.path("watersmeet.toml"),
        "lisen = \"x\"\nlog = 5\npublic_url = \"here\"\n",
    )
    .unwrap();
    let words = ["config", "check", "--database", "mysql://a:secret@b"];
    let told = machine.run(&words).fails(2, "4 mistakes").stderr;
    for part in [
        "did you mean `listen`",
        "watersmeet.toml, line 2",
        "`here`",
        "--database",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!told.contains("secret"), "{told}");
    let outcome = machine.run(&["config", "check", "--json"]);
    assert_eq!(
        (
            outcome.code,
            outcome.json()["mistakes"].as_array().unwrap().len()
        ),
        (Some(2), 3)
    );
    machine
        .run(&["serve", "--listen", "nowhere"])
        .fails(2, "4 mistakes");
    machine.run(&["user", "list"]).fails(2, "3 mistakes");
    fs::write(machine.path("watersmeet.toml"), "data = \"wiki\"\n").unwrap();
    machine.run(&["config", "check"]).ok();
}

#[test]
fn the_configuration_in_force_is_shown_with_its_sources() {
    let machine = Machine::new();
    fs::write(
        machine.path("other.toml"),
        "listen = \"127.0.0.1:1\"\nlog = \"debug\"\n",
    )
    .unwrap();
    let words = [
        "config",
        "show",
        "--config",
        "other.toml",
        "--json",
        "--database",
        "postgres://u:pw@h/d",
    ];
    let shown = machine.run(&words).ok().json();
    assert_eq!(shown["listen"]["value"], "127.0.0.1:1");
    assert_eq!(shown["listen"]["source"], "other.toml, line 1");
    assert_eq!(shown["database"]["value"], "postgres://u:***@h/d");
    assert_eq!(shown["database"]["source"], "--database");
    assert_eq!(shown["data"]["source"], "default");
    let mut command = machine.command(&["config", "show"]);
    let output = command
        .env("WATERSMEET_LISTEN", "127.0.0.1:7")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("listen = \"127.0.0.1:7\"") && text.contains("# WATERSMEET_LISTEN"),
        "{text}"
    );
    machine
        .run(&["config", "show", "--config", "missing.toml"])
        .fails(2, "missing.toml");
}

#[test]
fn documents_are_converted_byte_for_byte() {
    let machine = Machine::new();
    let storage = "<h1>One</h1><p>a <strong>b</strong> &amp; c</p><ac:structured-macro ac:name=\"odd\"><ac:parameter ac:name=\"x\">1</ac:parameter></ac:structured-macro>";
    let to = |form: &str, input: &str| {
        let words = ["document", "convert", "--from", "storage", "--to", form];
        machine.run_with(&words, input.as_bytes())
    };
    assert_eq!(to("storage", storage).ok().stdout, storage);
    assert!(
        to("html", storage)
            .ok()
            .stdout
            .contains("<strong>b</strong>")
    );
    assert!(to("text", storage).ok().stdout.contains("a b & c"));
    assert_eq!(to("json", storage).ok().json()["type"], "doc");
    assert!(
        to("markdown", "<h2>Two</h2>")
            .ok()
            .stdout
            .contains("## Two")
    );
    let notes = to("html", storage).stderr;
    assert!(
        notes.is_empty() || notes.starts_with("note: line "),
        "{notes}"
    );
    to("storage", "<p>a</b>").fails(1, "line 1, column");
    fs::write(machine.path("page.md"), "# Hello\n\n- a\n- b\n").unwrap();
    let words = [
        "document", "convert", "--from", "markdown", "--to", "storage", "page.md",
    ];
    let converted = machine.run(&words).ok().stdout;
    assert!(
        converted.contains("<h1>Hello</h1>") && converted.contains("<li>"),
        "{converted}"
    );
    machine
        .run(&[
            "document",
            "convert",
            "--from",
            "html",
            "--to",
            "text",
            "missing.html",
        ])
        .fails(1, "missing.html");
    let latin1 = machine.run_with(
        &["document", "convert", "--from", "html", "--to", "text"],
        b"<p>\xe4</p>",
    );
    latin1.fails(1, "UTF-8");
}

#[test]
fn accounts_and_tokens_are_made_and_listed() {
    let machine = Machine::new();
    machine
        .run(&["user", "list"])
        .fails(1, "there is no wiki in `data`");
    let add = [
        "user",
        "add",
        "ann",
        "--full-name",
        "Ann Lee",
        "--admin",
        "--email",
        "a@example.org",
        "--password-stdin",
    ];
    assert_eq!(
        machine
            .run_with(&add, b"correct horse battery\n")
            .ok()
            .stdout,
        "account `ann` is made\n"
    );
    machine
        .run_with(&add, b"another good one\n")
        .fails(1, "ann");
    let bob = machine.run(&["user", "add", "bob"]).ok();
    assert!(bob.stdout.contains("cannot log in until"), "{}", bob.stdout);
    let short = machine.run_with(&["user", "password", "bob", "--password-stdin"], b"\n");
    short.fails(1, "the password is empty");
    machine
        .run(&["user", "password", "bob"])
        .fails(2, "--password-stdin");
    machine
        .run_with(
            &["user", "password", "bob", "--password-stdin"],
            b"quite a long one\n",
        )
        .ok();
    machine.run(&["user", "disable", "bob"]).ok();
    machine.run(&["user", "disable", "carol"]).fails(1, "carol");
    let listed = machine.run(&["user", "list", "--json"]).ok().json();
    let users = listed["users"].as_array().unwrap();
    assert_eq!(users.len(), 2);
    assert_eq!(
        (&users[0]["name"], &users[0]["admin"]),
        (&"ann".into(), &true.into())
    );
    assert_eq!(
        (
            &users[1]["name"],
            &users[1]["disabled"],
            &users[1]["has_password"]
        ),
        (&"bob".into(), &true.into(), &true.into())
    );
    assert!(
        !machine
            .run(&["user", "list"])
            .ok()
            .stdout
            .contains("argon2")
    );
}

#[test]
fn a_token_is_printed_once_and_only_for_an_account() {
    let machine = Machine::new();
    machine.run(&["user", "add", "ann"]).ok();
    let token = machine
        .run(&["token", "create", "--user", "ann", "--name", "script"])
        .ok()
        .stdout;
    assert!(
        token.trim().len() >= 20 && token.lines().count() == 1,
        "{token}"
    );
    let failed = machine
        .run(&[
            "token", "create", "--user", "nobody", "--name", "x", "--json",
        ])
        .fails(1, "nobody");
    assert!(failed.json()["error"].as_str().unwrap().contains("nobody"));
}

/// [MODE-1]
#[test]
fn the_mode_of_editing_is_set_and_shown() {
    let machine = Machine::new();
    machine.run(&["user", "add", "ann"]).ok();
    let mode = |words: &[&str]| {
        let words: Vec<&str> = ["sync", "mode"].iter().chain(words).copied().collect();
        machine.run(&words)
    };
    assert_eq!(mode(&[]).ok().stdout.trim(), "on");
    assert_eq!(mode(&["read-only"]).ok().stdout.trim(), "read-only");
    assert_eq!(mode(&["--json"]).ok().json()["mode"], "read-only");
    mode(&["sometimes"]).fails(2, "read-only");
}

#[test]
#[cfg(unix)]
fn the_data_directory_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let machine = Machine::new();
    machine
        .run(&["user", "add", "ann", "--data", "deep/er"])
        .ok();
    let mode = fs::metadata(machine.path("deep/er"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}
