//! One TAP account's part of a run: calls of the SIEM API, as many as are due and the budget grants.

mod answer;
mod context;
mod evidence;
mod progress;

use std::time::Duration;

use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::threat_status::ThreatStatus;
use tokio::time::{Instant, sleep_until};

use super::fault::holds_rows;
use super::feed_error::FeedError;
use super::ledger::Ledger;
use super::reported::report_work;
use super::run::Run;
use super::services::Services;
use super::session_reader::ReadError;
use crate::error_code::Coded as _;
use crate::lease_scope::LeaseScope;
use crate::report::FeedReport;
use crate::settings::{TapAccount, TapSettings};
use crate::state::Arrival;
use crate::tap::{AskScope, Call, Next, Outcome, Purpose, TapClient, TapNotice};

use answer::{ReadEnd, deliver};
use context::TapContext;
use progress::AccountProgress;

/// A call that the end of the run cut short after this long was too long, and did not only begin late.
const LONG_CALL: Duration = Duration::from_secs(120);

/// Works on one account, under its feed's lease, until nothing more is due, the budget is spent, or the
/// run's time is up.
pub(super) async fn collect_tap(
    run: &Run,
    services: &Services,
    tap: &TapSettings,
    account: &TapAccount,
) -> FeedReport {
    let feed = &Feed::tap(&account.name);
    let scope = &LeaseScope::new(&run.stop, run.posting_ends);
    let place = &services.place();
    let ctx = TapContext { run, services, tap, feed, scope, place };
    let report = FeedReport::new(feed.to_string(), account.name.clone());
    report_work(run, services.state(), feed, scope, report, async |report| {
        let client = services.tap_client(tap, account)?;
        let progress = AccountProgress::load(ctx).await?;
        let ledger = Ledger::new(services.state().clone(), feed.clone(), place.clone());
        let mut work = AccountWork { ctx, client, progress, ledger, report, first_error: None };
        let made = work.make_calls().await;
        let saved = work.save_last().await;
        work.progress.report(work.report, ctx.now());
        // The error itself says more than a checkpoint that can't be written.
        made?;
        saved?;
        work.prune_ledger().await?;
        let refused = work.report.counts.refused;
        if refused > 0 {
            work.note(Some(FeedError::RowsRefused { count: refused }));
        }
        work.first_error.map_or(Ok(()), Err)
    })
    .await
}

/// The work on an account in one run, under its lease.
struct AccountWork<'a> {
    ctx: TapContext<'a>,
    client: TapClient,
    progress: AccountProgress,
    ledger: Ledger,
    report: &'a mut FeedReport,
    /// The first fault in this run that needs someone's attention and did not end it.
    first_error: Option<FeedError>,
}

