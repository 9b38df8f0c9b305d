//! A wiki on an empty database, and small exports made by hand.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use storage::{Database, DirectoryBlobs, Row, TestDatabase, Value, test_databases};
use tempfile::TempDir;

use super::super::{ImportOptions, ImportProgress, ImportReport};
use crate::{Actor, Clock, Error, MIGRATIONS, Parts, Randomness, Wiki};

/// 2026-01-01, and it never moves.
pub(super) const NOW_MS: i64 = 1_767_225_600_000;

struct StandingClock;

impl Clock for StandingClock {
    fn now_ms(&self) -> i64 {
        NOW_MS
    }
}

struct NoRandomness;

impl Randomness for NoRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// A wiki with nothing in it.
pub(super) struct Lab {
    pub(super) wiki: Wiki,
    pub(super) folder: TempDir,
    pub(super) name: &'static str,
    runtime: tokio::runtime::Runtime,
    _database: TestDatabase,
}

/// Runs a check on an empty wiki, once on each kind of database.
pub(super) fn on_each(check: impl Fn(&Lab)) {
    for database in test_databases() {
        check(&Lab::new(database));
    }
}

impl Lab {
    fn new(database: TestDatabase) -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let parts = Parts {
            database: Database::open_blocking(&database.url, MIGRATIONS).unwrap(),
            blobs: Arc::new(DirectoryBlobs::open(&folder.path().join("blobs")).unwrap()),
            search_dir: folder.path().join("search"),
            clock: Arc::new(StandingClock),
            random: Arc::new(NoRandomness),
        };
        let wiki = runtime.block_on(Wiki::open(parts)).unwrap();
        Lab {
            wiki,
            folder,
            name: database.name,
            runtime,
            _database: database,
        }
    }

    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(super) fn try_import(
        &self,
        path: &Path,
        options: ImportOptions,
    ) -> Result<ImportReport, Error> {
        self.import_telling(path, options, |_| {})
    }

    pub(super) fn import_telling(
        &self,
        path: &Path,
        options: ImportOptions,
        tell: impl FnMut(ImportProgress) + Send + 'static,
    ) -> Result<ImportReport, Error> {
        self.wait(
            self.wiki
                .imports()
                .confluence(&Actor::System, path, options, tell),
        )
    }

    #[track_caller]
    pub(super) fn import(&self, path: &Path) -> ImportReport {
        self.try_import(path, ImportOptions::default())
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    pub(super) fn rows(&self, sql: &str, params: &[Value]) -> Vec<Row> {
        let (sql, params) = (sql.to_owned(), params.to_vec());
        self.wiki
            .database()
            .read_blocking::<_, storage::Error, _>(move |tx| tx.query(&sql, &params))
            .unwrap()
    }

    /// The rows of a question, each as one line of its columns.
    pub(super) fn lines(&self, sql: &str) -> Vec<String> {
        self.rows(sql, &[])
            .iter()
            .map(|row| {
                row.values()
                    .iter()
                    .map(shown)
                    .collect::<Vec<_>>()
                    .join(" | ")
            })
            .collect()
    }

    pub(super) fn number(&self, sql: &str) -> i64 {
        self.rows(sql, &[])[0].i64(0).unwrap()
    }

    pub(super) fn execute(&self, sql: &str) {
        let sql = sql.to_owned();
        self.wiki
            .database()
            .write_blocking::<_, storage::Error, _>(move |tx| tx.execute(&sql, &[]))
            .unwrap();
    }

    /// The body of a version, as text.
    pub(super) fn body(&self, content: i64, number: i64) -> String {
        let sql = "SELECT body FROM content_version WHERE content_id = $1 AND number = $2";
        let rows = self.rows(sql, &[Value::Int(content), Value::Int(number)]);
        crate::publish::decompress(&rows[0].bytes(0).unwrap()).unwrap()
    }

    /// Everything the import wrote, for comparing two states.
    pub(super) fn everything(&self) -> Vec<String> {
        let mut all = Vec::new();
        for table in [
            "content",
            "content_version",
            "content_redirect",
            "content_property",
            "content_label",
            "content_restriction",
            "attachment_version",
            "title_history",
            "space",
            "space_permission",
            "user_account",
            "user_group",
            "membership",
            "label",
            "import_record",
            "id_sequence",
        ] {
            let mut lines: Vec<String> = self
                .lines(&format!("SELECT * FROM {table}"))
                .into_iter()
                .map(|line| format!("{table}: {line}"))
                .collect();
            lines.sort();
            all.extend(lines);
        }
        all
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => hex::encode(bytes),
    }
}

