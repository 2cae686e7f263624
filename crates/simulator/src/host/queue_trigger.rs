//! Functions that messages of a storage queue start, and messages that functions send: the rules of the
//! real host's extension for queues.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::app_files::{self, HostJson, QueueOptions};
use super::request_ids::guid;
use super::storage_queue::{QueueMessage, QueueService, StorageQueue};
use super::{FunctionsHost, FunctionsHostError, InvocationOutcome};

/// How long a message that is being worked on is hidden, whatever host.json says. It is hidden anew
/// each time that half of it has passed.
const HIDDEN: Duration = Duration::from_secs(600);

/// A message that a function was started for.
#[derive(Clone, Debug)]
pub struct WorkedMessage {
    /// The message.
    pub message: QueueMessage,
    /// What became of the invocation.
    pub outcome: InvocationOutcome,
}

impl FunctionsHost {
    /// Takes a batch of messages from the queue that starts `function`, and works on them side by side.
    /// A message is deleted after a success; otherwise it can be seen again after the time-out of
    /// host.json, or, after the last try, goes to the queue for poison. If the handler is killed, so is
    /// the host: its messages stay hidden.
    ///
    /// # Errors
    /// If the app has no such function, or the queue service fails.
    pub async fn work_on_batch(
        &self,
        function: &str,
    ) -> Result<Vec<WorkedMessage>, FunctionsHostError> {
        let (queues, options) = self.queue_extension(function)?;
        let bindings = app_files::queue_bindings(&self.root, function, "queueTrigger")?;
        let Some((binding, queue_name)) = bindings.into_iter().next() else {
            return Err(self.invalid(function, "it has no queueTrigger"));
        };
        let queue = queues.queue(&queue_name);
        let poison = queues.queue(&format!("{queue_name}-poison"));
        let messages = queue.take(options.batch_size, HIDDEN).await?;
        let work = messages
            .into_iter()
            .map(|message| self.work_on(function, &binding, message, &queue, &poison, &options));
        join_all(work).await.into_iter().collect()
    }

    async fn work_on(
        &self,
        function: &str,
        binding: &str,
        mut message: QueueMessage,
        queue: &StorageQueue,
        poison: &StorageQueue,
        options: &QueueOptions,
    ) -> Result<WorkedMessage, FunctionsHostError> {
        let body = envelope(function, binding, &message).to_string();
        let outcome = {
            let mut invocation = std::pin::pin!(self.invoke_in_time(function, body));
            loop {
                tokio::select! {
                    outcome = &mut invocation => break outcome,
                    () = sleep(HIDDEN / 2) => queue.hide(&mut message, HIDDEN).await?,
                }
            }
        };
        match &outcome {
            InvocationOutcome::Success { .. } => queue.delete(&message).await?,
            // The process is gone, and so is the host.
            InvocationOutcome::Unreachable(_) => {}
            _ if message.dequeue_count >= options.max_dequeue_count => {
                poison.create().await?;
                poison.send(&message.text).await?;
                queue.delete(&message).await?;
            }
            _ => queue.hide(&mut message, options.visibility_timeout()).await?,
        }
        Ok(WorkedMessage { message, outcome })
    }

    /// Sends what a successful invocation of `function` puts into queues.
    pub(super) async fn send_outputs(
        &self,
        function: &str,
        outcome: &InvocationOutcome,
    ) -> Result<(), FunctionsHostError> {
        let InvocationOutcome::Success { outputs, .. } = outcome else { return Ok(()) };
        for (binding, queue) in app_files::queue_bindings(&self.root, function, "queue")? {
            let Some(value) = outputs.get(&binding) else { continue };
            let (queues, _) = self.queue_extension(function)?;
            let queue = queues.queue(&queue);
            queue.create().await?;
            for text in
                messages(value).ok_or_else(|| FunctionsHostError::Output(binding.clone()))?
            {
                queue.send(&text).await?;
            }
        }
        Ok(())
    }

    /// The queue service and how it is used. The host knows queues only by its extension bundle.
    fn queue_extension(
        &self,
        function: &str,
    ) -> Result<(&QueueService, QueueOptions), FunctionsHostError> {
        let options = HostJson::read(&self.root)?.queues();
        let options = options.ok_or_else(|| self.invalid(function, "no extension knows queues"))?;
        let queues = self.queues.as_ref();
        Ok((queues.ok_or_else(|| self.invalid(function, "there is no queue service"))?, options))
    }

    fn invalid(&self, function: &str, reason: &str) -> FunctionsHostError {
        let path = self.root.join(function).join("function.json");
        FunctionsHostError::InvalidApp { path, reason: reason.to_owned() }
    }
}

