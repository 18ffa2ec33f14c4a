//! A training run: batches to steps, until its time or its number of steps is over.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use candle_core::Tensor;

use crate::optimizer::rate_factor;
use crate::state::{self, Spent};
use crate::{AdamSettings, AdamW, Gradients, Parameters, Random, TrainError};

/// Losses that are no number, one after the other, after which a run gives up.
const MOST_SKIPPED: u32 = 10;
/// Decay of the mean loss that is shown.
const SHOWN: f64 = 0.95;

/// Settings of a run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RunSettings {
    /// Minutes of training, those of earlier parts of the same run included; `None` for no limit.
    pub minutes: Option<f64>,
    /// Number of steps; `None` for no limit. A run with neither limit makes no step.
    pub steps: Option<u64>,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Share of the run in which the rate rises, 0 to 1.
    pub warm_up: f64,
    /// Batches whose gradients are added for one step.
    pub accumulate: u32,
    /// Decay of the averaged weights, 0 to 1; the average is what a run ends with.
    pub average: f64,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// Seconds of training between two states on disk.
    pub checkpoint_seconds: f64,
    /// Settings of the optimizer.
    pub adam: AdamSettings,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            minutes: None,
            steps: None,
            learning_rate: 2e-5,
            warm_up: 0.1,
            accumulate: 1,
            average: 0.99,
            seed: 0,
            checkpoint_seconds: 120.0,
            adam: AdamSettings::default(),
        }
    }
}

/// The loss of a batch, a scalar, and its number of tokens.
pub struct BatchLoss {
    /// Mean loss.
    pub loss: Tensor,
    /// Number of tokens that were read.
    pub tokens: usize,
}

/// Progress of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stepped {
    /// Number of steps taken.
    pub step: u64,
    /// Loss, averaged over the last steps.
    pub loss: f64,
    /// Learning rate of the step.
    pub rate: f64,
    /// Tokens read in a second.
    pub tokens_per_second: f64,
    /// Seconds of training so far.
    pub seconds: f64,
    /// Seconds left.
    pub seconds_left: f64,
}

/// Trains `parameters` until the settings' limits, and leaves their average in them. The state is
/// kept at `state`, from where the same run goes on; `name` says what else identifies it. `watch`
/// ends the run early with `Break`.
///
/// # Errors
/// [`TrainError::Cancelled`], with the state kept; [`TrainError::State`] for a state of another
/// run; [`TrainError::Diverged`]; as `batch` and the file system.
pub fn run(
    parameters: &Parameters,
    settings: &RunSettings,
    (state, name): (&Path, &str),
    batch: &mut dyn FnMut(&mut Random, u64) -> Result<BatchLoss, TrainError>,
    watch: &mut dyn FnMut(&Stepped) -> ControlFlow<()>,
) -> Result<Option<Stepped>, TrainError> {
    let identity = format!("{name}; {settings:?}");
    let mut optimizer = AdamW::new(parameters, settings.adam);
    let (mut spent, mut average) = match state::load(state, &identity, parameters, &mut optimizer)? {
        Some(loaded) => loaded,
        None => (Spent::default(), parameters.values()?),
    };
    let mut clock = Instant::now();
    let (mut shown, mut skipped, mut saved) = (None, 0, spent.seconds);
    let mut last = None;
    loop {
        let fraction = fraction(settings, &spent);
        if fraction >= 1.0 {
            break;
        }
        let mut grads = Gradients::default();
        let mut mean = 0.0;
        for part in 0..settings.accumulate.max(1) {
            let parts = u64::from(settings.accumulate.max(1));
            let mut random = Random::new(settings.seed, spent.step * parts + u64::from(part));
            let BatchLoss { loss, tokens } = batch(&mut random, spent.step)?;
            mean += f64::from(loss.to_scalar::<f32>()?) / parts as f64;
            grads.add(parameters, &loss.backward()?, 1.0 / parts as f64)?;
            spent.tokens += tokens as u64;
        }
        let rate = settings.learning_rate * rate_factor(fraction, settings.warm_up).max(1e-3);
        let length = optimizer.step(parameters, &grads, rate)?;
        skipped = if length.is_finite() && mean.is_finite() { 0 } else { skipped + 1 };
        if skipped == MOST_SKIPPED {
            return Err(TrainError::Diverged { step: spent.step, loss: mean });
        }
        spent.step += 1;
        follow(&mut average, parameters, settings.average, spent.step)?;
        let now = Instant::now();
        spent.seconds += (now - clock).as_secs_f64();
        clock = now;
        let mean_shown = shown.map_or(mean, |shown: f64| SHOWN * shown + (1.0 - SHOWN) * mean);
        shown = Some(if mean_shown.is_finite() { mean_shown } else { mean });
        let done = self::fraction(settings, &spent).min(1.0);
        let stepped = Stepped {
            step: spent.step,
            loss: mean_shown,
            rate,
            tokens_per_second: spent.tokens as f64 / spent.seconds.max(1e-9),
            seconds: spent.seconds,
            seconds_left: spent.seconds / done.max(1e-9) * (1.0 - done),
        };
        last = Some(stepped);
        let goes_on = watch(&stepped);
        if goes_on.is_break() || spent.seconds - saved >= settings.checkpoint_seconds {
            state::save(state, &identity, &spent, parameters, &optimizer, &average)?;
            saved = spent.seconds;
        }
        if goes_on.is_break() {
            return Err(TrainError::Cancelled);
        }
    }
    if spent.step > 0 {
        state::save(state, &identity, &spent, parameters, &optimizer, &average)?;
    }
    parameters.set(&average)?;
    Ok(last)
}

