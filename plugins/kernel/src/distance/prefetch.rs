//! Fetching a row before it is needed.
#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "an intrinsic takes a raw pointer"))]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

/// Prefetches every cache line of a row; does nothing on CPUs other than x86-64.
#[inline]
pub fn prefetch<T>(row: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        let (start, bytes) = (row.as_ptr().cast::<i8>(), size_of_val(row));
        for at in (0..bytes).step_by(64) {
            // SAFETY: a prefetch of any address is harmless, this one is inside `row`; SSE is part
            // of x86-64.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.add(at)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}
