//! How far an account has come: its checkpoint, and what this run says of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;

use super::context::TapContext;
use super::evidence::KindEvidence;
use crate::collect::feed_error::FeedError;
use crate::collect::hour_rows::HourRows;
use crate::collect::ledger::Ledger;
use crate::collect::timing::signed;
use crate::collect::told_hours::{ToldState, state_of_tap};
use crate::report::{CallReport, FeedReport};
use crate::state::{MAX_WAITING, Version};
use crate::tap::{
    CALLS_A_DAY, Call, HourSpan, Next, Outcome, Purpose, Rest, TapNotice, TapProgress, TapTiming,
};
use crate::tap_checkpoint::TapCheckpoint;

/// How far an account has come in this run.
pub(super) struct AccountProgress {
    checkpoint: TapCheckpoint,
    version: Option<Version>,
    /// What the state has of the account; `None` if there is nothing yet.
    stored: Option<TapCheckpoint>,
    evidence: KindEvidence,
    timing: TapTiming,
    /// Every hour before this was done or lost when the run began.
    done_before: Hour,
    /// Hours that were lost in this run.
    lost: Vec<HourSpan>,
    /// Hours that may have another state since the connector's table was told, with what they were.
    untold: BTreeMap<Hour, Option<ToldState>>,
    /// Before this no call is made; `None` if calls may be made.
    waits_until: Option<Timestamp>,
}

impl AccountProgress {
    /// Goes on from the account's checkpoint. The first run begins one, which is on record before the
    /// first call.
    pub(super) async fn load(ctx: TapContext<'_>) -> Result<AccountProgress, FeedError> {
        let (now, tap) = (ctx.now(), ctx.tap);
        let stored = ctx.services.state().read_checkpoint_as(ctx.feed).await?;
        let (checkpoint, version) = match stored {
            Some((checkpoint, version)) => (checkpoint, Some(version)),
            None => {
                let progress = TapProgress::starting(now, tap.initial_lookback_hours);
                (TapCheckpoint::starting(progress, ctx.feed, now), None)
            }
        };
        Ok(AccountProgress {
            evidence: KindEvidence::new(&checkpoint.refusals),
            timing: TapTiming {
                interval: signed(tap.interval),
                false_positives: tap.statuses.false_positives,
            },
            done_before: checkpoint.progress.settled_before(),
            lost: Vec::new(),
            untold: BTreeMap::new(),
            waits_until: None,
            stored: version.is_some().then(|| checkpoint.clone()),
            checkpoint,
            version,
        })
    }

    /// When the account was worked on last; `None` if it never was.
    pub(super) fn last_worked(&self) -> Option<Timestamp> {
        self.version.as_ref().map(|_| self.checkpoint.updated)
    }

    /// What is known of refused rows.
    pub(super) fn evidence(&self) -> &KindEvidence {
        &self.evidence
    }

    /// The next call. To be [saved](Self::save) before it is made.
    pub(super) fn next(&mut self, now: Timestamp) -> Next {
        let next = self.checkpoint.progress.next(self.timing, now);
        self.note_lost();
        next
    }

    /// Notes how a call ended. It is saved later.
    pub(super) fn record(&mut self, call: Call, outcome: Outcome, now: Timestamp) {
        if let Purpose::Settle(hour) = call.purpose {
            let before = state_of_tap(&self.checkpoint.progress, hour);
            self.untold.entry(hour).or_insert(before);
        }
        self.checkpoint.progress.record(call, outcome, now);
        self.note_lost();
    }

    fn note_lost(&mut self) {
        for span in self.checkpoint.progress.newly_lost() {
            self.lost.push(span);
            for hour in span.hours().rev().take(MAX_WAITING) {
                self.untold.entry(hour).or_insert(None);
            }
        }
    }

