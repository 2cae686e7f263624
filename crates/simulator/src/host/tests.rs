use std::future::Future;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

/// The variable with the role of the handler process. That process is this test binary, told to run [`runs_as_the_handler`] only.
const ROLE: &str = "SIMULATED_HANDLER";

const FUNCTIONS: [&str; 6] = ["Echo", "Empty", "Null", "Text", "Broken", "Slow"];

struct TestApp {
    directory: TempDir,
    role: &'static str,
}

impl TestApp {
    fn new(role: &'static str, host_json: Value) -> TestApp {
        let directory = tempfile::tempdir().unwrap();
        let mut host_json = host_json;
        host_json["customHandler"]["description"] = json!({
            "defaultExecutablePath": std::env::current_exe().unwrap(),
            "arguments": [
                "--exact", "host::tests::runs_as_the_handler",
                "--include-ignored", "--nocapture", "--quiet",
            ],
        });
        let host_json = host_json.to_string();
        std::fs::write(directory.path().join("host.json"), host_json).unwrap();
        for function in FUNCTIONS {
            let directory = directory.path().join(function);
            std::fs::create_dir(&directory).unwrap();
            let timer = json!({"name": "tick", "type": "timerTrigger", "direction": "in",
                "schedule": "%SCHEDULE%"});
            let function_json = json!({"bindings": [timer]}).to_string();
            std::fs::write(directory.join("function.json"), function_json).unwrap();
        }
        TestApp { directory, role }
    }

    async fn host(&self) -> Result<FunctionsHost, FunctionsHostError> {
        let settings = [(ROLE, self.role), ("SCHEDULE", "0 */5 * * * *"), ("GREETING", "hello")];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        soon(FunctionsHost::start(self.directory.path(), settings)).await
    }
}

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it happens in time")
}

async fn good_host() -> (TestApp, FunctionsHost) {
    let app = TestApp::new("good", json!({}));
    let host = app.host().await.unwrap();
    (app, host)
}

/// Not a test, but the handler process of the others. It does nothing without a role.
#[tokio::test]
#[ignore = "runs as the handler process of the other tests"]
async fn runs_as_the_handler() {
    match std::env::var(ROLE).as_deref() {
        Ok("good") => serve().await,
        Ok("dying") => {
            eprintln!("no storage account");
            std::process::exit(3);
        }
        Ok("silent") => std::future::pending().await,
        _ => {}
    }
}

async fn serve() {
    let port: u16 = std::env::var("FUNCTIONS_CUSTOMHANDLER_PORT").unwrap().parse().unwrap();
    let reply = |status: u16, content_type: &'static str, body: &'static str| {
        post(move || async move {
            Response::builder()
                .status(StatusCode::from_u16(status).unwrap())
                .header("content-type", content_type)
                .body(Body::from(body))
                .unwrap()
        })
    };
    let router = Router::new()
        .route("/", get(|| async { StatusCode::NOT_FOUND }))
        .route("/Echo", post(echo))
        .route("/Empty", reply(200, "application/json", ""))
        .route("/Null", reply(200, "application/json", "null"))
        .route("/Text", reply(200, "text/plain", "done"))
        .route("/Broken", reply(500, "application/json", "{\"Logs\":[]}"))
        .route("/Slow", post(std::future::pending::<StatusCode>));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    println!("{} at your service", std::env::var("GREETING").unwrap());
    eprintln!("warning: this is a test");
    axum::serve(listener, router).await.unwrap();
}

/// Returns the headers and the body of its request.
async fn echo(request: Request) -> axum::Json<Value> {
    let headers: Value = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let body = axum::body::to_bytes(request.into_body(), 100_000).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    axum::Json(json!({"Logs": ["echoed"], "ReturnValue": {"headers": headers, "body": body}}))
}

