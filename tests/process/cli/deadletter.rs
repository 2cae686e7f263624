//! `deadletter`: events that could not be delivered, from a terminal.

use std::path::PathBuf;

use proofpoint_sentinel::state::DeadLetterName;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_simulator::DestinationApi;

use crate::cli::program::{Ended, run, run_with, start};
use crate::cli::services::{CLUSTER, TestServices, feed, id};

/// Nothing of this name is stored.
const NOBODY: &str =
    "dead-letters/refused/acme_hosted-message/0123456789abcdef0123456789abcdef.json";

/// A services whose messages of one hour were collected while rows with one of the ids were refused.
struct DeadLetterTest {
    services: TestServices,
    settings: Vec<(String, String)>,
}

impl DeadLetterTest {
    async fn new(count: usize, refused: impl Fn(usize) -> bool, more: &[&str]) -> DeadLetterTest {
        let services = TestServices::new(&[count], None).await;
        for event in more {
            services.add(&messages(), services.hours[0], event);
        }
        let settings = services.settings(DestinationApi::LogsIngestion);
        let test = DeadLetterTest { services, settings };
        let ids = test.ids(refused);
        test.refuse(ids);
        test.collect().await;
        test
    }

    /// The ids of some of the events, by their number.
    fn ids(&self, chosen: impl Fn(usize) -> bool) -> Vec<String> {
        let events = self.services.events(&messages(), self.services.hours[0]);
        let objects = events.iter().filter(|event| event.starts_with(b"{"));
        let numbered = objects.enumerate().filter(|(number, _)| chosen(*number));
        numbered.map(|(_, event)| id(&messages(), event)).collect()
    }

    /// From now on the workspace refuses rows with these ids, and no others.
    fn refuse(&self, ids: Vec<String>) {
        let is_refused = move |id: &str| ids.iter().any(|other| other == id);
        self.services
            .simulation
            .workspace
            .refuse_rows(move |row| row["guid"].as_str().is_some_and(&is_refused));
    }

    async fn collect(&self) {
        let hour = self.services.hours[0];
        let (from, to) = (hour.to_string(), hour.plus(1).to_string());
        let arguments = ["collect", "--type", "message", "--from", &from, "--to", &to];
        let ended = run(&arguments, &self.settings).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }

    async fn deadletter(&self, arguments: &[&str]) -> Ended {
        run(&[&["deadletter"], arguments].concat(), &self.settings).await
    }

    async fn succeed(&self, arguments: &[&str]) -> Ended {
        let ended = self.deadletter(arguments).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    }

    async fn letters(&self) -> Vec<String> {
        let names = self.services.state().await.list_dead_letters().await.unwrap();
        names.iter().map(DeadLetterName::to_string).collect()
    }

    /// The one dead letter that there is.
    async fn letter(&self) -> String {
        let mut letters = self.letters().await;
        assert_eq!(letters.len(), 1, "{letters:?}");
        letters.remove(0)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.services.state_directory().join(name)
    }

    /// The ids of the rows in the workspace, in order.
    fn delivered(&self) -> Vec<String> {
        self.services.delivered(&messages())
    }
}

fn messages() -> Feed {
    feed(EventType::Message)
}

