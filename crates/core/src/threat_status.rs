//! What Proofpoint holds a threat for.

use std::str::FromStr;

/// What Proofpoint holds a threat for. A record has the status of its threat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreatStatus {
    /// A threat.
    Active,
    /// It was one.
    Cleared,
    /// It never was one.
    FalsePositive,
}

impl ThreatStatus {
    const ALL: [ThreatStatus; 3] =
        [ThreatStatus::Active, ThreatStatus::Cleared, ThreatStatus::FalsePositive];

    /// The value of the API's parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            ThreatStatus::Active => "active",
            ThreatStatus::Cleared => "cleared",
            ThreatStatus::FalsePositive => "falsePositive",
        }
    }
}

/// Of which statuses records are collected. A call names one status or none, which means active and
/// cleared, so false positives need a call of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreatStatuses {
    /// What calls for new records and closed hours ask for; `None` for what the API sends if no
    /// status is named.
    pub main: Option<ThreatStatus>,
    /// Whether closed hours are asked for false positives as well.
    pub false_positives: bool,
}

impl Default for ThreatStatuses {
    /// All of them.
    fn default() -> ThreatStatuses {
        ThreatStatuses { main: None, false_positives: true }
    }
}

/// The text is no list of statuses.
#[derive(Debug, thiserror::Error)]
#[error("there are active, cleared and falsePositive, separated by commas")]
pub struct NotThreatStatuses;

impl FromStr for ThreatStatuses {
    type Err = NotThreatStatuses;

    fn from_str(text: &str) -> Result<ThreatStatuses, NotThreatStatuses> {
        let mut asked = [false; 3];
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let is_named = |status: &ThreatStatus| status.as_str().eq_ignore_ascii_case(name);
            asked[ThreatStatus::ALL.iter().position(is_named).ok_or(NotThreatStatuses)?] = true;
        }
        let [active, cleared, false_positives] = asked;
        let main = match (active, cleared) {
            (true, true) => None,
            (true, false) => Some(ThreatStatus::Active),
            (false, true) => Some(ThreatStatus::Cleared),
            (false, false) if false_positives => {
                let main = Some(ThreatStatus::FalsePositive);
                return Ok(ThreatStatuses { main, false_positives: false });
            }
            (false, false) => return Err(NotThreatStatuses),
        };
        Ok(ThreatStatuses { main, false_positives })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_names_one_status_or_none() {
        use ThreatStatus::{Active, Cleared, FalsePositive};
        for (text, main, false_positives) in [
            ("active,cleared,falsePositive", None, true),
            ("Cleared , ACTIVE", None, false),
            ("active", Some(Active), false),
            ("falsepositive,cleared,", Some(Cleared), true),
            ("falsePositive", Some(FalsePositive), false),
        ] {
            let statuses: ThreatStatuses = text.parse().unwrap();
            assert_eq!((statuses.main, statuses.false_positives), (main, false_positives));
        }
        for text in ["", ",", "expired", "active cleared"] {
            assert!(text.parse::<ThreatStatuses>().is_err(), "{text}");
        }
    }
}
