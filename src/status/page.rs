//! The overview as a page: no script, nothing from elsewhere.

mod drawing;
mod feed_section;
mod state;
mod text;

use std::sync::LazyLock;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::health::Health;
use super::overview::Overview;
use drawing::sparkline;
use feed_section::{feed_section, legend};
use state::{explained, state, word};
use text::{ago, count, duration, time};

const STYLE: &str = include_str!("page/style.css");

static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
});

/// The `Content-Security-Policy` under which the page works: its own style and nothing else.
pub fn content_security_policy() -> &'static str {
    &POLICY
}

/// The page.
pub fn html(overview: &Overview) -> String {
    let Overview { health, generated, program, feeds, .. } = overview;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (word(*health)) " - Proofpoint to Microsoft Sentinel" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Proofpoint to Microsoft Sentinel" }
                    p.faint { "As of " (time(*generated)) ". Reload the page for the current state." }
                }
                main {
                    (attention(overview))
                    section aria-labelledby="feeds" {
                        h2 #feeds { "Feeds" }
                        @if feeds.is_empty() {
                            p { "There is nothing to show yet." }
                        } @else {
                            (table(overview))
                        }
                    }
                    @if !feeds.is_empty() {
                        section aria-labelledby="details" {
                            h2 #details { "Each feed in detail" }
                            (legend())
                            @for (number, feed) in feeds.iter().enumerate() {
                                (feed_section(&anchor(number), feed, *generated))
                            }
                        }
                    }
                }
                footer {
                    p { "proofpoint-sentinel " (program) ". Times are in UTC. The same as JSON is at " code { "status.json" } " beside this page." }
                }
            }
        }
    }
    .into_string()
}

fn attention(overview: &Overview) -> Markup {
    let sentence = match overview.health {
        Health::Healthy => "Everything that is due has arrived.",
        Health::Degraded => "It works, and something needs a look.",
        Health::Failing => "Something does not work.",
    };
    html! {
        section aria-labelledby="state" {
            h2 #state { "State" }
            p class={ "overall " (overview.health.as_str()) } {
                strong { (word(overview.health)) } ". " (sentence)
            }
            @if !overview.reasons.is_empty() {
                ul {
                    @for reason in &overview.reasons {
                        li {
                            @if let Some(feed) = &reason.feed { strong { (feed) } ": " }
                            (explained(reason))
                        }
                    }
                }
            }
        }
    }
}

/// The id of a feed's section.
fn anchor(number: usize) -> String {
    format!("feed-{number}")
}

fn table(overview: &Overview) -> Markup {
    let now = overview.generated;
    html! {
        div.scroll role="region" aria-label="Table of the feeds" tabindex="0" {
            table {
                caption { "Rows and duplicates are of the last 24 hours. Dead letters are those that are in storage." }
                thead {
                    tr {
                        th scope="col" { "Feed" }
                        th scope="col" { "State" }
                        th scope="col" { "Newest event" }
                        th scope="col" { "Lag of the last days" }
                        th scope="col" { "Last run" }
                        th.number scope="col" { "Hours waiting" }
                        th.number scope="col" { "Rows" }
                        th.number scope="col" { "Repaired" }
                        th.number scope="col" { "Duplicates" }
                        th.number scope="col" { "Dead letters" }
                    }
                }
                tbody {
                    @for (number, feed) in overview.feeds.iter().enumerate() {
                        tr {
                            th.feed scope="row" { a href={ "#" (anchor(number)) } { (feed.feed) } }
                            td { (state(feed.health)) }
                            td {
                                @match feed.lag_seconds {
                                    Some(seconds) => { (duration(seconds)) " old" }
                                    None => { "none yet" }
                                }
                            }
                            td { (sparkline(&feed.lag_history, now)) }
                            td {
                                @match &feed.last_run {
                                    Some(run) => { (ago(run.finished, now)) }
                                    None => { "none yet" }
                                }
                            }
                            td.number { (count(feed.waiting as u64)) }
                            td.number { (count(feed.last_24_hours.delivered)) }
                            td.number { (count(feed.last_24_hours.repaired)) }
                            td.number { (count(feed.last_24_hours.duplicates)) }
                            td.number {
                                @match feed.dead_letters {
                                    Some(letters) => { (count(letters.total())) }
                                    None => { "not counted" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
