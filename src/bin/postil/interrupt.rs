//! Ctrl-C: the first one ends the work at the next safe point, a second one at once.

use anyhow::{Context, Result};
use postil::Cancel;

use crate::exit;

/// Makes the first Ctrl-C cancel the returned handle and print `said`; a second one exits at once.
pub(crate) fn listen(said: &'static str) -> Result<Cancel> {
    let cancel = Cancel::default();
    let asked = cancel.clone();
    ctrlc::set_handler(move || {
        if asked.is_cancelled() {
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
        asked.cancel();
        eprintln!("\n{said}");
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(cancel)
}
