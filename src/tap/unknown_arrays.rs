//! Arrays of an answer that this program does not know.

use std::collections::BTreeMap;

/// How many of them are told apart.
const MAX_NAMES: usize = 20;

/// How many members each had. Bounded: the members of further arrays are counted together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownArrays {
    named: BTreeMap<String, u64>,
    others: u64,
}

impl UnknownArrays {
    /// Counts a member of the array `name`.
    pub(super) fn count(&mut self, name: &str) {
        self.add_members(name, 1);
    }

    /// Adds what another answer had.
    pub fn add(&mut self, other: &UnknownArrays) {
        other.named.iter().for_each(|(name, members)| self.add_members(name, *members));
        self.others += other.others;
    }

    fn add_members(&mut self, name: &str, members: u64) {
        let has_room = self.named.len() < MAX_NAMES;
        match self.named.get_mut(name) {
            Some(own) => *own += members,
            None if has_room => {
                self.named.insert(name.to_owned(), members);
            }
            None => self.others += members,
        }
    }

    /// The arrays by name, and how many members each had.
    pub fn names(&self) -> impl Iterator<Item = (&str, u64)> {
        self.named.iter().map(|(name, members)| (name.as_str(), *members))
    }

    /// How many members there were in all.
    pub fn members(&self) -> u64 {
        self.named.values().sum::<u64>() + self.others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_members_are_not() {
        let mut arrays = UnknownArrays::default();
        for n in 0..30 {
            arrays.count(&format!("array{n}"));
            arrays.count("array0");
        }
        let mut sum = arrays.clone();
        sum.add(&arrays);
        assert_eq!((arrays.members(), sum.members()), (60, 120));
        assert_eq!((sum.names().count(), sum.names().next()), (20, Some(("array0", 62))));
    }
}
