//! Counts and times of requests, in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the classes of times, in seconds.
const BOUNDS_S: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0];

#[derive(Default)]
struct Times {
    classes: [u64; BOUNDS_S.len()],
    count: u64,
    sum_s: f64,
}

#[derive(Default)]
struct Counts {
    /// By route and status.
    requests: BTreeMap<(String, u16), u64>,
    times: BTreeMap<String, Times>,
}

/// Counts and times of requests.
#[derive(Default)]
pub(crate) struct Metrics {
    counts: Mutex<Counts>,
}

impl Metrics {
    /// Counts a request. `route` is the pattern of the path, never the path, which may hold keys.
    pub(crate) fn count(&self, route: &str, status: u16, time: Duration) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.requests.entry((route.to_owned(), status)).or_default() += 1;
        let times = counts.times.entry(route.to_owned()).or_default();
        let seconds = time.as_secs_f64();
        for (class, bound) in times.classes.iter_mut().zip(BOUNDS_S) {
            *class += u64::from(seconds <= bound);
        }
        times.count += 1;
        times.sum_s += seconds;
    }

    /// Text of all counts; `gauges` are numbers of now, with their names and labels.
    pub(crate) fn text(&self, gauges: &[(String, f64)]) -> String {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(out, "# TYPE postil_requests_total counter");
        for ((route, status), count) in &counts.requests {
            let _ = writeln!(out, "postil_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}");
        }
        let _ = writeln!(out, "# TYPE postil_request_seconds histogram");
        for (route, times) in &counts.times {
            for (class, bound) in times.classes.iter().zip(BOUNDS_S) {
                let _ = writeln!(
                    out,
                    "postil_request_seconds_bucket{{route=\"{route}\",le=\"{bound}\"}} {class}"
                );
            }
            let Times { count, sum_s, .. } = times;
            let _ = writeln!(out, "postil_request_seconds_bucket{{route=\"{route}\",le=\"+Inf\"}} {count}");
            let _ = writeln!(out, "postil_request_seconds_sum{{route=\"{route}\"}} {sum_s}");
            let _ = writeln!(out, "postil_request_seconds_count{{route=\"{route}\"}} {count}");
        }
        for (name, value) in gauges {
            let _ = writeln!(out, "{name} {value}");
        }
        out
    }
}
