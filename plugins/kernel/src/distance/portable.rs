//! The loops in plain Rust: the fallback, and the oracle of the fast ones.

/// Inner product of codes, exact.
pub(super) fn dot_codes(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(&x, &y)| i32::from(x) * i32::from(y)).sum()
}

/// Inner product of components of 8 and 4 bits, exact.
pub(super) fn dot_nibbles(query: &[i8], nibbles: &[u8]) -> i32 {
    let of_line = |(query, line): (&[i8; 128], &[u8; 64])| -> i32 {
        let (low, high) = query.split_at(64);
        let products = line.iter().zip(low.iter().zip(high)).map(|(&pair, (&low, &high))| {
            i32::from(pair & 15) * i32::from(low) + i32::from(pair >> 4) * i32::from(high)
        });
        products.sum()
    };
    query.as_chunks().0.iter().zip(nibbles.as_chunks().0).map(of_line).sum()
}

/// Sums up the terms of two vectors, in eight sums, so that the compiler may vectorize it.
#[inline]
pub(super) fn fold(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0f32; 8];
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    let (b_blocks, b_rest) = b.as_chunks::<8>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..8 {
            sums[lane] += term(x[lane], y[lane]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(&x, &y)| term(x, y)).sum();
    sums.iter().sum::<f32>() + rest
}
