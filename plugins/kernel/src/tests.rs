use proptest::prelude::*;

use super::*;

/// All kernels that this machine supports.
pub(super) fn kernels() -> Vec<Kernel> {
    let mut kernels = vec![Kernel::Portable, Kernel::detect()];
    #[cfg(target_arch = "x86_64")]
    if let Kernel::Avx2(avx2) = Kernel::detect() {
        kernels.push(Kernel::Avx2(avx2.alone()));
    }
    kernels
}

/// Deterministic values in [-2, 2), different for each seed.
pub(super) fn values(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / (1 << 22) as f32 - 2.0
    };
    (0..count).map(|_| next()).collect()
}

fn close(got: &[f32], expected: &[f32], tolerance: f32) -> bool {
    got.len() == expected.len()
        && got.iter().zip(expected).all(|(a, b)| (a - b).abs() <= tolerance * b.abs().max(1.0))
}

/// Phi(x) in f64: erf by its Maclaurin series below 3, erfc by its continued fraction above.
fn phi(x: f64) -> f64 {
    let z = x.abs() / std::f64::consts::SQRT_2;
    let upper = if z < 3.0 {
        let (mut term, mut sum) = (z, z);
        for n in 1..200 {
            term *= -z * z / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        0.5 - sum / std::f64::consts::PI.sqrt()
    } else {
        let fraction = (1..=60).rev().fold(z, |f, n| z + f64::from(n) / 2.0 / f);
        0.5 * (-z * z).exp() / (std::f64::consts::PI.sqrt() * fraction)
    };
    if x > 0.0 { 1.0 - upper } else { upper }
}

#[test]
fn gelu_is_within_its_stated_error_of_the_exact_one() {
    for step in -100_000..=100_000 {
        let x = step as f32 * 1e-4;
        let expected = f64::from(x) * phi(f64::from(x));
        let limit = 2.5e-7 + f64::from(f32::EPSILON) / 2.0 * expected.abs();
        let got = f64::from(portable::gelu(x));
        assert!((got - expected).abs() <= limit, "{x}: {got} {expected}");
    }
    assert_eq!(portable::gelu(1e30), 1e30);
    assert!(portable::gelu(-1e30).abs() < 1e-7);
}

#[test]
fn exp2_is_within_two_units_in_the_last_place_and_never_zero() {
    for step in 0..126_000 {
        let x = -(step as f32) * 1e-3;
        let expected = f64::from(x).exp2();
        assert!((f64::from(portable::exp2(x)) / expected - 1.0).abs() < 2.4e-7, "{x}");
    }
    assert_eq!(portable::exp2(0.0), 1.0);
    assert_eq!(portable::exp2(f32::NEG_INFINITY), portable::exp2(-126.0));
}

#[test]
fn products_with_one_row_are_those_of_f64() {
    for kernel in kernels() {
        for (rows, width) in
            (0..5).flat_map(|rows| (1..80).map(move |width| (rows, width))).chain([(300, 64)])
        {
            let (query, matrix, weights) = (values(width, 1), values(rows * width, 2), values(rows, 3));
            let mut found = vec![0.0; rows];
            kernel.dots(&query, &matrix, &mut found);
            let product = |a: &f32, b: &f32| f64::from(*a) * f64::from(*b);
            let dot = |row: &[f32]| query.iter().zip(row).map(|(a, b)| product(a, b)).sum::<f64>() as f32;
            let expected: Vec<f32> = matrix.chunks_exact(width).map(dot).collect();
            assert!(close(&found, &expected, 1e-4), "{rows} {width}");

            let mut found = query.clone();
            kernel.add_weighted(&weights, &matrix, &mut found);
            let sum = |column: usize| {
                let rows = weights.iter().zip(matrix.chunks_exact(width));
                (f64::from(query[column]) + rows.map(|(w, row)| product(w, &row[column])).sum::<f64>()) as f32
            };
            let expected: Vec<f32> = (0..width).map(sum).collect();
            assert!(close(&found, &expected, 1e-4), "{rows} {width}");
        }
    }
}

#[test]
fn log_sum_exp_is_that_of_f64_and_shows_what_is_no_number() {
    for kernel in kernels() {
        for length in (1..40).chain([1023, 1024, 1025, 50_265]) {
            let row: Vec<f32> = values(length, 9).iter().map(|value| value * 9.0 - 200.0).collect();
            let expected = row.iter().map(|value| f64::from(*value).exp()).sum::<f64>().ln();
            assert!((kernel.log_sum_exp(&row) - expected).abs() < 1e-6, "{length}");
            for at in [0, length / 2, length - 1] {
                let with = |value: f32| {
                    let mut row = row.clone();
                    row[at] = value;
                    kernel.log_sum_exp(&row)
                };
                assert!(with(f32::NAN).is_nan() && with(f32::INFINITY) == f64::INFINITY);
                assert!(with(f32::NEG_INFINITY) <= expected + 1e-6);
            }
        }
        assert_eq!(kernel.log_sum_exp(&[f32::NEG_INFINITY; 9]), f64::NEG_INFINITY);
        assert_eq!(kernel.log_sum_exp(&[]), f64::NEG_INFINITY);
    }
}

#[test]
fn softmax_sums_to_one_and_keeps_extremes_apart() {
    for kernel in kernels() {
        let mut row = [0.0, -1e30, 1e4, 1e4, 0.0, 0.0, 0.0, 0.0, 0.0];
        kernel.softmax(&mut row, 1.0);
        assert!(close(&row, &[0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0], 1e-6), "{row:?}");
    }
}

#[test]
fn what_is_no_number_comes_through_softmax_and_gelu() {
    for kernel in kernels() {
        for (length, at) in [(1, 0), (7, 3), (8, 0), (8, 7), (21, 2), (21, 15), (21, 20)] {
            let mut row = values(length, 5);
            row[at] = f32::NAN;
            let packed = Panels::from_linear(&row, length, 1);
            let (left, finish) =
                (Rows { values: &[1.0], stride: 1, rows: 1 }, Finish { bias: &[], gelu: true });
            let mut out = vec![0.0; length];
            kernel.product(left, packed.all(), finish, &mut out, length);
            let is_nan: Vec<bool> = out.iter().map(|value| value.is_nan()).collect();
            assert!(
                is_nan.iter().enumerate().all(|(i, is_nan)| *is_nan == (i == at)),
                "{length} {at}: {out:?}"
            );
            kernel.softmax(&mut row, 1.0);
            assert!(row.iter().all(|value| value.is_nan()), "{length} {at}: {row:?}");
        }
    }
}

#[test]
fn the_fast_softmax_and_norm_agree_with_the_portable_ones_at_every_length() {
    for length in 1..=257 {
        // An odd start makes every vector load unaligned.
        let all = values(length + 1, length as u32);
        let residual = values(length, 7);
        let norm = Norm { weight: values(length, 8), bias: values(length, 9), epsilon: 1e-12 };
        let (mut fast, mut plain) = (all.clone(), all.clone());
        Kernel::detect().softmax(&mut fast[1..], 3.0);
        Kernel::Portable.softmax(&mut plain[1..], 3.0);
        assert!(close(&fast, &plain, 1e-6), "softmax {length}");
        let (mut fast, mut plain) = (all.clone(), all);
        Kernel::detect().add_norm(&mut fast[1..], &residual, &norm);
        Kernel::Portable.add_norm(&mut plain[1..], &residual, &norm);
        // With one or two values, the norm is rounding noise around the bias: nothing to compare.
        assert!(length < 3 || close(&fast, &plain, 2e-5), "norm {length}");
    }
}

proptest! {
    #[test]
    fn every_product_agrees_with_the_sum_in_f64(
        rows in 1usize..30, inner in 1usize..70, columns in 1usize..50,
        gap in 0usize..3, gelu: bool, biased: bool, seed: u32,
    ) {
        let a = values(rows * (inner + gap), seed);
        let weight = values(columns * inner, seed ^ 1);
        let mut bias = values(columns, seed ^ 2);
        bias.resize(panels_of(columns) * PANEL, 0.0);
        let packed = Panels::from_linear(&weight, columns, inner);
        let left = Rows { values: &a, stride: inner + gap, rows };
        let finish = Finish { bias: if biased { &bias } else { &[] }, gelu };
        for kernel in kernels() {
            let mut out = vec![f32::NAN; rows * (columns + gap)];
            kernel.product(left, packed.all(), finish, &mut out, columns + gap);
            for r in 0..rows {
                for c in 0..columns {
                    let mut expected: f64 = (0..inner)
                        .map(|i| f64::from(a[r * (inner + gap) + i]) * f64::from(weight[c * inner + i]))
                        .sum();
                    expected += if biased { f64::from(bias[c]) } else { 0.0 };
                    if gelu {
                        expected *= phi(expected);
                    }
                    let got = f64::from(out[r * (columns + gap) + c]);
                    prop_assert!((got - expected).abs() < 1e-4, "{r} {c}: {got} {expected}");
                }
                for c in columns..columns + gap {
                    prop_assert!(out[r * (columns + gap) + c].is_nan(), "wrote past the row");
                }
            }
        }
    }
}
