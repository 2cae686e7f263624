//! What the connector's table is to be told of hours, until the workspace took it.

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;
use serde::{Deserialize, Serialize};

use super::hour_counts::HourCounts;

/// So many rows of a feed wait at most, those of the newest hours: more than the two weeks that an
/// account has of hours to catch up with and of lost ones, and at most 150 kB of a checkpoint.
pub const MAX_WAITING: usize = 400;

/// How sure it is that every event of an hour arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// It was read to its end, as Proofpoint said.
    Proved,
    /// It counts as done, though Proofpoint never said that this was all.
    Believed,
    /// It was read, and is to be read again.
    Unknown,
    /// Proofpoint no longer kept it when it could be read.
    Lost,
}

impl Completeness {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Completeness::Proved => "proved",
            Completeness::Believed => "believed",
            Completeness::Unknown => "unknown",
            Completeness::Lost => "lost",
        }
    }
}

/// The state of an hour, when it was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HourRow {
    /// The hour.
    pub hour: Hour,
    /// When this became its state.
    pub at: Timestamp,
    /// The id of the run that found it so.
    pub run: String,
    /// How sure it is that all arrived.
    pub completeness: Completeness,
    /// How often it was read, if that is known: a second reading begins to count anew.
    #[serde(deserialize_with = "Option::deserialize")]
    pub attempts: Option<u32>,
    /// Its distinct events.
    pub counts: HourCounts,
    /// How many of them were known before its last reading, and came again in it.
    pub repeated: u64,
}

/// Adds a row to those that wait, which are in order. An older row of the same hour says nothing any
/// more.
pub fn add_hour_row(waiting: &mut Vec<HourRow>, row: HourRow) {
    match waiting.binary_search_by_key(&row.hour, |other| other.hour) {
        Ok(position) => waiting[position] = row,
        Err(position) => waiting.insert(position, row),
    }
    waiting.drain(..waiting.len().saturating_sub(MAX_WAITING));
}

/// Forgets the rows that the workspace `took`. A newer one of the same hour stays.
pub fn forget_hour_rows(waiting: &mut Vec<HourRow>, took: &[HourRow]) {
    waiting.retain(|row| !took.contains(row));
}

/// That the rows of a checkpoint are in order, each hour once, and not too many.
///
/// # Errors
/// What is wrong, as the rest of a sentence.
pub fn check_hour_rows(waiting: &[HourRow]) -> Result<(), String> {
    if waiting.len() > MAX_WAITING {
        return Err(format!("it has {} hour_rows, more than {MAX_WAITING}", waiting.len()));
    }
    match waiting.windows(2).find(|pair| pair[0].hour >= pair[1].hour) {
        Some(pair) => {
            let hour = pair[1].hour;
            Err(format!("the hours in hour_rows are not in order, or {hour} is there twice"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn row(offset: i64, live: u64) -> HourRow {
        let first: Hour = "2026-11-20T06".parse().unwrap();
        HourRow {
            hour: first.plus(offset),
            at: first.start(),
            run: "run".to_owned(),
            completeness: Completeness::Proved,
            attempts: Some(1),
            counts: HourCounts { live, ..HourCounts::default() },
            repeated: 0,
        }
    }

    proptest! {
        /// What waits is the newest row of each hour that was not taken since, of the newest hours.
        #[test]
        fn the_newest_rows_wait_until_they_are_taken(
            steps in proptest::collection::vec((0..900i64, 0..4u64, any::<bool>()), 0..1_500),
        ) {
            let (mut waiting, mut model) = (Vec::new(), BTreeMap::new());
            for (hour, live, is_taken) in steps {
                let row = row(hour, live);
                if is_taken {
                    forget_hour_rows(&mut waiting, std::slice::from_ref(&row));
                    model.retain(|_, other| *other != row);
                } else {
                    add_hour_row(&mut waiting, row.clone());
                    model.insert(row.hour, row);
                    while model.len() > MAX_WAITING {
                        model.pop_first();
                    }
                }
                prop_assert!(waiting.iter().eq(model.values()));
                prop_assert_eq!(check_hour_rows(&waiting), Ok(()));
            }
        }
    }

    #[test]
    fn rows_out_of_order_twice_or_too_many_are_refused() {
        assert!(check_hour_rows(&[row(1, 0), row(0, 0)]).unwrap_err().contains("order"));
        assert!(check_hour_rows(&[row(1, 0), row(1, 1)]).unwrap_err().contains("twice"));
        let many: Vec<HourRow> = (0..=MAX_WAITING as i64).map(|hour| row(hour, 0)).collect();
        assert!(check_hour_rows(&many).unwrap_err().contains("401"));
    }
}