/// The texts of the messages that an output gives. The real host takes other values too, and changes
/// some of them: it decodes a text that looks like base64, and splits one that is a list.
fn messages(output: &Value) -> Option<Vec<String>> {
    let objects = output.as_array()?.iter().map(|item| {
        let object = item.as_object()?;
        Some(serde_json::to_string_pretty(object).expect("its keys are texts"))
    });
    objects.collect()
}

/// The body of the invocation of `function`, whose trigger is called `binding`.
fn envelope(function: &str, binding: &str, message: &QueueMessage) -> Value {
    let mut metadata = Map::from_iter([
        ("DequeueCount".to_owned(), Value::from(message.dequeue_count.to_string())),
        ("ExpirationTime".to_owned(), time(&message.expires)),
        ("Id".to_owned(), twice(&message.id)),
        ("InsertionTime".to_owned(), time(&message.inserted)),
        ("NextVisibleTime".to_owned(), time(&message.next_visible)),
        ("PopReceipt".to_owned(), twice(&message.pop_receipt)),
    ]);
    metadata.insert(
        "sys".to_owned(),
        json!({
            "MethodName": function,
            "UtcNow": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.7fZ").to_string(),
            "RandGuid": guid(),
        }),
    );
    // Members of a message that is an object stand beside what describes it, or in its place.
    let object = serde_json::from_str::<Map<String, Value>>(&message.text).unwrap_or_default();
    for (name, value) in object {
        let value = match value {
            Value::Null | Value::Array(_) => continue,
            Value::String(text) => twice(&text),
            other => twice(&other.to_string()),
        };
        let taken = metadata.keys().find(|it| it.eq_ignore_ascii_case(&name)).cloned();
        metadata.insert(taken.unwrap_or(name), value);
    }
    json!({"Data": {binding: twice(&message.text)}, "Metadata": metadata})
}

/// JSON text as a JSON text.
fn twice(text: &str) -> Value {
    Value::from(Value::from(text).to_string())
}

/// A time of the queue service as the host writes it.
fn time(rfc_2822: &str) -> Value {
    let time = jiff::fmt::rfc2822::parse(rfc_2822);
    let text = time.map(|time| {
        time.with_time_zone(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
    });
    text.map_or_else(|_| Value::from(rfc_2822), Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> QueueMessage {
        QueueMessage {
            id: "05131e17".to_owned(),
            text: text.to_owned(),
            dequeue_count: 1,
            pop_receipt: "MjZO".to_owned(),
            inserted: "Thu, 26 Nov 2026 01:22:45 GMT".to_owned(),
            expires: "Thu, 03 Dec 2026 01:22:45 GMT".to_owned(),
            next_visible: "Thu, 26 Nov 2026 01:32:45 GMT".to_owned(),
        }
    }

    /// As the real host was seen to send it, without what differs in each request.
    #[test]
    fn an_envelope_is_what_the_real_host_sends() {
        let text = "{\n  \"feed\": \"default-message\",\n  \"n\": 1\n}";
        let mut body = envelope("Work", "item", &message(text));
        body["Metadata"].as_object_mut().unwrap().remove("sys");
        let expected = json!({
            "Data": {"item": "\"{\\n  \\\"feed\\\": \\\"default-message\\\",\\n  \\\"n\\\": 1\\n}\""},
            "Metadata": {
                "DequeueCount": "1", "ExpirationTime": "2026-12-03T01:22:45+00:00",
                "Id": "\"05131e17\"", "InsertionTime": "2026-11-26T01:22:45+00:00",
                "NextVisibleTime": "2026-11-26T01:32:45+00:00", "PopReceipt": "\"MjZO\"",
                "feed": "\"default-message\"", "n": "\"1\"",
            },
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn members_of_a_message_take_the_place_of_its_own() {
        let body = envelope("Work", "item", &message(r#"{"ID":"mine","none":null,"list":[]}"#));
        assert_eq!(body["Metadata"]["Id"], "\"mine\"");
        assert_eq!(body["Metadata"].get("none"), None);
        assert_eq!(body["Metadata"].get("list"), None);
    }

    #[test]
    fn only_lists_of_objects_are_sent_as_they_are() {
        let sent = messages(&json!([{"feed": "a"}, {}])).unwrap();
        assert_eq!(sent, ["{\n  \"feed\": \"a\"\n}", "{}"]);
        for other in [json!("aGVsbG8="), json!(["x"]), json!({"feed": "a"}), Value::Null] {
            assert_eq!(messages(&other), None, "{other}");
        }
    }
}
