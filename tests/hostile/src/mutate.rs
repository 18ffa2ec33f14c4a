//! Good bytes made bad, reproducibly: the same seed gives the same cases.

/// Integers at which readers go wrong.
const BOUNDARIES: [u64; 14] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 40,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];
/// Most changes of one case: more, and nothing is left of what made the input valid.
const MOST_CHANGES: usize = 4;
/// A run of bytes that is repeated, cut out or overwritten is at most this long, or 16 times it
/// once in a while.
const RUN_BYTES: usize = 32;

/// A source of changes.
#[derive(Clone, Debug)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// The changes of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// SplitMix64 (Steele, Lea and Flood 2014).
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, or 0 below 1.
    pub fn below(&mut self, end: usize) -> usize {
        (self.draw() % (end.max(1) as u64)) as usize
    }

    /// Draws one of `some`.
    ///
    /// # Panics
    /// When `some` is empty.
    pub fn one_of<'a, T>(&mut self, some: &'a [T]) -> &'a T {
        &some[self.below(some.len())]
    }

    /// Changes `bytes` in one to four places; parts of `donor`, another valid input, may come in,
    /// and `words` that the format knows.
    pub fn mutate(&mut self, bytes: &mut Vec<u8>, donor: &[u8], words: &[&[u8]]) {
        for _ in 0..=self.below(MOST_CHANGES) {
            self.change(bytes, donor, words);
        }
    }

    fn change(&mut self, bytes: &mut Vec<u8>, donor: &[u8], words: &[&[u8]]) {
        let at = self.below(bytes.len() + 1);
        let run = self.run(bytes.len() - at);
        match self.below(10) {
            0 => self.overwrite(bytes, at, |old, random| old ^ (1 << (random % 8))),
            1 => self.overwrite(bytes, at, |_, random| random as u8),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..at + run)),
            4 => bytes[at..at + run].fill(0),
            5 => {
                let times = 1 + self.below(64);
                let repeated = bytes[at..at + run].repeat(times);
                bytes.splice(at..at, repeated);
            }
            6 => {
                let from = self.below(donor.len() + 1);
                let taken = self.run(donor.len() - from);
                bytes.splice(at..at + run, donor[from..from + taken].iter().copied());
            }
            7 if !words.is_empty() => {
                let word = *self.one_of(words);
                let over = if self.below(2) == 0 { 0 } else { run };
                bytes.splice(at..at + over, word.iter().copied());
            }
            8 => {
                let number = self.one_of(&BOUNDARIES).to_le_bytes();
                let width = (1 << self.below(4)).min(bytes.len() - at);
                bytes[at..at + width].copy_from_slice(&number[..width]);
            }
            _ => {
                let number = self.one_of(&BOUNDARIES).to_string();
                bytes.splice(at..at + self.below(run + 1), number.bytes());
            }
        }
    }

    fn overwrite(&mut self, bytes: &mut [u8], at: usize, with: impl Fn(u8, u64) -> u8) {
        let random = self.draw();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = with(*byte, random);
        }
    }

    fn run(&mut self, most: usize) -> usize {
        let longest = if self.below(8) == 0 { 16 * RUN_BYTES } else { RUN_BYTES };
        self.below(longest.min(most) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_cases_again_and_they_differ() {
        let case = |seed| {
            let mut bytes = b"some valid input of some length".to_vec();
            Mutator::new(seed).mutate(&mut bytes, b"another one", &[b"word"]);
            bytes
        };
        assert_eq!(case(1), case(1));
        let different: std::collections::HashSet<_> = (0..100).map(case).collect();
        assert!(different.len() > 80, "{}", different.len());
    }

    #[test]
    fn nothing_can_be_changed_too() {
        for seed in 0..1000 {
            Mutator::new(seed).mutate(&mut Vec::new(), &[], &[]);
        }
    }
}
