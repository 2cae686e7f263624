//! `collect`: chosen hours from a terminal.

use std::path::Path;

use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::DestinationApi;

use crate::cli::program::{Ended, run, start};
use crate::cli::services::{TestServices, feed, feeds};

/// The arguments for the messages of `from` up to, but without, `to`.
fn messages(from: Hour, to: Hour) -> Vec<String> {
    let (from, to) = (from.to_string(), to.to_string());
    let arguments = ["collect", "--type", "message", "--from", &from, "--to", &to];
    arguments.map(str::to_owned).to_vec()
}

async fn collect(arguments: &[String], environment: &[(String, String)]) -> Ended {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run(&arguments, environment).await
}

/// The file's lines, each of which must be whole.
#[track_caller]
fn lines(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is whole");
    text.lines().map(str::to_owned).collect()
}

/// The events of some hours as the lines of a file.
fn events(services: &TestServices, hours: &[Hour]) -> Vec<String> {
    let feed = feed(EventType::Message);
    let events = hours.iter().flat_map(|hour| services.events(&feed, *hour));
    events.map(|event| String::from_utf8(event.into()).unwrap()).collect()
}

#[tokio::test]
async fn the_hours_named_are_delivered_and_no_others() {
    for destination in [DestinationApi::LogsIngestion, DestinationApi::DataCollector] {
        let services = TestServices::new(&[3, 4, 5, 6], None).await;
        let [_, second, third, fourth] = services.hours[..] else { panic!("four hours") };
        let arguments = messages(second, fourth);
        let ended = collect(&arguments, &services.settings(destination)).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let [message, maillog] = feeds();
        assert_eq!(services.delivered(&message), services.ids(&message, &[second, third]));
        assert!(services.delivered(&maillog).is_empty());
        assert_eq!(services.collected_by(&message), [("backfill".to_owned(), 9)].into());
        let printed: Vec<&str> = ended.stdout.lines().collect();
        assert_eq!(printed.len(), 2, "{ended:?}");
        for (line, (hour, count)) in printed.iter().zip([(second, "4"), (third, "5")]) {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(
                words[..6],
                [&hour.to_string(), count, "events", count, "rows", "delivered"]
            );
            assert!(line.ends_with("closed with 1000"), "{line}");
        }
        assert_eq!(ended.stderr, "");
        let untouched = services.state().await.read_checkpoint(&message).await.unwrap();
        assert!(untouched.is_none(), "the app's own progress is not touched");
    }
}

#[tokio::test]
async fn an_hour_is_delivered_again_only_if_that_is_asked_for() {
    for destination in [DestinationApi::LogsIngestion, DestinationApi::DataCollector] {
        let services = TestServices::new(&[3, 700], None).await;
        let [first, second] = services.hours[..] else { panic!("two hours") };
        let (arguments, settings) =
            (messages(first, second.plus(1)), services.settings(destination));
        let message = feed(EventType::Message);
        let ids = services.ids(&message, &[first, second]);
        for (more, times) in
            [(None, 1), (None, 1), (Some("--again"), 2), (None, 2), (Some("--again"), 3)]
        {
            let arguments =
                [&arguments[..], &more.map(str::to_owned).into_iter().collect::<Vec<_>>()];
            let ended = collect(&arguments.concat(), &settings).await;
            assert_eq!(ended.code, Some(0), "{ended:?}");
            let mut expected: Vec<_> =
                std::iter::repeat_n(&ids, times).flatten().cloned().collect();
            expected.sort();
            assert_eq!(services.delivered(&message), expected, "{more:?}");
        }
    }
}

