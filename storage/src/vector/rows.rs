//! Rows that a graph is built over: their codes, or the vectors themselves if codes do not
//! distinguish rows.

use super::codes::Codes;
use postil_kernel::distance;

/// All rows, in one array.
#[derive(Clone, Copy)]
pub(crate) enum Rows<'a> {
    Codes(Codes<'a>),
    /// `[rows, dimension]`, row-major.
    Vectors {
        vectors: &'a [f32],
        dimension: usize,
    },
}

/// A contiguous copy of some rows.
pub(crate) enum Gathered {
    Codes { codes: Vec<i8>, stride: usize },
    Vectors { vectors: Vec<f32>, dimension: usize },
}

impl<'a> Rows<'a> {
    pub(crate) fn count(self) -> usize {
        match self {
            Self::Codes(codes) => codes.rows(),
            Self::Vectors { vectors, dimension } => vectors.len() / dimension,
        }
    }

    #[inline]
    fn vector(vectors: &'a [f32], dimension: usize, row: u32) -> &'a [f32] {
        &vectors[row as usize * dimension..(row as usize + 1) * dimension]
    }

    /// Returns the inner product of two rows, by their codes or their vectors.
    #[inline]
    pub(crate) fn product(self, a: u32, b: u32) -> f32 {
        match self {
            Self::Codes(codes) => distance::dot_codes(codes.row(a), codes.row(b)) as f32,
            Self::Vectors { vectors, dimension } => {
                distance::dot(Self::vector(vectors, dimension, a), Self::vector(vectors, dimension, b))
            }
        }
    }

    /// Returns the squared distance of two rows; `norms` are their squared lengths.
    #[inline]
    pub(crate) fn squared_distance(self, a: u32, b: u32, norms: &[f32]) -> f32 {
        match self {
            Self::Codes(_) => norms[a as usize] + norms[b as usize] - 2.0 * self.product(a, b),
            // For rows far from the origin, a difference of products would lose what distinguishes
            // them.
            Self::Vectors { vectors, dimension } => {
                distance::squared_l2(Self::vector(vectors, dimension, a), Self::vector(vectors, dimension, b))
            }
        }
    }

    /// As [`Self::squared_distance`], from each of four rows.
    #[inline]
    pub(crate) fn squared_distances(self, row: u32, others: [u32; 4], norms: &[f32]) -> [f32; 4] {
        match self {
            Self::Codes(codes) => {
                let ([a, b, c, d], own) = (others, norms[row as usize]);
                let rows = [codes.row(a), codes.row(b), codes.row(c), codes.row(d)];
                let [of_a, of_b, of_c, of_d] = distance::dot_codes_of_four(codes.row(row), rows);
                let distance = |other: u32, product: i32| own + norms[other as usize] - 2.0 * product as f32;
                [distance(a, of_a), distance(b, of_b), distance(c, of_c), distance(d, of_d)]
            }
            Self::Vectors { .. } => others.map(|other| self.squared_distance(row, other, norms)),
        }
    }

    #[inline]
    pub(crate) fn prefetch(self, row: u32) {
        match self {
            Self::Codes(codes) => distance::prefetch(codes.row(row)),
            Self::Vectors { vectors, dimension } => {
                distance::prefetch(Self::vector(vectors, dimension, row));
            }
        }
    }

    pub(crate) fn gather(self, rows: &[u32]) -> Gathered {
        match self {
            Self::Codes(codes) => Gathered::Codes {
                codes: rows.iter().flat_map(|&row| codes.row(row)).copied().collect(),
                stride: codes.stride,
            },
            Self::Vectors { vectors, dimension } => Gathered::Vectors {
                vectors: rows
                    .iter()
                    .flat_map(|&row| Self::vector(vectors, dimension, row))
                    .copied()
                    .collect(),
                dimension,
            },
        }
    }
}

impl Gathered {
    pub(crate) fn rows(&self) -> Rows<'_> {
        match self {
            Self::Codes { codes, stride } => Rows::Codes(Codes { codes, stride: *stride }),
            Self::Vectors { vectors, dimension } => Rows::Vectors { vectors, dimension: *dimension },
        }
    }
}
