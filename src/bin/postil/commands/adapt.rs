use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use postil::training::{AdaptOptions, Objective, RecallRow};
use postil::{Watch, adapt};

use crate::flags::Output;
use crate::{interrupt, render};

/// Steps between two lines of progress.
const SHOWN: u64 = 10;

/// Teach the encoder the documents, without labels; kept only if it finds passages better
#[derive(Args)]
pub(crate) struct Adapt {
    /// The database
    database: PathBuf,
    /// Tasks to learn from, taken in turn: mlm, heading, title, neighbour, crop [default: crop,heading]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    objectives: Vec<String>,
    /// Minutes of training at most, those before an interruption included
    #[arg(long, default_value_t = 20.0)]
    minutes: f64,
    /// Steps of training at most
    #[arg(long)]
    steps: Option<u64>,
    /// Pairs in a step
    #[arg(long, default_value_t = 32)]
    pairs: usize,
    /// Highest learning rate
    #[arg(long, default_value_t = 2e-5)]
    rate: f64,
    /// Seed of what is drawn
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Mask whole words, with mlm
    #[arg(long)]
    whole_words: bool,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Adapt) -> Result<ExitCode> {
    let mut options = AdaptOptions::default();
    if !args.objectives.is_empty() {
        options.objectives.clear();
        for name in &args.objectives {
            let Some(objective) = Objective::of_name(name) else {
                let names = Objective::ALL.map(Objective::name).join(", ");
                bail!("{name} is no objective; there are: {names}")
            };
            options.objectives.push(objective);
        }
    }
    options.pairs = args.pairs;
    options.whole_words = args.whole_words;
    options.run.minutes = Some(args.minutes);
    options.run.steps = args.steps;
    options.run.learning_rate = args.rate;
    options.run.seed = args.seed;
    let cancel = interrupt::listen("stopping after this step; the same command goes on from here")?;
    let is_shown = std::io::stderr().is_terminal();
    let mut step = |stepped: &postil::training::Stepped| {
        if is_shown && stepped.step.is_multiple_of(SHOWN) {
            eprint!(
                "\rstep {}, loss {:.3}, rate {:.1e}, {:.0} tokens/s, {:.0} min left   ",
                stepped.step,
                stepped.loss,
                stepped.rate,
                stepped.tokens_per_second,
                stepped.seconds_left / 60.0
            );
        }
        if cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let adaptation = adapt(&args.database, &options, &mut step, &Watch::new().cancel(&cancel))?;
    if is_shown {
        eprintln!();
    }
    if args.output.json {
        render::json(&adaptation)?;
        return Ok(ExitCode::SUCCESS);
    }
    let adapted = &adaptation.adapted;
    let row = |name: &str, row: &RecallRow| {
        let [one, five, ten] = row.recall;
        format!("{name:<10} {one:>9.3} {five:>9.3} {ten:>9.3} {:>15.3}", row.reciprocal_rank)
    };
    let compared = adapted.compared;
    let said = match (&adaptation.model, &adaptation.reencoded) {
        (Some(model), Some(reencoded)) => format!(
            "installed as {model}; {} passages embedded anew\nback with: postil model use {} {}",
            reencoded.passages,
            reencoded.before,
            args.database.display()
        ),
        _ => "not better beyond noise: nothing was changed".to_owned(),
    };
    render::text(&format!(
        "{} questions of held-out documents, {} steps, {:.0} tokens/s\n{:<10} {:>9} {:>9} {:>9} {:>15}\n{}\n{}\n\
         difference of reciprocal rank {:.3} to {:.3} (95 %)\n{said}",
        compared.questions,
        adapted.steps,
        adapted.tokens_per_second,
        "",
        "recall@1",
        "recall@5",
        "recall@10",
        "reciprocal rank",
        row("before", &adapted.before),
        row("after", &adapted.after),
        compared.low,
        compared.high,
    ))?;
    Ok(ExitCode::SUCCESS)
}
