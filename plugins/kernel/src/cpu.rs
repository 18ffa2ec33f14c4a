//! Detection of the processor, the only one of this workspace.
//!
//! Each type proves that the processor has some instruction sets, and `detect` is the only way to a
//! proof. So a method of a proof may call functions that are compiled for those instruction sets,
//! and is safe.

#[cfg(target_arch = "x86_64")]
use std::sync::atomic::{AtomicU8, Ordering};

/// Proof that this CPU has AVX2 and FMA, and possibly more.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub struct Avx2 {
    avx512: Option<Avx512>,
    vnni: Option<Vnni>,
}

/// Proof that this CPU has AVX-512 F, BW and DQ, AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

/// Proof that this CPU has AVX-512 VNNI and everything that [`Avx512`] proves.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Vnni(());

/// Proof that this CPU has NEON.
#[cfg(target_arch = "aarch64")]
#[derive(Clone, Copy)]
pub(crate) struct Neon(());

/// Bits of the instruction sets found; 0 before the CPU was asked.
#[cfg(target_arch = "x86_64")]
static FOUND: AtomicU8 = AtomicU8::new(0);
#[cfg(target_arch = "x86_64")]
const ASKED: u8 = 1;
#[cfg(target_arch = "x86_64")]
const AVX2: u8 = 2;
#[cfg(target_arch = "x86_64")]
const AVX512: u8 = 4;
#[cfg(target_arch = "x86_64")]
const VNNI: u8 = 8;

#[cfg(target_arch = "x86_64")]
impl Avx2 {
    /// Detects the CPU; `None` without AVX2 or FMA. Cheap enough to be called for each distance: a
    /// load and a test once the CPU was asked.
    #[inline]
    pub fn detect() -> Option<Self> {
        // Relaxed: threads that read 0 at the same time all ask, and find the same.
        let found = match FOUND.load(Ordering::Relaxed) {
            0 => ask(),
            found => found,
        };
        let avx512 = (found & AVX512 != 0).then_some(Avx512(()));
        let vnni = (found & VNNI != 0).then_some(Vnni(()));
        (found & AVX2 != 0).then_some(Self { avx512, vnni })
    }

    /// The proof of AVX-512, if this CPU has it.
    #[inline]
    pub(crate) fn avx512(self) -> Option<Avx512> {
        self.avx512
    }

    /// The proof of VNNI, if this CPU has it.
    #[inline]
    pub(crate) fn vnni(self) -> Option<Vnni> {
        self.vnni
    }

    /// The same proof without the features beyond AVX2.
    #[cfg(test)]
    pub(crate) fn alone(self) -> Self {
        Self { avx512: None, vnni: None }
    }
}

#[cfg(target_arch = "x86_64")]
#[cold]
fn ask() -> u8 {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = avx2
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq");
    let vnni = avx512 && is_x86_feature_detected!("avx512vnni");
    let bit = |has: bool, bit: u8| if has { bit } else { 0 };
    let found = ASKED | bit(avx2, AVX2) | bit(avx512, AVX512) | bit(vnni, VNNI);
    FOUND.store(found, Ordering::Relaxed);
    found
}

#[cfg(target_arch = "aarch64")]
impl Neon {
    /// Detects the CPU; `None` without NEON. Known at compile time, except on targets without
    /// floating-point registers.
    #[inline]
    pub(crate) fn detect() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }
}
