//! Every loop that this CPU has instructions for against the portable one.

use super::portable;
#[cfg(target_arch = "x86_64")]
use crate::cpu::Avx2;
#[cfg(target_arch = "aarch64")]
use crate::cpu::Neon;
use proptest::prelude::*;

type Nibbles = Box<dyn Fn(&[i8], &[u8]) -> i32>;
type Codes = Box<dyn Fn(&[i8], &[i8]) -> i32>;

/// Returns the kernels for codes that this CPU has.
fn codes() -> Vec<Codes> {
    let mut kernels: Vec<Codes> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = Avx2::detect() {
        kernels.push(Box::new(move |a, b| avx2.dot_codes(a, b)));
        if let Some(vnni) = avx2.vnni() {
            kernels.push(Box::new(move |a, b| vnni.dot_codes(a, b)));
        }
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(cpu) = Neon::detect() {
        kernels.push(Box::new(move |a, b| cpu.dot_codes(a, b)));
    }
    kernels
}

/// Returns the kernels for 8 by 4 bits that this CPU has.
fn nibbles() -> Vec<Nibbles> {
    let mut kernels: Vec<Nibbles> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = Avx2::detect() {
        kernels.push(Box::new(move |a, b| avx2.dot_nibbles(a, b)));
        if let Some(vnni) = avx2.vnni() {
            kernels.push(Box::new(move |a, b| vnni.dot_nibbles(a, b)));
        }
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(cpu) = Neon::detect() {
        kernels.push(Box::new(move |a, b| cpu.dot_nibbles(a, b)));
    }
    kernels
}

/// Compares two sums of `term` over the components: at every length and start, and of extremes.
pub(super) fn agree(
    fast: fn(&[f32], &[f32]) -> f32,
    portable: fn(&[f32], &[f32]) -> f32,
    term: fn(f32, f32) -> f32,
) {
    let check = |a: &[f32], b: &[f32]| {
        let magnitude: f32 = a.iter().zip(b).map(|(&x, &y)| term(x, y).abs()).sum();
        let tolerance = 1e-5 * magnitude + f32::MIN_POSITIVE;
        let (got, want) = (fast(a, b), portable(a, b));
        assert!((got - want).abs() <= tolerance, "{got} against {want}, {} long", a.len());
    };
    let values = proptest::collection::vec((-1e3f32..1e3, -1e3f32..1e3), 265);
    proptest!(|(values in values, start in 0usize..8)| {
        let (a, b): (Vec<f32>, Vec<f32>) = values.into_iter().unzip();
        for n in 0..=257 {
            check(&a[start..start + n], &b[7 - start..7 - start + n]);
        }
    });
    proptest!(|(picks in proptest::collection::vec((0usize..7, 0usize..7), 0..=257))| {
        let extremes = [0.0, -0.0, 1e15, -1e15, f32::MIN_POSITIVE, 1e-45, 1.0];
        let (a, b): (Vec<f32>, Vec<f32>) = picks.into_iter().map(|(i, j)| (extremes[i], extremes[j])).unzip();
        check(&a, &b);
    });
}

proptest! {
    #[test]
    fn codes_agree_with_the_portable_kernel_to_the_bit(
        values in proptest::collection::vec((-127i8..=127, -127i8..=127), 0..=420), start in 0usize..8,
    ) {
        let (a, b): (Vec<i8>, Vec<i8>) = values.into_iter().unzip();
        let (a, b) = (&a[start.min(a.len())..], &b[start.min(b.len())..]);
        let extremes = [vec![127i8; a.len()], vec![-127i8; a.len()]];
        for dot_codes in codes() {
            prop_assert_eq!(dot_codes(a, b), portable::dot_codes(a, b));
            for (x, y) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let (x, y) = (&extremes[x], &extremes[y]);
                prop_assert_eq!(dot_codes(x, y), portable::dot_codes(x, y));
            }
        }
    }

    #[test]
    fn four_bits_agree_with_the_portable_kernel_to_the_bit(
        query in proptest::collection::vec(-127i8..=127, 384), row in proptest::collection::vec(any::<u8>(), 192),
        lines in 0usize..=3,
    ) {
        for dot_nibbles in nibbles() {
            for query in [&query[..128 * lines], &[127; 384][..128 * lines], &[-127; 384][..128 * lines]] {
                for row in [&row[..64 * lines], &[255; 192][..64 * lines]] {
                    prop_assert_eq!(dot_nibbles(query, row), portable::dot_nibbles(query, row));
                }
            }
        }
    }

    #[test]
    fn four_rows_at_once_agree_with_one_after_the_other(
        query in proptest::collection::vec(-127i8..=127, 400),
        rows in proptest::collection::vec(-127i8..=127, 4 * 400), n in 0usize..=400, lines in 0usize..=3,
    ) {
        let codes: [&[i8]; 4] = std::array::from_fn(|at| &rows[at * 400..at * 400 + n]);
        let each = codes.map(|row| portable::dot_codes(&query[..n], row));
        prop_assert_eq!(super::dot_codes_of_four(&query[..n], codes), each);
        #[cfg(target_arch = "x86_64")]
        if let Some(cpu) = Avx2::detect() {
            prop_assert_eq!(cpu.dot_codes_of_four(&query[..n], codes), each);
        }
        let bytes: Vec<u8> = rows.iter().map(|code| code.cast_unsigned()).collect();
        let nibbles: [&[u8]; 4] =
            std::array::from_fn(|at| &bytes[at * 400..at * 400 + 64 * lines]);
        let each = nibbles.map(|row| portable::dot_nibbles(&query[..128 * lines], row));
        prop_assert_eq!(super::dot_nibbles_of_four(&query[..128 * lines], nibbles), each);
        #[cfg(target_arch = "x86_64")]
        if let Some(cpu) = Avx2::detect() {
            prop_assert_eq!(cpu.dot_nibbles_of_four(&query[..128 * lines], nibbles), each);
        }
    }
}
