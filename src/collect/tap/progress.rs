//! How far an account has come: its checkpoint, and what this run says of it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;

use super::context::TapContext;
use super::evidence::KindEvidence;
use crate::collect::feed_error::FeedError;
use crate::collect::timing::signed;
use crate::report::{CallReport, FeedReport};
use crate::state::Version;
use crate::tap::{
    CALLS_A_DAY, Call, HourSpan, Next, Outcome, Rest, TapNotice, TapProgress, TapTiming,
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
        self.lost.append(&mut self.checkpoint.progress.newly_lost());
        next
    }

    /// Notes how a call ended. It is saved later.
    pub(super) fn record(&mut self, call: Call, outcome: Outcome, now: Timestamp) {
        self.checkpoint.progress.record(call, outcome, now);
        self.lost.append(&mut self.checkpoint.progress.newly_lost());
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
        report.newest = progress.read_up_to();
        let used = progress.calls_used(now);
        report.calls = Some(CallReport { used, limit: CALLS_A_DAY, waits_until: self.waits_until });
    }
}
