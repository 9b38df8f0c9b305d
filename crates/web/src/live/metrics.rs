//! The engine's counters in the Prometheus text format.

use std::fmt::Write as _;

use collab::{EngineStats, Histogram};

use crate::state::Web;

/// Everything that is counted of editing together; of the engine nothing before anybody has edited.
pub(crate) fn metrics(web: &Web) -> String {
    let engine = web.live_now().map(|live| of_engine(&live.stats()));
    engine.unwrap_or_default() + &web.registry().metrics()
}

fn of_engine(stats: &EngineStats) -> String {
    let lines = [
        ("rooms", "gauge", stats.rooms),
        ("connections", "gauge", stats.connections),
        ("joins_total", "counter", stats.joins),
        ("joins_waiting", "gauge", stats.joins_waiting),
        (
            "joins_turned_away_total",
            "counter",
            stats.joins_turned_away,
        ),
        ("updates_total", "counter", stats.updates),
        ("commits_total", "counter", stats.commits),
        ("commits_failed_total", "counter", stats.commits_failed),
        ("hydrations_total", "counter", stats.hydrations),
        ("hydration_bytes", "gauge", stats.hydration_bytes),
        ("lag_updates", "gauge", stats.lag),
    ];
    let mut text = String::new();
    // Writing to a string cannot fail.
    for (name, kind, value) in lines {
        let _ = writeln!(
            text,
            "# TYPE watersmeet_live_{name} {kind}\nwatersmeet_live_{name} {value}"
        );
    }
    let refused = "watersmeet_live_refused_total";
    let _ = writeln!(text, "# TYPE {refused} counter");
    for (reason, count) in stats.refused.iter() {
        let _ = writeln!(text, "{refused}{{reason=\"{}\"}} {count}", reason.name());
    }
    histogram(&mut text, "commit_seconds", &stats.commit_times);
    let acknowledged = &stats.acknowledgement_times;
    histogram(&mut text, "acknowledgement_seconds", acknowledged);
    text
}

fn histogram(text: &mut String, name: &str, times: &Histogram) {
    let name = format!("watersmeet_live_{name}");
    let _ = writeln!(text, "# TYPE {name} histogram");
    for (bound_us, count) in times.cumulative() {
        let bound = match bound_us {
            Some(us) => (us as f64 / 1e6).to_string(),
            None => "+Inf".to_owned(),
        };
        let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {count}");
    }
    let sum = times.sum_us() as f64 / 1e6;
    let _ = writeln!(text, "{name}_sum {sum}\n{name}_count {}", times.count());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_one_that_prometheus_reads() {
        let text = of_engine(&EngineStats::default());
        for line in text.lines().filter(|line| !line.starts_with("# TYPE ")) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with("watersmeet_live_"), "{line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
        for part in [
            "# TYPE watersmeet_live_commit_seconds histogram\n",
            "watersmeet_live_commit_seconds_bucket{le=\"0.0005\"} 0\n",
            "watersmeet_live_acknowledgement_seconds_bucket{le=\"+Inf\"} 0\n",
            "watersmeet_live_acknowledgement_seconds_sum 0\n",
            "watersmeet_live_refused_total{reason=\"gap\"} 0\n",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