impl AccountWork<'_> {
    async fn make_calls(&mut self) -> Result<(), FeedError> {
        if !self.enter().await {
            self.report.mark_unfinished();
            return Ok(());
        }
        loop {
            if !self.ctx.may_read() || !self.make_way().await {
                self.report.mark_unfinished();
                break;
            }
            match self.progress.next(self.ctx.now()) {
                Next::Rest(rest) => {
                    let notice = self.progress.rest(rest, self.ctx.now(), self.report);
                    self.note(notice.map(FeedError::from));
                    break;
                }
                Next::Ask(call) => self.make_call(call).await?,
            }
        }
        self.save().await
    }

    /// Saves how far the account has come, and what the connector's table is to be told of it.
    async fn save(&mut self) -> Result<(), FeedError> {
        self.progress.tell_hours(self.ctx, &mut self.ledger).await;
        self.progress.save(self.ctx).await
    }

    /// Saves what was learnt of hours since the last save.
    async fn save_last(&mut self) -> Result<(), FeedError> {
        if self.progress.tell_changed_hours(self.ctx, &mut self.ledger).await {
            return self.progress.save(self.ctx).await;
        }
        Ok(())
    }

    /// Waits until there is memory for the work; false if the run is to end before that.
    async fn enter(&self) -> bool {
        let (ends, halt) = (self.ctx.run.reading_ends, self.ctx.scope.halt_token());
        self.ctx.place.enter_before(self.progress.last_worked(), ends, halt).await
    }

    /// Lets feeds go first that wait for memory; false as for [`enter`](Self::enter).
    async fn make_way(&mut self) -> bool {
        if !self.ctx.place.is_waited_for() {
            return true;
        }
        self.ledger.keep_recent(0);
        self.ctx.place.leave();
        self.enter().await
    }

    /// Makes a call. It is on record before that, so that the budget never counts too few. What came of
    /// it is saved with the next one.
    async fn make_call(&mut self, call: Call) -> Result<(), FeedError> {
        self.save().await?;
        let began = Instant::now();
        let (outcome, error) = match self.read(call).await {
            Ok(ReadEnd::Whole) => (Outcome::Read, None),
            Ok(ReadEnd::Broken(error)) => (error.outcome(), Some(error)),
            Ok(ReadEnd::OutOfTime) => {
                self.report.mark_unfinished();
                // What does not fit into a run has to become shorter.
                let is_long = !self.ctx.scope.is_halted() && began.elapsed() >= LONG_CALL;
                (if is_long { Outcome::TooLong } else { Outcome::Abandoned }, None)
            }
            Err(error) => {
                let error = ReadError::Sink(error);
                self.report.is_on_hold = holds_rows(&error, self.report.counts.delivered > 0);
                self.progress.record(call, Outcome::Abandoned, self.ctx.now());
                // The error itself says more than a checkpoint that can't be written.
                let _ = self.save().await;
                return Err(error.into());
            }
        };
        self.progress.record(call, outcome, self.ctx.now());
        let Some(error) = error else { return Ok(()) };
        tracing::warn!(code = %error.code(), interval = ?call.interval, purpose = ?call.purpose, "{error}");
        match error.scope() {
            AskScope::Window => {
                self.note(Some(error.into()));
                Ok(())
            }
            AskScope::Account => {
                self.save().await?;
                Err(error.into())
            }
        }
    }

    async fn read(&mut self, call: Call) -> Result<ReadEnd, super::DeliveryError> {
        let status = match call.purpose {
            Purpose::FalsePositives(_) => Some(ThreatStatus::FalsePositive),
            _ => self.ctx.tap.statuses.main,
        };
        let asked = tokio::select! {
            asked = self.client.ask(call.interval, status) => asked,
            () = sleep_until(self.ctx.run.reading_ends) => return Ok(ReadEnd::OutOfTime),
            () = self.ctx.scope.halt_token().cancelled() => return Ok(ReadEnd::OutOfTime),
        };
        let mut answer = match asked {
            Ok(answer) => answer,
            Err(error) => return Ok(ReadEnd::Broken(error)),
        };
        self.ledger.keep_recent(2);
        let counts = &mut self.report.counts;
        let evidence = self.progress.evidence();
        let before = counts.delivered;
        let answered = (&mut answer, arrival(call.purpose));
        let end = deliver(self.ctx, answered, &mut self.ledger, evidence, counts).await?;
        let delivered = counts.delivered - before;
        if let Purpose::Settle(_) = call.purpose {
            self.report.repaired += delivered;
        }
        self.report.count_session_end("tap", call.purpose.name());
        tracing::info!(interval = ?call.interval, purpose = call.purpose.name(), delivered, "answer read");
        let unknown = &answer.summary().unknown_arrays;
        if unknown.members() > 0 {
            let notice = TapNotice::UnknownArrays(unknown.clone());
            tracing::warn!(code = %notice.code(), "{notice}");
        }
        Ok(end)
    }

    fn note(&mut self, error: Option<FeedError>) {
        self.first_error = self.first_error.take().or(error);
    }

    /// Deletes what the ledger will not be asked for again.
    async fn prune_ledger(&mut self) -> Result<(), FeedError> {
        if self.report.hours_done.is_empty() {
            return Ok(());
        }
        // A record is told by its own time, which may lie before the window that it came in.
        let unfinished = self.progress.unfinished_from().plus(-1);
        Ok(self.ledger.prune(unfinished, self.ctx.now()).await?)
    }
}

/// How the records of such a call arrive.
fn arrival(purpose: Purpose) -> Arrival {
    match purpose {
        Purpose::Current => Arrival::Live,
        Purpose::Gap | Purpose::Settle(_) => Arrival::Archive,
        Purpose::FalsePositives(_) => Arrival::Late,
    }
}
