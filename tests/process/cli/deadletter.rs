//! `deadletter`: events that could not be delivered, from a terminal.

use std::path::PathBuf;

use proofpoint_sentinel::state::DeadLetterName;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_simulator::DestinationApi;

use crate::cli::program::{Ended, run, start};
use crate::cli::world::{CLUSTER, World, feed, id};

/// Nothing of this name is stored.
const NOBODY: &str =
    "dead-letters/refused/acme_hosted-message/0123456789abcdef0123456789abcdef.json";

/// A world whose messages of one hour were collected while rows with one of the ids were refused.
struct Scene {
    world: World,
    settings: Vec<(String, String)>,
}

impl Scene {
    async fn new(count: usize, refused: impl Fn(usize) -> bool, more: &[&str]) -> Scene {
        let world = World::new(&[count], None).await;
        for event in more {
            world.add(&messages(), world.hours[0], event);
        }
        let settings = world.settings(DestinationApi::LogsIngestion);
        let scene = Scene { world, settings };
        let ids = scene.ids(refused);
        scene.refuse(ids);
        scene.collect().await;
        scene
    }

    /// The ids of some of the events, by their number.
    fn ids(&self, chosen: impl Fn(usize) -> bool) -> Vec<String> {
        let events = self.world.events(&messages(), self.world.hours[0]);
        let objects = events.iter().filter(|event| event.starts_with(b"{"));
        let numbered = objects.enumerate().filter(|(number, _)| chosen(*number));
        numbered.map(|(_, event)| id(&messages(), event)).collect()
    }

    /// From now on the workspace refuses rows with these ids, and no others.
    fn refuse(&self, ids: Vec<String>) {
        let is_refused = move |id: &str| ids.iter().any(|other| other == id);
        self.world
            .simulation
            .workspace
            .refuse_rows(move |row| row["guid"].as_str().is_some_and(&is_refused));
    }

    async fn collect(&self) {
        let hour = self.world.hours[0];
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
        let names = self.world.state().await.list_dead_letters().await.unwrap();
        names.iter().map(DeadLetterName::to_string).collect()
    }

    /// The one dead letter that there is.
    async fn letter(&self) -> String {
        let mut letters = self.letters().await;
        assert_eq!(letters.len(), 1, "{letters:?}");
        letters.remove(0)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.world.state_directory().join(name)
    }

    /// The ids of the rows in the workspace, in order.
    fn delivered(&self) -> Vec<String> {
        self.world.delivered(&messages())
    }
}

fn messages() -> Feed {
    feed(EventType::Message)
}

