//! `serve`: puts the program together, runs it until a signal comes, and takes it apart in the right order.

use std::io;
use std::net::SocketAddr;

use gateway::Tunnel;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;
use web::{Role, Settings, Web};
use wiki::Wiki;

use crate::config::Config;
use crate::limits;
use crate::logs;
use crate::outcome::{Failure, Output};
use crate::place::{OpenWiki, Place};
use crate::sync_process;

pub(super) fn run(config: Config, output: &Output) -> Result<(), Failure> {
    logs::start(&config.log, config.log_format);
    let place = Place::make(&config)?;
    let _lock = place.lock(config.sync.role)?;
    let runtime = super::runtime()?;
    let outcome = runtime.block_on(serve(&config, &place, output));
    // What is still running then has had its time.
    runtime.shutdown_background();
    outcome
}

async fn serve(config: &Config, place: &Place, output: &Output) -> Result<(), Failure> {
    let stop = watch_signals()?;
    let role = config.sync.role;
    let listener = match role {
        Role::Sync => listen((config.sync.bind, config.sync.port).into(), role).await?,
        Role::All | Role::Wiki => listen(config.listen, role).await?,
    };
    let address = listener.local_addr().map_err(Failure::new)?;
    let open = match role {
        Role::Sync => place.open_wiki_without_search(config).await?,
        Role::All | Role::Wiki => place.open_wiki(config).await?,
    };
    open.wiki.trust().prepare().await?;
    let tunnel = match role {
        Role::Wiki => Some(sync_process::dig(
            &config.sync,
            &public_url(config, address),
        )?),
        Role::All | Role::Sync => None,
    };
    let web = assemble(config, place, &open.wiki, address, tunnel.clone())?;
    let server = web::serve(listener, web.clone(), stopped(stop.clone()));
    let server = tokio::spawn(server);
    let jobs = match role {
        // One process does the jobs: the one whose search index they write.
        Role::Sync => None,
        Role::All | Role::Wiki => Some(tokio::spawn(run_jobs(open.wiki.clone(), stop.clone()))),
    };
    announce(&open.wiki, config, address, output).await?;

    stopped(stop).await;
    tracing::info!("stopping");
    if let Some(tunnel) = tunnel {
        tunnel.close();
    }
    if timeout(limits::DRAIN_MAX, web.drain()).await.is_err() {
        tracing::warn!("live connections did not close in time");
    }
    match timeout(limits::DRAIN_MAX, server).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::error!(%error, "the server failed"),
        Ok(Err(error)) => tracing::error!(%error, "the server panicked"),
        Err(_) => tracing::warn!("requests did not end in time"),
    }
    close(open, jobs).await;
    Ok(())
}

/// The web part for the role of this process.
fn assemble(
    config: &Config,
    place: &Place,
    wiki: &Wiki,
    address: SocketAddr,
    tunnel: Option<Tunnel>,
) -> Result<Web, Failure> {
    let upload_dir = match config.sync.role {
        Role::All | Role::Wiki => place.upload_dir()?,
        Role::Sync => place.sync_upload_dir(),
    };
    let settings = Settings {
        public_url: public_url(config, address),
        upload_dir,
        sync: config.sync.clone(),
    };
    let process = tunnel.map(sync_process::through);
    Ok(Web::beside(wiki.clone(), settings, process))
}

/// The address that people type.
fn public_url(config: &Config, address: SocketAddr) -> String {
    config.public_url.clone().unwrap_or_else(|| {
        here(match config.sync.role {
            // Pages are at the address of the other process.
            Role::Sync => config.listen,
            Role::All | Role::Wiki => address,
        })
    })
}

async fn close(open: OpenWiki, jobs: Option<tokio::task::JoinHandle<()>>) {
    if let Some(jobs) = jobs
        && timeout(limits::DRAIN_MAX, jobs).await.is_err()
    {
        tracing::warn!("a job did not end in time; it is done again after the next start");
    }
    if timeout(limits::DRAIN_MAX, open.close()).await.is_err() {
        tracing::warn!("a transaction did not end in time");
    }
    tracing::info!("stopped");
}

async fn listen(address: SocketAddr, role: Role) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let (whole, port) = match role {
            Role::Sync => ("--sync-bind", "--sync-port"),
            Role::All | Role::Wiki => ("--listen", "--listen"),
        };
        let what_to_do = match error.kind() {
            io::ErrorKind::AddrInUse => {
                format!("stop the program that uses it, or choose another with {port}")
            }
            io::ErrorKind::PermissionDenied => format!("choose a port above 1023 with {port}"),
            _ => format!("choose an address of this machine with {whole}"),
        };
        Failure::new(format!(
            "cannot listen on `{address}`: {error}; {what_to_do}"
        ))
    })
}

/// The address of this machine that a browser on it can open.
fn here(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        return format!("http://localhost:{}", address.port());
    }
    format!("http://{address}")
}

async fn announce(
    wiki: &Wiki,
    config: &Config,
    address: SocketAddr,
    output: &Output,
) -> Result<(), Failure> {
    let (role, public_url) = (config.sync.role, public_url(config, address));
    let setup = if role != Role::Sync && wiki.accounts().first_run().await? {
        let token = wiki.accounts().issue_setup_token().await?;
        Some(format!("{public_url}/setup?token={token}"))
    } else {
        None
    };
    let object = json!({ "url": public_url, "listen": address.to_string(), "setup": setup });
    output.answer(&object, || {
        if role == Role::Sync {
            return format!("The sync engine listens on {address}; pages are at {public_url}");
        }
        let running = format!("Watersmeet is at {public_url}");
        match &setup {
            Some(setup) => format!(
                "{running}\nNobody can log in yet. Make the administrator at this address, which works once:\n{setup}"
            ),
            None => running,
        }
    })
}

/// Does jobs as they become due, until the server stops.
async fn run_jobs(wiki: Wiki, stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match wiki.run_due_jobs().await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(%error, "the jobs cannot be done now; they are tried again")
            }
        }
        tokio::select! {
            () = stopped(stop.clone()) => {}
            () = wiki.database().job_enqueued() => {}
            () = tokio::time::sleep(limits::JOB_POLL) => {}
        }
    }
}

/// Becomes true with the first SIGTERM or SIGINT; a second one ends the process at once.
fn watch_signals() -> Result<watch::Receiver<bool>, Failure> {
    let failed = |error: io::Error| Failure::new(format!("cannot wait for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let (send, receive) = watch::channel(false);
    tokio::spawn(async move {
        either(&mut terminate, &mut interrupt).await;
        let _ = send.send(true);
        either(&mut terminate, &mut interrupt).await;
        tracing::warn!("stopped at once by a second signal");
        std::process::exit(1);
    });
    Ok(receive)
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // The sender lives as long as the process; were it gone, stopping would be right too.
    let _ = stop.wait_for(|stop| *stop).await;
}
