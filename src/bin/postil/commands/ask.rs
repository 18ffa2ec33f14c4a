use std::process::ExitCode;

use anyhow::{Result, bail};
use postil::{AskOptions, Mode};

use crate::args::{Ask, ModeArg};
use crate::{open, render};

pub(crate) fn run(args: &Ask) -> Result<ExitCode> {
    if args.generator != "quote" {
        bail!("there is no generator {:?}; this release has: quote", args.generator);
    }
    let filter = open::filter(&args.filter)?;
    let db = open::existing(&args.database)?;
    let mode = match args.mode {
        ModeArg::Sequence => Mode::Sequence,
        ModeArg::Token => Mode::Token,
    };
    let answer =
        db.ask_with(&args.question, &AskOptions { k: args.k, mode, filter, ..AskOptions::default() })?;
    if args.output.json {
        render::json(&render::answer(&answer))?;
    } else {
        render::text(&answer.to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}