#[tokio::test]
async fn an_invocation_looks_like_one_of_the_real_host() {
    let (_app, host) = good_host().await;
    assert!(host.ready_after() > Duration::ZERO);
    let last = "2026-11-20T11:55:00.25Z".parse().ok();
    let next = "2026-11-20T12:00:00Z".parse().unwrap();
    let tick = TimerTrigger { status: Some(ScheduleStatus { last, next }), is_past_due: true };
    let outcome = soon(host.fire("Echo", &tick)).await.unwrap();
    let InvocationOutcome::Success { logs, return_value, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(logs, ["echoed"]);
    let (headers, body) = (&return_value["headers"], &return_value["body"]);
    assert_eq!(headers["transfer-encoding"], "chunked");
    assert!(headers.get("content-length").is_none());
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(headers["user-agent"], format!("Azure-Functions-Host/{VERSION}"));
    assert!(headers["x-azure-functions-invocationid"].as_str().is_some_and(|id| id.len() == 36));
    assert_eq!(
        body["Data"]["tick"],
        json!({
            "Schedule": {"AdjustForDST": true},
            "ScheduleStatus": {
                "Last": "2026-11-20T11:55:00.25+00:00",
                "Next": "2026-11-20T12:00:00+00:00",
                "LastUpdated": "2026-11-20T11:55:00.25+00:00",
            },
            "IsPastDue": true,
        })
    );
    assert_eq!(body["Metadata"]["sys"]["MethodName"], "Echo");

    let outcome = soon(host.fire("Echo", &TimerTrigger::default())).await.unwrap();
    let InvocationOutcome::Success { return_value, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(return_value["body"]["Data"]["tick"]["ScheduleStatus"], Value::Null);
}

#[tokio::test]
async fn replies_are_classified_as_by_the_real_host() {
    let (_app, host) = good_host().await;
    let fire = async |function| soon(host.fire(function, &TimerTrigger::default())).await;
    assert_eq!(fire("Empty").await.unwrap(), InvocationOutcome::WouldHang);
    assert_eq!(fire("Null").await.unwrap(), InvocationOutcome::WouldHang);
    assert!(matches!(fire("Text").await.unwrap(), InvocationOutcome::BadReply(_)));
    assert!(matches!(fire("Broken").await.unwrap(), InvocationOutcome::Failed { status: 500, .. }));
    assert!(
        matches!(fire("Other").await, Err(FunctionsHostError::InvalidApp { .. })),
        "no such function"
    );
}

#[tokio::test]
async fn output_is_kept_line_by_line() {
    let (_app, host) = good_host().await;
    let line = |stream, text: &str| OutputLine { stream, text: text.to_owned() };
    let greeting = line(OutputStream::Stdout, "hello at your service");
    soon(host.wait_for_line(|line| *line == greeting)).await;
    let warning = line(OutputStream::Stderr, "warning: this is a test");
    soon(host.wait_for_line(|line| *line == warning)).await;
}

#[tokio::test]
async fn the_handler_can_be_killed_and_terminated() {
    use std::os::unix::process::ExitStatusExt;
    let (_app, host) = good_host().await;
    assert_eq!(soon(host.kill()).await.signal(), Some(9));
    let outcome = soon(host.fire("Echo", &TimerTrigger::default())).await.unwrap();
    assert!(matches!(outcome, InvocationOutcome::Unreachable(_)), "{outcome:?}");

    let (_app, host) = good_host().await;
    assert_eq!(soon(host.terminate()).await.unwrap().signal(), Some(15));
}

#[tokio::test]
async fn an_invocation_that_takes_too_long_kills_the_handler() {
    use std::os::unix::process::ExitStatusExt;
    let app = TestApp::new("good", json!({"functionTimeout": "00:00:01"}));
    let host = app.host().await.unwrap();
    assert_eq!(
        soon(host.fire("Slow", &TimerTrigger::default())).await.unwrap(),
        InvocationOutcome::TimedOut
    );
    assert_eq!(soon(host.ended()).await.signal(), Some(9));
}

#[tokio::test]
async fn a_handler_that_does_not_become_ready_is_an_error() {
    let dying = TestApp::new("dying", json!({})).host().await.err().unwrap();
    let FunctionsHostError::HandlerEnded { status, .. } = &dying else { panic!("{dying}") };
    assert_eq!(status.code(), Some(3));

    let impatient = json!({"customHandler": {"initializationTimeout": "00:00:01"}});
    let silent = TestApp::new("silent", impatient).host().await.err().unwrap();
    assert!(matches!(silent, FunctionsHostError::NotReady(_)), "{silent}");

    let nothing = tempfile::tempdir().unwrap();
    let missing = soon(FunctionsHost::start(nothing.path(), [])).await.err().unwrap();
    assert!(matches!(missing, FunctionsHostError::InvalidApp { .. }), "{missing}");
}
