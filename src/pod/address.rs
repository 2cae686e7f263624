//! URLs of sessions.

use jiff::tz::TimeZone;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;
use url::Url;

/// The URL of an archive session for one whole hour.
///
/// Times have the form `2026-11-20T06:00:00.000-0000`. Other collectors use it, and it has no `+`,
/// which the server would read as a space.
pub fn archive_url(base: &Url, cluster_id: &str, event_type: EventType, hour: Hour) -> Url {
    let mut url = live_url(base, cluster_id, event_type);
    url.query_pairs_mut()
        .append_pair("sinceTime", &time_parameter(hour))
        .append_pair("toTime", &time_parameter(hour.plus(1)));
    url
}

/// The URL of a live session. Any time in it would make it an archive session.
pub fn live_url(base: &Url, cluster_id: &str, event_type: EventType) -> Url {
    let mut url = base.clone();
    url.set_path("/v1/stream");
    url.query_pairs_mut()
        .clear()
        .append_pair("cid", cluster_id)
        .append_pair("type", event_type.as_str());
    url
}

fn time_parameter(hour: Hour) -> String {
    hour.start().to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:00:00.000-0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_url_has_no_times() {
        let base = Url::parse("wss://logstream.proofpoint.com").unwrap();
        assert_eq!(
            live_url(&base, "acme_hosted", EventType::Audit).as_str(),
            "wss://logstream.proofpoint.com/v1/stream?cid=acme_hosted&type=audit"
        );
    }

    #[test]
    fn an_archive_url_has_the_bounds_of_its_hour() {
        let base = Url::parse("wss://logstream.proofpoint.com").unwrap();
        let hour = "2026-12-31T23".parse().unwrap();
        let url = archive_url(&base, "acme&co_hosted", EventType::Maillog, hour);
        assert_eq!(
            url.as_str(),
            "wss://logstream.proofpoint.com/v1/stream?cid=acme%26co_hosted&type=maillog\
             &sinceTime=2026-12-31T23%3A00%3A00.000-0000&toTime=2027-01-01T00%3A00%3A00.000-0000"
        );
    }
}
