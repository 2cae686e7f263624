//! What is read from Proofpoint, and how.

use std::time::Duration;

use proofpoint_sentinel_core::feed::EventType;
use url::Url;

use super::choice::{LiveReading, Mode};
use super::clusters::{self, Cluster, Clusters, UnusableCluster};
use super::net::NetSettings;
use super::reader::{BadSetting, BadSettings, SettingsReader, Vars, quoted};

/// What is read from Proofpoint, and how.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// Each id once. There may be none if TAP is read.
    pub clusters: Vec<Cluster>,
    /// Clusters whose own settings can't be used.
    pub unusable_clusters: Vec<UnusableCluster>,
    /// At least one, each once.
    pub event_types: Vec<EventType>,
    /// Which of the Log API's services is read.
    pub mode: Mode,
    /// For how long the live stream is read in a run.
    pub live: LiveReading,
    /// How many hours the first run reaches back, 1 to 719.
    pub initial_lookback_hours: i64,
    /// How long after its end a closed hour is read.
    pub archive_delay: Duration,
    /// How long no event comes until a live session is ended.
    pub live_quiet: Duration,
    /// How long after its end an hour that is done is read once more, if at all.
    pub second_read: Option<Duration>,
    /// When an hour that came back empty is read again.
    pub empty_hour_retry: Duration,
    /// Base of the Log API: scheme `wss`, host, optional port.
    pub log_stream_uri: Url,
    /// How its peers are reached.
    pub net: NetSettings,
}

impl SourceSettings {
    /// Reads only what concerns Proofpoint.
    ///
    /// # Errors
    /// Every one of these settings that is missing or can't be used, in one error, if it concerns all
    /// clusters or every one of them.
    pub fn read(vars: &Vars) -> Result<SourceSettings, BadSettings> {
        let mut reader = SettingsReader::new(vars);
        let net = NetSettings::read_with(&mut reader);
        let clusters = clusters::read(&mut reader);
        let is_left = !clusters.usable.is_empty();
        if !is_left {
            clusters::none_is_left(&mut reader, !clusters.unusable.is_empty(), "");
        }
        let source = SourceSettings::read_with(&mut reader, clusters, net);
        reader.finish(source.filter(|_| is_left))
    }

    pub(super) fn read_with(
        reader: &mut SettingsReader<'_>,
        clusters: Clusters,
        net: Option<NetSettings>,
    ) -> Option<SourceSettings> {
        let event_types = event_types(reader);
        let mode = reader.parsed("ProofpointMode", Mode::Hybrid, "hybrid or archive");
        let live = reader.parsed("ProofpointLive", LiveReading::CatchUp, "catch-up or continuous");
        let initial_lookback_hours = reader.number("ProofpointInitialLookbackHours", 12, 1..=719);
        let archive_delay = reader.number("ProofpointArchiveDelayMinutes", 45, 0..=1440);
        let empty_hour_retry = reader.number("ProofpointEmptyHourRetryMinutes", 60, 0..=1440);
        let live_quiet = reader.number("ProofpointLiveQuietSeconds", 20, 1..=280);
        let second_read = reader.number("ProofpointSecondReadHours", 6, 0..=48);
        let name = "ProofpointLogStreamUri";
        let log_stream_uri = reader.text(name).unwrap_or("wss://logstream.proofpoint.com");
        let log_stream_uri = reader.base_url(name, log_stream_uri, "wss");
        let minutes = |number: u32| Duration::from_secs(60 * u64::from(number));
        let Clusters { usable, unusable } = clusters;
        Some(SourceSettings {
            clusters: usable,
            unusable_clusters: unusable,
            event_types: event_types?,
            mode: mode?,
            live: live?,
            initial_lookback_hours: i64::from(initial_lookback_hours?),
            archive_delay: minutes(archive_delay?),
            empty_hour_retry: minutes(empty_hour_retry?),
            live_quiet: Duration::from_secs(live_quiet?.into()),
            second_read: Some(minutes(60 * second_read?)).filter(|after| !after.is_zero()),
            log_stream_uri: log_stream_uri?,
            net: net?,
        })
    }
}

impl SourceSettings {
    /// None of the clusters can be used, for `faults` that concern all of them.
    pub(super) fn unusable(
        clusters: Clusters,
        faults: Vec<BadSetting>,
        net: NetSettings,
    ) -> SourceSettings {
        let Clusters { usable, mut unusable } = clusters;
        unusable.extend(usable.into_iter().map(|Cluster { name, id, .. }| UnusableCluster {
            name,
            id: Some(id),
            faults: faults.clone(),
        }));
        let (vars, clusters) = (Vars::new(), Clusters { usable: Vec::new(), unusable });
        let mut reader = SettingsReader::new(&vars);
        let defaults = SourceSettings::read_with(&mut reader, clusters, Some(net));
        defaults.expect("every setting has a default")
    }
}

fn event_types(reader: &mut SettingsReader<'_>) -> Option<Vec<EventType>> {
    let name = "ProofpointEventTypes";
    let text = reader.text(name).unwrap_or("message,maillog");
    let mut event_types = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match part.parse::<EventType>() {
            Ok(event_type) if event_types.contains(&event_type) => {}
            Ok(event_type) => event_types.push(event_type),
            Err(_) => {
                reader.invalid(
                    name,
                    quoted(part),
                    "message, maillog and audit, separated by commas",
                );
                return None;
            }
        }
    }
    if event_types.is_empty() {
        reader.invalid(name, quoted(text), "at least one of message, maillog and audit");
        return None;
    }
    Some(event_types)
}