/// Share of the run that is over, by steps or time, whichever is further.
fn fraction(settings: &RunSettings, spent: &Spent) -> f64 {
    let steps = settings.steps.map(|steps| spent.step as f64 / steps.max(1) as f64);
    let time = settings.minutes.map(|minutes| spent.seconds / (60.0 * minutes).max(1e-9));
    match (steps, time) {
        (None, None) => 1.0,
        (steps, time) => steps.unwrap_or_default().max(time.unwrap_or_default()),
    }
}

/// Moves the average towards the weights; early steps count more, as the first ones are far behind.
fn follow(
    average: &mut [Vec<f32>],
    parameters: &Parameters,
    decay: f64,
    step: u64,
) -> Result<(), TrainError> {
    let decay = decay.min((1.0 + step as f64) / (10.0 + step as f64)) as f32;
    for (average, (_, var)) in average.iter_mut().zip(parameters.iter()) {
        crate::ops::read(var, |values| {
            for (average, value) in average.iter_mut().zip(values) {
                *average += (1.0 - decay) * (value - *average);
            }
            Ok(())
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;

    fn parameters() -> Parameters {
        let mut parameters = Parameters::default();
        parameters.insert("x", &Tensor::new(&[[3f32, -2.0]], &Device::Cpu).unwrap()).unwrap();
        parameters
    }

    fn settings() -> RunSettings {
        let steps = Some(40);
        RunSettings {
            steps,
            learning_rate: 0.05,
            average: 0.5,
            checkpoint_seconds: 0.0,
            ..Default::default()
        }
    }

    /// The square of the distance from a point that each step draws.
    fn train(state: &Path, stop_at: &[u64], settings: &RunSettings) -> Result<Vec<Vec<f32>>, TrainError> {
        let parameters = parameters();
        let batch = &mut |random: &mut Random, _| {
            let drawn = Tensor::new(&[[random.uniform() as f32, 1.0]], &Device::Cpu)?;
            let loss = (parameters.tensor("x")? - drawn)?.sqr()?.sum_all()?;
            Ok(BatchLoss { loss, tokens: 1 })
        };
        let watch = &mut |stepped: &Stepped| match stop_at.contains(&stepped.step) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        run(&parameters, settings, (state, "test"), batch, watch)?;
        Ok(parameters.values()?)
    }

    #[test]
    fn a_run_killed_ten_times_ends_in_the_same_weights() {
        let home = tempfile::tempdir().unwrap();
        let whole = train(&home.path().join("whole"), &[], &settings()).unwrap();
        let state = home.path().join("state");
        for stop in [1, 2, 5, 9, 13, 20, 21, 30, 38, 39] {
            assert!(matches!(train(&state, &[stop], &settings()), Err(TrainError::Cancelled)));
        }
        assert_eq!(train(&state, &[], &settings()).unwrap(), whole);
        assert!((whole[0][0] - 0.5).abs() < 1.6 && (whole[0][1] - 1.0).abs() < 2.0, "{whole:?}");
    }

    #[test]
    fn the_state_of_another_run_is_refused_and_a_loss_that_is_no_number_ends_the_run() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        let _ = train(&state, &[3], &settings());
        let other = RunSettings { seed: 1, ..settings() };
        assert!(matches!(train(&state, &[], &other), Err(TrainError::State { .. })));

        let parameters = parameters();
        let batch = &mut |_: &mut Random, _| {
            Ok(BatchLoss { loss: (parameters.tensor("x")?.sum_all()? * f64::NAN)?, tokens: 1 })
        };
        let new = home.path().join("new");
        let ran = run(&parameters, &settings(), (&new, ""), batch, &mut |_| ControlFlow::Continue(()));
        assert!(matches!(ran, Err(TrainError::Diverged { step: 9, .. })), "{ran:?}");
        assert_eq!(parameters.values().unwrap(), [[3.0, -2.0]]);
    }

    #[test]
    fn a_damaged_state_is_an_error() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        let _ = train(&state, &[3], &settings());
        let bytes = std::fs::read(&state).unwrap();
        for length in [0, 4, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&state, &bytes[..length]).unwrap();
            assert!(matches!(train(&state, &[], &settings()), Err(TrainError::State { .. })), "{length}");
        }
    }
}
