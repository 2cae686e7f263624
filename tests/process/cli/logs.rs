//! What the program writes under the host: lines that the host takes for what they are, and
//! nothing that is a secret.

use hyper::http::Request;
use proofpoint_sentinel_simulator::DestinationApi;
use proofpoint_sentinel_simulator::host::{
    FunctionsHost, InvocationOutcome, OutputLine, OutputStream,
};
use serde_json::Value;

use crate::app::{App, fire};
use crate::cli::services::{TestServices, feeds};
use crate::soon;
use crate::support::http;

/// So many lines a host remembers, so that fewer are all there were.
const REMEMBERED: usize = 4096;

/// A line of the program's log.
struct Entry {
    stream: OutputStream,
    text: String,
    json: Value,
}

impl Entry {
    #[track_caller]
    fn of(OutputLine { stream, text }: OutputLine) -> Entry {
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        Entry { stream, text, json }
    }

    fn is(&self, level: &str) -> bool {
        self.json["level"] == level
    }

    /// The id of the invocation to which it belongs.
    fn invocation(&self) -> Option<&str> {
        self.json["spans"].as_array()?.iter().find_map(|span| span["invocation_id"].as_str())
    }
}

/// Settings with one of them changed.
fn with(mut settings: Vec<(String, String)>, name: &str, value: &str) -> Vec<(String, String)> {
    settings.retain(|(other, _)| other != name);
    settings.push((name.to_owned(), value.to_owned()));
    settings
}

/// Runs once, and returns how it went and all that was written.
async fn run(settings: Vec<(String, String)>) -> (InvocationOutcome, Vec<Entry>) {
    let app = App::new();
    let host = app.host(settings).await;
    let outcome = fire(&host).await;
    for feed in feeds().map(|feed| feed.to_string()) {
        let summary = |line: &OutputLine| {
            let json: Value = serde_json::from_str(&line.text).unwrap_or_default();
            json["feed"] == feed && json["events"].is_number()
        };
        soon(host.wait_for_line(summary)).await;
    }
    end_of_errors(&host).await;
    let lines = host.lines();
    assert!(lines.len() < REMEMBERED, "{} lines", lines.len());
    let mut entries: Vec<Entry> = lines.into_iter().map(Entry::of).collect();
    entries.retain(|entry| !entry.text.contains(MARKER));
    (outcome, entries)
}

/// A function that there is not, which is an error.
const MARKER: &str = "LastOfAll";

/// Waits until an error that the test causes itself has come through.
async fn end_of_errors(host: &FunctionsHost) {
    let request = Request::post(format!("{}/{MARKER}", host.base_url()));
    soon(http::send_plain(request, "")).await;
    let marker =
        |line: &OutputLine| line.stream == OutputStream::Stderr && line.text.contains(MARKER);
    soon(host.wait_for_line(marker)).await;
}

#[track_caller]
fn assert_in_order(entries: &[Entry]) {
    let mut invocations: Vec<&str> = Vec::new();
    for Entry { stream, text, json } in entries {
        assert!(json.is_object() && json["level"].is_string(), "{text}");
        assert!(json["timestamp"].is_string() && json["message"].is_string(), "{text}");
        let level = json["level"].as_str().unwrap();
        assert_eq!(*stream == OutputStream::Stderr, ["ERROR", "WARN"].contains(&level), "{text}");
        // By these letters the host tells a warning from an error.
        let is_warning = text.to_ascii_lowercase().contains("warn");
        assert!(*stream == OutputStream::Stdout || is_warning == (level == "WARN"), "{text}");
    }
    let (ready, run) = entries.split_first().expect("something was written");
    assert_eq!(ready.json["message"], "ready");
    for entry in run {
        let id = entry.invocation().unwrap_or_else(|| panic!("no invocation: {}", entry.text));
        assert_eq!(id.len(), 36, "{id}");
        invocations.push(id);
    }
    invocations.dedup();
    assert_eq!(invocations.len(), 1, "{invocations:?}");
}

#[tokio::test]
async fn a_run_that_succeeds_writes_json_lines_and_no_error() {
    let services = TestServices::new(&[5], None).await;
    let (outcome, entries) = run(services.settings(DestinationApi::LogsIngestion)).await;
    assert!(matches!(outcome, InvocationOutcome::Success { .. }), "{outcome:?}");
    assert_in_order(&entries);
    assert!(!entries.iter().any(|entry| entry.is("ERROR")));
    let done = entries.iter().find(|entry| entry.json["message"] == "hour done").unwrap();
    let spans: Vec<&Value> =
        done.json["spans"].as_array().unwrap().iter().map(|span| &span["name"]).collect();
    assert_eq!(spans, ["invocation", "feed", "hour"], "{}", done.text);
}

