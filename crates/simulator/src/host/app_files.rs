//! The files that the Functions host reads from an app's directory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::error::FunctionsHostError;

/// The part of an app's `host.json` that concerns the handler.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HostJson {
    function_timeout: Option<String>,
    custom_handler: CustomHandler,
    extension_bundle: Option<IgnoredAny>,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Debug, Default, Deserialize)]
struct Extensions {
    #[serde(default)]
    queues: QueueOptions,
}

/// How the host takes messages from queues; `extensions.queues` of host.json.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct QueueOptions {
    /// How many messages are taken at a time, and worked on side by side.
    pub batch_size: usize,
    /// The time span after which a message that failed can be seen again.
    visibility_timeout: String,
    /// A message that has failed so often is moved away.
    pub max_dequeue_count: u32,
}

impl Default for QueueOptions {
    fn default() -> QueueOptions {
        let visibility_timeout = "00:00:00".to_owned();
        QueueOptions { batch_size: 16, visibility_timeout, max_dequeue_count: 5 }
    }
}

impl QueueOptions {
    pub(super) fn visibility_timeout(&self) -> Duration {
        time_span(&self.visibility_timeout).unwrap_or_default()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CustomHandler {
    description: Description,
    initialization_timeout: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    default_executable_path: String,
    #[serde(default)]
    working_directory: String,
    #[serde(default)]
    arguments: Vec<String>,
    #[serde(default)]
    worker_arguments: Vec<String>,
}

/// The command that starts the handler.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StartCommand {
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub directory: PathBuf,
}

impl HostJson {
    pub(super) fn read(root: &Path) -> Result<HostJson, FunctionsHostError> {
        read_json(&root.join("host.json"))
    }

    /// The executable is a path relative to the app if that file exists, otherwise a command.
    /// Arguments are joined with spaces without quoting, so one that contains a space becomes two.
    pub(super) fn start_command(
        &self,
        root: &Path,
        environment: &HashMap<String, String>,
    ) -> StartCommand {
        let description = &self.custom_handler.description;
        let path = root.join(&description.default_executable_path);
        let program =
            if path.is_file() { path } else { PathBuf::from(&description.default_executable_path) };
        let line = [&description.arguments[..], &description.worker_arguments[..]]
            .concat()
            .iter()
            .map(|argument| expanded(argument, environment))
            .collect::<Vec<_>>()
            .join(" ");
        let arguments = line.split_whitespace().map(str::to_owned).collect();
        StartCommand { program, arguments, directory: root.join(&description.working_directory) }
    }

    /// How messages are taken from queues; `None` without the extension bundle, which knows queues.
    pub(super) fn queues(&self) -> Option<QueueOptions> {
        self.extension_bundle.as_ref().map(|_| self.extensions.queues.clone())
    }

    /// The time limit of an invocation. `None` means no limit.
    pub(super) fn function_timeout(&self) -> Option<Duration> {
        match self.function_timeout.as_deref() {
            Some("-1") => None,
            text => Some(text.and_then(time_span).unwrap_or(Duration::from_secs(30 * 60))),
        }
    }