    /// Puts in line for the connector's table the hours that have another state.
    pub(super) async fn tell_hours(&mut self, ctx: TapContext<'_>, ledger: &mut Ledger) {
        let rows = HourRows::of(ctx.run);
        for (hour, before) in std::mem::take(&mut self.untold) {
            let Some(after) = state_of_tap(&self.checkpoint.progress, hour) else { continue };
            let waiting = &mut self.checkpoint.hour_rows;
            rows.tell_read(waiting, (hour, before, after), ledger).await;
        }
    }

    /// Puts in line for the connector's table also the hours that were read before and of which more
    /// records came since. Says whether there are any.
    pub(super) async fn tell_changed_hours(
        &mut self,
        ctx: TapContext<'_>,
        ledger: &mut Ledger,
    ) -> bool {
        let waiting = self.checkpoint.hour_rows.clone();
        self.tell_hours(ctx, ledger).await;
        let told_from = self.checkpoint.told_from;
        for hour in ledger.changed().into_iter().filter(|hour| *hour >= told_from) {
            if let Some(state) = state_of_tap(&self.checkpoint.progress, hour) {
                let waiting = &mut self.checkpoint.hour_rows;
                HourRows::of(ctx.run).tell(waiting, (hour, state), ledger).await;
            }
        }
        self.checkpoint.hour_rows != waiting
    }

    /// Notes why no call is made now. Gives what the operator must know of it.
    pub(super) fn rest(
        &mut self,
        rest: Rest,
        now: Timestamp,
        report: &mut FeedReport,
    ) -> Option<TapNotice> {
        let used = self.checkpoint.progress.calls_used(now);
        match rest {
            Rest::UpToDate => None,
            Rest::Throttled(until) => {
                self.waits_until = Some(until);
                Some(TapNotice::Throttled { until })
            }
            Rest::BudgetSpent(returns) if used >= CALLS_A_DAY => {
                self.waits_until = Some(returns);
                Some(TapNotice::BudgetSpent { used, returns })
            }
            Rest::BudgetSpent(until) | Rest::Failing(until) => {
                tracing::info!(%until, used, "closed hours wait");
                report.mark_unfinished();
                None
            }
        }
    }

    /// Every record of hours before this was read, or is lost: nothing older is asked for again.
    pub(super) fn unfinished_from(&self) -> Hour {
        self.checkpoint.progress.unfinished_from()
    }

    /// Writes the checkpoint over the version that it was read from if it says something new, unless
    /// the lease is lost.
    pub(super) async fn save(&mut self, ctx: TapContext<'_>) -> Result<(), FeedError> {
        if ctx.scope.is_lost() {
            return Err(FeedError::LeaseLost);
        }
        let checkpoint = &mut self.checkpoint;
        checkpoint.refusals = self.evidence.refusals();
        if self.stored.as_ref() == Some(checkpoint) {
            return Ok(());
        }
        checkpoint.writer.clone_from(&ctx.run.id);
        checkpoint.sequence += 1;
        checkpoint.updated = ctx.now();
        let (state, over) = (ctx.services.state(), self.version.as_ref());
        self.version = Some(state.write_checkpoint(ctx.feed, checkpoint, over).await?);
        self.stored = Some(checkpoint.clone());
        Ok(())
    }

    /// Tells the report how far the account has come.
    pub(super) fn report(&self, report: &mut FeedReport, now: Timestamp) {
        let progress = &self.checkpoint.progress;
        let is_lost = |hour: &Hour| self.lost.iter().any(|span| span.contains(*hour));
        let passed = self.done_before.through(progress.settled_before().plus(-1));
        report.hours_done = passed.filter(|hour| !is_lost(hour)).collect();
        // An hour can be lost twice, with its false positives.
        let lost: BTreeSet<Hour> = self.lost.iter().flat_map(|span| span.hours()).collect();
        report.hours_lost = lost.into_iter().collect();
        report.hours_waiting = progress.open_hours(now);
        if let Some(stored) = &self.stored {
            report.hour_rows.clone_from(&stored.hour_rows);
        }
        report.newest = progress.read_up_to();
        let used = progress.calls_used(now);
        report.calls = Some(CallReport { used, limit: CALLS_A_DAY, waits_until: self.waits_until });
    }
}
