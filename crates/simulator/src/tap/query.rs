//! The parameters of a call.

use jiff::{SignedDuration, Timestamp};
use url::form_urlencoded;

use super::record::{TapRecord, ThreatStatus, ThreatType};
use super::response::TapResponse;
use super::window::{self, Window};

/// The valid parameters of a call.
#[derive(Debug)]
pub(super) struct TapQuery {
    pub window: Window,
    pub format: Format,
    statuses: Vec<ThreatStatus>,
    types: Vec<ThreatType>,
}

/// The format of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    /// Lines of RFC 5424: the format of a call that does not ask for JSON.
    Syslog,
}

impl TapQuery {
    /// Reads the query of a URL. Unknown parameters are ignored.
    pub(super) fn read(
        text: &str,
        now: Timestamp,
        lookback: SignedDuration,
    ) -> Result<TapQuery, TapResponse> {
        let parameters = Parameters::read(text)?;
        Ok(TapQuery {
            window: parameters.window(now, lookback)?,
            format: parameters.format()?,
            statuses: selected(
                &parameters.statuses,
                ThreatStatus::ALL.map(|status| (status.as_parameter(), status)),
                &[ThreatStatus::Active, ThreatStatus::Cleared],
            )?,
            types: selected(
                &parameters.types,
                ThreatType::ALL.map(|kind| (kind.as_str(), kind)),
                &ThreatType::ALL,
            )?,
        })
    }

    /// Whether the call's filters let `record` pass.
    pub(super) fn selects(&self, record: &TapRecord) -> bool {
        record.matches(&self.statuses, &self.types)
    }
}

/// The parameters as they are written.
#[derive(Default)]
struct Parameters {
    interval: Option<String>,
    since_seconds: Option<String>,
    since_time: Option<String>,
    format: Option<String>,
    statuses: Vec<String>,
    types: Vec<String>,
}

impl Parameters {
    fn read(text: &str) -> Result<Parameters, TapResponse> {
        let mut parameters = Parameters::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let field = match &*name {
                "interval" => &mut parameters.interval,
                "sinceSeconds" => &mut parameters.since_seconds,
                "sinceTime" => &mut parameters.since_time,
                "format" => &mut parameters.format,
                "threatStatus" => {
                    parameters.statuses.push(value.into_owned());
                    continue;
                }
                "threatType" => {
                    parameters.types.push(value.into_owned());
                    continue;
                }
                _ => continue,
            };
            if field.replace(value.into_owned()).is_some() {
                return Err(TapResponse::new(400, &format!("The parameter {name} is repeated")));
            }
        }
        Ok(parameters)
    }

    /// Exactly one parameter gives the window.
    fn window(&self, now: Timestamp, lookback: SignedDuration) -> Result<Window, TapResponse> {
        match (&self.interval, &self.since_seconds, &self.since_time) {
            (Some(text), None, None) => window::interval(text, now, lookback),
            (None, Some(text), None) => window::since_seconds(text, now),
            (None, None, Some(text)) => window::since_time(text, now),
            _ => Err(TapResponse::new(
                400,
                "Exactly one of interval, sinceSeconds and sinceTime is required",
            )),
        }
    }

    fn format(&self) -> Result<Format, TapResponse> {
        let is = |name: &str| self.format.as_deref().map(|text| text.eq_ignore_ascii_case(name));
        match (is("json"), is("syslog")) {
            (Some(true), _) => Ok(Format::Json),
            (None, _) | (_, Some(true)) => Ok(Format::Syslog),
            _ => Err(unknown("format")),
        }
    }
}

/// The values that a repeatable parameter selects, or `default` if it is not there.
fn selected<T: Copy, const N: usize>(
    texts: &[String],
    names: [(&str, T); N],
    default: &[T],
) -> Result<Vec<T>, TapResponse> {
    if texts.is_empty() {
        return Ok(default.to_vec());
    }
    let find = |text: &String| {
        let known = names.iter().find(|(name, _)| name == text).map(|(_, value)| *value);
        known.ok_or_else(|| unknown(text))
    };
    texts.iter().map(find).collect()
}

fn unknown(text: &str) -> TapResponse {
    TapResponse::new(400, &format!("A parameter has an unknown value: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: &str = "interval=PT30M/2026-11-20T10:00:00Z";

    fn read(text: &str) -> Result<TapQuery, String> {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        TapQuery::read(text, now, SignedDuration::from_hours(7 * 24)).map_err(|response| {
            assert_eq!(response.status, 400);
            response.body
        })
    }

    #[test]
    fn exactly_one_parameter_gives_the_window() {
        for one in [WINDOW, "sinceSeconds=300", "sinceTime=2026-11-20T11:30:00%2B00:00"] {
            assert!(read(one).is_ok(), "{one}");
        }
        for none_or_more in [
            "",
            "format=json",
            "interval=PT30M/2026-11-20T10:00:00Z&sinceSeconds=300",
            "sinceSeconds=300&sinceTime=2026-11-20T11:30:00Z",
        ] {
            assert!(read(none_or_more).unwrap_err().contains("Exactly one"), "{none_or_more}");
        }
        assert!(read("sinceSeconds=300&sinceSeconds=300").unwrap_err().contains("repeated"));
    }

    #[test]
    fn a_plus_that_is_not_encoded_is_refused() {
        let raw = "interval=2026-11-20T09:00:00+00:00/2026-11-20T10:00:00+00:00";
        assert!(read(raw).unwrap_err().contains("incorrectly formatted"));
        assert!(read(&raw.replace('+', "%2B")).is_ok());
    }

    #[test]
    fn the_format_is_syslog_unless_json_is_asked_for() {
        let format = |more: &str| read(&format!("{WINDOW}{more}")).map(|query| query.format);
        assert_eq!(format(""), Ok(Format::Syslog));
        assert_eq!(format("&format=syslog"), Ok(Format::Syslog));
        assert_eq!(format("&format=json"), Ok(Format::Json));
        assert_eq!(format("&format=JSON"), Ok(Format::Json));
        assert!(format("&format=csv").is_err());
    }

    #[test]
    fn active_and_cleared_threats_are_the_default() {
        use ThreatStatus::{Active, Cleared, FalsePositive};
        let statuses = |more: &str| read(&format!("{WINDOW}{more}")).map(|query| query.statuses);
        assert_eq!(statuses(""), Ok(vec![Active, Cleared]));
        assert_eq!(statuses("&threatStatus=falsePositive"), Ok(vec![FalsePositive]));
        assert_eq!(
            statuses("&threatStatus=active&threatStatus=falsePositive"),
            Ok(vec![Active, FalsePositive])
        );
        assert!(statuses("&threatStatus=falsepositive").is_err());
        assert!(statuses("&threatStatus=active,cleared").is_err());
    }

    #[test]
    fn threat_types_can_be_selected() {
        let types = |more: &str| read(&format!("{WINDOW}{more}")).map(|query| query.types);
        assert_eq!(types(""), Ok(ThreatType::ALL.to_vec()));
        assert_eq!(
            types("&threatType=url&threatType=messageText"),
            Ok(vec![ThreatType::Url, ThreatType::MessageText])
        );
        assert!(types("&threatType=file").is_err());
    }
}
