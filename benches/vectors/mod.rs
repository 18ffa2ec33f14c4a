//! Vectors, queries and the exact nearest rows, as the benchmarks read them.

use std::collections::HashSet;
use std::io::BufReader;
use std::path::Path;

use npyz::NpyFile;

/// A folder of base.f16.npy, query.f16.npy and gt.i32.npy.
pub(crate) struct Vectors {
    pub(crate) base: Vec<Vec<f32>>,
    #[allow(dead_code, reason = "not every benchmark asks")]
    pub(crate) dimension: usize,
    pub(crate) queries: Vec<Vec<f32>>,
    /// Of each query, the row numbers of the nearest.
    #[allow(dead_code, reason = "not every benchmark asks")]
    pub(crate) truth: Vec<HashSet<String>>,
    /// As `truth`, all that the file has, the nearest first: for databases of the first rows only.
    #[allow(dead_code, reason = "not every benchmark asks")]
    pub(crate) nearest: Vec<Vec<usize>>,
}

impl Vectors {
    pub(crate) fn read(folder: &Path, k: usize) -> Self {
        let (base, dimension) = rows(&folder.join("base.f16.npy"));
        let (queries, _) = rows(&folder.join("query.f16.npy"));
        let file = open(&folder.join("gt.i32.npy"));
        let width = file.shape()[1] as usize;
        let nearest: Vec<usize> =
            file.into_vec::<i32>().unwrap().into_iter().map(|row| row as usize).collect();
        let nearest: Vec<Vec<usize>> = nearest.chunks_exact(width).map(<[usize]>::to_vec).collect();
        let truth = nearest.iter().map(|row| row[..k].iter().map(ToString::to_string).collect()).collect();
        Self { base, dimension, queries, truth, nearest }
    }
}

fn rows(path: &Path) -> (Vec<Vec<f32>>, usize) {
    let file = open(path);
    let dimension = file.shape()[1] as usize;
    let values: Vec<f32> = file.into_vec::<half::f16>().unwrap().into_iter().map(f32::from).collect();
    (values.chunks_exact(dimension).map(<[f32]>::to_vec).collect(), dimension)
}

fn open(path: &Path) -> NpyFile<BufReader<std::fs::File>> {
    NpyFile::new(BufReader::new(std::fs::File::open(path).unwrap())).unwrap()
}
