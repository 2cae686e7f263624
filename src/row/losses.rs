//! What a shortened value lacks.

use std::collections::BTreeMap;

/// Takes note of what a shortened value lacks.
pub trait Losses {
    /// The row lacks the value at this path.
    fn left_out(&mut self, path: &str);

    /// Of the list at this path, the row has `kept` elements of `of`.
    fn cut(&mut self, path: &str, kept: usize, of: usize);
}

/// Losses that are told to another once it is certain that they happen.
#[derive(Debug, Default)]
pub struct LossList {
    left_out: BTreeMap<String, usize>,
    cut: BTreeMap<String, (usize, usize)>,
}

impl LossList {
    /// Tells `losses` about all of them.
    pub fn tell(&self, losses: &mut dyn Losses) {
        for (path, count) in &self.left_out {
            (0..*count).for_each(|_| losses.left_out(path));
        }
        self.cut.iter().for_each(|(path, (kept, of))| losses.cut(path, *kept, *of));
    }
}

impl Losses for LossList {
    fn left_out(&mut self, path: &str) {
        *self.left_out.entry(path.to_owned()).or_default() += 1;
    }

    fn cut(&mut self, path: &str, kept: usize, of: usize) {
        let (had, total) = self.cut.entry(path.to_owned()).or_default();
        (*had, *total) = (*had + kept, *total + of);
    }
}
