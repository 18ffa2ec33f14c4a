//! Polynomials of the elementwise functions, lowest power first.
#![allow(clippy::excessive_precision, reason = "digits as fitted; the compiler rounds them once")]

/// Coefficients of exp2(r) for r in [-0.5, 0.5]: ln(2)^k / k!, the Taylor series. Truncation error
/// below 6e-9.
pub(super) const EXP2: [f32; 8] = [
    1.0,
    std::f32::consts::LN_2,
    0.240_226_51,
    0.055_504_11,
    0.009_618_129,
    0.001_333_355_8,
    0.000_154_035_3,
    0.000_015_252_734,
];

/// Smallest argument of exp2, below which the result is clamped: 2^-126 is the smallest normal
/// power of two.
pub(super) const EXP2_MIN: f32 = -126.0;

/// Coefficients of -log2(Phi(-a)) for a in [0, 6], Phi the standard normal distribution.
///
/// Fitted by iteratively reweighted least squares to the least absolute error of a * Phi(-a):
/// 8.4e-9 in exact arithmetic. x * Phi(x) = max(x, 0) - |x| * Phi(-|x|) computed from it in f32 is
/// off by at most 1.4e-7 for |x| <= 3 and half a unit in the last place plus that beyond.
pub(super) const NEG_LOG2_PHI: [f32; 9] = [
    9.999_995_1e-1,
    1.151_116,
    4.591_439_6e-1,
    5.266_028e-2,
    -7.277_800_6e-3,
    2.905_734_4e-4,
    1.254_368_3e-4,
    -2.701_650_9e-5,
    1.828_904e-6,
];

/// End of the fit. Beyond it, a * Phi(-a) < 6e-9 is held constant.
pub(super) const PHI_MAX: f32 = 6.0;
