//! Ctrl-C: the first ends the work at the next safe point, a second one at once.

use anyhow::{Context, Result};
use postil::Cancel;

use crate::exit;

/// What the first Ctrl-C sets; it also says what happens next.
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
