//! One feed's part of a run: lease, checkpoint, the live stream, the archive, status.

use std::ops::ControlFlow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proofpoint_sentinel_core::feed::{EventType, Feed};

use super::archive::{ArchiveReader, HourOutcome};
use super::archive_pass::{ArchivePass, FailedHour, Finding};
use super::feed_context::FeedContext;
use super::feed_error::FeedError;
use super::feed_progress::FeedProgress;
use super::ledger::Ledger;
use super::live::LiveReader;
use super::plan::{Forgettable, is_reread, oldest_unfinished};
use super::reported::report_work;
use super::run::Run;
use super::services::Services;
use crate::error_code;
use crate::lease_scope::LeaseScope;
use crate::report::FeedReport;
use crate::settings::{Cluster, DestinationSettings};

/// Works on one feed, under its lease, until nothing more is due or the run's time is up.
pub(super) async fn collect_feed(
    run: &Run,
    services: &Services,
    cluster: &Cluster,
    event_type: EventType,
) -> FeedReport {
    let feed = &Feed::log(&cluster.id, event_type);
    let scope = &LeaseScope::new(&run.stop, run.posting_ends);
    let place = &services.place();
    let ctx = FeedContext { run, services, cluster, event_type, feed, scope, place };
    let report = FeedReport::new(feed.to_string(), cluster.name.clone());
    let work = async |report: &mut FeedReport| collect_leased(ctx, report).await;
    report_work(run, ctx.state(), feed, scope, report, work).await
}

async fn collect_leased(ctx: FeedContext<'_>, report: &mut FeedReport) -> Result<(), FeedError> {
    let mut work = FeedWork {
        live: LiveReader::new(ctx),
        archive: ArchiveReader::new(ctx),
        ledger: Ledger::new(ctx.state().clone(), ctx.feed().clone(), ctx.place().clone()),
        progress: FeedProgress::load(ctx, report).await?,
        ctx,
    };
    work.warn_of_retirement();
    let read = work.read().await;
    let saved = work.save_last().await;
    work.progress.report_hour_rows();
    // The error itself says more than a checkpoint that can't be written.
    read?;
    saved?;
    work.prune_ledger().await?;
    let refused = work.progress.report().counts.refused;
    if refused > 0 {
        work.progress.note_error(FeedError::RowsRefused { count: refused });
    }
    work.progress.into_result()
}

/// The work on a feed in one run, under its lease.
struct FeedWork<'a> {
    ctx: FeedContext<'a>,
    live: LiveReader<'a>,
    archive: ArchiveReader<'a>,
    ledger: Ledger,
    progress: FeedProgress<'a>,
}