#[tokio::test]
async fn a_refused_event_is_listed_shown_and_resent() {
    let scene = Scene::new(5, |number| number == 3, &[]).await;
    let name = scene.letter().await;
    let event = scene.world.events(&messages(), scene.world.hours[0]).remove(3);

    // What was refused is needed for neither of these.
    let of_state = |(name, _): &&(String, String)| name == "StateStorage";
    let state: Vec<_> = scene.settings.iter().filter(of_state).cloned().collect();
    let listed = run(&["deadletter", "list"], &state).await;
    assert_eq!((listed.code, listed.stderr.as_str()), (Some(0), ""), "{listed:?}");
    let line: Vec<&str> = listed.stdout.trim_end_matches('\n').split('\t').collect();
    let [first, reason, of, _, bytes, detail] = line[..] else { panic!("{listed:?}") };
    let length = event.len().to_string();
    assert_eq!((first, reason, of, bytes), (&*name, "refused", "acme_hosted-message", &*length));
    assert!(detail.contains("A row is refused"), "{listed:?}");
    let shown = run(&["deadletter", "show", &name], &state).await;
    assert_eq!((shown.code, shown.stdout.as_bytes()), (Some(0), &event[..]), "{shown:?}");
    assert!(shown.stderr.contains("reason  refused"), "{shown:?}");

    // Collected again, the ledger hides it; sent again, it must not.
    scene.refuse(Vec::new());
    scene.collect().await;
    assert_eq!(scene.delivered(), sorted(scene.ids(|number| number != 3)));
    let ended = scene.succeed(&["resend", &name]).await;
    assert_eq!(ended.stdout, format!("{name}  delivered\n1 delivered, 0 not, 0 not tried.\n"));
    assert_eq!(scene.delivered(), sorted(scene.ids(|_| true)));
    assert!(!scene.path(&name).exists());

    let ended = scene.succeed(&["resend", "--all"]).await;
    assert_eq!(ended.stdout, "There is no dead letter to send.\n");
    let ended = scene.deadletter(&["resend", &name]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("is not there"), "{ended:?}");
    scene.collect().await;
    assert_eq!(scene.delivered(), sorted(scene.ids(|_| true)), "nothing came twice");
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

#[tokio::test]
async fn what_is_refused_still_stays_and_the_rest_goes() {
    let scene = Scene::new(12, |number| number % 2 == 0, &["[\"no object\"]"]).await;
    assert_eq!(scene.letters().await.len(), 7);
    scene.refuse(scene.ids(|number| number == 4));
    let ended = scene.deadletter(&["resend", "--all", "--reason", "refused"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("refused again, kept"), "{ended:?}");
    assert!(ended.stdout.ends_with("5 delivered, 1 not, 0 not tried.\n"), "{ended:?}");
    assert_eq!(scene.delivered(), sorted(scene.ids(|number| number != 4)));
    assert_eq!(scene.letters().await.len(), 2);

    scene.refuse(Vec::new());
    let ended = scene.deadletter(&["resend", "--all"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("malformed again, kept"), "{ended:?}");
    assert_eq!(scene.delivered(), sorted(scene.ids(|_| true)));
    assert!(scene.letter().await.starts_with("dead-letters/malformed/"));
}

#[tokio::test]
async fn a_list_can_be_narrowed_and_is_bounded() {
    let scene = Scene::new(4, |number| number < 2, &["[\"no object\"]"]).await;
    for (arguments, count) in [
        (&["list"][..], 3),
        (&["list", "--reason", "malformed"], 1),
        (&["list", "--reason", "oversize"], 0),
        (&["list", "--cluster", CLUSTER, "--type", "message"], 3),
        (&["list", "--cluster", "another"], 0),
        (&["list", "--type", "audit"], 0),
    ] {
        let ended = scene.succeed(arguments).await;
        assert_eq!(ended.stdout.lines().count(), count, "{arguments:?}: {ended:?}");
        assert_eq!(ended.stderr, "");
    }
    let ended = scene.succeed(&["list", "--limit", "2"]).await;
    assert_eq!(ended.stdout.lines().count(), 2, "{ended:?}");
    assert!(ended.stderr.contains("2 of 3 dead letters are listed"), "{ended:?}");
}

#[tokio::test]
async fn a_damaged_dead_letter_is_told_and_stays() {
    let scene = Scene::new(3, |number| number < 2, &[]).await;
    scene.refuse(Vec::new());
    let names = scene.letters().await;
    let path = scene.path(&names[0]);
    let whole = std::fs::read(&path).unwrap();
    let cut = &whole[..whole.len() - 1];
    std::fs::write(&path, cut).unwrap();

    let ended = scene.deadletter(&["list"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.starts_with(&names[1]), "{ended:?}");
    assert!(ended.stderr.contains("it was cut or changed"), "{ended:?}");
    let ended = scene.deadletter(&["show", &names[0]]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.contains("it was cut or changed"), "{ended:?}");
    let ended = scene.deadletter(&["resend", "--all"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("it was cut or changed"), "{ended:?}");
    assert!(ended.stdout.ends_with("1 delivered, 1 not, 0 not tried.\n"), "{ended:?}");
    assert_eq!(scene.letters().await, names[..1]);
    assert_eq!(std::fs::read(&path).unwrap(), cut);
}

#[tokio::test]
async fn names_that_lead_nowhere_are_explained() {
    let scene = Scene::new(1, |_| false, &[]).await;
    for command in ["show", "resend"] {
        for name in ["checkpoints/acme_hosted-message.json", "dead-letters/../checkpoints/a.json"] {
            let ended = scene.deadletter(&[command, name]).await;
            assert_eq!(ended.code, Some(2), "{ended:?}");
            assert!(ended.stderr.contains("not the name of a dead letter"), "{ended:?}");
        }
        let ended = scene.deadletter(&[command, NOBODY]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
    }
    for (arguments, told) in [
        (&["resend"][..], "NAMES"),
        (&["resend", "--all", NOBODY], "--all"),
        (&["resend", NOBODY, "--reason", "malformed"], "not of the reason"),
        (&["list", "--reason", "lost"], "malformed, oversize and refused"),
    ] {
        let ended = scene.deadletter(arguments).await;
        assert!(ended.code.is_some_and(|code| code != 0), "{ended:?}");
        assert!(ended.stderr.contains(told), "`{told}` is not told: {ended:?}");
    }
}

/// A world with a message of one long value, collected by way of `destination`.
async fn with_long_value(bytes: usize, destination: DestinationApi) -> Scene {
    let world = World::new(&[1], None).await;
    let (hour, text) = (world.hours[0], "x".repeat(bytes));
    let event = format!(
        r#"{{"ts":"{hour}:30:00.000000+0000","guid":"long","filter":{{"long":"{text}"}}}}"#
    );
    world.add(&messages(), hour, &event);
    let settings = world.settings(destination);
    let scene = Scene { world, settings };
    scene.collect().await;
    scene
}

#[tokio::test]
async fn oversize_events_are_resent_only_on_request_and_whole() {
    let scene = with_long_value(70_000, DestinationApi::LogsIngestion).await;
    let name = scene.letter().await;
    assert!(name.starts_with("dead-letters/oversize/"), "{name}");
    let before = scene.delivered();
    assert_eq!(before.len(), 2, "its shortened row is there");

    for arguments in [&["resend", "--all"][..], &["resend", &name]] {
        let ended = scene.succeed(arguments).await;
        assert!(ended.stderr.contains("1 oversize left alone"), "{ended:?}");
        assert_eq!(ended.stdout, "There is no dead letter to send.\n");
    }
    let ended = scene.deadletter(&["resend", "--all", "--reason", "oversize"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("oversize again, kept"), "{ended:?}");
    assert_eq!(scene.letter().await, name);
    assert_eq!(scene.delivered(), before);
}

#[tokio::test]
async fn an_oversize_event_is_delivered_whole_where_the_row_fits_now() {
    let mut scene = with_long_value(40_000, DestinationApi::DataCollector).await;
    assert!(scene.letter().await.starts_with("dead-letters/oversize/"));
    scene.settings = scene.world.settings(DestinationApi::LogsIngestion);
    scene.succeed(&["resend", "--all", "--reason", "oversize"]).await;
    let rows = scene.world.simulation.workspace.rows("ProofpointPODMessage_CL");
    assert!(rows.len() == 1 && rows[0].contains(&"x".repeat(40_000)), "{}", rows.len());
    assert!(scene.letters().await.is_empty());
}

#[tokio::test]
async fn an_interrupt_or_an_owner_leaves_dead_letters_where_they_are() {
    let scene = Scene::new(8, |number| number < 6, &[]).await;
    let names = scene.letters().await;
    let lease = scene.world.state().await.lease(&messages()).await.unwrap();
    let ended = scene.deadletter(&["resend", "--all"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("another run works on this feed"), "{ended:?}");
    assert!(ended.stdout.contains("0 delivered, 0 not, 6 not tried"), "{ended:?}");
    assert_eq!(scene.letters().await, names);
    lease.release().await.unwrap();

    scene.refuse(Vec::new());
    let workspace = &scene.world.simulation.workspace;
    let before = workspace.counters().posts;
    let running = start(&["deadletter", "resend", "--all"], &scene.settings);
    crate::soon(workspace.wait_for(|all| all.posts > before)).await;
    running.signal("INT").await;
    let ended = running.end().await;
    let (letters, delivered) = (scene.letters().await.len(), scene.delivered().len());
    assert_eq!(letters + delivered, 8, "each row arrived or its event is kept: {ended:?}");

    scene.deadletter(&["resend", "--all"]).await;
    assert_eq!(scene.delivered(), sorted(scene.ids(|_| true)), "and none arrived twice");
}
