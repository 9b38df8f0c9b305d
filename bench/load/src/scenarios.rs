//! What is done to a server, and what is told of it.

use crate::Options;
use crate::client::{Client, Target};
use crate::server::{Server, Span};
use crate::tally::Tally;
use crate::typing;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::HashMap;
use std::io::{Error, Result};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::{JoinSet, spawn_local};
use tokio::time::{interval_at, sleep, timeout};
use yrs::updates::decoder::Decode;
use yrs::{Doc, ReadTxn, StateVector, Transact, Update};

/// Before anything is counted.
const WARM_UP: Duration = Duration::from_millis(1_000);
/// Joins under way at the same time, where the join itself is not measured.
const JOINS_AT_ONCE: usize = 32;
/// How long one join may take.
const JOIN: Duration = Duration::from_secs(60);

/// One run of one scenario.
pub(crate) struct Run {
    /// Where.
    pub(crate) target: Target,
    /// The documents, all alike.
    pub(crate) documents: Vec<String>,
    /// Whose costs are told.
    pub(crate) server: Server,
    /// Editors of each document.
    pub(crate) per: usize,
    /// Everything else.
    pub(crate) options: Options,
}

impl Run {
    /// Runs a scenario; none of this name gives none.
    pub(crate) async fn scenario(&self, name: &str) -> Option<Result<Value>> {
        Some(match name {
            "saturate" => self.saturate().await,
            "steady" => self.steady().await,
            "idle" => self.idle().await,
            "joins" => self.joins().await,
            "fill" => self.fill().await,
            "big" => self.big().await,
            "loss" => self.loss().await,
            "verify" => self.verify().await,
            _ => return None,
        })
    }

    /// Everybody in all documents, one after the other a few at a time.
    async fn everybody(&self, tally: &Rc<Tally>) -> Result<Vec<Client>> {
        let mut joined = Vec::new();
        let mut joining = JoinSet::new();
        for document in &self.documents {
            for _ in 0..self.per {
                let (target, document, tally) =
                    (self.target.clone(), document.clone(), tally.clone());
                joining.spawn_local(async move { joined_client(&target, &document, &tally).await });
                if joining.len() >= JOINS_AT_ONCE {
                    joined.push(next_of(&mut joining).await?);
                }
            }
        }
        while !joining.is_empty() {
            joined.push(next_of(&mut joining).await?);
        }
        Ok(joined)
    }

    /// As many edits as the server takes, each in a frame of its own, so many of each editor not yet acknowledged.
    async fn saturate(&self) -> Result<Value> {
        let tally = Rc::new(Tally::new(false));
        let window = self.options.number("window", 32.0) as usize;
        let seconds = self.options.number("seconds", 5.0);
        let clients = self.everybody(&tally).await?;
        let broken = Rc::new(Cell::new(0_u64));
        for mut client in clients {
            let broken = broken.clone();
            spawn_local(async move {
                if let Err(why) = type_ahead(&mut client, window).await {
                    eprintln!("an editor: {why}");
                    broken.set(broken.get() + 1);
                }
            });
        }
        sleep(WARM_UP).await;
        tally.start();
        let (span, own) = (
            Span::start(self.server),
            Span::start(Server(std::process::id())),
        );
        sleep(Duration::from_secs_f64(seconds)).await;
        let ((passed, cpu), (_, own_cpu)) = (span.end(), own.end());
        let counted = tally.finish();
        Ok(json!({
            "seconds": passed, "cpu_seconds": cpu, "load_cpu_seconds": own_cpu,
            "updates": counted.acknowledged, "deliveries": counted.deliveries, "refused": counted.refused, "broken": broken.get(),
            "deliveries_per_second": counted.deliveries as f64 / passed,
            "deliveries_per_cpu_second": counted.deliveries as f64 / cpu,
            "cpu_us_per_update": cpu * 1e6 / counted.acknowledged as f64,
            "cpu_us_per_delivery": cpu * 1e6 / counted.deliveries as f64,
        }))
    }

    /// Everybody types `rate` characters and moves the cursor `presence` times a second.
    async fn steady(&self) -> Result<Value> {
        let tally = Rc::new(Tally::new(true));
        let seconds = self.options.number("seconds", 5.0);
        let (rate, presence) = (
            self.options.number("rate", 2.0),
            self.options.number("presence", 0.0),
        );
        let clients = self.everybody(&tally).await?;
        let people = clients.len() as f64;
        for (number, mut client) in clients.into_iter().enumerate() {
            let share = number as f64 / people;
            spawn_local(async move {
                if let Err(why) = keep_pace(&mut client, rate, presence, share).await {
                    eprintln!("an editor: {why}");
                }
            });
        }
        sleep(WARM_UP).await;
        tally.start();
        let (span, own) = (
            Span::start(self.server),
            Span::start(Server(std::process::id())),
        );
        sleep(Duration::from_secs_f64(seconds)).await;
        let ((passed, cpu), (_, own_cpu)) = (span.end(), own.end());
        let counted = tally.finish();
        Ok(json!({
            "seconds": passed, "cores": cpu / passed, "load_cores": own_cpu / passed,
            "updates": counted.acknowledged, "deliveries": counted.deliveries, "told": counted.told, "told_per_second": counted.told as f64 / passed, "refused": counted.refused,
            "updates_sent_per_second": people * rate,
            "ack_ms": milliseconds(&counted.ack_us), "seen_ms": milliseconds(&counted.seen_us),
            "cpu_us_per_delivery": cpu * 1e6 / counted.deliveries as f64,
        }))
    }

