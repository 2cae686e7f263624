//! `simulate`: something to try the connector on.

use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;
use url::Url;

use crate::cli::program::{run, start};
use crate::cli::services::{feed, id};
use crate::soon;

#[tokio::test]
async fn its_printed_settings_work_until_it_is_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("simulation");
    let arguments = ["simulate", "--rate", "40", "--directory", path.to_str().unwrap()];
    let mut simulation = start(&arguments, &[]);
    let mut lines = simulation.lines();
    let mut settings = Vec::new();
    loop {
        let line = soon(lines.next_line()).await.unwrap().expect("an empty line ends the settings");
        let Some((name, value)) = line.split_once('=') else {
            assert_eq!(line, "");
            break;
        };
        settings.push((name.to_owned(), value.to_owned()));
    }
    for name in ["TapServicePrincipal", "TapSecret", "TapBaseUri"] {
        assert!(settings.iter().any(|(printed, _)| printed == name), "{name}");
    }

    let state = Url::from_directory_path(directory.path().join("state")).unwrap();
    settings.push(("StateStorage".to_owned(), state.into()));
    let now = Hour::containing(jiff::Timestamp::now());
    let (from, to) = (now.plus(-3).to_string(), now.plus(-1).to_string());
    let arguments = ["collect", "--type", "message", "--from", &from, "--to", &to];
    let collected = run(&arguments, &settings).await;
    assert_eq!(collected.code, Some(0), "{collected:?}");
    assert_eq!(collected.stdout.matches("40 rows delivered").count(), 2, "{collected:?}");

    let rows = std::fs::read_to_string(path.join("ProofpointPODMessage_CL.ndjson")).unwrap();
    let message = feed(EventType::Message);
    let mut ids: Vec<String> = rows.lines().map(|row| id(&message, row.as_bytes())).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 80);

    simulation.signal("TERM").await;
    let ended = simulation.end().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let counts = &ended.stderr;
    assert!(counts.contains("acme_hosted-message: 80 events sent in 2 sessions"), "{counts}");
    assert!(counts.contains("ProofpointPODMessage_CL: 80 rows"), "{counts}");
    assert!(counts.contains("2 posts, "), "{counts}");
    assert!(counts.contains(" 0 values that Azure would have cut"), "{counts}");
}
