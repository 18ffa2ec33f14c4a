//! The peak of allocated bytes: a counting allocator, in every test that uses this crate.
#![expect(unsafe_code, reason = "an allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts the current thread's allocations.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    // (bytes now, most bytes at a time) since the last `measured` began.
    static BYTES: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

fn count(more: usize, less: usize) {
    // A thread that ends has no cell any more; nobody measures it.
    let _ = BYTES.try_with(|bytes| {
        let (now, most) = bytes.get();
        let now = now.wrapping_add_unsigned(more).wrapping_sub_unsigned(less);
        bytes.set((now, most.max(now)));
    });
}

// SAFETY: everything is passed to the system's allocator as it is; counting allocates nothing,
// since the cell is initialized without.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as the caller promised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Returns the result of `work`, and the peak of bytes that this thread allocated meanwhile. An
/// allocation counts when it is requested, even if the system refuses it.
pub fn measured<T>(work: impl FnOnce() -> T) -> (T, usize) {
    BYTES.set((0, 0));
    let result = work();
    let (_, most) = BYTES.get();
    (result, most.max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_at_a_time_is_measured() {
        let (kept, most) = measured(|| {
            drop(vec![0u8; 1_000_000]);
            vec![0u8; 10]
        });
        assert_eq!(kept.len(), 10);
        assert!((1_000_000..1_100_000).contains(&most), "{most}");
    }
}
