//! Which append blobs have their head already.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Blobs that are known to have their head. It spares requests and may forget.
#[derive(Default)]
pub(super) struct Begun(Mutex<HashSet<String>>);

impl Begun {
    const MOST: usize = 1_024;

    pub(super) fn contains(&self, name: &str) -> bool {
        self.locked(|names| names.contains(name))
    }

    pub(super) fn insert(&self, name: &str) {
        self.locked(|names| {
            if names.contains(name) {
                return;
            }
            if names.len() == Begun::MOST {
                names.clear();
            }
            names.insert(name.to_owned());
        });
    }

    pub(super) fn remove(&self, name: &str) {
        self.locked(|names| names.remove(name));
    }

    pub(super) fn locked<T>(&self, work: impl FnOnce(&mut HashSet<String>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_blobs_is_bounded() {
        let begun = Begun::default();
        for number in 0..3 * Begun::MOST {
            begun.insert(&number.to_string());
            assert!(begun.contains(&number.to_string()));
            begun.locked(|names| assert!(names.len() <= Begun::MOST));
        }
        begun.remove("3071");
        assert!(!begun.contains("3071"));
    }
}