#[tokio::test]
async fn a_setting_of_no_effect_is_warned_of_and_no_other_is() {
    let services = TestServices::new(&[5], None).await;
    let settings = services.settings(DestinationApi::LogsIngestion);
    let (outcome, entries) = run(with(settings, "ProofpointSecondReadHour", "0")).await;
    assert!(matches!(outcome, InvocationOutcome::Success { .. }), "{outcome:?}");
    assert_in_order(&entries);
    let of_settings: Vec<&Value> = entries
        .iter()
        .filter(|entry| entry.is("WARN"))
        .map(|entry| &entry.json["message"])
        .filter(|message| message.as_str().is_some_and(|text| text.contains("the setting")))
        .collect();
    assert_eq!(
        of_settings,
        ["the setting ProofpointSecondReadHour is not known, and has no effect"]
    );
}

#[tokio::test]
async fn a_run_that_fails_writes_an_error_for_each_feed() {
    let services = TestServices::new(&[5], None).await;
    let settings = services.settings(DestinationApi::LogsIngestion);
    let (outcome, entries) = run(with(settings, "ProofpointToken", "a-wrong-token")).await;
    assert!(matches!(outcome, InvocationOutcome::Failed { status: 500, .. }), "{outcome:?}");
    assert_in_order(&entries);
    let errors: Vec<&Entry> = entries.iter().filter(|entry| entry.is("ERROR")).collect();
    assert_eq!(errors.len(), 2);
    for error in errors {
        assert!(error.text.contains("ProofpointToken"), "{}", error.text);
    }
}

#[tokio::test]
async fn a_line_of_a_library_belongs_to_its_invocation_too() {
    let services = TestServices::new(&[5], None).await;
    let settings = with(services.settings(DestinationApi::LogsIngestion), "RUST_LOG", "info");
    // The SDK would go on asking for a token until the run's time is up.
    let settings = with(settings, "IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token");
    let app = App::new();
    let host = app.host(settings).await;
    let failed = |line: &OutputLine| line.text.contains("<== Failed response");
    tokio::select! {
        outcome = fire(&host) => panic!("{outcome:?}"),
        () = soon(host.wait_for_line(failed)) => {}
    }
    let line = host.lines().into_iter().find(failed).unwrap();
    assert!(Entry::of(line).invocation().is_some());
}

#[tokio::test]
async fn an_error_about_warnings_is_still_an_error() {
    let app = App::new();
    let host = app.host([]).await;
    let name = "WarnOfWarnings";
    let request = Request::post(format!("{}/{name}", host.base_url()));
    soon(http::send_plain(request, "")).await;
    let is_error = |line: &OutputLine| line.stream == OutputStream::Stderr;
    soon(host.wait_for_line(is_error)).await;
    let entry = Entry::of(host.lines().into_iter().find(is_error).unwrap());
    assert!(entry.is("ERROR") && entry.json["message"].as_str().unwrap().contains(name));
    assert!(!entry.text.to_ascii_lowercase().contains("warn"), "{}", entry.text);
}

/// All that must never be written, whatever is turned on.
#[track_caller]
fn assert_no_secret(services: &TestServices, settings: &[(String, String)], entries: &[Entry]) {
    let tokens = services.simulation.identity.tokens();
    let audience = &services.simulation.workspace.settings().audience;
    for Entry { text, .. } in entries {
        for name in ["ProofpointToken", "WorkspaceKey", "IDENTITY_HEADER"] {
            let secret = settings.iter().find(|(other, _)| other == name);
            let leaked = secret.is_some_and(|(_, secret)| text.contains(secret.as_str()));
            assert!(!leaked, "{name} in {text}");
        }
        let is_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        for word in text.split(|c| !is_of_token(c)) {
            assert!(!tokens.accepts(word, audience), "a token in {text}");
        }
        assert!(!text.contains("m0.example"), "an event in {text}");
    }
}

#[tokio::test]
async fn no_secret_and_no_event_is_written_even_where_everything_is() {
    let wrong = [
        (DestinationApi::LogsIngestion, None),
        (DestinationApi::DataCollector, None),
        (DestinationApi::LogsIngestion, Some(("ProofpointToken", "a-wrong-token"))),
        (DestinationApi::LogsIngestion, Some(("IDENTITY_HEADER", "a-wrong-header"))),
        (
            DestinationApi::LogsIngestion,
            Some(("DcrImmutableId", "dcr-00000000000000000000000000000000")),
        ),
        (DestinationApi::DataCollector, Some(("WorkspaceKey", "YSB3cm9uZyBrZXk="))),
    ];
    for (destination, change) in wrong {
        let services = TestServices::new(&[5], None).await;
        let mut settings = with(services.settings(destination), "RUST_LOG", "trace");
        if let Some((name, value)) = change {
            settings = with(settings, name, value);
        }
        let (outcome, entries) = run(settings.clone()).await;
        let success = matches!(outcome, InvocationOutcome::Success { .. });
        assert_eq!(success, change.is_none(), "{change:?}: {outcome:?}");
        assert_no_secret(&services, &settings, &entries);
        assert_in_order(&entries);
    }
}
