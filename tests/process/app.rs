//! The app as it is deployed: host.json, the function and the program of this repository.

use std::path::Path;

use proofpoint_sentinel::host::{FEED_FUNCTION, FUNCTION, STATUS_FUNCTION};
use proofpoint_sentinel_simulator::host::{FunctionsHost, InvocationOutcome, TimerTrigger};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{PROGRAM, soon, temporary};

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// The queue of the functions' bindings.
const QUEUE: &str = "proofpoint-feeds";

/// The directory of an app.
pub(crate) struct App(TempDir);

impl App {
    /// The app as it is deployed.
    pub(crate) fn new() -> App {
        let (app, repository) = (temporary(), Path::new(REPOSITORY));
        std::fs::copy(repository.join("host.json"), app.path().join("host.json")).unwrap();
        for function in [FUNCTION, STATUS_FUNCTION] {
            std::fs::create_dir(app.path().join(function)).unwrap();
            let file = Path::new(function).join("function.json");
            std::fs::copy(repository.join(&file), app.path().join(&file)).unwrap();
        }
        App::with_program(app)
    }

    /// The app as it is deployed in queue mode, with another queue: tests share a queue service.
    pub(crate) fn with_queue(queue: &str) -> App {
        let app = App::new();
        let package = Path::new(REPOSITORY).join("queue");
        std::fs::copy(package.join("host.json"), app.host_json()).unwrap();
        std::fs::create_dir(app.0.path().join(FEED_FUNCTION)).unwrap();
        for function in [FUNCTION, FEED_FUNCTION] {
            let file = Path::new(function).join("function.json");
            let text = std::fs::read_to_string(package.join(&file)).unwrap();
            assert!(text.contains(QUEUE), "{text}");
            std::fs::write(app.0.path().join(&file), text.replace(QUEUE, queue)).unwrap();
        }
        app
    }

    fn with_program(app: TempDir) -> App {
        // A link, not a copy: a process that another test forks could hold a copy open for writing.
        std::fs::hard_link(PROGRAM, app.path().join("proofpoint-sentinel")).unwrap();
        App(app)
    }

    /// The app with another `functionTimeout`.
    pub(crate) fn with_timeout(limit: &str) -> App {
        App::new().with_host_json(|host_json| host_json["functionTimeout"] = json!(limit))
    }

    /// The same app with a change in its host.json.
    pub(crate) fn with_host_json(self, change: impl FnOnce(&mut Value)) -> App {
        let text = std::fs::read_to_string(self.host_json()).unwrap();
        let mut host_json: Value = serde_json::from_str(&text).unwrap();
        change(&mut host_json);
        std::fs::write(self.host_json(), host_json.to_string()).unwrap();
        self
    }

    pub(crate) fn host_json(&self) -> std::path::PathBuf {
        self.0.path().join("host.json")
    }

    /// A host that has started the program in this app.
    pub(crate) async fn host(
        &self,
        settings: impl IntoIterator<Item = (String, String)>,
    ) -> FunctionsHost {
        let schedule = ("ProofpointSchedule".to_owned(), "0 */5 * * * *".to_owned());
        let settings = settings.into_iter().chain([schedule]);
        soon(FunctionsHost::start(self.0.path(), settings)).await.unwrap()
    }
}

/// Fires the timer.
pub(crate) async fn fire(host: &FunctionsHost) -> InvocationOutcome {
    soon(host.fire(FUNCTION, &TimerTrigger::default())).await.unwrap()
}

/// Fires the timer, and asserts that the run succeeds. Returns the log lines of the run.
pub(crate) async fn succeed(host: &FunctionsHost) -> Vec<String> {
    match fire(host).await {
        InvocationOutcome::Success { logs, .. } => logs,
        other => panic!("{other:?}; the handler wrote {:#?}", host.lines()),
    }
}
