//! Counters of this process in the Prometheus text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the latency histogram, in microseconds.
const BUCKETS_US: [u64; 11] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
];

#[derive(Default, Clone)]
struct Route {
    by_status: BTreeMap<u16, u64>,
    buckets: [u64; BUCKETS_US.len()],
    count: u64,
    sum_us: u64,
}

/// What the web part counts.
#[derive(Default)]
pub(crate) struct Metrics {
    // A lock, because routes come and go by name; it is held for a few additions only.
    routes: Mutex<BTreeMap<String, Route>>,
    pub(crate) cache_hits: AtomicU64,
    pub(crate) cache_misses: AtomicU64,
    pub(crate) not_modified: AtomicU64,
    pub(crate) in_flight: AtomicI64,
}

impl Metrics {
    pub(crate) fn record(&self, route: &str, status: u16, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let Ok(mut routes) = self.routes.lock() else {
            return;
        };
        if !routes.contains_key(route) {
            routes.insert(route.to_owned(), Route::default());
        }
        let Some(entry) = routes.get_mut(route) else {
            return;
        };
        *entry.by_status.entry(status).or_default() += 1;
        for (count, bound) in entry.buckets.iter_mut().zip(BUCKETS_US) {
            *count += u64::from(us <= bound);
        }
        entry.count += 1;
        entry.sum_us = entry.sum_us.saturating_add(us);
    }

    /// All counters as text.
    pub(crate) fn text(&self) -> String {
        let routes = self
            .routes
            .lock()
            .map(|routes| routes.clone())
            .unwrap_or_default();
        let mut out = String::from("# TYPE watersmeet_http_requests_total counter\n");
        for (name, route) in &routes {
            for (status, count) in &route.by_status {
                let _ = writeln!(
                    out,
                    "watersmeet_http_requests_total{{route=\"{name}\",status=\"{status}\"}} {count}"
                );
            }
        }
        out.push_str("# TYPE watersmeet_http_request_seconds histogram\n");
        for (name, route) in &routes {
            write_histogram(&mut out, name, route);
        }
        let mut plain = |name: &str, kind: &str, value: i128| {
            let _ = writeln!(out, "# TYPE {name} {kind}\n{name} {value}");
        };
        plain(
            "watersmeet_http_in_flight",
            "gauge",
            self.in_flight.load(Relaxed).into(),
        );
        plain(
            "watersmeet_page_cache_hits_total",
            "counter",
            self.cache_hits.load(Relaxed).into(),
        );
        plain(
            "watersmeet_page_cache_misses_total",
            "counter",
            self.cache_misses.load(Relaxed).into(),
        );
        plain(
            "watersmeet_http_not_modified_total",
            "counter",
            self.not_modified.load(Relaxed).into(),
        );
        out
    }
}

fn write_histogram(out: &mut String, name: &str, route: &Route) {
    for (count, bound) in route.buckets.iter().zip(BUCKETS_US) {
        let seconds = bound as f64 / 1e6;
        let _ = writeln!(
            out,
            "watersmeet_http_request_seconds_bucket{{route=\"{name}\",le=\"{seconds}\"}} {count}"
        );
    }
    let total = route.count;
    let _ = writeln!(
        out,
        "watersmeet_http_request_seconds_bucket{{route=\"{name}\",le=\"+Inf\"}} {total}"
    );
    let _ = writeln!(
        out,
        "watersmeet_http_request_seconds_sum{{route=\"{name}\"}} {}",
        route.sum_us as f64 / 1e6
    );
    let _ = writeln!(
        out,
        "watersmeet_http_request_seconds_count{{route=\"{name}\"}} {total}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_and_status_and_buckets_add_up() {
        let metrics = Metrics::default();
        metrics.record("/x/{code}", 200, Duration::from_micros(800));
        metrics.record("/x/{code}", 404, Duration::from_millis(30));
        let text = metrics.text();
        assert!(
            text.contains("requests_total{route=\"/x/{code}\",status=\"404\"} 1"),
            "{text}"
        );
        assert!(
            text.contains("_bucket{route=\"/x/{code}\",le=\"0.001\"} 1"),
            "{text}"
        );
        assert!(
            text.contains("_bucket{route=\"/x/{code}\",le=\"+Inf\"} 2"),
            "{text}"
        );
        assert!(text.contains("_count{route=\"/x/{code}\"} 2"), "{text}");
    }
}