#[tokio::test]
async fn a_file_gets_the_events_as_they_were_sent_and_needs_no_azure() {
    let services = TestServices::new(&[3, 4], None).await;
    let [first, second] = services.hours[..] else { panic!("two hours") };
    let mut environment = services.settings(DestinationApi::LogsIngestion);
    let about_proofpoint = |name: &str| {
        name.starts_with("Proofpoint") || ["SSL_CERT_FILE", "NO_PROXY"].contains(&name)
    };
    environment.retain(|(name, _)| about_proofpoint(name));
    let file = services.file("events.ndjson");
    let to_file = |from, to| {
        let out = ["--out".to_owned(), file.to_str().unwrap().to_owned()];
        [messages(from, to), out.to_vec()].concat()
    };
    let ended = collect(&to_file(first, second), &environment).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(lines(&file), events(&services, &[first]));
    assert!(ended.stdout.contains("3 events"), "{ended:?}");
    assert!(!ended.stdout.contains("delivered"), "nothing is delivered: {ended:?}");

    let ended = collect(&to_file(second, second.plus(1)), &environment).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(lines(&file), events(&services, &[first, second]), "appended");
    assert_eq!(services.simulation.workspace.counters().posts, 0);
    assert!(!services.file("state").exists());
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_explained() {
    let services = TestServices::new(&[1], None).await;
    let mut two_clusters = services.settings(DestinationApi::LogsIngestion);
    let second = [("ProofpointClusterID_emea", "acme_emea_hosted"), ("ProofpointToken_emea", "t")];
    two_clusters.extend(second.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let line = |arguments: &str| -> Vec<String> {
        format!("collect {arguments}").split(' ').map(str::to_owned).collect()
    };
    let hours = "--from 2026-11-20T06 --to 2026-11-20T07 --type message";
    let cases = [
        (line("--from 2026-11-20T06 --to 2026-11-20T06 --type message"), "--to must be later"),
        (line("--from 2026-11-20T07 --to 2026-11-20T06 --type message"), "--to must be later"),
        (line("--from yesterday --to 2026-11-20T06 --type message"), "of the form 2026-11-20T06"),
        (line("--from 2026-11-20T06 --to 2026-11-20T24 --type message"), "2026-11-20T24"),
        (line("--from 2026-11-20T06 --to 2026-11-20T07 --type mail"), "message, maillog and audit"),
        (line("--from 2026-11-20T06 --to 2026-11-20T07"), "--type"),
        (line(hours), "--cluster is needed"),
        (line(&format!("{hours} --cluster apac")), "no cluster `apac`"),
    ];
    for (arguments, told) in cases {
        let ended = collect(&arguments, &two_clusters).await;
        assert!(ended.code.is_some_and(|code| code != 0), "{ended:?}");
        assert!(ended.stderr.contains(told), "`{told}` is not told: {ended:?}");
        assert_eq!(ended.stdout, "");
        if told.contains("cluster") {
            assert!(ended.stderr.contains("default, emea"), "{ended:?}");
        }
    }
    let ended = collect(&line(hours), &[]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("ProofpointClusterID and ProofpointToken"), "{ended:?}");

    let first = services.hours[0];
    for name in ["default", "acme_hosted"] {
        let mut arguments = messages(first, first.plus(1));
        arguments.extend(["--cluster", name].map(str::to_owned));
        assert_eq!(collect(&arguments, &two_clusters).await.code, Some(0));
    }
}

/// Interrupts `collect` with `more` arguments in the second of three hours.
async fn interrupted(services: &TestServices, more: &[&str]) -> Ended {
    let arguments = messages(services.hours[0], services.hours[0].plus(3));
    let arguments: Vec<&str> =
        arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let running = start(&arguments, &services.settings(DestinationApi::LogsIngestion));
    let message = feed(EventType::Message);
    let pod = &services.simulation.pod;
    crate::soon(pod.wait_for(|all| all.feed(&message).events_sent >= 50)).await;
    running.signal("INT").await;
    let ended = running.end().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    crate::soon(pod.wait_for(|all| all.open() == 0)).await;
    let counters = pod.counters().feed(&message);
    assert_eq!((counters.opened, counters.closed), (2, 2), "{counters:?}");
    let printed: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(printed.len(), 3, "{ended:?}");
    assert!(printed[0].ends_with("closed with 1000"), "{ended:?}");
    assert!(printed[1].ends_with("stopped"), "{ended:?}");
    let [_, second, third] = services.hours[..] else { panic!("three hours") };
    let how_to_go_on = format!("--from {second} --to {}", third.plus(1));
    assert!(printed[2].contains(&how_to_go_on), "{ended:?}");
    ended
}

/// The number before `unit` in the line of the hour that was interrupted.
fn number(ended: &Ended, unit: &str) -> usize {
    let line = ended.stdout.lines().nth(1).unwrap();
    let before = line.split(unit).next().unwrap();
    before.split_whitespace().last().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_interrupt_ends_delivery_in_good_order() {
    let services = TestServices::new(&[10, 1000, 10], Some(100)).await;
    let ended = interrupted(&services, &[]).await;
    let (read, delivered) = (number(&ended, " events"), number(&ended, " rows"));
    assert_eq!(read, delivered, "what was read was delivered");
    let message = feed(EventType::Message);
    assert_eq!(services.delivered(&message).len(), 10 + delivered);
    assert!(delivered > 0);
}

#[tokio::test]
async fn an_interrupt_leaves_whole_lines() {
    let services = TestServices::new(&[10, 1000, 10], Some(100)).await;
    let file = services.file("events.ndjson");
    let ended = interrupted(&services, &["--out", file.to_str().unwrap()]).await;
    let all = events(&services, &services.hours[..2]);
    let count = 10 + number(&ended, " events");
    assert_eq!(lines(&file), all[..count]);
}

#[tokio::test]
async fn a_feed_that_has_an_owner_is_left_alone() {
    let services = TestServices::new(&[3], None).await;
    let first = services.hours[0];
    let message = feed(EventType::Message);
    let lease = services.state().await.lease(&message).await.unwrap();
    let settings = services.settings(DestinationApi::LogsIngestion);
    let ended = collect(&messages(first, first.plus(1)), &settings).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("another run works on this feed"), "{ended:?}");
    assert_eq!(ended.stdout, "", "there is nothing to go on from");
    assert_eq!(services.simulation.pod.counters().feed(&message).opened, 0);
    lease.release().await.unwrap();
    let ended = collect(&messages(first, first.plus(1)), &settings).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test]
async fn a_wrong_token_is_told_by_its_setting() {
    let services = TestServices::new(&[3], None).await;
    let mut settings = services.settings(DestinationApi::LogsIngestion);
    settings.retain(|(name, _)| name != "ProofpointToken");
    settings.push(("ProofpointToken".to_owned(), "a-wrong-token".to_owned()));
    let first = services.hours[0];
    let ended = collect(&messages(first, first.plus(1)), &settings).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("401"), "{ended:?}");
    assert!(ended.stderr.contains("check ProofpointToken"), "{ended:?}");
    assert!(!ended.stderr.contains("a-wrong-token"), "{ended:?}");
    assert_eq!(ended.stdout, "", "there is nothing to go on from");
}

#[tokio::test]
async fn a_script_gets_a_line_of_json_for_each_hour() {
    let services = TestServices::new(&[3, 4], None).await;
    let [first, second] = services.hours[..] else { panic!("two hours") };
    let mut arguments = messages(first, second.plus(1));
    arguments.push("--json".to_owned());
    let ended = collect(&arguments, &services.settings(DestinationApi::LogsIngestion)).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    let lines = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<serde_json::Value> = lines.collect();
    let expected = serde_json::json!({
        "hour": second.to_string(), "events": 4, "delivered": 4, "duplicates": 0,
        "dead_letters": 0, "end": "closed with 1000", "complete": true,
    });
    assert_eq!((lines.len(), &lines[1]), (2, &expected));
}

#[tokio::test]
async fn without_a_terminal_a_warning_has_no_colours() {
    let services = TestServices::new(&[1], None).await;
    let mut settings = services.settings(DestinationApi::LogsIngestion);
    settings.push(("ProofpointSecondReadHour".to_owned(), "0".to_owned()));
    let ended = collect(&messages(services.hours[0], services.hours[0].plus(1)), &settings).await;
    assert!(ended.stderr.contains("WARN"), "{ended:?}");
    assert!(!ended.stderr.contains('\u{1b}'), "{ended:?}");
}