/// The exports of the shared corpus; none if it is not here.
pub(super) fn corpus() -> Option<PathBuf> {
    match std::env::var("WATERSMEET_CORPUS") {
        Ok(root) => Some(Path::new(&root).join("confluence/exports")),
        Err(_) if std::env::var("CI").is_ok_and(|ci| ci == "true") => {
            panic!("WATERSMEET_CORPUS must name the corpus in CI")
        }
        Err(_) => {
            eprintln!("skipped: real exports, because WATERSMEET_CORPUS is not set");
            None
        }
    }
}

/// A fixture of this project.
pub(super) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/import")
        .join(name)
}

/// An export made by hand, as a directory.
pub(super) struct Export {
    folder: TempDir,
    objects: String,
}

impl Export {
    /// With a space 1 of key `K`, which everybody logged in may edit.
    pub(super) fn new() -> Export {
        let mut export = Export::empty();
        export.object("Space", 1, "key=K name=Kay homePage>Page:10");
        export
            .object(
                "SpacePermission",
                2,
                "type=VIEWSPACE group=confluence-users space>Space:1",
            )
            .object(
                "SpacePermission",
                3,
                "type=EDITSPACE group=confluence-users space>Space:1",
            );
        export
    }

    /// Without any object.
    pub(super) fn empty() -> Export {
        let export = Export {
            folder: tempfile::tempdir().unwrap(),
            objects: String::new(),
        };
        export.file(
            "exportDescriptor.properties",
            b"exportType=space\nspaceKey=K\ntimezoneId=UTC\n",
        );
        export
    }

    /// Adds an object. Fields: `name=value` (`_` for a blank), `name>Class:id`.
    pub(super) fn object(
        &mut self,
        class: &str,
        id: impl std::fmt::Display,
        fields: &str,
    ) -> &mut Export {
        let _ = write!(
            self.objects,
            "<object class=\"{class}\" package=\"p\">\n<id name=\"id\">{id}</id>\n"
        );
        for field in fields.split_whitespace() {
            if let Some((name, value)) = field.split_once('=') {
                self.property(name, &value.replace('_', " "));
            } else if let Some((name, (class, id))) = field
                .split_once('>')
                .and_then(|(n, r)| Some((n, r.split_once(':')?)))
            {
                let _ = write!(
                    self.objects,
                    "<property name=\"{name}\" class=\"{class}\" package=\"p\"><id name=\"id\">{id}</id>\n</property>\n"
                );
            }
        }
        self.objects.push_str("</object>\n");
        self
    }

    fn property(&mut self, name: &str, value: &str) {
        let _ = writeln!(
            self.objects,
            "<property name=\"{name}\"><![CDATA[{value}]]></property>"
        );
    }

    /// A page with a body.
    pub(super) fn page(&mut self, id: i64, title: &str, more: &str) -> &mut Export {
        let fields = format!(
            "{more} title={title} version=1 contentStatus=current space>Space:1 creationDate=2020-01-01T00:00:00"
        );
        self.object("Page", id, &fields);
        self.body(id, "Page", &format!("<p>{title}</p>"))
    }

    /// A body.
    pub(super) fn body(&mut self, id: i64, class: &str, body: &str) -> &mut Export {
        let body_id = id + 1_000_000;
        let _ = write!(
            self.objects,
            "<object class=\"BodyContent\" package=\"p\">\n<id name=\"id\">{body_id}</id>\n<property name=\"body\"><![CDATA[{}]]></property>\n\
             <property name=\"bodyType\">2</property>\n<property name=\"content\" class=\"{class}\" package=\"p\"><id name=\"id\">{id}</id>\n</property>\n</object>\n",
            body.replace("]]>", "]] >")
        );
        self
    }

    /// Adds text as it is.
    pub(super) fn raw(&mut self, text: &str) -> &mut Export {
        self.objects.push_str(text);
        self
    }

    pub(super) fn file(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub(super) fn xml(&self) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<hibernate-generic datetime=\"2023-11-23 02:39:28\">\n{}</hibernate-generic>",
            self.objects
        )
    }

    /// Writes `entities.xml`; the path to import.
    pub(super) fn path(&self) -> &Path {
        self.path_with(&self.xml())
    }

    /// The same with other text in `entities.xml`.
    pub(super) fn path_with(&self, xml: &str) -> &Path {
        self.file("entities.xml", xml.as_bytes());
        self.folder.path()
    }
}
