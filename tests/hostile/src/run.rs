//! A target under many cases.

use crate::{Mutator, figures, memory};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Once;
use std::time::{Duration, Instant};

/// Multiplies the cases of every target.
const TIMES: &str = "POSTIL_FUZZ_TIMES";
/// Another seed than the one that CI has.
const SEED: &str = "POSTIL_FUZZ_SEED";
/// Inputs longer than this are cut: they only take time.
const LONGEST_BYTES: usize = 64 * 1024;
/// Longer than this for one case, of at most [`LONGEST_BYTES`], is more than linear time. Machines
/// stall and do other things, so a slow case is run again, and the time counts in which its thread
/// had a processor.
const LONGEST: Duration = Duration::from_millis(1500);
const TRIES: usize = 3;
/// A case may allocate this and [`PER_BYTE`] for each of its bytes.
const BASE_BYTES: usize = 4 << 20;
const PER_BYTE: usize = 512;

static TERSE: Once = Once::new();

/// The reader of a case's bytes.
type Reader<'a> = Box<dyn Fn(&[u8]) + 'a>;

/// Processor time of this thread; `None` when the system does not say.
fn on_processor() -> Option<Duration> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(times.split(' ').next()?.parse().ok()?))
}

/// A reader of bytes that must neither panic, nor take long, nor allocate much, for any input.
pub struct Target<'a> {
    name: &'a str,
    valid: Vec<Vec<u8>>,
    words: &'a [&'a str],
    calm: Reader<'a>,
}

impl<'a> Target<'a> {
    /// A target whose cases are mutations of `valid` inputs.
    #[must_use]
    pub fn new(name: &'a str, valid: impl IntoIterator<Item = Vec<u8>>, calm: impl Fn(&[u8]) + 'a) -> Self {
        Self { name, valid: valid.into_iter().collect(), words: &[], calm: Box::new(calm) }
    }

    /// Words that the format knows.
    #[must_use]
    pub fn words(mut self, words: &'a [&'a str]) -> Self {
        self.words = words;
        self
    }

    /// Cases that once failed, in the folder of the target's name in a folder; they are run first,
    /// and mutated too.
    #[must_use]
    pub fn found_in(mut self, folder: impl AsRef<Path>) -> Self {
        self.valid.extend(read_all(&folder.as_ref().join(self.name)));
        self
    }

    /// Name of the target.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// Seeds of the cases: inputs to change, and words of the format.
    #[must_use]
    pub fn seeds(&self) -> (&[Vec<u8>], &[&str]) {
        (&self.valid, self.words)
    }

    /// Runs every valid input, every found case and `cases` mutations, or as many times more as the
    /// environment says.
    ///
    /// # Panics
    /// When a case does not stay calm; it is written to a file first, which the message names.
    pub fn run(self, cases: u64) {
        assert!(!self.valid.is_empty(), "{}: no input to start from", self.name);
        TERSE.call_once(terse_panics);
        for input in &self.valid {
            self.case(input);
        }
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let cases = cases * number(TIMES).unwrap_or(1);
        let words: Vec<&[u8]> = self.words.iter().map(|word| word.as_bytes()).collect();
        let mut mutator = Mutator::new(number(SEED).unwrap_or(7));
        for _ in 0..cases {
            let mut input = mutator.one_of(&self.valid).clone();
            let donor = mutator.one_of(&self.valid);
            mutator.mutate(&mut input, donor, &words);
            input.truncate(LONGEST_BYTES);
            self.case(&input);
        }
        figures::report(
            "fuzz",
            &[("target", self.name.into()), ("cases", (cases + self.valid.len() as u64).into())],
        );
    }

    /// Runs one case.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn case(&self, input: &[u8]) {
        let allowed = BASE_BYTES + PER_BYTE * input.len();
        for attempt in 1..=TRIES {
            let (start, processor) = (Instant::now(), if attempt > 1 { on_processor() } else { None });
            let (outcome, most) = memory::measured(|| catch_unwind(AssertUnwindSafe(|| (self.calm)(input))));
            let took = processor
                .and_then(|before| Some(on_processor()?.saturating_sub(before)))
                .unwrap_or_else(|| start.elapsed());
            if let Err(panic) = outcome {
                self.keep(input, "it panics");
                resume_unwind(panic);
            }
            if most > allowed {
                panic!("{}", self.keep(input, &format!("it allocates {most} bytes, of {allowed}")));
            }
            if took <= LONGEST {
                return;
            }
            assert!(attempt < TRIES, "{}", self.keep(input, &format!("it takes {took:?}")));
        }
    }

    /// Writes the case to a file; returns a message with its path and `why`.
    #[expect(clippy::print_stderr, reason = "a test that fails says how to repeat it")]
    fn keep(&self, input: &[u8], why: &str) -> String {
        let path = std::env::temp_dir().join(format!("found-{}-{:08x}", self.name, hash(input)));
        let written = std::fs::write(&path, input);
        let message = format!("{}: {why}: {} ({written:?})", self.name, path.display());
        eprintln!("{message}");
        message
    }
}

/// A panic that the target catches is told without its stack: reading symbols for one takes tens of
/// megabytes, which would be counted as the case's.
#[expect(clippy::print_stderr, reason = "it is what the hook is for")]
fn terse_panics() {
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
}

fn read_all(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

/// FNV-1a, to name a file.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "allocates")]
    fn a_case_that_allocates_without_bound_is_found() {
        Target::new("self", [vec![1]], |_| drop(Vec::<u8>::with_capacity(1 << 30))).run(0);
    }

    #[test]
    fn cases_reach_what_a_valid_input_does_not() {
        let seen = std::cell::Cell::new(false);
        Target::new("self", [b"abc".to_vec()], |input| seen.set(seen.get() || input.len() > 30)).run(1000);
        assert!(seen.get());
    }
}
