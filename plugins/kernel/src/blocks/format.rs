//! The block formats, as llama.cpp's `ggml-quants` defines them.

use half::f16;

/// Number of values of a row that are decoded together, and that have one scale on the left-hand
/// side of a product.
pub(super) const BLOCK: usize = 32;

/// A format of weights in a GGUF file: blocks of 32 or 256 values of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockFormat {
    /// 4 bits, a scale for each 32 values.
    Q4_0,
    /// 4 bits, a scale and a minimum for each 32 values.
    Q4_1,
    /// 5 bits, a scale for each 32 values.
    Q5_0,
    /// 5 bits, a scale and a minimum for each 32 values.
    Q5_1,
    /// 8 bits, a scale for each 32 values.
    Q8_0,
    /// 4 bits, a scale and a minimum of 6 bits for each 32 values, and two factors for 256.
    Q4K,
    /// 5 bits, a scale and a minimum of 6 bits for each 32 values, and two factors for 256.
    Q5K,
    /// 6 bits, a scale of 8 bits for each 16 values, and a factor for 256.
    Q6K,
}

/// 32 values of a row, decoded: value i is `steps[i / 16] * codes[i] + min`.
#[derive(Clone, Copy)]
pub(super) struct Run {
    /// Codes: of 4 bits without a sign in the formats of 4 bits, else in [-128, 127].
    pub(super) codes: [i8; BLOCK],
    /// Scale of each half; equal halves in all formats but Q6_K.
    pub(super) steps: [f32; 2],
    pub(super) min: f32,
}

impl BlockFormat {
    /// The format that GGUF files and their tools call `name`, such as `Q4_K`; `None` for any other.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Q4_0" => Self::Q4_0,
            "Q4_1" => Self::Q4_1,
            "Q5_0" => Self::Q5_0,
            "Q5_1" => Self::Q5_1,
            "Q8_0" => Self::Q8_0,
            "Q4_K" => Self::Q4K,
            "Q5_K" => Self::Q5K,
            "Q6_K" => Self::Q6K,
            _ => return None,
        })
    }

    /// Number of values in a block.
    pub fn values(self) -> usize {
        match self {
            Self::Q4K | Self::Q5K | Self::Q6K => 256,
            _ => BLOCK,
        }
    }

    /// Length of a block in bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
        }
    }

    /// True when codes are 4 bits without a sign.
    pub(super) fn has_nibbles(self) -> bool {
        matches!(self, Self::Q4_0 | Self::Q4_1 | Self::Q4K)
    }

    /// True when values have a minimum besides their scale, once codes are those of [`Run`].
    pub(super) fn has_mins(self) -> bool {
        matches!(self, Self::Q4_0 | Self::Q4_1 | Self::Q5_1 | Self::Q4K | Self::Q5K)
    }

    /// True when the halves of 32 values have scales of their own.
    pub(super) fn has_halves(self) -> bool {
        self == Self::Q6K
    }

    /// Decodes 32 values, those from `32 * run` on, of one block.
    pub(super) fn decode(self, block: &[u8], run: usize) -> Run {
        match self {
            Self::Q4_0 => {
                let step = real(block, 0);
                Run { codes: nibbles(&block[2..18]), steps: [step; 2], min: -8.0 * step }
            }
            Self::Q4_1 => {
                Run { codes: nibbles(&block[4..20]), steps: [real(block, 0); 2], min: real(block, 2) }
            }
            Self::Q5_0 => {
                let mut codes = fifth_bits(nibbles(&block[6..22]), &block[2..6]);
                codes.iter_mut().for_each(|code| *code -= 16);
                Run { codes, steps: [real(block, 0); 2], min: 0.0 }
            }
            Self::Q5_1 => {
                let codes = fifth_bits(nibbles(&block[8..24]), &block[4..8]);
                Run { codes, steps: [real(block, 0); 2], min: real(block, 2) }
            }
            Self::Q8_0 => {
                let mut codes = [0; BLOCK];
                codes.iter_mut().zip(&block[2..34]).for_each(|(code, byte)| *code = *byte as i8);
                Run { codes, steps: [real(block, 0); 2], min: 0.0 }
            }
            Self::Q4K => {
                let (step, min) = six_bits(&block[4..16], run);
                let codes = half_bytes(&block[16..144], run);
                Run { codes, steps: [real(block, 0) * step; 2], min: -real(block, 2) * min }
            }
            Self::Q5K => {
                let (step, min) = six_bits(&block[4..16], run);
                let mut codes = half_bytes(&block[48..176], run);
                for (code, high) in codes.iter_mut().zip(&block[16..48]) {
                    *code |= ((high >> run & 1) << 4) as i8;
                }
                Run { codes, steps: [real(block, 0) * step; 2], min: -real(block, 2) * min }
            }
            Self::Q6K => {
                let (half, quarter) = (run / 4, run % 4);
                let low = &block[64 * half + 32 * (quarter % 2)..][..BLOCK];
                let high = &block[128 + 32 * half..][..BLOCK];
                let mut codes = [0; BLOCK];
                for (code, (low, high)) in codes.iter_mut().zip(low.iter().zip(high)) {
                    let four = if quarter < 2 { low & 15 } else { low >> 4 };
                    *code = (four | (high >> (2 * quarter) & 3) << 4) as i8 - 32;
                }
                let step = |half: usize| real(block, 208) * f32::from(block[192 + 2 * run + half] as i8);
                Run { codes, steps: [step(0), step(1)], min: 0.0 }
            }
        }
    }
}

fn real(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// Codes of 4 bits: the low halves of 16 bytes, then the high ones.
fn nibbles(bytes: &[u8]) -> [i8; BLOCK] {
    let mut codes = [0; BLOCK];
    for (i, byte) in bytes.iter().enumerate() {
        codes[i] = (byte & 15) as i8;
        codes[i + 16] = (byte >> 4) as i8;
    }
    codes
}

/// Adds a fifth bit to codes of 4 bits.
fn fifth_bits(mut codes: [i8; BLOCK], bits: &[u8]) -> [i8; BLOCK] {
    for (i, code) in codes.iter_mut().enumerate() {
        *code |= ((bits[i / 8] >> (i % 8) & 1) << 4) as i8;
    }
    codes
}

/// Codes of 4 bits of one run: the low or the high halves of the 32 bytes that two runs share.
fn half_bytes(bytes: &[u8], run: usize) -> [i8; BLOCK] {
    let mut codes = [0; BLOCK];
    for (code, byte) in codes.iter_mut().zip(&bytes[run / 2 * BLOCK..][..BLOCK]) {
        *code = (byte >> (4 * (run % 2)) & 15) as i8;
    }
    codes
}

/// Scale and minimum of a run, of 6 bits each: twelve bytes hold eight of both.
fn six_bits(packed: &[u8], run: usize) -> (f32, f32) {
    let (step, min) = match run {
        0..4 => (packed[run] & 63, packed[run + 4] & 63),
        _ => {
            let (low, high) = (packed[run + 4], [packed[run - 4], packed[run]]);
            (low & 15 | high[0] >> 6 << 4, low >> 4 | high[1] >> 6 << 4)
        }
    };
    (f32::from(step), f32::from(min))
}
