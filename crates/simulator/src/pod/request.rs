//! Checks of a session request.

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::secret::Secret;
use tokio_tungstenite::tungstenite::handshake::server::Request;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, UPGRADE};
use url::form_urlencoded;

use super::refused_handshake::RefusedHandshake;
use super::settings::PodCluster;
use crate::time_format;

/// A valid request for a session.
#[derive(Debug)]
pub(super) struct SessionRequest {
    pub feed: Feed,
    pub token: Secret,
    pub window: SessionWindow,
}

/// The events that a session sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionWindow {
    /// Events as they arrive.
    Live,
    /// Events of the hours from the first to the last.
    Archive(Hour, Hour),
}

/// Checks a request in the order of the real API: path, token, parameters. The archive begins at
/// `oldest`.
pub(super) fn check(
    request: &Request,
    clusters: &[PodCluster],
    oldest: Timestamp,
) -> Result<SessionRequest, RefusedHandshake> {
    let is_upgrade = request
        .headers()
        .get(UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    if request.uri().path() != "/v1/stream" || !is_upgrade {
        return Err(RefusedHandshake::new(404, "Not Found"));
    }
    let token = token(request)?;
    let query = Query::read(request.uri().query().unwrap_or_default())?;
    let event_type = query.event_type()?;
    let cluster_id = query.required("cid", query.cid.as_deref())?;
    // A token is valid for its own cluster only. The error does not say which of the two is wrong.
    clusters
        .iter()
        .find(|cluster| cluster.id == cluster_id && cluster.token == token)
        .ok_or_else(|| RefusedHandshake::new(401, "Unauthorized"))?;
    let window = query.window(oldest)?;
    Ok(SessionRequest { feed: Feed::log(cluster_id, event_type), token, window })
}

fn token(request: &Request) -> Result<Secret, RefusedHandshake> {
    request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .filter(|token| !token.is_empty())
        .map(Secret::new)
        .ok_or_else(|| RefusedHandshake::new(401, "Unauthorized"))
}

#[derive(Default)]
struct Query {
    cid: Option<String>,
    event_type: Option<String>,
    since: Option<String>,
    to: Option<String>,
}

impl Query {
    fn read(text: &str) -> Result<Query, RefusedHandshake> {
        let mut query = Query::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let field = match &*name {
                "cid" => &mut query.cid,
                "type" => &mut query.event_type,
                "sinceTime" => &mut query.since,
                "toTime" => &mut query.to,
                _ => continue,
            };
            if field.replace(value.into_owned()).is_some() {
                return Err(RefusedHandshake::new(400, &format!("Duplicate parameter {name}")));
            }
        }
        Ok(query)
    }

    fn required<'a>(
        &self,
        name: &str,
        value: Option<&'a str>,
    ) -> Result<&'a str, RefusedHandshake> {
        value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| RefusedHandshake::new(400, &format!("Missing or empty {name}")))
    }

    fn event_type(&self) -> Result<EventType, RefusedHandshake> {
        let name = self.required("type", self.event_type.as_deref())?;
        EventType::ALL
            .into_iter()
            .find(|event_type| event_type.as_str() == name)
            .ok_or_else(|| RefusedHandshake::new(400, "Invalid type"))
    }

    /// The window: the start rounded down and the end rounded up to a whole hour.
    fn window(&self, oldest: Timestamp) -> Result<SessionWindow, RefusedHandshake> {
        let parse = |name: &str, text: &str| {
            time_format::parse(text)
                .ok_or_else(|| RefusedHandshake::new(400, &format!("Invalid {name}")))
        };
        let since = self.since.as_deref().map(|text| parse("sinceTime", text)).transpose()?;
        let to = self.to.as_deref().map(|text| parse("toTime", text)).transpose()?;
        let (since, to) = match (since, to) {
            (Some(since), Some(to)) => (since, to),
            (None, None) => return Ok(SessionWindow::Live),
            (None, Some(_)) => return Err(RefusedHandshake::new(400, "toTime without sinceTime")),
            // The archive, followed by live events. The connector does not use it.
            (Some(_), None) => {
                return Err(RefusedHandshake::new(
                    501,
                    "sinceTime without toTime is not simulated",
                ));
            }
        };
        if to <= since {
            return Err(RefusedHandshake::new(400, "Invalid toTime"));
        }
        if since < oldest {
            return Err(RefusedHandshake::new(400, "sinceTime is too old"));
        }
        let last = Hour::containing(to - SignedDuration::from_nanos(1));
        Ok(SessionWindow::Archive(Hour::containing(since), last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(since: &str, to: &str) -> Result<(String, String), u16> {
        let query =
            Query { since: Some(since.to_owned()), to: Some(to.to_owned()), ..Query::default() };
        let now: Timestamp = "2026-11-20T12:30:00Z".parse().unwrap();
        query
            .window(now - SignedDuration::from_hours(30 * 24))
            .map(|window| match window {
                SessionWindow::Archive(first, last) => (first.to_string(), last.to_string()),
                SessionWindow::Live => panic!("both times are given"),
            })
            .map_err(|refusal| refusal.status)
    }

    #[test]
    fn windows_are_extended_to_whole_hours() {
        let expect = |first: &str, last: &str| Ok((first.to_owned(), last.to_owned()));
        assert_eq!(
            hours("2026-11-20T10:05:00Z", "2026-11-20T10:10:00Z"),
            expect("2026-11-20T10", "2026-11-20T10")
        );
        assert_eq!(
            hours("2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z"),
            expect("2026-11-20T10", "2026-11-20T10")
        );
        assert_eq!(
            hours("2026-11-20T10:59:59Z", "2026-11-20T11:00:00.001Z"),
            expect("2026-11-20T10", "2026-11-20T11")
        );
    }

    #[test]
    fn without_times_a_session_is_live() {
        let now: Timestamp = "2026-11-20T12:30:00Z".parse().unwrap();
        let time = Some("2026-11-20T10:00:00Z".to_owned());
        let window = |since, to| {
            let query = Query { since, to, ..Query::default() };
            query.window(now).map_err(|refusal| refusal.status)
        };
        assert_eq!(window(None, None), Ok(SessionWindow::Live));
        assert_eq!(window(None, time.clone()), Err(400));
        assert_eq!(window(time, None), Err(501));
    }

    #[test]
    fn invalid_windows_are_refused() {
        assert_eq!(hours("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"), Err(400));
        assert_eq!(hours("2026-11-20T11:00:00Z", "2026-11-20T10:00:00Z"), Err(400));
        assert_eq!(hours("2026-10-21T12:29:59Z", "2026-11-20T10:00:00Z"), Err(400));
        assert_eq!(hours("yesterday", "2026-11-20T10:00:00Z"), Err(400));
        assert!(hours("2026-10-21T12:30:00Z", "2026-10-21T13:00:00Z").is_ok());
    }
}
