//! A sample of the queries asked, in memory: segments are measured with it, if the caller allows
//! it.

/// A random sample of all queries offered (Vitter 1985, "Random sampling with a reservoir",
/// algorithm R).
#[derive(Default)]
pub(super) struct Asked {
    most: usize,
    offered: u64,
    state: u64,
    kept: Vec<Vec<f32>>,
}

impl Asked {
    pub(super) fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    pub(super) fn offer(&mut self, query: &[f32]) {
        if self.most == 0 {
            return;
        }
        self.offered += 1;
        if self.kept.len() < self.most {
            return self.kept.push(query.to_vec());
        }
        // Weyl's sequence through the mixer of Steele et al. 2014, "Fast splittable pseudorandom
        // number generators".
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let at = (mixed ^ (mixed >> 27)) % self.offered;
        if let Some(place) = self.kept.get_mut(at as usize) {
            *place = query.to_vec();
        }
    }

    pub(super) fn vectors(&self) -> Vec<Vec<f32>> {
        self.kept.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_kept_and_none_where_none_may_be() {
        let mut none = Asked::new(0);
        none.offer(&[1.0]);
        assert!(none.vectors().is_empty());
        let mut some = Asked::new(20);
        (0..2_000).for_each(|at| some.offer(&[at as f32]));
        let kept = some.vectors();
        assert_eq!(kept.len(), 20);
        let late = kept.iter().filter(|query| query[0] >= 1_000.0).count();
        assert!((3..=17).contains(&late), "{late} of 20 are of the second half");
    }
}
