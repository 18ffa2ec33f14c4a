use super::*;
use postil_hostile::Target;
use std::cell::Cell;
use std::collections::BTreeSet;

#[test]
fn a_file_that_is_cut_or_changed_anywhere_gives_documents_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, documents(), true);
    let good = std::fs::read(&path).unwrap();
    let (panics, errors) = (Cell::new(0u64), Cell::new(0u64));
    let messages = std::cell::RefCell::new(BTreeSet::new());
    let calm = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        for outcome in [read(&path).map(drop), super::super::description(&path).map(drop)] {
            let Err(error) = outcome else { continue };
            assert!(matches!(error, Error::Exchange { .. } | Error::Read { .. }), "{error}");
            errors.set(errors.get() + 1);
            let error = error.to_string();
            if let Some((_, what)) = error.split_once("panicked: ") {
                panics.set(panics.get() + 1);
                messages.borrow_mut().insert(what.to_owned());
            }
        }
    };
    for at in 0..good.len() {
        calm(&good[..at]);
        assert_eq!(panics.get(), 0, "cut at {at}");
    }
    let cuts = errors.get();
    assert!(cuts >= good.len() as u64, "{cuts}");
    let flipped =
        (0..good.len()).flat_map(|at| [0x01, 0x80, 0xff].map(|mask| (at, mask))).map(|(at, mask)| {
            let mut bytes = good.clone();
            bytes[at] ^= mask;
            bytes
        });
    Target::new("parquet", std::iter::once(good.clone()).chain(flipped), calm).run(2_000);
    println!(
        "{} bytes, {} errors, {} contained panics: {:#?}",
        good.len(),
        errors.get(),
        panics.get(),
        messages.borrow()
    );
}
