//! Drawings of the page, as SVG. What they show is also in words.

use jiff::Timestamp;
use maud::{Markup, html};
use proofpoint_sentinel_core::hour::Hour;

use super::text::duration;
use crate::status::completeness::Completeness;
use crate::status::feed_overview::{HourCompleteness, Lag};

/// For how many hours the lag is drawn.
const LAG_HOURS: i64 = 72;

/// A lag is drawn as high as this one at least, so that seconds do not look like mountains.
const LEAST_TOP_SECONDS: u64 = 600;

const LAG_HEIGHT: f64 = 24.0;
const LAG_STEP: f64 = 1.5;

/// The lag of the last days as a line, with a gap where no run ended.
pub(super) fn sparkline(lags: &[Lag], now: Timestamp) -> Markup {
    let first = Hour::containing(now).plus(1 - LAG_HOURS);
    let shown: Vec<&Lag> = lags.iter().filter(|lag| lag.hour >= first).collect();
    let Some(longest) = shown.iter().map(|lag| lag.seconds).max() else {
        return html! { span.faint { "not known" } };
    };
    let top = longest.max(LEAST_TOP_SECONDS) as f64;
    let width = LAG_STEP * (LAG_HOURS - 1) as f64;
    let mut path = String::new();
    let mut previous: Option<Hour> = None;
    for lag in shown {
        let x = LAG_STEP * lag.hour.hours_since(first) as f64;
        let y = LAG_HEIGHT - 2.0 - lag.seconds as f64 / top * (LAG_HEIGHT - 4.0);
        let is_next = previous.is_some_and(|previous| previous.plus(1) == lag.hour);
        // An hour alone is a dot: a line has to have a length to be seen.
        let command = if is_next { format!("L{x:.1} {y:.1}") } else { format!("M{x:.1} {y:.1}h1") };
        path.push_str(&command);
        previous = Some(lag.hour);
    }
    let longest = duration(i64::try_from(longest).unwrap_or(i64::MAX));
    let label = format!("Lag of the last {LAG_HOURS} hours: at most {longest}");
    html! {
        svg role="img" aria-label=(label) width=(width + 2.0) height=(LAG_HEIGHT)
            viewBox={ "0 0 " (width + 2.0) " " (LAG_HEIGHT) } {
            line.lag-base x1="0" y1=(LAG_HEIGHT - 1.0) x2=(width + 2.0) y2=(LAG_HEIGHT - 1.0) {}
            path.lag d=(path) {}
        }
        span.faint { "up to " (longest) }
    }
}

/// Sides of an hour's cell, and of the cell with its distance.
const CELL: i64 = 14;
const PITCH: i64 = 18;

/// Where the cells begin, right of the days and under the hours.
const LEFT: i64 = 80;
const TOP: i64 = 16;

/// Hours of the last days: a row for each day, a column for each hour.
pub(super) fn calendar(hours: &[HourCompleteness], label: &str) -> Markup {
    let Some(first) = hours.first() else {
        return html! {};
    };
    let day_of = |hour: Hour| hour.to_string()[..10].to_owned();
    let mut days: Vec<String> = hours.iter().map(|it| day_of(it.hour)).collect();
    days.dedup();
    let offset = hour_of_day(first.hour);
    let (width, height) = (LEFT + 24 * PITCH, TOP + PITCH * days.len() as i64);
    html! {
        svg.hours role="img" aria-label=(label) width=(width) height=(height)
            viewBox={ "0 0 " (width) " " (height) } {
            @for hour in (0..24).step_by(6) {
                text x=(LEFT + hour * PITCH) y="11" { (format!("{hour:02}")) }
            }
            @for (row, day) in days.iter().enumerate() {
                text x="0" y=(TOP + PITCH * row as i64 + 11) { (day) }
            }
            @for it in hours {
                @let place = offset + it.hour.hours_since(first.hour);
                (cell(it.completeness, LEFT + place % 24 * PITCH, TOP + place / 24 * PITCH))
            }
        }
    }
}

fn hour_of_day(hour: Hour) -> i64 {
    hour.start().as_second().rem_euclid(86_400) / 3_600
}

/// An hour. States differ in form, not in colour alone.
pub(super) fn cell(completeness: Completeness, x: i64, y: i64) -> Markup {
    let class = completeness.as_str();
    let right = x + CELL - 4;
    let bottom = y + CELL - 4;
    html! {
        @match completeness {
            Completeness::Proved => {
                rect class=(class) x=(x) y=(y) width=(CELL) height=(CELL) {}
            }
            Completeness::Believed => {
                rect class=(class) x=(x) y=(y + CELL / 2) width=(CELL) height=(CELL / 2) {}
            }
            Completeness::Unknown | Completeness::Open => {
                rect class=(class) x=(x + 1) y=(y + 1) width=(CELL - 2) height=(CELL - 2) {}
            }
            Completeness::Lost => {
                rect class=(class) x=(x) y=(y) width=(CELL) height=(CELL) {}
                path.lost-cross d={ "M" (x + 4) " " (y + 4) "L" (right) " " (bottom) "M" (right) " " (y + 4) "L" (x + 4) " " (bottom) } {}
            }
            Completeness::None => {
                rect class=(class) x=(x + 5) y=(y + 5) width=(CELL - 10) height=(CELL - 10) {}
            }
        }
    }
}

/// A cell alone, for the legend.
pub(super) fn cell_alone(completeness: Completeness) -> Markup {
    html! {
        svg aria-hidden="true" width=(CELL) height=(CELL) viewBox={ "0 0 " (CELL) " " (CELL) } {
            (cell(completeness, 0, 0))
        }
    }
}
