//! Progress of long work as a line on stderr, only on a terminal.

use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use postil::Progress;

/// Shortest time, and least share of the work, that a remaining time is estimated from.
const ESTIMATE_AFTER: Duration = Duration::from_secs(4);
const LEAST_DONE: f64 = 0.03;

/// Draws nothing when stderr is not a terminal.
pub(crate) struct Meter(ProgressBar);

impl Meter {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, target());
        bar.set_style(style("{spinner} {bytes} read {msg} [{elapsed}]"));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    pub(crate) fn show(&self, progress: &Progress) {
        if let Some(total) = progress.total_bytes
            && self.0.length() != Some(total)
        {
            self.0.set_length(total);
            self.0.set_style(style("{bar:24} {bytes}/{total_bytes} {bytes_per_sec} {msg} [{elapsed}{left}]"));
        }
        self.0.set_position(progress.read_bytes);
        self.0.set_message(format!(
            "{} documents, {} unchanged, {} passages",
            progress.documents_read, progress.documents_unchanged, progress.passages_embedded
        ));
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// A bar of bytes copied, hidden when stderr is not a terminal.
pub(crate) fn copying() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), target());
    bar.set_style(style("{bar:24} {bytes}/{total_bytes} {bytes_per_sec} [{elapsed}{left}]"));
    bar
}

/// A bar of rows, hidden when stderr is not a terminal.
pub(crate) fn rows() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), target());
    bar.set_style(style("{bar:24} {pos}/{len} rows [{elapsed}{left}]"));
    bar
}

/// Shows rows done in a bar of [`rows`].
pub(crate) fn show_rows(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.total_rows.unwrap_or_default());
    bar.set_position(progress.rows);
}

/// A bar of passages read ahead, hidden when stderr is not a terminal.
pub(crate) fn passages() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), target());
    bar.set_style(style("{bar:24} {pos}/{len} passages read [{elapsed}{left}]"));
    bar
}

/// A bar of the tokens of passages that are read for a question, hidden when stderr is not a terminal.
pub(crate) fn reading() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), target());
    bar.set_style(style("{bar:24} {pos}/{len} tokens of the passages read [{elapsed}]"));
    bar
}

/// A bar that counts to `total`, hidden when stderr is not a terminal.
pub(crate) fn counter(total: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total as u64), target());
    bar.set_style(style("{bar:24} {pos}/{len} questions [{elapsed}{left}]"));
    bar
}

fn target() -> ProgressDrawTarget {
    match std::io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("left", |state: &ProgressState, out: &mut dyn Write| {
        let done = state.pos() as f64 / state.len().unwrap_or_default().max(1) as f64;
        // Writing to the line of a bar does not fail.
        let _ = out.write_str(&left(state.elapsed(), done));
    })
}

/// The remaining time at the mean speed so far; nothing while too little is done to tell.
fn left(elapsed: Duration, done: f64) -> String {
    if elapsed < ESTIMATE_AFTER || !(LEAST_DONE..=1.0).contains(&done) {
        return String::new();
    }
    format!(", about {} left", HumanDuration(elapsed.mul_f64((1.0 - done) / done)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remaining_time_is_told_once_it_means_something() {
        let after = |seconds, done| left(Duration::from_secs(seconds), done);
        assert_eq!([after(1, 0.5), after(60, 0.0), after(60, 0.01), after(60, f64::NAN)], [""; 4]);
        assert_eq!(after(30, 0.5), ", about 30 seconds left");
        assert_eq!(after(30, 0.1), ", about 5 minutes left");
    }
}
