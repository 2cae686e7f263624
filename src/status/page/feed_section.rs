//! A feed in detail.

use jiff::Timestamp;
use maud::{Markup, html};

use super::drawing::{calendar, cell_alone};
use super::state::{explained, state};
use super::text::{ago, code_link, count, duration, time};
use crate::status::completeness::Completeness;
use crate::status::feed_overview::{FeedOverview, HourCompleteness};
use crate::status::health::Health;

/// What a state of an hour means.
fn meaning(completeness: Completeness) -> &'static str {
    match completeness {
        Completeness::Proved => "whole, as Proofpoint said",
        Completeness::Believed => "whole, though Proofpoint did not say so",
        Completeness::Unknown => "not whole yet, will be read",
        Completeness::Lost => "lost, Proofpoint no longer had it",
        Completeness::Open => "not due yet",
        Completeness::None => "before the first hour, or not known",
    }
}

/// What the forms and colours of hours mean.
pub(super) fn legend() -> Markup {
    html! {
        p { "Hours by how sure it is that all their events arrived:" }
        ul.legend {
            @for completeness in Completeness::ALL {
                li { (cell_alone(completeness)) (completeness.as_str()) ": " (meaning(completeness)) }
            }
        }
    }
}

/// A feed in detail, open if it needs a look.
pub(super) fn feed_section(anchor: &str, feed: &FeedOverview, now: Timestamp) -> Markup {
    html! {
        details id=(anchor) open[feed.health != Health::Healthy] {
            summary {
                span { (feed.feed) } " " (state(feed.health))
            }
            @if !feed.reasons.is_empty() {
                ul {
                    @for reason in &feed.reasons { li { (explained(reason)) } }
                }
            }
            (runs(feed, now))
            (completeness(feed))
            (retries(feed))
            (dead_letters(feed))
            (failures(feed, now))
        }
    }
}

fn runs(feed: &FeedOverview, now: Timestamp) -> Markup {
    let (day, week) = (feed.last_24_hours, feed.last_7_days);
    html! {
        h3 { "Runs" }
        @if let Some(run) = &feed.last_run {
            p {
                "The last run ended " (ago(run.finished, now)) " after " (duration(run.seconds as i64)) ": "
                @match run.outcome.as_str() {
                    "up_to_date" => { "nothing that was due is left." }
                    "unfinished" => { "its time was up, and the next run goes on." }
                    _ => { "it failed." }
                }
                @if let Some(success) = feed.last_success {
                    " The last one without a failure ended " (ago(success, now)) "."
                }
            }
        } @else {
            p { "No run has ended yet." }
        }
        @if let Some(live) = &feed.live {
            p { "The live stream was last read " (ago(live.ended, now)) " (" (live.end) ")." }
        }
        @if let Some(calls) = feed.calls {
            p {
                (count(calls.used.into())) " of " (count(calls.limit.into())) " calls of 24 hours are used."
                @if let Some(until) = calls.waits_until { " The next is made " (time(until)) "." }
            }
        }
        @if let Some(since) = feed.held_since {
            p { "The workspace has taken no rows since " (time(since)) ". They wait in Proofpoint's archive." }
        }
        p {
            "Last 24 hours: " (count(day.runs)) " runs (" (count(day.failed)) " failed), "
            (count(day.events)) " events read, " (count(day.delivered)) " rows delivered, "
            (count(day.repaired)) " of them repaired, " (count(day.duplicates)) " duplicates dropped. "
            "Last 7 days: " (count(week.runs)) " runs (" (count(week.failed)) " failed), "
            (count(week.delivered)) " rows delivered, " (count(week.repaired)) " of them repaired."
        }
    }
}

fn completeness(feed: &FeedOverview) -> Markup {
    let number = |wanted: Completeness| {
        let is_wanted = |it: &&HourCompleteness| it.completeness == wanted;
        feed.completeness.iter().filter(is_wanted).count()
    };
    let shown =
        [Completeness::Proved, Completeness::Believed, Completeness::Unknown, Completeness::Lost];
    let summary = shown.map(|it| format!("{} {}", number(it), it.as_str())).join(", ");
    html! {
        h3 { "Hours of the last 7 days" }
        @if feed.completeness.is_empty() {
            p { "Not known yet." }
        } @else {
            p {
                (summary) ". "
                @if let Some(oldest) = feed.oldest_waiting {
                    (count(feed.waiting as u64)) " in all are not whole, the oldest one " (oldest) "."
                }
            }
            div.scroll role="region" aria-label={ "Hours of " (feed.feed) " by day" } tabindex="0" {
                (calendar(&feed.completeness, &format!("Hours of the last 7 days: {summary}")))
            }
        }
    }
}

fn retries(feed: &FeedOverview) -> Markup {
    let rest = feed.retries_total - feed.retries.len();
    html! {
        @if !feed.retries.is_empty() {
            h3 { "Hours that are read again" }
            div.scroll role="region" aria-label={ "Hours of " (feed.feed) " that are read again" } tabindex="0" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Hour" }
                            th scope="col" { "Read again after" }
                            th.number scope="col" { "Tries so far" }
                            th scope="col" { "How the last one ended" }
                        }
                    }
                    tbody {
                        @for retry in &feed.retries {
                            tr {
                                th scope="row" { (retry.hour) }
                                td { (time(retry.not_before)) }
                                td.number { (retry.attempts) }
                                td { (retry.last_end) }
                            }
                        }
                    }
                }
            }
            @if rest > 0 { p { "and " (count(rest as u64)) " more" } }
        }
    }
}

fn dead_letters(feed: &FeedOverview) -> Markup {
    html! {
        @if let Some(letters) = feed.dead_letters && letters.total() > 0 {
            h3 { "Dead letters in storage" }
            p {
                (count(letters.malformed)) " malformed (not one JSON object), "
                (count(letters.oversize)) " oversize (the workspace has a shortened row), "
                (count(letters.refused)) " refused by the workspace."
            }
        }
    }
}

fn failures(feed: &FeedOverview, now: Timestamp) -> Markup {
    html! {
        @if !feed.failures.is_empty() {
            h3 { "Failures of the last 7 days" }
            ul {
                @for failure in &feed.failures {
                    li {
                        (code_link(&failure.code)) ", in " (count(failure.runs)) " runs, last "
                        (ago(failure.last, now)) ": " (failure.reason)
                    }
                }
            }
        }
    }
}
