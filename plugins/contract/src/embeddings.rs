/// Vectors of one dimension, `[rows, dimension]`, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
    dimension: usize,
    values: Vec<f32>,
}

impl Embeddings {
    /// Takes `values`, `[rows, dimension]` row-major; `None` when the length is not a multiple of
    /// `dimension`, or `dimension` is 0.
    pub fn new(dimension: usize, values: Vec<f32>) -> Option<Self> {
        (dimension > 0 && values.len().is_multiple_of(dimension)).then_some(Self { dimension, values })
    }

    /// Number of components in each vector.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.values.len() / self.dimension
    }

    /// True when there is no vector.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The vectors in order, each `[dimension]`.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.dimension)
    }

    /// The vector at `index`; `None` past the end.
    pub fn row(&self, index: usize) -> Option<&[f32]> {
        self.values.chunks_exact(self.dimension).nth(index)
    }
}
