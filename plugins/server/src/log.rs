//! The log of a server, on standard error.

/// Writes the log of this process to standard error, as text or as JSON lines. Does nothing where
/// the program has a log of its own already.
pub fn log(as_json: bool) {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).with_ansi(false);
    let log = log.with_max_level(tracing::Level::INFO);
    // A program that has set up its own log keeps it.
    let _ = if as_json { log.json().try_init() } else { log.try_init() };
}
