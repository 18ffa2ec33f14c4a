use proptest::prelude::*;

use super::super::tests::{kernels, values};
use super::super::{Finish, Kernel, PANEL, Panels, Rows, panels_of};
use super::codes::BLOCK;
use super::{Int16Panels, Int16Rows};

fn rounded(kernel: Kernel, values: &[f32], inner: usize) -> Int16Rows {
    // The values of an earlier use must be overwritten.
    let mut rows = Int16Rows { pairs: vec![-1; 999], ..Int16Rows::default() };
    kernel.round(Rows { values, stride: inner, rows: values.len() / inner }, inner, &mut rows);
    rows
}

fn length(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}

fn codes(pairs: &[i32]) -> Vec<f64> {
    pairs.iter().flat_map(|pair| [f64::from(*pair as i16), f64::from(pair >> 16)]).collect()
}

proptest! {
    #[test]
    fn a_code_is_within_half_a_step_and_no_block_is_longer_than_32_bit_sums_allow(
        inner in 1usize..1000, rows in 1usize..4, seed: u32, spread in 0i32..12, magnitude in -30i32..15,
    ) {
        // Cubes of powers: from rows of similar values to rows that one value dominates.
        let all: Vec<f32> = values(rows * inner, seed)
            .iter()
            .map(|x| x.abs().powi(spread) * x.signum() * 10f32.powi(magnitude))
            .collect();
        for kernel in kernels() {
            let found = rounded(kernel, &all, inner);
            for (row, values) in all.chunks_exact(inner).enumerate() {
                let codes = codes(&found.pairs[row * found.stride..][..found.stride]);
                for (i, (code, value)) in codes.iter().zip(values).enumerate() {
                    let step = f64::from(found.steps[row * found.blocks() + i / BLOCK]);
                    // A block of values below 32,767 / f32::MAX has codes 0.
                    let error = (code * step - f64::from(*value)).abs();
                    prop_assert!(error <= step * 0.51 + 1e-34, "{code} {value}");
                }
                prop_assert!(codes[inner..].iter().all(|code| *code == 0.0), "not filled up with zeros");
                for block in codes.chunks(BLOCK) {
                    prop_assert!(length(block.iter().copied()) <= 46_310.0);
                }
            }
        }
    }

    #[test]
    fn the_product_of_codes_has_the_same_bits_from_every_kernel_and_is_near_the_sum_in_f64(
        rows in 1usize..30, inner in 1usize..900, columns in 1usize..50,
        gap in 0usize..3, gelu: bool, biased: bool, seed: u32,
    ) {
        let a = values(rows * inner, seed);
        let weight = values(columns * inner, seed ^ 1);
        let mut bias = values(columns, seed ^ 2);
        bias.resize(panels_of(columns) * PANEL, 0.0);
        let packed = Int16Panels::from_panels(&Panels::from_linear(&weight, columns, inner));
        let left = rounded(Kernel::Portable, &a, inner);
        let run = |kernel: Kernel, gelu: bool| {
            let finish = Finish { bias: if biased { &bias } else { &[] }, gelu };
            let mut out = vec![f32::NAN; rows * (columns + gap)];
            kernel.int16_product(&left, packed.all(), finish, &mut out, columns + gap);
            out
        };
        let plain = run(Kernel::Portable, false);
        for kernel in kernels() {
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&run(kernel, false)), bits(&plain));
            let fast = run(kernel, gelu);
            for (fast, plain) in fast.iter().zip(run(Kernel::Portable, gelu)) {
                prop_assert!((fast - plain).abs() <= 1e-6 * plain.abs().max(1.0) || fast.is_nan() && plain.is_nan());
            }
        }
        for (a, out) in a.chunks_exact(inner).zip(plain.chunks_exact(columns + gap)) {
            for (c, weight) in weight.chunks_exact(inner).enumerate() {
                let bias = if biased { f64::from(bias[c]) } else { 0.0 };
                let exact = a.iter().zip(weight).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum::<f64>() + bias;
                let lengths = length(a.iter().map(|x| f64::from(*x))) * length(weight.iter().map(|w| f64::from(*w)));
                let error = (f64::from(out[c]) - exact).abs();
                prop_assert!(error <= 1.5e-4 * lengths + 1e-5, "{error} of {lengths}");
            }
            prop_assert!(out[columns..].iter().all(|value| value.is_nan()), "wrote past the row");
        }
    }
}

#[test]
fn sums_that_come_nearest_to_32_bits_do_not_pass_them() {
    // Equal codes of one sign, at every length up to several blocks, where Cauchy-Schwarz holds
    // with equality.
    for inner in [1, 2, 3, BLOCK - 1, BLOCK, BLOCK + 1, 4 * BLOCK] {
        for sign in [1.0, -1.0] {
            let packed = Int16Panels::from_panels(&Panels::from_linear(&vec![0.125; inner], 1, inner));
            for kernel in kernels() {
                let mut out = [0.0];
                let left = rounded(kernel, &vec![8.0 * sign; inner], inner);
                kernel.int16_product(&left, packed.all(), Finish::PLAIN, &mut out, 1);
                assert!((out[0] / (sign * inner as f32) - 1.0).abs() < 1e-3, "{inner}: {out:?}");
            }
        }
    }
}

#[test]
fn a_row_with_what_is_no_number_is_none_and_its_neighbours_are_not_touched() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for at in [0, 7, 8, 400, 1000] {
            let mut all = values(3 * 1001, 4);
            all[1001 + at] = bad;
            let packed = Int16Panels::from_panels(&Panels::from_linear(&values(20 * 1001, 5), 20, 1001));
            for kernel in kernels() {
                let mut out = [0.0; 60];
                let finish = Finish { bias: &[], gelu: true };
                kernel.int16_product(&rounded(kernel, &all, 1001), packed.all(), finish, &mut out, 20);
                assert!(out[..20].iter().chain(&out[40..]).all(|value| value.is_finite()));
                assert!(out[20..40].iter().all(|value| value.is_nan()), "{bad} {at}: {out:?}");
            }
        }
    }
}
