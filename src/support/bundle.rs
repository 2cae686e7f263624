//! The bundle: a zip of texts.

use std::io::{Cursor, Write as _};

use jiff::Timestamp;
use serde::Serialize;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::files::{dead_letters, log_tail, settings, state_of_feed};
use super::redactor::Redactor;
use crate::check::Finding;
use crate::error_code::Coded;
use crate::net::Net;
use crate::settings::{NetSettings, SourceSettings, StateSettings, TapSettings, Vars};
use crate::state::State;
use crate::status::Overview;
use proofpoint_sentinel_core::feed::Feed;

/// What the bundle is made of, besides the state.
pub struct Contents<'a> {
    /// The settings.
    pub vars: &'a Vars,
    /// What the status page shows.
    pub overview: &'a Overview,
    /// What `check` found.
    pub findings: &'a [Finding],
    /// When it is made.
    pub now: Timestamp,
}

/// Files by name, redacted.
pub struct Bundle {
    redactor: Redactor,
    files: Vec<(String, String)>,
}

impl Bundle {
    /// Gathers everything. What can't be read is named in `problems.txt`.
    pub async fn gather(contents: Contents<'_>) -> Bundle {
        let Contents { vars, overview, findings, now } = contents;
        let mut bundle = Bundle { redactor: Redactor::new(vars), files: Vec::new() };
        let mut problems = Vec::new();
        bundle.add("about.txt", &about(now));
        bundle.add("settings.txt", &settings(vars));
        bundle.add("check.json", &json(&findings));
        bundle.add("status.json", &overview.to_json());
        match open(vars).await {
            Ok(state) => bundle.add_state(&state, vars, &mut problems).await,
            Err(problem) => problems.push(format!("state: {problem}")),
        }
        match log_tail(vars).await {
            Some(tail) => bundle.add("log.txt", &tail),
            None => {
                problems.push("log: there are no log files of a Functions host here".to_owned())
            }
        }
        bundle.add("problems.txt", &problems.join("\n"));
        bundle
    }

    async fn add_state(&mut self, state: &State, vars: &Vars, problems: &mut Vec<String>) {
        for feed in feeds(vars) {
            for (name, text) in state_of_feed(state, &feed).await {
                match text {
                    Ok(Some(text)) => self.add(&name, &text),
                    Ok(None) => {}
                    Err(problem) => problems.push(format!("{name}: {problem}")),
                }
            }
        }
        match dead_letters(state).await {
            Ok(listed) => self.add("dead-letters.txt", &listed),
            Err(problem) => problems.push(format!("dead letters: {problem}")),
        }
    }

    fn add(&mut self, name: &str, text: &str) {
        let (name, text) = (self.redactor.redact(name), self.redactor.redact(text));
        self.files.push((name, text + "\n"));
    }

    /// The names of its files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(name, _)| name.as_str())
    }

    /// The bytes of the zip.
    ///
    /// # Errors
    /// If the texts are longer than a zip holds.
    pub fn to_zip(&self) -> Result<Vec<u8>, zip::result::ZipError> {
        let method = CompressionMethod::Deflated;
        let options = SimpleFileOptions::default().compression_method(method);
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in &self.files {
            archive.start_file(name.as_str(), options)?;
            archive.write_all(text.as_bytes())?;
        }
        Ok(archive.finish()?.into_inner())
    }
}

async fn open(vars: &Vars) -> Result<State, String> {
    let coded = |error: &dyn Coded| format!("{}: {error}", error.code());
    let settings = StateSettings::read(vars).map_err(|error| coded(&error))?;
    let net = NetSettings::read(vars).map_err(|error| coded(&error))?;
    let net = Net::of(&net).map_err(|error| coded(&error))?;
    State::open(&settings, &net).await.map_err(|error| coded(&error))
}

/// The feeds that the settings name, those of unusable accounts too.
fn feeds(vars: &Vars) -> Vec<Feed> {
    let mut feeds = log_feeds(vars);
    if let Some(tap) = TapSettings::read(vars) {
        feeds.extend(tap.accounts.iter().map(|account| Feed::tap(&account.name)));
        feeds.extend(tap.unusable_accounts.iter().map(|account| Feed::tap(&account.name)));
    }
    feeds
}

/// Those of clusters, of unusable ones too if their ids are known.
fn log_feeds(vars: &Vars) -> Vec<Feed> {
    let Ok(source) = SourceSettings::read(vars) else { return Vec::new() };
    let usable = source.clusters.iter().map(|cluster| cluster.id.clone());
    let unusable = source.unusable_clusters.iter().filter_map(|cluster| cluster.id.clone());
    let of_cluster = |cluster_id: String| {
        let feed = |event_type: &_| Feed::log(cluster_id.clone(), *event_type);
        source.event_types.iter().map(feed).collect::<Vec<_>>()
    };
    usable.chain(unusable).flat_map(of_cluster).collect()
}

fn about(now: Timestamp) -> String {
    format!(
        "proofpoint-sentinel {}\nmade at {now}\n\nValues of settings are replaced by the names of the settings in brackets, and mail\naddresses by [mail address]. Mail is not in here. Look through it before you send it.",
        env!("CARGO_PKG_VERSION")
    )
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("all keys are texts")
}