impl FeedWork<'_> {
    /// Reads the live stream first, which has the newest events, if it may be opened; then closed
    /// hours, between which the live stream takes further turns; and in the time that is left what
    /// the live stream still has.
    async fn read(&mut self) -> Result<(), FeedError> {
        self.progress.report_waiting_hours();
        self.progress.respect_pause()?;
        if !self.enter().await {
            return Ok(());
        }
        if self.live.is_due(&self.progress) && self.read_live().await?.is_break() {
            return Ok(());
        }
        if self.read_archive().await?.is_continue() {
            self.live.note_archive_read();
            if self.live.has_more(&self.progress) {
                self.read_live().await.map(drop)?;
            }
        }
        Ok(())
    }

    /// Saves what was learnt since the last save.
    async fn save_last(&mut self) -> Result<(), FeedError> {
        if self.progress.tell_changed_hours(&mut self.ledger).await {
            return self.progress.save().await;
        }
        self.progress.save_hold().await
    }

    /// Says once a day that the destination is retired.
    fn warn_of_retirement(&self) {
        let is_retired = matches!(
            self.ctx.run().settings.destination,
            DestinationSettings::DataCollector { .. }
        );
        if is_retired && is_first_of_day(self.progress.last_worked(), self.ctx.now()) {
            tracing::warn!(code = %error_code::DATA_COLLECTOR_IN_USE, "the HTTP Data Collector API is retired: move to the Logs Ingestion API, as docs/migrate.md describes");
        }
    }

    /// Waits until there is memory for the work; false if the run is to end before that.
    async fn enter(&mut self) -> bool {
        let ctx = self.ctx;
        let (ends, halt) = (ctx.run().reading_ends, ctx.scope().halt_token());
        let entered = ctx.place().enter_before(self.progress.last_worked(), ends, halt).await;
        if !entered {
            self.progress.report().mark_unfinished();
        }
        entered
    }

    /// Lets feeds go first that wait for memory; false as for [`enter`](Self::enter).
    async fn make_way(&mut self) -> bool {
        if !self.ctx.place().is_waited_for() {
            return true;
        }
        self.ledger.keep_recent(0);
        self.ctx.place().leave();
        self.enter().await
    }

    async fn read_live(&mut self) -> Result<ControlFlow<()>, FeedError> {
        self.live.drain(&mut self.ledger, &mut self.progress).await
    }

    async fn read_archive(&mut self) -> Result<ControlFlow<()>, FeedError> {
        let due = self.progress.begin_archive(&mut self.ledger).await?;
        let checkpoint = self.progress.checkpoint();
        let forgettable = Forgettable::of(checkpoint, self.ctx.now());
        let mut pass = ArchivePass::new(
            due,
            |hour| !is_reread(checkpoint, hour),
            move |first, last| forgettable.holds(first, last),
        );
        while let Some(hour) = pass.next() {
            if !self.make_way().await {
                return self.end_pass(pass, ControlFlow::Break(())).await;
            }
            if self.live.is_due(&self.progress) && self.read_live().await?.is_break() {
                return self.end_pass(pass, ControlFlow::Break(())).await;
            }
            let (ledger, progress) = (&mut self.ledger, &mut self.progress);
            let findings = match self.archive.read_hour(hour, ledger, progress).await? {
                HourOutcome::Read => {
                    self.progress.note_kept(hour);
                    pass.note_read(hour)
                }
                HourOutcome::Lost => {
                    pass.note_lost(hour);
                    Vec::new()
                }
                HourOutcome::Failed(failed) => pass.note_failed(failed),
                HourOutcome::Stopped => return self.end_pass(pass, ControlFlow::Break(())).await,
            };
            for finding in findings {
                self.act_on(finding).await?;
            }
        }
        self.end_pass(pass, ControlFlow::Continue(())).await
    }

    async fn act_on(&mut self, finding: Finding) -> Result<(), FeedError> {
        let (ledger, progress) = (&mut self.ledger, &mut self.progress);
        match finding {
            Finding::HoursFailed(failed) => progress.record_failed_hours(failed, ledger).await,
            Finding::Lost { hours, oldest_kept } => {
                progress.record_retention(hours, oldest_kept, ledger).await
            }
            Finding::FeedFailed { count, last: FailedHour { code, reason, .. } } => {
                Err(FeedError::HoursUnreadable { count, code, reason })
            }
        }
    }

    async fn end_pass(
        &mut self,
        pass: ArchivePass,
        flow: ControlFlow<()>,
    ) -> Result<ControlFlow<()>, FeedError> {
        self.progress.record_failed_hours(pass.finish(), &mut self.ledger).await?;
        Ok(flow)
    }

    /// Deletes what the ledger will not be asked for again, after hours became done.
    async fn prune_ledger(&mut self) -> Result<(), FeedError> {
        let report = self.progress.report();
        let has_done = !report.hours_done.is_empty() || !report.hours_checked.is_empty();
        if !has_done {
            return Ok(());
        }
        let checkpoint = self.progress.checkpoint();
        // The reading of an hour brings some events of the one before it.
        let unfinished = oldest_unfinished(checkpoint).plus(-1);
        // A clock that is ahead must not make the ledger forget what was delivered lately.
        let now = self.ctx.now();
        let now = checkpoint.newest.map_or(now, |newest| newest.min(now));
        Ok(self.ledger.prune(unfinished, now).await?)
    }
}

/// Whether no work was done earlier on the day (UTC) of `now`.
fn is_first_of_day(last_worked: Option<Timestamp>, now: Timestamp) -> bool {
    let day = |time: Timestamp| time.to_zoned(TimeZone::UTC).date();
    last_worked.is_none_or(|last| day(last) < day(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_once_a_day_is_told_in_its_first_run() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let is_told = |last: &str, now: &str| is_first_of_day(Some(at(last)), at(now));
        assert!(is_first_of_day(None, at("2026-11-20T00:00:00Z")));
        assert!(!is_told("2026-11-20T00:00:00Z", "2026-11-20T23:59:59Z"));
        assert!(is_told("2026-11-20T23:59:59Z", "2026-11-21T00:00:00Z"));
        assert!(is_told("2026-11-18T12:00:00Z", "2026-11-21T11:00:00Z"));
        // A clock that was set back.
        assert!(!is_told("2026-11-21T00:10:00Z", "2026-11-20T23:50:00Z"));
    }
}
