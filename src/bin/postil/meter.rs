//! Progress of long work as a line on stderr, only on a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use postil::Progress;

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
            self.0.set_style(style(
                "{bar:24} {bytes}/{total_bytes} {bytes_per_sec} {msg} [{elapsed}, {eta} left]",
            ));
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
    bar.set_style(style("{bar:24} {bytes}/{total_bytes} {bytes_per_sec} [{elapsed}, {eta} left]"));
    bar
}

/// A bar of rows, hidden when stderr is not a terminal.
pub(crate) fn rows() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), target());
    bar.set_style(style("{bar:24} {pos}/{len} rows [{elapsed}, {eta} left]"));
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
    bar.set_style(style("{bar:24} {pos}/{len} passages read [{elapsed}, {eta} left]"));
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
    bar.set_style(style("{bar:24} {pos}/{len} questions [{elapsed}, {eta} left]"));
    bar
}

fn target() -> ProgressDrawTarget {
    match std::io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
