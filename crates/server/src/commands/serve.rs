//! `serve`: puts the program together, runs it until a signal comes, and takes it apart in the right order.

use std::io;
use std::net::SocketAddr;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;
use web::{Settings, Web};
use wiki::Wiki;

use crate::config::Config;
use crate::limits;
use crate::logs;
use crate::outcome::{Failure, Output};
use crate::place::{OpenWiki, Place};

pub(super) fn run(config: Config, output: &Output) -> Result<(), Failure> {
    logs::start(&config.log, config.log_format);
    let place = Place::make(&config)?;
    let _lock = place.lock()?;
    let runtime = super::runtime()?;
    let outcome = runtime.block_on(serve(&config, &place, output));
    // What is still running then has had its time.
    runtime.shutdown_background();
    outcome
}

async fn serve(config: &Config, place: &Place, output: &Output) -> Result<(), Failure> {
    let stop = watch_signals()?;
    let listener = listen(config.listen).await?;
    let address = listener.local_addr().map_err(Failure::new)?;
    let open = place.open_wiki(config).await?;
    let public_url = config.public_url.clone().unwrap_or_else(|| here(address));
    let settings = Settings {
        public_url: public_url.clone(),
        upload_dir: place.upload_dir()?,
        sync: config.sync.clone(),
    };
    let web = Web::new(open.wiki.clone(), settings);
    let server = web::serve(listener, web.clone(), stopped(stop.clone()));
    let server = tokio::spawn(server);
    let jobs = tokio::spawn(run_jobs(open.wiki.clone(), stop.clone()));
    announce(&open.wiki, &public_url, address, output).await?;

    stopped(stop).await;
    tracing::info!("stopping");
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

async fn close(open: OpenWiki, jobs: tokio::task::JoinHandle<()>) {
    if timeout(limits::DRAIN_MAX, jobs).await.is_err() {
        tracing::warn!("a job did not end in time; it is done again after the next start");
    }
    if timeout(limits::DRAIN_MAX, open.close()).await.is_err() {
        tracing::warn!("a transaction did not end in time");
    }
    tracing::info!("stopped");
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let what_to_do = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "stop the program that uses it, or choose another with --listen"
            }
            io::ErrorKind::PermissionDenied => "choose a port above 1023 with --listen",
            _ => "choose an address of this machine with --listen",
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
    public_url: &str,
    address: SocketAddr,
    output: &Output,
) -> Result<(), Failure> {
    let setup = if wiki.accounts().first_run().await? {
        let token = wiki.accounts().issue_setup_token().await?;
        Some(format!("{public_url}/setup?token={token}"))
    } else {
        None
    };
    let object = json!({ "url": public_url, "listen": address.to_string(), "setup": setup });
    output.answer(&object, || {
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