#[tokio::test]
async fn a_refused_event_is_listed_shown_and_resent() {
    let test = DeadLetterTest::new(5, |number| number == 3, &[]).await;
    let name = test.letter().await;
    let event = test.services.events(&messages(), test.services.hours[0]).remove(3);

    // What was refused is needed for neither of these.
    let of_state = |(name, _): &&(String, String)| name == "StateStorage";
    let state: Vec<_> = test.settings.iter().filter(of_state).cloned().collect();
    let listed = run(&["deadletter", "list"], &state).await;
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let count = "      1 refused   PPS4103 acme_hosted-message  oldest ";
    assert!(listed.stderr.starts_with(count), "{listed:?}");
    let line: Vec<&str> = listed.stdout.trim_end_matches('\n').split('\t').collect();
    let [first, reason, code, of, _, bytes, detail] = line[..] else { panic!("{listed:?}") };
    let length = event.len().to_string();
    assert_eq!((first, reason, code), (&*name, "refused", "PPS4103"));
    assert_eq!((of, bytes), ("acme_hosted-message", &*length));
    assert!(detail.contains("A row is refused"), "{listed:?}");
    let shown = run(&["deadletter", "show", &name], &state).await;
    assert_eq!((shown.code, shown.stdout.as_bytes()), (Some(0), &event[..]), "{shown:?}");
    assert!(shown.stderr.contains("reason  refused"), "{shown:?}");

    // Collected again, the ledger hides it; sent again, it must not.
    test.refuse(Vec::new());
    test.collect().await;
    assert_eq!(test.delivered(), sorted(test.ids(|number| number != 3)));
    let ended = test.succeed(&["resend", &name]).await;
    assert_eq!(ended.stdout, format!("{name}  delivered\n1 delivered, 0 not, 0 not tried.\n"));
    assert_eq!(test.delivered(), sorted(test.ids(|_| true)));
    assert_eq!(test.services.collected_by(&messages())["resend"], 1);
    assert!(!test.path(&name).exists());

    let ended = test.succeed(&["resend", "--all"]).await;
    assert_eq!(ended.stdout, "There is no dead letter to send.\n");
    let ended = test.deadletter(&["resend", &name]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("is not there"), "{ended:?}");
    test.collect().await;
    assert_eq!(test.delivered(), sorted(test.ids(|_| true)), "nothing came twice");
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

#[tokio::test]
async fn what_is_refused_still_stays_and_the_rest_goes() {
    let test = DeadLetterTest::new(12, |number| number % 2 == 0, &["[\"no object\"]"]).await;
    assert_eq!(test.letters().await.len(), 7);
    test.refuse(test.ids(|number| number == 4));
    let ended = test.deadletter(&["resend", "--all", "--reason", "refused"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("refused again, kept"), "{ended:?}");
    assert!(ended.stdout.ends_with("5 delivered, 1 not, 0 not tried.\n"), "{ended:?}");
    assert_eq!(test.delivered(), sorted(test.ids(|number| number != 4)));
    assert_eq!(test.letters().await.len(), 2);

    test.refuse(Vec::new());
    let ended = test.deadletter(&["resend", "--all"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("malformed again, kept"), "{ended:?}");
    assert_eq!(test.delivered(), sorted(test.ids(|_| true)));
    assert!(test.letter().await.starts_with("dead-letters/malformed/"));
}

#[tokio::test]
async fn a_list_can_be_narrowed_and_is_bounded() {
    let test = DeadLetterTest::new(4, |number| number < 2, &["[\"no object\"]"]).await;
    for (arguments, count) in [
        (&["list"][..], 3),
        (&["list", "--reason", "malformed"], 1),
        (&["list", "--reason", "oversize"], 0),
        (&["list", "--cluster", CLUSTER, "--type", "message"], 3),
        (&["list", "--cluster", "another"], 0),
        (&["list", "--type", "audit"], 0),
        (&["list", "--since", "1d", "--reason", "refused"], 2),
        (&["list", "--since", "2999-01-01T00"], 0),
    ] {
        let ended = test.succeed(arguments).await;
        assert_eq!(ended.stdout.lines().count(), count, "{arguments:?}: {ended:?}");
        assert_eq!(ended.stderr.contains("There are no dead letters."), count == 0, "{ended:?}");
    }
    let ended = test.succeed(&["list", "--limit", "2"]).await;
    assert_eq!(ended.stdout.lines().count(), 2, "{ended:?}");
    assert!(ended.stderr.contains("2 of 3 dead letters are counted and listed"), "{ended:?}");
}

#[tokio::test]
async fn a_damaged_dead_letter_is_told_and_stays() {
    let test = DeadLetterTest::new(3, |number| number < 2, &[]).await;
    test.refuse(Vec::new());
    let names = test.letters().await;
    let path = test.path(&names[0]);
    let whole = std::fs::read(&path).unwrap();
    let cut = &whole[..whole.len() - 1];
    std::fs::write(&path, cut).unwrap();

    let ended = test.deadletter(&["list"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.starts_with(&names[1]), "{ended:?}");
    assert!(ended.stderr.contains("it was cut or changed"), "{ended:?}");
    let ended = test.deadletter(&["show", &names[0]]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.contains("it was cut or changed"), "{ended:?}");
    let ended = test.deadletter(&["resend", "--all"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("it was cut or changed"), "{ended:?}");
    assert!(ended.stdout.ends_with("1 delivered, 1 not, 0 not tried.\n"), "{ended:?}");
    assert_eq!(test.letters().await, names[..1]);
    assert_eq!(std::fs::read(&path).unwrap(), cut);
}

#[tokio::test]
async fn names_that_lead_nowhere_are_explained() {
    let test = DeadLetterTest::new(1, |_| false, &[]).await;
    for command in ["show", "resend"] {
        for name in ["checkpoints/acme_hosted-message.json", "dead-letters/../checkpoints/a.json"] {
            let ended = test.deadletter(&[command, name]).await;
            assert_eq!(ended.code, Some(2), "{ended:?}");
            assert!(ended.stderr.contains("not the name of a dead letter"), "{ended:?}");
        }
        let ended = test.deadletter(&[command, NOBODY]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
    }
    for (arguments, told) in [
        (&["resend"][..], "NAMES"),
        (&["resend", "--all", NOBODY], "--all"),
        (&["resend", NOBODY, "--reason", "malformed"], "not of the reason"),
        (&["list", "--reason", "lost"], "malformed, oversize and refused"),
    ] {
        let ended = test.deadletter(arguments).await;
        assert!(ended.code.is_some_and(|code| code != 0), "{ended:?}");
        assert!(ended.stderr.contains(told), "`{told}` is not told: {ended:?}");
    }
}

/// A services with a message of one long value, collected by way of `destination`.
async fn with_long_value(bytes: usize, destination: DestinationApi) -> DeadLetterTest {
    let services = TestServices::new(&[1], None).await;
    let (hour, text) = (services.hours[0], "x".repeat(bytes));
    let event = format!(
        r#"{{"ts":"{hour}:30:00.000000+0000","guid":"long","filter":{{"long":"{text}"}}}}"#
    );
    services.add(&messages(), hour, &event);
    let settings = services.settings(destination);
    let test = DeadLetterTest { services, settings };
    test.collect().await;
    test
}

#[tokio::test]
async fn oversize_events_are_resent_only_on_request_and_whole() {
    let test = with_long_value(70_000, DestinationApi::LogsIngestion).await;
    let name = test.letter().await;
    assert!(name.starts_with("dead-letters/oversize/"), "{name}");
    let before = test.delivered();
    assert_eq!(before.len(), 2, "its shortened row is there");

    for arguments in [&["resend", "--all"][..], &["resend", &name]] {
        let ended = test.succeed(arguments).await;
        assert!(ended.stderr.contains("1 oversize left alone"), "{ended:?}");
        assert_eq!(ended.stdout, "There is no dead letter to send.\n");
    }
    let ended = test.deadletter(&["resend", "--all", "--reason", "oversize"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("oversize again, kept"), "{ended:?}");
    assert_eq!(test.letter().await, name);
    assert_eq!(test.delivered(), before);
}

#[tokio::test]
async fn an_oversize_event_is_delivered_whole_where_the_row_fits_now() {
    let mut test = with_long_value(40_000, DestinationApi::DataCollector).await;
    assert!(test.letter().await.starts_with("dead-letters/oversize/"));
    test.settings = test.services.settings(DestinationApi::LogsIngestion);
    test.succeed(&["resend", "--all", "--reason", "oversize"]).await;
    let rows = test.services.simulation.workspace.rows("ProofpointPODMessage_CL");
    assert!(rows.len() == 1 && rows[0].contains(&"x".repeat(40_000)), "{}", rows.len());
    assert!(test.letters().await.is_empty());
}

#[tokio::test]
async fn an_interrupt_or_an_owner_leaves_dead_letters_where_they_are() {
    let test = DeadLetterTest::new(8, |number| number < 6, &[]).await;
    let names = test.letters().await;
    let lease = test.services.state().await.lease(&messages()).await.unwrap();
    let ended = test.deadletter(&["resend", "--all"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("another run works on this feed"), "{ended:?}");
    assert!(ended.stdout.contains("0 delivered, 0 not, 6 not tried"), "{ended:?}");
    assert_eq!(test.letters().await, names);
    lease.release().await.unwrap();

    test.refuse(Vec::new());
    let workspace = &test.services.simulation.workspace;
    let before = workspace.counters().posts;
    let running = start(&["deadletter", "resend", "--all"], &test.settings);
    crate::soon(workspace.wait_for(|all| all.posts > before)).await;
    running.signal("INT").await;
    let ended = running.end().await;
    let (letters, delivered) = (test.letters().await.len(), test.delivered().len());
    assert_eq!(letters + delivered, 8, "each row arrived or its event is kept: {ended:?}");

    test.deadletter(&["resend", "--all"]).await;
    assert_eq!(test.delivered(), sorted(test.ids(|_| true)), "and none arrived twice");
}

#[tokio::test]
async fn a_list_is_counted_and_can_be_json() {
    let test = DeadLetterTest::new(4, |number| number < 2, &["[\"no object\"]"]).await;
    let ended = test.succeed(&["list", "--hours"]).await;
    let counts: Vec<&str> = ended.stderr.lines().collect();
    assert!(counts[0].contains("1 malformed PPS4101 acme_hosted-message  kept in "), "{ended:?}");
    assert!(counts[1].contains("2 refused   PPS4103 acme_hosted-message  kept in "), "{ended:?}");

    let ended = test.succeed(&["list", "--json", "--limit", "2"]).await;
    assert_eq!(ended.stderr, "", "{ended:?}");
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&json["total"], json["dead_letters"].as_array().unwrap().len()), (&3.into(), 2));
    assert_eq!(json["counts"][0]["code"], "PPS4101");
    assert_eq!(json["dead_letters"][0]["reason"], "malformed");
    assert_eq!(json["dead_letters"][0]["name"].as_str().unwrap(), test.letters().await[0]);
}

#[tokio::test]
async fn an_event_is_indented_on_request() {
    let test = DeadLetterTest::new(2, |number| number == 0, &[]).await;
    let name = test.letter().await;
    let ended = test.succeed(&["show", "--pretty", &name]).await;
    assert!(ended.stdout.contains("\n      \"size\": 1.50\n"), "{ended:?}");
    assert!(ended.stderr.contains("refused (PPS4103)"), "{ended:?}");
}

#[tokio::test]
async fn nothing_is_dropped_without_a_yes() {
    let test = DeadLetterTest::new(4, |number| number < 2, &["[\"no object\"]"]).await;
    let names = test.letters().await;
    for input in ["", "no\n", "y\n", "\n"] {
        let ended = run_with(&["deadletter", "drop", "--all"], &test.settings, input).await;
        assert_eq!(ended.code, Some(1), "{input:?}: {ended:?}");
        assert!(ended.stderr.contains("2 refused "), "{ended:?}");
        assert_eq!(ended.stdout, "Nothing is dropped.\n");
    }
    assert_eq!(test.letters().await, names);

    let ended = test.succeed(&["drop", "--all", "--yes", "--since", "2999-01-01T00"]).await;
    assert_eq!(ended.stdout, "There is no dead letter to drop.\n");
    let ended = test.succeed(&["drop", "--yes", &names[0]]).await;
    assert_eq!(ended.stdout, "1 dropped, 0 left.\n");
    assert_eq!(test.letters().await, names[1..]);
    let arguments = ["deadletter", "drop", "--all", "--since", "1h"];
    let ended = run_with(&arguments, &test.settings, "yes\n").await;
    assert_eq!((ended.code, &*ended.stdout), (Some(0), "2 dropped, 0 left.\n"), "{ended:?}");
    assert!(test.letters().await.is_empty());
    assert_eq!(test.delivered(), sorted(test.ids(|number| number >= 2)), "nothing was sent");
}

#[tokio::test]
async fn dead_letters_of_a_time_are_resent() {
    let test = DeadLetterTest::new(3, |number| number < 2, &[]).await;
    test.refuse(Vec::new());
    let ended = test.succeed(&["resend", "--all", "--since", "2999-01-01T00"]).await;
    assert_eq!(ended.stdout, "There is no dead letter to send.\n");
    let ended = test.succeed(&["resend", "--all", "--reason", "refused", "--since", "2h"]).await;
    assert!(ended.stdout.ends_with("2 delivered, 0 not, 0 not tried.\n"), "{ended:?}");
    assert_eq!(test.delivered(), sorted(test.ids(|_| true)));
}

#[tokio::test]
async fn a_script_gets_a_line_of_json_for_each_resend() {
    let test = DeadLetterTest::new(3, |number| number == 0, &["[\"no object\"]"]).await;
    test.refuse(Vec::new());
    let ended = test.deadletter(&["resend", "--all", "--json"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let lines = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<serde_json::Value> = lines.collect();
    let outcomes: Vec<&str> = lines.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["kept", "delivered"], "{ended:?}");
    assert_eq!(lines[0]["reason"], "malformed again, kept");
    assert!(ended.stderr.ends_with("1 delivered, 1 not, 0 not tried.\n"), "{ended:?}");
}
