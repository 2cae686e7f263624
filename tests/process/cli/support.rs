//! `support`: what is in the zip, and what must never be.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use proofpoint_sentinel_simulator::DestinationApi;
use zip::ZipArchive;

use crate::app::{App, fire};
use crate::cli::program::run;
use crate::cli::services::{CLUSTER, TestServices, feeds};

/// An address that is in events, in a message of a run, and in the host's log.
const ADDRESS: &str = "alice.b+c@corp.example";

/// A password that JSON and addresses spell otherwise.
const PASSWORD: &str = "pass\"word/1";
const PASSWORD_IN_ADDRESS: &str = "pass%22word%2F1";

const PROXY: &str = "http://proxyuser:pass%22word%2F1@proxy.corp.example:3128";

pub(crate) fn unpacked(zip: Vec<u8>) -> BTreeMap<String, String> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut files = BTreeMap::new();
    for number in 0..archive.len() {
        let mut file = archive.by_index(number).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        files.insert(file.name().unwrap().into_owned(), text);
    }
    files
}

#[tokio::test]
async fn the_bundle_has_no_secret_no_address_and_no_mail() {
    let services = TestServices::new(&[3], None).await;
    let [feed, _] = feeds();
    let event = format!(r#"{{"ts":"x","guid":"odd","to":"{ADDRESS}"}} not JSON"#);
    services.add(&feed, services.hours[0], &event);
    let mut settings = services.settings(DestinationApi::LogsIngestion);
    fire(&App::new().host(settings.clone()).await).await;

    let failure = format!(
        "{ADDRESS} by proxyuser with {PASSWORD} at proxy.corp.example, also {PASSWORD_IN_ADDRESS}"
    );
    let status = serde_json::json!({"outcome": "failed", "code": "PPS2002", "failure": failure});
    let state = services.state().await;
    state.write_status(&feed, status.to_string().into()).await.unwrap();
    let home = services.file("home");
    let logs = home.join("LogFiles/Application/Functions/Host");
    std::fs::create_dir_all(&logs).unwrap();
    std::fs::write(logs.join("host.log"), format!("a line about {ADDRESS} and {CLUSTER}\n"))
        .unwrap();

    // The proxy is not there, so that what it is called is in what `check` finds.
    settings.retain(|(name, _)| name != "NO_PROXY");
    settings.extend(
        [
            ("ProofpointProxy", PROXY),
            ("ProofpointToken_emea", "token-without-a-cluster"),
            ("WorkspaceKey", "a2V5LW9mLXRoZS13b3Jrc3BhY2U="),
            ("HOME", home.to_str().unwrap()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let out = services.file("bundle.zip");
    let ended = run(&["support", "--out", out.to_str().unwrap()], &settings).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");

    let files = unpacked(std::fs::read(out).unwrap());
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let id = "[ProofpointClusterID]";
    let expected = [
        "about.txt",
        "check.json",
        &format!("checkpoints/{id}-maillog.json"),
        &format!("checkpoints/{id}-message.json"),
        "dead-letters.txt",
        "log.txt",
        "problems.txt",
        "settings.txt",
        "status.json",
        &format!("status/{id}-maillog.json"),
        &format!("status/{id}-message.json"),
    ];
    assert_eq!(names, expected);
    for name in expected {
        assert!(ended.stdout.contains(name), "{name} in {ended:?}");
    }

    let harmless = ["ProofpointMode", "ProofpointInitialLookbackHours"];
    let values = settings.iter().filter(|(name, _)| !harmless.contains(&name.as_str()));
    let mut forbidden: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
    forbidden.extend([ADDRESS, PASSWORD, PASSWORD_IN_ADDRESS, "proxyuser", "proxy.corp.example"]);
    forbidden.extend(["pass\\\"word", "corp.example", "not JSON"]);
    for (name, text) in &files {
        for word in &forbidden {
            assert!(!text.contains(word) && !name.contains(word), "{word} in {name}: {text}");
        }
    }

    assert!(files["settings.txt"].contains("ProofpointMode = archive\n"));
    assert!(files["settings.txt"].contains("ProofpointToken_emea = (set)\n"));
    assert!(files["check.json"].contains("[ProofpointProxy]"), "{}", files["check.json"]);
    assert!(files["dead-letters.txt"].contains("PPS4101"), "{}", files["dead-letters.txt"]);
    assert!(files["log.txt"].contains("a line about [mail address] and [ProofpointClusterID]"));
    assert!(files[&format!("checkpoints/{id}-message.json")].contains("next_hour"));
    for name in ["check.json", "status.json"] {
        serde_json::from_str::<serde_json::Value>(&files[name]).unwrap();
    }
}

#[tokio::test]
async fn without_settings_there_is_still_a_bundle() {
    let services = TestServices::new(&[1], None).await;
    let out = services.file("bundle.zip");
    let ended = run(&["support", "--out", out.to_str().unwrap()], &[]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let files = unpacked(std::fs::read(out).unwrap());
    assert!(files["check.json"].contains("PPS1001"));
    assert!(files["problems.txt"].contains("state: PPS1000"), "{}", files["problems.txt"]);
    let ended = run(&["support", "--out", "/proc/nowhere/a.zip"], &[]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("PPS8003"), "{ended:?}");
}