    /// The time limit for the handler's first answer.
    pub(super) fn initialization_timeout(&self) -> Duration {
        let text = self.custom_handler.initialization_timeout.as_deref();
        text.and_then(time_span).unwrap_or(Duration::from_secs(30))
    }
}

/// A function's `function.json`.
#[derive(Debug, Deserialize)]
struct FunctionJson {
    bindings: Vec<Binding>,
}

#[derive(Debug, Deserialize)]
struct Binding {
    name: String,
    #[serde(rename = "type")]
    binding_type: String,
    schedule: Option<String>,
    #[serde(rename = "queueName")]
    queue_name: Option<String>,
}

/// The queues of the bindings of `function` that are of this type, by the bindings' names.
pub(super) fn queue_bindings(
    root: &Path,
    function: &str,
    binding_type: &str,
) -> Result<Vec<(String, String)>, FunctionsHostError> {
    let path = root.join(function).join("function.json");
    let read: FunctionJson = read_json(&path)?;
    let bindings = read.bindings.into_iter().filter(|it| it.binding_type == binding_type);
    let named = bindings.map(|binding| {
        let invalid = || FunctionsHostError::InvalidApp {
            path: path.clone(),
            reason: format!("the binding {} has no queueName", binding.name),
        };
        let queue = binding.queue_name.clone().ok_or_else(invalid)?;
        Ok((binding.name, queue))
    });
    named.collect()
}

/// The name of the timer binding of `function`. Its schedule must be present and resolvable.
pub(super) fn timer_binding(
    root: &Path,
    function: &str,
    environment: &HashMap<String, String>,
) -> Result<String, FunctionsHostError> {
    let path = root.join(function).join("function.json");
    let read: FunctionJson = read_json(&path)?;
    let invalid = |reason: &str| FunctionsHostError::InvalidApp {
        path: path.clone(),
        reason: reason.to_owned(),
    };
    let timer = read
        .bindings
        .into_iter()
        .find(|binding| binding.binding_type == "timerTrigger")
        .ok_or_else(|| invalid("it has no timerTrigger"))?;
    let schedule = timer.schedule.ok_or_else(|| invalid("the timer has no schedule"))?;
    let setting = schedule.strip_prefix('%').and_then(|rest| rest.strip_suffix('%'));
    if setting.is_some_and(|name| !environment.contains_key(name)) {
        return Err(invalid(&format!("the app setting of {schedule} is missing")));
    }
    Ok(timer.name)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, FunctionsHostError> {
    let invalid = |reason: String| FunctionsHostError::InvalidApp { path: path.to_owned(), reason };
    let text = std::fs::read(path).map_err(|error| invalid(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| invalid(error.to_string()))
}

/// Replaces each `%NAME%` with the value of the variable, or with nothing if it is not set.
fn expanded(argument: &str, environment: &HashMap<String, String>) -> String {
    argument
        .split('%')
        .enumerate()
        .map(|(at, part)| match at % 2 {
            0 => part,
            _ => environment.get(part).map_or("", String::as_str),
        })
        .collect()
}

/// A .NET `TimeSpan` of the form `[days.]hours:minutes:seconds`.
fn time_span(text: &str) -> Option<Duration> {
    let (days, clock) = text.split_once('.').unwrap_or(("0", text));
    let parts: Vec<u64> = clock.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts[..] else { return None };
    let days: u64 = days.parse().ok()?;
    Some(Duration::from_secs(((days * 24 + hours) * 60 + minutes) * 60 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> HashMap<String, String> {
        HashMap::from([("WHO".to_owned(), "a b".to_owned())])
    }

    #[test]
    fn time_spans() {
        assert_eq!(time_span("00:10:00"), Some(Duration::from_secs(600)));
        assert_eq!(time_span("1.02:03:04"), Some(Duration::from_secs(93_784)));
        assert_eq!(time_span("ten minutes"), None);
    }

    #[test]
    fn arguments_are_expanded_and_not_quoted() {
        let app = tempfile::tempdir().unwrap();
        let json = r#"{"customHandler": {"description": {"defaultExecutablePath": "handler",
            "arguments": ["serve", "--to=%WHO%", "%UNSET%"], "workerArguments": ["-v"]}}}"#;
        std::fs::write(app.path().join("host.json"), json).unwrap();
        let host = HostJson::read(app.path()).unwrap();
        let command = host.start_command(app.path(), &environment());
        assert_eq!(command.program, PathBuf::from("handler"), "a command");
        assert_eq!(command.arguments, ["serve", "--to=a", "b", "-v"]);
        std::fs::write(app.path().join("handler"), "").unwrap();
        let command = host.start_command(app.path(), &environment());
        assert_eq!(command.program, app.path().join("handler"), "a file");
        assert_eq!(host.function_timeout(), Some(Duration::from_secs(1800)));
        assert_eq!(host.initialization_timeout(), Duration::from_secs(30));
    }

    #[test]
    fn a_timer_needs_a_schedule() {
        let app = tempfile::tempdir().unwrap();
        std::fs::create_dir(app.path().join("Collect")).unwrap();
        let with = |schedule: &str| {
            let json = format!(
                r#"{{"bindings": [{{"name": "tick", "type": "timerTrigger", "direction": "in",
                    "schedule": "{schedule}"}}]}}"#
            );
            std::fs::write(app.path().join("Collect/function.json"), json).unwrap();
            timer_binding(app.path(), "Collect", &environment())
        };
        assert_eq!(with("0 */5 * * * *").unwrap(), "tick");
        assert_eq!(with("%WHO%").unwrap(), "tick");
        assert!(with("%UNSET%").is_err());
        assert!(timer_binding(app.path(), "collect", &environment()).is_err(), "case counts");
    }
}
