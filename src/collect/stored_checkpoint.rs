//! A feed's checkpoint, together with the stored version that it stands for.

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;

use super::feed_context::FeedContext;
use super::feed_error::FeedError;
use super::record::rewind_fast_clock;
use crate::error_code;
use crate::state::{Checkpoint, Version};

/// A checkpoint and the stored version that it stands for.
pub(super) struct StoredCheckpoint {
    checkpoint: Checkpoint,
    version: Option<Version>,
    /// Whether the last write succeeded, as far as there was one.
    is_written: bool,
}

impl StoredCheckpoint {
    /// What is stored. On the first run that is a new checkpoint, which is written at once: the
    /// look-back counts from the first run, even if that fails.
    pub(super) async fn load(ctx: FeedContext<'_>) -> Result<StoredCheckpoint, FeedError> {
        if let Some((checkpoint, version)) = ctx.state().read_checkpoint(ctx.feed()).await? {
            let stored = StoredCheckpoint { checkpoint, version: Some(version), is_written: true };
            return stored.corrected_at(ctx.now());
        }
        let now = ctx.now();
        let lookback = ctx.run().settings.source.initial_lookback_hours;
        let first = Hour::containing(now).plus(-lookback);
        tracing::info!(%first, "first run of this feed");
        let checkpoint = Checkpoint::starting_at(first, ctx.feed(), &ctx.run().id, now);
        let mut stored = StoredCheckpoint { checkpoint, version: None, is_written: false };
        stored.write(ctx).await?;
        Ok(stored)
    }

    pub(super) fn get(&self) -> &Checkpoint {
        &self.checkpoint
    }

    pub(super) fn get_mut(&mut self) -> &mut Checkpoint {
        &mut self.checkpoint
    }

    /// Whether the last write succeeded: otherwise another run may have the feed.
    pub(super) fn is_written(&self) -> bool {
        self.is_written
    }

    /// Writes the checkpoint over the version that it was read from, unless the lease is lost.
    pub(super) async fn write(&mut self, ctx: FeedContext<'_>) -> Result<(), FeedError> {
        if ctx.scope().is_lost() {
            return Err(FeedError::LeaseLost);
        }
        self.is_written = false;
        let now = ctx.now();
        self.check_clock(now)?;
        self.checkpoint.writer.clone_from(&ctx.run().id);
        self.checkpoint.sequence += 1;
        self.checkpoint.updated = now;
        let over = self.version.as_ref();
        let version = ctx.state().write_checkpoint(ctx.feed(), &self.checkpoint, over).await?;
        self.version = Some(version);
        self.is_written = true;
        Ok(())
    }

    /// Corrects what was stored by a clock that was ahead of this one. Where events were delivered
    /// that are yet to come, this clock is the one that is wrong: it is behind.
    fn corrected_at(mut self, now: Timestamp) -> Result<StoredCheckpoint, FeedError> {
        let reached = self.checkpoint.next_hour.start();
        if self.checkpoint.newest.is_some_and(|newest| newest > now) {
            self.check_clock(now)?;
        }
        if let Some(first) = rewind_fast_clock(&mut self.checkpoint, now) {
            tracing::warn!(code = %error_code::CLOCK_WAS_AHEAD, %reached, %first, "a run had a clock that was ahead; hours are read again from {first} on, and what is missing is delivered");
        }
        Ok(self)
    }

    /// Fails where the next hour has not begun by this clock.
    fn check_clock(&self, now: Timestamp) -> Result<(), FeedError> {
        let reached = self.checkpoint.next_hour.start();
        if reached > now { Err(FeedError::ClockBehind { now, reached }) } else { Ok(()) }
    }
}
