use super::targets::{DIMENSION, FIRST_ROW, ROWS, vectors};
use super::*;

fn written() -> (tempfile::TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    Run::write(folder.path(), FIRST_ROW, DIMENSION, &vectors()).unwrap();
    let bytes = std::fs::read(file(folder.path(), FIRST_ROW)).unwrap();
    (folder, bytes)
}

fn opened(folder: &Path) -> Result<Run> {
    Run::open(folder, FIRST_ROW, DIMENSION)
}

#[test]
fn vectors_come_back_as_they_were_by_their_row() {
    let (folder, _) = written();
    let run = opened(folder.path()).unwrap();
    assert_eq!(run.rows(), FIRST_ROW..FIRST_ROW + ROWS as u64);
    assert_eq!(run.vectors(), vectors());
    for (row, vector) in run.rows().zip(vectors().chunks_exact(DIMENSION)) {
        assert_eq!(run.vector(row), Some(vector));
        assert!(run.row_is_sound(row));
    }
    assert_eq!((run.vector(FIRST_ROW - 1), run.vector(run.rows().end)), (None, None));
    assert_eq!(run.damage(), Vec::<String>::new());
    assert_eq!(first_rows(folder.path()), [FIRST_ROW]);
}

#[test]
fn every_changed_bit_is_an_error_or_a_report_and_no_row_that_passes_is_wrong() {
    let (folder, whole) = written();
    let (path, sound) = (file(folder.path(), FIRST_ROW), opened(folder.path()).unwrap().checksum());
    let mut reported = 0;
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        // A mapped file must not be written to.
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let Ok(run) = opened(folder.path()) else { continue };
        assert_eq!(run.checksum(), sound, "bit {bit}");
        assert!(!run.damage().is_empty(), "bit {bit}");
        let (rows, vectors) = (run.rows(), vectors());
        for (row, vector) in rows.zip(vectors.chunks_exact(DIMENSION)) {
            assert!(!run.row_is_sound(row) || run.vector(row) == Some(vector), "bit {bit}");
        }
        reported += 1;
    }
    assert!(reported > ROWS * DIMENSION * 32, "{reported}");
}

#[test]
fn a_file_that_is_cut_anywhere_is_an_error_or_a_report() {
    let (folder, whole) = written();
    let path = file(folder.path(), FIRST_ROW);
    for length in 0..whole.len() {
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(opened(folder.path()).map_or(true, |run| !run.damage().is_empty()), "{length}");
    }
}

#[test]
fn a_run_of_other_rows_or_of_another_dimension_is_refused() {
    let (folder, _) = written();
    std::fs::copy(file(folder.path(), FIRST_ROW), file(folder.path(), 8)).unwrap();
    assert!(Run::open(folder.path(), 8, DIMENSION).is_err());
    assert!(Run::open(folder.path(), FIRST_ROW, DIMENSION + 1).is_err());
    assert!(opened(folder.path()).is_ok());
}

#[test]
fn no_bytes_make_reading_panic() {
    targets::run().run(20_000);
}
