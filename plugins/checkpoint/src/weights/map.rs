#![expect(unsafe_code, reason = "mapping a file is unsafe: its bytes can change behind the reader")]

use std::path::PathBuf;

use candle_core::safetensors::MmapedSafetensors;

/// Maps files whose headers were checked.
pub(super) fn map(files: &[PathBuf]) -> candle_core::Result<MmapedSafetensors> {
    // SAFETY: a mapping is sound as long as no process truncates or rewrites the file under it.
    // Model files are written once, under a temporary name, and renamed into place (`fetch`), never
    // changed in place. Editing one while it is open breaks this assumption, as with every mapping
    // loader. Readers copy each tensor out once while loading, so the window is short.
    unsafe { MmapedSafetensors::multi(files) }
}
