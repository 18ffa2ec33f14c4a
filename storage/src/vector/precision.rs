//! Precision of stored vectors, in bits per component.

use super::names::{NameError, Named};
use crate::error::StorageError;
use crate::vector::metric::Metric;
use half::f16;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Precision of stored vectors; chosen when a database is created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 32 bits per component (IEEE 754 binary32): vectors stay as they are given.
    #[default]
    Full,
    /// 16 bits per component (IEEE 754 binary16): half the bytes on disk. Each component is rounded
    /// to the nearest such number, so that a cosine is off by less than 0.0005; under the other
    /// metrics a component beyond 65,504 is refused.
    Half,
}

/// Largest difference from 1 of a vector's length after rounding its components to 16 bits: half of
/// their last place.
const HALF_NORMALIZED: f64 = 1.0 / 2048.0;

impl Precision {
    pub(crate) fn to_byte(self) -> u8 {
        match self {
            Self::Full => 0,
            Self::Half => 1,
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        [Self::Full, Self::Half].into_iter().find(|precision| precision.to_byte() == byte)
    }

    /// Returns the bytes of a component.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Full => size_of::<f32>(),
            Self::Half => size_of::<f16>(),
        }
    }

    /// Returns the vector in its stored form: as the metric wants it, in numbers that this
    /// precision has. One that was stored before stays the same, bit by bit.
    pub(crate) fn prepare(
        self,
        vector: &[f32],
        metric: Metric,
        dimension: usize,
    ) -> Result<Vec<f32>, StorageError> {
        if self == Self::Half && metric.normalizes() && vector.len() == dimension && was_rounded(vector) {
            return Ok(vector.to_vec());
        }
        let mut vector = metric.prepare(vector, dimension)?;
        if self == Self::Half {
            for (index, component) in vector.iter_mut().enumerate() {
                let rounded = f16::from_f32(*component).to_f32();
                if rounded.is_infinite() {
                    return Err(StorageError::BeyondHalf { index, value: *component });
                }
                *component = rounded;
            }
        }
        Ok(vector)
    }

    /// Returns the bytes of a prepared vector.
    pub(crate) fn write(self, vector: &[f32]) -> Cow<'_, [u8]> {
        match self {
            Self::Full => Cow::Borrowed(bytemuck::cast_slice(vector)),
            Self::Half => Cow::Owned(vector.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect()),
        }
    }

    /// Returns the vector in some bytes, which are aligned for components.
    #[inline]
    pub(crate) fn read(self, bytes: &[u8]) -> Cow<'_, [f32]> {
        let aligned = "rows start at multiples of a component";
        match self {
            Self::Full => Cow::Borrowed(bytemuck::try_cast_slice(bytes).expect(aligned)),
            Self::Half => {
                let halves: &[u16] = bytemuck::try_cast_slice(bytes).expect(aligned);
                Cow::Owned(halves.reinterpret_cast::<f16>().to_f32_vec())
            }
        }
    }
}

impl Named for Precision {
    const KIND: &'static str = "precision";
    const ALL: &'static [Self] = &[Self::Full, Self::Half];

    fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Half => "half",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Precision {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::find(text)
    }
}

/// True if a vector has unit length except for the rounding of its components to 16 bits.
fn was_rounded(vector: &[f32]) -> bool {
    let norm = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    (norm - 1.0).abs() <= HALF_NORMALIZED && vector.iter().all(|&x| f16::from_f32(x).to_f32() == x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use postil_kernel::distance;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_stored_stays_as_it_is(vector in proptest::collection::vec(-9.0f32..9.0, 1..70)) {
            prop_assume!(vector.iter().any(|&x| x != 0.0));
            for &metric in Metric::ALL {
                for precision in [Precision::Full, Precision::Half] {
                    let stored = precision.prepare(&vector, metric, vector.len()).unwrap();
                    let again = precision.prepare(&stored, metric, stored.len()).unwrap();
                    prop_assert_eq!(&again, &stored);
                    let bytes = precision.write(&stored);
                    prop_assert_eq!(bytes.len(), stored.len() * precision.bytes());
                    // Allocations of bytes may be unaligned; sections are not.
                    let mut words = vec![0u64; bytes.len().div_ceil(8)];
                    let aligned = &mut bytemuck::cast_slice_mut::<u64, u8>(&mut words)[..bytes.len()];
                    aligned.copy_from_slice(&bytes);
                    prop_assert_eq!(&*precision.read(aligned), &stored[..]);
                }
            }
        }

        #[test]
        fn a_cosine_of_halves_is_that_of_the_vectors(
            a in proptest::collection::vec(-1.0f32..1.0, 40),
            b in proptest::collection::vec(-1.0f32..1.0, 40),
        ) {
            prop_assume!(a.iter().any(|x| x.abs() > 0.01) && b.iter().any(|x| x.abs() > 0.01));
            let exact = |vector: &[f32]| Metric::Cosine.prepare(vector, 40).unwrap();
            let half = Precision::Half.prepare(&a, Metric::Cosine, 40).unwrap();
            let off = distance::dot(&half, &exact(&b)) - distance::dot(&exact(&a), &exact(&b));
            prop_assert!(off.abs() < 5e-4, "{off}");
        }
    }

    #[test]
    fn a_component_beyond_the_largest_half_is_named() {
        let error = Precision::Half.prepare(&[1.0, 65_520.0], Metric::Dot, 2).unwrap_err();
        assert!(matches!(error, StorageError::BeyondHalf { index: 1, value: 65_520.0 }), "{error}");
        assert!(error.to_string().contains("65504"), "{error}");
        assert!(Precision::Half.prepare(&[1.0, 65_519.0], Metric::Dot, 2).is_ok());
        assert!(Precision::Half.prepare(&[1e9, 65_520.0], Metric::Cosine, 2).is_ok());
    }

    #[test]
    fn bytes_name_precisions_and_back() {
        for precision in [Precision::Full, Precision::Half] {
            assert_eq!(Precision::from_byte(precision.to_byte()), Some(precision));
        }
        assert_eq!(Precision::from_byte(9), None);
    }
}
