//! Arrays of vectors in NumPy's format, version 1.0: `[rows, dimension]`, `<f4`, row-major.
//! (NumPy Enhancement Proposal 1.)

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{failed, wrong};
use crate::Error;

const MAGIC: &[u8] = b"\x93NUMPY";
/// Bytes of magic, version and padded header: room for any number of rows, since the number is
/// filled in last.
const START: usize = 128;

/// Writer of rows, and of their number at the end.
pub(super) struct Writer {
    path: PathBuf,
    file: BufWriter<File>,
    dimension: usize,
    rows: u64,
}

impl Writer {
    pub(super) fn create(path: &Path, dimension: usize) -> Result<Self, Error> {
        let mut file = BufWriter::new(File::create_new(path).map_err(failed(path))?);
        file.write_all(&start(0, dimension)).map_err(failed(path))?;
        Ok(Self { path: path.to_owned(), file, dimension, rows: 0 })
    }

    pub(super) fn push(&mut self, vector: &[f32]) -> Result<(), Error> {
        for component in vector {
            self.file.write_all(&component.to_le_bytes()).map_err(failed(&self.path))?;
        }
        self.rows += 1;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(), Error> {
        let start = start(self.rows, self.dimension);
        let mut end = || {
            self.file.seek(SeekFrom::Start(0))?;
            self.file.write_all(&start)?;
            self.file.flush()?;
            self.file.get_ref().sync_all()
        };
        end().map_err(failed(&self.path))
    }
}

fn start(rows: u64, dimension: usize) -> Vec<u8> {
    let mut start = MAGIC.to_vec();
    start.extend([1, 0]);
    start.extend(((START - MAGIC.len() - 4) as u16).to_le_bytes());
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dimension}), }}");
    start.extend(header.as_bytes());
    start.resize(START - 1, b' ');
    start.push(b'\n');
    start
}

/// Reader of rows in any order; consecutive rows are fastest.
pub(super) struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    start: u64,
    dimension: usize,
    rows: u64,
    next: u64,
}

impl Reader {
    /// Opens an array of `dimension` components a row; checks its length against its header.
    pub(super) fn open(path: &Path, dimension: usize) -> Result<Self, Error> {
        let mut file = BufReader::new(File::open(path).map_err(failed(path))?);
        let mut prefix = [0; 10];
        file.read_exact(&mut prefix).map_err(failed(path))?;
        // Longer headers are of version 2, for records of very many fields.
        if &prefix[..6] != MAGIC || prefix[6] != 1 {
            return Err(wrong(path, "it is no array of NumPy's format 1.0"));
        }
        let header_bytes = u16::from_le_bytes([prefix[8], prefix[9]]);
        let mut header = vec![0; usize::from(header_bytes)];
        file.read_exact(&mut header).map_err(failed(path))?;
        let header = String::from_utf8_lossy(&header).replace(char::is_whitespace, "").replace('"', "'");
        if !header.contains("'descr':'<f4'") || !header.contains("'fortran_order':False") {
            return Err(wrong(path, "its numbers are not little-endian f32, row after row"));
        }
        let shape = header.split("'shape':(").nth(1).and_then(|rest| rest.split(')').next());
        let shape: Vec<&str> = shape.unwrap_or_default().split(',').filter(|n| !n.is_empty()).collect();
        let [rows, components] = shape[..] else {
            return Err(wrong(path, "its shape is not of two numbers"));
        };
        let (Ok(rows), Ok(components)) = (rows.parse::<u64>(), components.parse::<usize>()) else {
            return Err(wrong(path, "its shape is not of two numbers"));
        };
        if components != dimension {
            return Err(wrong(path, format!("its rows have {components} components, not {dimension}")));
        }
        let start = 10 + u64::from(header_bytes);
        let expected = rows.checked_mul(4 * dimension as u64).and_then(|bytes| bytes.checked_add(start));
        let bytes = file.get_ref().metadata().map_err(failed(path))?.len();
        if expected != Some(bytes) {
            return Err(wrong(path, format!("it has {bytes} bytes, which is not what {rows} rows take")));
        }
        Ok(Self { path: path.to_owned(), file, start, dimension, rows, next: 0 })
    }

    pub(super) fn row(&mut self, row: u64) -> Result<Vec<f32>, Error> {
        if row >= self.rows {
            return Err(wrong(&self.path, format!("it has {} rows, and no row {row}", self.rows)));
        }
        let row_bytes = 4 * self.dimension as u64;
        if row != self.next {
            self.file.seek(SeekFrom::Start(self.start + row * row_bytes)).map_err(failed(&self.path))?;
        }
        let mut bytes = vec![0; row_bytes as usize];
        self.file.read_exact(&mut bytes).map_err(failed(&self.path))?;
        self.next = row + 1;
        let (numbers, _) = bytes.as_chunks::<4>();
        Ok(numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_any_order_and_another_reader_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.npy");
        let row = |i: u64| [i as f32, 0.5, f32::MIN_POSITIVE, -1e15];
        let mut writer = Writer::create(&path, 4).unwrap();
        (0..9).for_each(|i| writer.push(&row(i)).unwrap());
        writer.finish().unwrap();
        let mut reader = Reader::open(&path, 4).unwrap();
        for i in [0, 1, 2, 8, 3, 3] {
            assert_eq!(reader.row(i).unwrap(), row(i), "{i}");
        }
        assert!(reader.row(9).is_err());
        let bytes = std::fs::read(&path).unwrap();
        let peer = npyz::NpyFile::new(&bytes[..]).unwrap();
        assert_eq!((peer.shape(), peer.order()), (&[9, 4][..], npyz::Order::C));
        assert_eq!(peer.into_vec::<f32>().unwrap(), (0..9).flat_map(row).collect::<Vec<_>>());
    }

    #[test]
    fn an_array_that_is_cut_short_or_of_another_kind_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.npy");
        let mut writer = Writer::create(&path, 4).unwrap();
        writer.push(&[1.0; 4]).unwrap();
        writer.finish().unwrap();
        assert!(Reader::open(&path, 5).is_err());
        let whole = std::fs::read(&path).unwrap();
        for (from, to) in [
            ("<f4", "<f8"),
            ("False", "True "),
            ("(1, 4)", "(1, )"),
            ("(1, 4)", "(9, 4)"),
            ("(1, 4), }   ", "(4611686018427387904, 4)"),
        ] {
            let text: Vec<u8> = whole.clone();
            let at = text.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
            let changed = [&text[..at], to.as_bytes(), &text[at + from.len()..]].concat();
            std::fs::write(&path, changed).unwrap();
            assert!(Reader::open(&path, 4).is_err(), "{to}");
        }
        for header in ["[".repeat(60_000), "(".repeat(60_000), format!("'shape':({})", "9,".repeat(20_000))] {
            let length = (header.len() as u16).to_le_bytes();
            std::fs::write(&path, [MAGIC, &[1, 0], &length, header.as_bytes()].concat()).unwrap();
            assert!(matches!(Reader::open(&path, 4), Err(Error::Exchange { .. })));
        }
        // Version 2 has its length in four bytes.
        std::fs::write(&path, [MAGIC, &[2, 0], &[255; 4]].concat()).unwrap();
        assert!(matches!(Reader::open(&path, 4), Err(Error::Exchange { .. })));
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(Reader::open(&path, 4).is_err(), "{cut}");
        }
    }
}
