//! Rows of hours for the connector's table: made when an hour's state changes, and kept in the
//! checkpoint until the workspace took them.

use proofpoint_sentinel_core::hour::Hour;

use super::ledger::Ledger;
use super::run::Run;
use super::told_hours::ToldState;
use crate::settings::ConnectorTable;
use crate::state::{Completeness, HourRow, add_hour_row};

/// Makes the rows of a run.
#[derive(Clone, Copy)]
pub(super) struct HourRows<'a> {
    run: &'a Run,
}

impl<'a> HourRows<'a> {
    pub(super) fn of(run: &'a Run) -> HourRows<'a> {
        HourRows { run }
    }

    /// Adds to `waiting` what a reading made of an hour, unless nothing about it changed.
    pub(super) async fn tell_read(
        self,
        waiting: &mut Vec<HourRow>,
        (hour, before, after): (Hour, Option<ToldState>, ToldState),
        ledger: &mut Ledger,
    ) {
        let is_as_before = before.is_some_and(|it| it.completeness == after.completeness);
        if is_as_before && !ledger.has_changed(hour) {
            return;
        }
        let reads_before = before.and_then(|before| before.attempts);
        let attempts = match after.completeness {
            Completeness::Lost => reads_before,
            _ => after.attempts.or(Some(reads_before.unwrap_or(0).saturating_add(1))),
        };
        self.tell(waiting, (hour, ToldState { attempts, ..after }), ledger).await;
    }

    /// Adds to `waiting` what an hour is like now. It is left out if the ledger of it can't be read:
    /// the next reading of the hour fails by that too, and tells why.
    pub(super) async fn tell(
        self,
        waiting: &mut Vec<HourRow>,
        (hour, ToldState { completeness, attempts }): (Hour, ToldState),
        ledger: &mut Ledger,
    ) {
        if self.run.settings.connector_table == ConnectorTable::Off {
            waiting.clear();
            return;
        }
        let tally = match ledger.tally(hour).await {
            Ok(tally) => tally,
            Err(error) => {
                tracing::info!(%hour, %error, "the connector's table is not told of the hour");
                return;
            }
        };
        ledger.note_told(hour);
        let row = HourRow {
            hour,
            at: self.run.clock.now(),
            run: self.run.id.clone(),
            completeness,
            attempts,
            counts: tally.counts,
            repeated: tally.repeated,
        };
        add_hour_row(waiting, row);
    }
}
