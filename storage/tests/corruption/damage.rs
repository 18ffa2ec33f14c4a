//! Damage that can happen to a file.

use postil_hostile::Mutator;

/// Bytes of a disk block that was never written, or was lost.
const BLOCK_BYTES: usize = 512;

/// A kind of damage, and its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Damage {
    Flip { at: usize, bit: u8 },
    Cut { at: usize },
    Zeros { at: usize },
    Empty,
    Removed,
}

impl Damage {
    /// Chooses any kind of damage.
    pub(crate) fn random(random: &mut Mutator, bytes: &[u8]) -> Self {
        let at = random.below(bytes.len());
        match random.below(12) {
            0..5 => Self::Flip { at, bit: random.below(8) as u8 },
            // Most of a sled file is zeros.
            5..8 => {
                let at = (at..bytes.len()).find(|&at| bytes[at] != 0).unwrap_or(at);
                Self::Flip { at, bit: random.below(8) as u8 }
            }
            8 => Self::Cut { at },
            9 | 10 => Self::Zeros { at },
            _ if random.below(4) == 0 => Self::Empty,
            _ if random.below(4) == 0 => Self::Removed,
            _ => Self::Cut { at },
        }
    }

    /// Returns the damaged content; `None` if the file is gone.
    pub(crate) fn of(self, whole: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = whole.to_vec();
        match self {
            Self::Flip { at, bit } => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            Self::Cut { at } => bytes.truncate(at),
            Self::Zeros { at } => {
                let end = (at + BLOCK_BYTES).min(bytes.len());
                bytes[at..end].fill(0);
            }
            Self::Empty => bytes.clear(),
            Self::Removed => return None,
        }
        Some(bytes)
    }
}
