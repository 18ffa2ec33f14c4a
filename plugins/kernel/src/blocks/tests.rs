use super::super::operands::Rows;
use super::super::panels::{PANEL, panels_of};
use super::format::BLOCK;
use super::{BlockFormat, BlockPanels, BlockRows};
use crate::Kernel;

const FORMATS: [BlockFormat; 8] = [
    BlockFormat::Q4_0,
    BlockFormat::Q4_1,
    BlockFormat::Q5_0,
    BlockFormat::Q5_1,
    BlockFormat::Q8_0,
    BlockFormat::Q4K,
    BlockFormat::Q5K,
    BlockFormat::Q6K,
];

/// Blocks of arbitrary codes and scales, `columns` rows of `inner` values.
fn matrix(format: BlockFormat, columns: usize, inner: usize) -> Vec<u8> {
    let mut state = 12_345u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let mut bytes: Vec<u8> =
        (0..columns * inner / format.values() * format.bytes()).map(|_| next()).collect();
    let reals = match format {
        BlockFormat::Q4_0 | BlockFormat::Q5_0 | BlockFormat::Q8_0 => vec![0],
        BlockFormat::Q6K => vec![208],
        _ => vec![0, 2],
    };
    for (i, block) in bytes.chunks_exact_mut(format.bytes()).enumerate() {
        for at in &reals {
            let value = half::f16::from_f32(0.01 * (1 + (i + at) % 7) as f32);
            block[*at..at + 2].copy_from_slice(&value.to_le_bytes());
        }
    }
    bytes
}

fn packed(format: BlockFormat, columns: usize, inner: usize) -> BlockPanels {
    let bytes = matrix(format, columns, inner);
    let row_bytes = inner / format.values() * format.bytes();
    let mut panels = BlockPanels::zeros(format, columns, inner);
    for mut panel in panels.panels_mut() {
        let first = panel.first();
        panel.fill(|column| &bytes[(first + column) * row_bytes..][..row_bytes]);
    }
    panels
}

fn kernels() -> Vec<Kernel> {
    #[cfg(target_arch = "x86_64")]
    if let Kernel::Avx2(avx2) = Kernel::detect() {
        return vec![Kernel::Portable, Kernel::Avx2(avx2.alone()), Kernel::Avx2(avx2)];
    }
    vec![Kernel::Portable]
}

fn rows(n: usize, inner: usize) -> Vec<f32> {
    (0..n * inner).map(|i| ((i * 37 % 101) as f32 - 50.0) * if i % 91 == 0 { 3.0 } else { 0.1 }).collect()
}

#[test]
fn every_kernel_gives_the_same_bits_and_what_a_sum_in_f64_gives() {
    for format in FORMATS {
        for (n, columns) in [(1, 16), (2, 5), (5, 33), (7, 16), (13, 40), (30, 17)] {
            let inner = 2 * format.values();
            let (weight, lines) = (packed(format, columns, inner), rows(n, inner));
            let bias: Vec<f32> = (0..panels_of(columns) * PANEL).map(|c| c as f32).collect();
            let mut expected: Option<Vec<f32>> = None;
            for kernel in kernels() {
                let (mut a, mut out) = (BlockRows::default(), vec![0f32; n * columns]);
                let all = Rows { values: &lines, stride: inner, rows: n };
                kernel.round_blocks(all, inner, &mut a);
                kernel.block_product(&a, weight.all(), &bias, &mut out, columns);
                match &expected {
                    Some(expected) => assert_eq!(&out, expected, "{format:?} {n} {columns}"),
                    None => expected = Some(out),
                }
            }
            let found = expected.unwrap();
            let mut column = vec![0f32; inner];
            for c in 0..columns {
                weight.copy_column(c, &mut column);
                for (r, line) in lines.chunks_exact(inner).enumerate() {
                    let terms = line.iter().zip(&column).map(|(x, w)| f64::from(*x) * f64::from(*w));
                    let (sum, size) = terms.fold((0.0, 0.0), |(sum, size), t| (sum + t, size + t.abs()));
                    // Half a code of each block's values, and the rounding of sums in f32.
                    let blocks = line.chunks_exact(BLOCK).zip(column.chunks_exact(BLOCK));
                    let rounding = blocks.map(|(x, w)| {
                        let most = x.iter().fold(0f32, |most, x| most.max(x.abs()));
                        f64::from(most) / 65_534.0 * w.iter().map(|w| f64::from(w.abs())).sum::<f64>()
                    });
                    let most = rounding.sum::<f64>() + 1e-6 * (size + f64::from(bias[c]));
                    let error = (f64::from(found[r * columns + c] - bias[c]) - sum).abs();
                    assert!(error <= most, "{format:?}: {error}, at most {most}");
                }
            }
        }
    }
}

#[test]
fn a_part_of_the_columns_gives_its_part_of_the_product() {
    let (weight, lines) = (packed(BlockFormat::Q5_1, 70, 64), rows(3, 64));
    let kernel = Kernel::detect();
    let mut a = BlockRows::default();
    kernel.round_blocks(Rows { values: &lines, stride: 64, rows: 3 }, 64, &mut a);
    let (mut whole, mut part) = (vec![0f32; 3 * 70], vec![0f32; 3 * 22]);
    kernel.block_product(&a, weight.all(), &[], &mut whole, 70);
    kernel.block_product(&a, weight.part(3, 2), &[], &mut part, 22);
    for row in 0..3 {
        assert_eq!(whole[row * 70 + 48..][..22], part[row * 22..][..22]);
    }
}

#[test]
fn a_value_that_is_not_finite_makes_its_row_not_a_number_and_no_other() {
    let weight = packed(BlockFormat::Q8_0, 16, 64);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for kernel in kernels() {
            let mut lines = rows(2, 64);
            lines[40] = bad;
            let (mut a, mut out) = (BlockRows::default(), vec![0f32; 32]);
            kernel.round_blocks(Rows { values: &lines, stride: 64, rows: 2 }, 64, &mut a);
            kernel.block_product(&a, weight.all(), &[], &mut out, 16);
            assert!(out[..16].iter().all(|v| v.is_nan()) && out[16..].iter().all(|v| v.is_finite()));
        }
    }
}

#[test]
fn zeros_and_the_smallest_numbers_are_kept_or_rounded_to_zero() {
    for kernel in kernels() {
        let lines = [0.0, 1e-45, -1e-40, 0.0].repeat(BLOCK / 4);
        let mut a = BlockRows::default();
        kernel.round_blocks(Rows { values: &lines, stride: BLOCK, rows: 1 }, BLOCK, &mut a);
        assert!(a.steps[0].is_finite() && a.sums[0].abs() < 1e-38);
    }
}
