//! Vectors, queries and the exact nearest rows, as the benchmarks read them.

use std::io::BufReader;
use std::path::Path;

use npyz::NpyFile;
use postil::Metric;

/// A folder of vectors: base and queries in `.f16.npy` or `.f32.npy`; gt.i32.npy, the nearest rows
/// of each query, computed here when absent; and meta.json, whose `metric` is cosine, dot or l2.
/// The dot product of unit vectors is treated as cosine, and cosine is the default metric.
pub(crate) struct Vectors {
    pub(crate) base: Vec<Vec<f32>>,
    #[allow(dead_code, reason = "not every benchmark asks")]
    pub(crate) dimension: usize,
    pub(crate) queries: Vec<Vec<f32>>,
    #[allow(dead_code, reason = "not every benchmark asks")]
    pub(crate) metric: Metric,
    /// Numbers of the rows nearest to each query, nearest first, as many as the file has.
    #[allow(dead_code, reason = "not every benchmark asks")]
    pub(crate) nearest: Vec<Vec<usize>>,
}

impl Vectors {
    /// Reads the folder; `None` reads the shared vectors.
    pub(crate) fn read(folder: Option<&Path>, k: usize) -> Self {
        let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/vectors");
        let folder = folder.unwrap_or(&shared);
        let (base, dimension) = rows(folder, "base");
        let (queries, _) = rows(folder, "query");
        let metric = metric(&folder.join("meta.json"), &base);
        let truth = folder.join("gt.i32.npy");
        let nearest = match truth.exists() {
            true => {
                let file = open(&truth);
                let width = file.shape()[1] as usize;
                let all: Vec<usize> =
                    file.into_vec::<i32>().unwrap().into_iter().map(|row| row as usize).collect();
                all.chunks_exact(width).map(<[usize]>::to_vec).collect()
            }
            false => queries.iter().map(|query| scan(metric, &base, query, k)).collect(),
        };
        Self { base, dimension, queries, metric, nearest }
    }

    /// Score of the last of the `k` nearest rows of each query: every hit that reaches it is right.
    #[allow(dead_code, reason = "not every benchmark asks")]
    pub(crate) fn least_scores(&self, k: usize) -> Vec<f64> {
        let least = |(query, nearest): (&Vec<f32>, &Vec<usize>)| {
            nearest[..k.min(nearest.len())]
                .iter()
                .map(|&row| score(self.metric, query, &self.base[row]))
                .fold(f64::INFINITY, f64::min)
        };
        self.queries.iter().zip(&self.nearest).map(least).collect()
    }
}

fn metric(path: &Path, base: &[Vec<f32>]) -> Metric {
    let text = std::fs::read_to_string(path).unwrap_or_else(|_| "{}".to_owned());
    let meta: serde_json::Value = serde_json::from_str(&text).unwrap();
    match meta["metric"].as_str() {
        Some("dot") if !base.iter().all(|row| (score(Metric::Dot, row, row) - 1.0).abs() < 0.01) => {
            Metric::Dot
        }
        None | Some("dot" | "cosine") => Metric::Cosine,
        Some(name) => name.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display())),
    }
}

/// Score of two vectors, in double precision; higher is nearer.
pub(crate) fn score(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
    let sum = |term: fn(f64, f64) -> f64| -> f64 {
        a.iter().zip(b).map(|(&x, &y)| term(f64::from(x), f64::from(y))).sum()
    };
    let length = |x: &[f32]| x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    match metric {
        Metric::Cosine => sum(|x, y| x * y) / (length(a) * length(b)),
        Metric::Dot => sum(|x, y| x * y),
        Metric::L2 => -sum(|x, y| (x - y) * (x - y)).sqrt(),
        other => panic!("{other} has no formula here yet"),
    }
}

fn scan(metric: Metric, base: &[Vec<f32>], query: &[f32], k: usize) -> Vec<usize> {
    let mut scored: Vec<(f64, usize)> =
        base.iter().enumerate().map(|(row, vector)| (score(metric, query, vector), row)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(k).map(|(_, row)| row).collect()
}

fn rows(folder: &Path, name: &str) -> (Vec<Vec<f32>>, usize) {
    let halves = folder.join(format!("{name}.f16.npy"));
    let (values, dimension): (Vec<f32>, usize) = match halves.exists() {
        true => {
            let file = open(&halves);
            let dimension = file.shape()[1] as usize;
            (file.into_vec::<half::f16>().unwrap().into_iter().map(f32::from).collect(), dimension)
        }
        false => {
            let file = open(&folder.join(format!("{name}.f32.npy")));
            let dimension = file.shape()[1] as usize;
            (file.into_vec::<f32>().unwrap(), dimension)
        }
    };
    (values.chunks_exact(dimension).map(<[f32]>::to_vec).collect(), dimension)
}

fn open(path: &Path) -> NpyFile<BufReader<std::fs::File>> {
    NpyFile::new(BufReader::new(std::fs::File::open(path).unwrap())).unwrap()
}
