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
    /// Each id once. At least one, unless there is another source.
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
        let source = SourceSettings::read_with(&mut reader, false);
        reader.finish(source)
    }

    /// As [`read`](Self::read). Whether the settings name another source too, the caller says.
    pub(super) fn read_with(
        reader: &mut SettingsReader<'_>,
        has_other_source: bool,
    ) -> Option<SourceSettings> {
        let clusters = clusters::read(reader, has_other_source);
        let choices = Choices::read(reader);
        let net = NetSettings::read_with(reader);
        Some(SourceSettings::of(clusters?, choices?, net?))
    }

    /// As [`read_with`](Self::read_with), beside another source that can be used: there may be no
    /// cluster, and what is wrong with settings of the clusters concerns these alone.
    pub(super) fn read_beside(reader: &mut SettingsReader<'_>) -> Option<SourceSettings> {
        let clusters = clusters::read_each(reader);
        let (choices, faults) = reader.part(Choices::read);
        let net = NetSettings::read_with(reader)?;
        let mut source =
            SourceSettings::of(clusters, choices.unwrap_or_else(Choices::defaults), net);
        source.fail_clusters(&faults);
        Some(source)
    }

    /// Makes all clusters unusable if there are `faults` of settings that they share.
    pub(super) fn fail_clusters(&mut self, faults: &[BadSetting]) {
        if faults.is_empty() {
            return;
        }
        for Cluster { name, id, .. } in self.clusters.drain(..) {
            let unusable = UnusableCluster { name, id: Some(id), faults: Vec::new() };
            self.unusable_clusters.push(unusable);
        }
        for cluster in &mut self.unusable_clusters {
            cluster.faults.extend_from_slice(faults);
        }
    }

    fn of(clusters: Clusters, choices: Choices, net: NetSettings) -> SourceSettings {
        SourceSettings {
            clusters: clusters.usable,
            unusable_clusters: clusters.unusable,
            event_types: choices.event_types,
            mode: choices.mode,
            live: choices.live,
            initial_lookback_hours: choices.initial_lookback_hours,
            archive_delay: choices.archive_delay,
            live_quiet: choices.live_quiet,
            second_read: choices.second_read,
            empty_hour_retry: choices.empty_hour_retry,
            log_stream_uri: choices.log_stream_uri,
            net,
        }
    }
}

/// What all clusters share.
struct Choices {
    event_types: Vec<EventType>,
    mode: Mode,
    live: LiveReading,
    initial_lookback_hours: i64,
    archive_delay: Duration,
    live_quiet: Duration,
    second_read: Option<Duration>,
    empty_hour_retry: Duration,
    log_stream_uri: Url,
}

impl Choices {
    fn read(reader: &mut SettingsReader<'_>) -> Option<Choices> {
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
        Some(Choices {
            event_types: event_types?,
            mode: mode?,
            live: live?,
            initial_lookback_hours: i64::from(initial_lookback_hours?),
            archive_delay: minutes(archive_delay?),
            empty_hour_retry: minutes(empty_hour_retry?),
            live_quiet: Duration::from_secs(live_quiet?.into()),
            second_read: Some(minutes(60 * second_read?)).filter(|after| !after.is_zero()),
            log_stream_uri: log_stream_uri?,
        })
    }

    /// Those of settings that say nothing.
    fn defaults() -> Choices {
        let nothing = Vars::new();
        Choices::read(&mut SettingsReader::new(&nothing)).expect("the defaults can be used")
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
