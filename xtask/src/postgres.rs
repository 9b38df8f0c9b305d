//! A PostgreSQL server of the tests' own: a fresh cluster in a temporary folder on a free port, gone at the end.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::process::{Program, command};
use crate::setup;

/// A running server; it stops when the value is dropped.
pub(crate) struct Server {
    /// Address of a database in which tests may create others.
    pub(crate) url: String,
    cluster: Option<Cluster>,
}

struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    user: Option<String>,
}

impl Server {
    /// Starts a cluster, or takes the server that `WATERSMEET_TEST_POSTGRES` names.
    pub(crate) fn start() -> Result<Server, String> {
        if let Ok(url) = std::env::var("WATERSMEET_TEST_POSTGRES") {
            return Ok(Server { url, cluster: None });
        }
        let programs = setup::postgres_programs()?;
        let folder =
            std::env::temp_dir().join(format!("watersmeet-postgres-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        // The server refuses to run as root, so root hands the folder to an ordinary account.
        let user = if setup::is_root()? {
            Some(ordinary_account(&folder)?)
        } else {
            None
        };
        let cluster = Cluster {
            folder,
            programs,
            user,
        };
        let port = free_port()?;
        cluster.create()?;
        cluster.launch(port)?;
        Ok(Server {
            url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
            cluster: Some(cluster),
        })
    }
}

impl Cluster {
    fn program(&self, name: &str) -> Program {
        let path = self.programs.join(name);
        match &self.user {
            Some(user) => command("runuser").args(["-u", user, "--"]).arg(path),
            None => command(path),
        }
        .directory(&self.folder)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn create(&self) -> Result<(), String> {
        let options = [
            "--auth=trust",
            "--username=postgres",
            "--locale=C",
            "--encoding=UTF8",
            "--no-sync",
        ];
        self.program("initdb")
            .arg("-D")
            .arg(self.data())
            .args(options)
            .output()
            .map(|_| ())
    }

    fn launch(&self, port: u16) -> Result<(), String> {
        // The tests kill the wiki, never the database server, so its own syncing proves nothing here and only costs time.
        let settings = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off -c max_connections=200",
            self.folder.display()
        );
        let log = self.folder.join("server.log");
        self.program("pg_ctl")
            .arg("-D")
            .arg(self.data())
            .args(["-o", &settings, "-w", "-l"])
            .arg(log)
            .arg("start")
            .check()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = self
            .program("pg_ctl")
            .arg("-D")
            .arg(self.data())
            .args(["-m", "immediate", "stop"])
            .output();
        if let Err(error) = stopped {
            eprintln!("xtask: {error}");
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.cluster.take();
    }
}

fn ordinary_account(folder: &Path) -> Result<String, String> {
    let user = ["postgres", "nobody"]
        .into_iter()
        .find(|user| command("id").arg(user).output().is_ok())
        .ok_or("no ordinary account to run PostgreSQL under; set WATERSMEET_TEST_POSTGRES")?;
    command("chown").arg(user).arg(folder).check()?;
    Ok(user.to_string())
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(|error| error.to_string())
}