    /// Connections that do nothing: memory for each.
    async fn idle(&self) -> Result<Value> {
        let tally = Rc::new(Tally::new(false));
        sleep(Duration::from_secs_f64(self.options.number("settle", 0.5))).await;
        let (before, _) = self.server.memory();
        let clients = self.everybody(&tally).await?;
        let state: usize = clients.iter().map(|client| client.state_bytes).sum();
        let count = clients.len();
        let alive: Vec<_> = clients
            .into_iter()
            .map(|mut client| spawn_local(async move { while client.more().await.is_ok() {} }))
            .collect();
        sleep(Duration::from_secs_f64(self.options.number("settle", 0.5))).await;
        let (after, _) = self.server.memory();
        let gone = alive.iter().filter(|task| task.is_finished()).count();
        let more = after.saturating_sub(before);
        Ok(json!({
            "connections": count, "gone": gone, "before": before, "after": after, "state_bytes": state,
            "bytes_per_connection": more as f64 / count as f64, "bytes_per_state_byte": more as f64 / state.max(1) as f64,
        }))
    }

    /// Everybody comes at the same moment.
    async fn joins(&self) -> Result<Value> {
        let tally = Rc::new(Tally::new(false));
        let (before, _) = self.server.memory();
        self.server.forget_peak();
        let span = Span::start(self.server);
        let mut joining = JoinSet::new();
        for document in &self.documents {
            for _ in 0..self.per {
                let (target, document, tally) =
                    (self.target.clone(), document.clone(), tally.clone());
                joining.spawn_local(async move {
                    let began = Instant::now();
                    let client = joined_client(&target, &document, &tally).await?;
                    Ok::<_, Error>((client, began.elapsed().as_micros() as u32))
                });
            }
        }
        let (mut times, mut clients) = (Vec::new(), Vec::new());
        while let Some(joined) = joining.join_next().await {
            let (client, time) = joined.map_err(Error::other)??;
            times.push(time);
            clients.push(client);
        }
        let (passed, cpu) = span.end();
        let (_, peak) = self.server.memory();
        times.sort_unstable();
        Ok(json!({
            "joins": times.len(), "seconds": passed, "cpu_seconds": cpu, "join_ms": milliseconds(&times),
            "state_bytes": clients.first().map_or(0, |client| client.state_bytes),
            "before": before, "peak": peak, "extra_mb": peak.saturating_sub(before) as f64 / 1e6,
        }))
    }

    /// So many edits, of which one in five is somewhere else in the text.
    async fn fill(&self) -> Result<Value> {
        let tally = Rc::new(Tally::new(false));
        let (count, window) = (
            self.options.number("count", 10_000.0) as u64,
            self.options.number("window", 32.0) as usize,
        );
        let began = Instant::now();
        let clients = self.everybody(&tally).await?;
        let each = count / clients.len() as u64;
        tally.start();
        let mut filling = JoinSet::new();
        for mut client in clients {
            filling.spawn_local(async move {
                let mut pushed = 0;
                while pushed < each || client.unacknowledged() > 0 {
                    while pushed < each && client.unacknowledged() < window {
                        client.push_behind(|clock| {
                            if clock % 5 == 0 && clock > 9 {
                                clock * 7_919 % (clock - 3) + 2
                            } else {
                                clock - 1
                            }
                        });
                        pushed += 1;
                    }
                    client.flush().await?;
                    client.more().await?;
                }
                Ok::<_, Error>(())
            });
        }
        while let Some(filled) = filling.join_next().await {
            filled.map_err(Error::other)??;
        }
        let counted = tally.finish();
        Ok(
            json!({ "edits": counted.acknowledged, "refused": counted.refused, "seconds": began.elapsed().as_secs_f64() }),
        )
    }

    /// Much text in few edits, in every document.
    async fn big(&self) -> Result<Value> {
        const PART: u64 = 256 << 10;
        let tally = Rc::new(Tally::new(false));
        let bytes = self.options.number("bytes", 4e6) as u64;
        for document in &self.documents {
            let mut client = joined_client(&self.target, document, &tally).await?;
            let mut clock = 0;
            while clock < bytes {
                let part = PART.min(bytes - clock).max(4);
                let update = typing::text(client.client_id, clock, part as usize);
                clock = if clock == 0 {
                    typing::FIRST + 1
                } else {
                    clock + part
                };
                client.push_made(&update, clock);
                client.flush().await?;
                while client.unacknowledged() > 0 {
                    client.more().await?;
                }
            }
        }
        Ok(json!({ "documents": self.documents.len(), "bytes": bytes }))
    }

