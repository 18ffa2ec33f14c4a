/// Keys and values of consecutive tokens in every layer, the keys already turned by their positions.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    length: usize,
    /// `[layers * groups]`, each `[length, head]`.
    keys: Vec<Vec<f32>>,
    values: Vec<Vec<f32>>,
}

impl Keys {
    /// No tokens, in `parts` layers times groups.
    pub(super) fn none(parts: usize) -> Self {
        Self { length: 0, keys: vec![Vec::new(); parts], values: vec![Vec::new(); parts] }
    }

    /// Number of tokens.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Size in memory.
    pub(super) fn bytes(&self) -> usize {
        let values =
            |parts: &[Vec<f32>]| parts.iter().map(|part| part.len() * size_of::<f32>()).sum::<usize>();
        values(&self.keys) + values(&self.values)
    }

    /// Number of bytes of [`Keys::to_bytes`].
    pub(super) fn byte_len(parts: usize, length: usize, head: usize) -> usize {
        2 * parts * length * head * size_of::<f32>()
    }

    /// The keys of every part, then the values, little-endian.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.keys.iter().chain(&self.values).flatten().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Reads [`Keys::to_bytes`] of `length` tokens, each with keys of width `head` in `parts`; `None`
    /// when there are fewer or more bytes.
    pub(super) fn from_bytes(bytes: &[u8], parts: usize, length: usize, head: usize) -> Option<Self> {
        if bytes.len() != Self::byte_len(parts, length, head) || length * head == 0 {
            return None;
        }
        let value = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
        let values = bytes.as_chunks::<4>().0.chunks_exact(length * head);
        let mut all: Vec<Vec<f32>> = values.map(|part| part.iter().map(value).collect()).collect();
        let values = all.split_off(parts);
        Some(Self { length, keys: all, values })
    }

    /// The keys and the values of one layer and group, `[length, head]` each. In a pass, the layers
    /// read so far have the pass's tokens already.
    pub(super) fn part(&self, part: usize) -> (&[f32], &[f32]) {
        (&self.keys[part], &self.values[part])
    }

    /// Appends tokens' keys and values to a layer and group; [`Keys::finish`] counts them once every
    /// layer has them.
    pub(super) fn push<'a>(&mut self, part: usize, tokens: impl Iterator<Item = (&'a [f32], &'a [f32])>) {
        for (key, value) in tokens {
            self.keys[part].extend_from_slice(key);
            self.values[part].extend_from_slice(value);
        }
    }

    /// Ends a pass over `tokens` tokens.
    pub(super) fn finish(&mut self, tokens: usize) {
        self.length += tokens;
    }

    /// Keeps the first `length` tokens, and returns the others. `head` is the width of a key.
    pub(super) fn split_off(&mut self, length: usize, head: usize) -> Self {
        let split = |parts: &mut [Vec<f32>]| {
            let rest = parts.iter_mut().map(|part| {
                let rest = part.split_off(length * head);
                part.shrink_to_fit();
                rest
            });
            rest.collect()
        };
        let (keys, values) = (split(&mut self.keys), split(&mut self.values));
        let rest = Self { length: self.length - length, keys, values };
        self.length = length;
        rest
    }
}