    /// Types until the server dies, and writes down what was acknowledged.
    async fn loss(&self) -> Result<Value> {
        let tally = Rc::new(Tally::new(false));
        let clients = self.everybody(&tally).await?;
        let mut typing = JoinSet::new();
        let per = self.per;
        let documents = self.documents.clone();
        for mut client in clients {
            typing.spawn_local(async move {
                let why = type_ahead(&mut client, 16).await;
                (client, why.err().map(|why| why.to_string()))
            });
        }
        let mut acknowledged = Vec::new();
        while let Some(ended) = typing.join_next().await {
            let (client, _) = ended.map_err(Error::other)?;
            acknowledged.push(json!({ "document": client.document(), "client": client.client_id, "clock": client.acknowledged }));
        }
        let all = json!(acknowledged);
        std::fs::write(self.options.text("file"), all.to_string())?;
        Ok(json!({ "documents": documents.len(), "per": per, "editors": acknowledged.len() }))
    }

    /// Compares what the documents hold with what was acknowledged.
    async fn verify(&self) -> Result<Value> {
        let tally = Rc::new(Tally::new(false));
        let text = std::fs::read_to_string(self.options.text("file"))?;
        let noted: Vec<Value> = serde_json::from_str(&text)?;
        let mut vectors: HashMap<String, StateVector> = HashMap::new();
        let (mut edits, mut lost) = (0, 0);
        for entry in &noted {
            let document = entry["document"].as_str().unwrap_or_default().to_owned();
            if !vectors.contains_key(&document) {
                let vector = self.state_vector(&document, &tally).await?;
                vectors.insert(document.clone(), vector);
            }
            let (client, clock) = (
                entry["client"].as_u64().unwrap_or(0),
                entry["clock"].as_u64().unwrap_or(0),
            );
            let there = vectors.get(&document).map_or(0, |vector| {
                u64::from(vector.get(&yrs::block::ClientID::new(client)))
            });
            edits += clock.saturating_sub(typing::FIRST);
            lost += clock.saturating_sub(there.max(typing::FIRST));
        }
        Ok(json!({ "acknowledged": edits, "lost": lost }))
    }

    async fn state_vector(&self, document: &str, tally: &Rc<Tally>) -> Result<StateVector> {
        let mut client = Client::join(&self.target, document, tally).await?;
        client.kept = Some(Vec::new());
        client.synced().await?;
        // The tail comes behind the snapshot.
        while timeout(Duration::from_millis(500), client.more())
            .await
            .is_ok_and(|more| more.is_ok())
        {}
        let doc = Doc::new();
        for update in client.kept.iter().flatten() {
            let update = Update::decode_v1(update).map_err(Error::other)?;
            doc.transact_mut()
                .apply_update(update)
                .map_err(Error::other)?;
        }
        Ok(doc.transact().state_vector())
    }
}

async fn joined_client(target: &Target, document: &str, tally: &Rc<Tally>) -> Result<Client> {
    timeout(JOIN, async {
        let mut client = Client::join(target, document, tally).await?;
        client.synced().await?;
        Ok(client)
    })
    .await
    .map_err(|_| Error::other(format!("`{document}` cannot be joined")))?
}

async fn next_of(joining: &mut JoinSet<Result<Client>>) -> Result<Client> {
    match joining.join_next().await {
        Some(joined) => joined.map_err(Error::other)?,
        None => Err(Error::other("nobody joins")),
    }
}

async fn type_ahead(client: &mut Client, window: usize) -> Result<()> {
    loop {
        while client.unacknowledged() < window {
            client.push();
        }
        client.flush().await?;
        client.more().await?;
    }
}

async fn keep_pace(client: &mut Client, rate: f64, presence: f64, share: f64) -> Result<()> {
    let ticks = |rate: f64| {
        let period = if rate > 0.0 {
            Duration::from_secs_f64(1.0 / rate)
        } else {
            Duration::from_secs(1 << 20)
        };
        interval_at((Instant::now() + period.mul_f64(share)).into(), period)
    };
    let (mut keys, mut moves, mut turn) = (ticks(rate), ticks(presence), 0);
    loop {
        tokio::select! {
            _ = keys.tick(), if rate > 0.0 => client.push(),
            _ = moves.tick(), if presence > 0.0 => {
                turn += 1;
                client.present(turn);
            }
            more = client.more() => more?,
        }
        client.flush().await?;
    }
}

/// Percentiles of sorted microseconds, in milliseconds.
fn milliseconds(sorted: &[u32]) -> Value {
    let at = |share: f64| {
        let place = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
        sorted.get(place).map_or(0.0, |us| f64::from(*us) / 1_000.0)
    };
    json!({ "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1.0), "samples": sorted.len() })
}
