//! What is refused, and how.

use super::*;

const WINDOW: &str = "PT30M/2026-11-20T11:00:00Z";

#[tokio::test]
async fn the_credential_is_checked() {
    let test = TapTest::new().await;
    let right = test.request("/v2/siem/all", HOUR).basic_auth(PRINCIPAL, Some(SECRET));
    assert_eq!(right.send().await.unwrap().status(), 200);
    for wrong in [
        test.request("/v2/siem/all", HOUR),
        test.request("/v2/siem/all", HOUR).basic_auth(PRINCIPAL, Some("another")),
        test.request("/v2/siem/all", HOUR).basic_auth("another", Some(SECRET)),
        test.request("/v2/siem/all", HOUR).bearer_auth(SECRET),
        test.request("/v2/siem/all", HOUR).header("authorization", "Basic %%%"),
    ] {
        assert_eq!(wrong.send().await.unwrap().status(), 401);
    }
    assert_eq!(test.tap.calls_used(PRINCIPAL, CallPool::Shared), 1);
}

#[tokio::test]
async fn an_account_needs_the_api() {
    let disabled = |settings: TapSettings| TapSettings {
        credentials: vec![TapCredential {
            enabled: false,
            ..TapCredential::new(PRINCIPAL, SECRET)
        }],
        ..settings
    };
    let test = TapTest::with(disabled).await;
    assert_eq!(test.answer("/v2/siem/all", HOUR).await.0, 403);
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let test = TapTest::new().await;
    for path in ["/", "/v1/siem/all", "/v2/siem", "/v2/siem/all/", "/v2/siem/clicks"] {
        assert_eq!(test.answer(path, HOUR).await.0, 404, "{path}");
    }
    let url = format!("{}v2/siem/all?{HOUR}", test.tap.uri());
    let post = test.client.http.post(url).basic_auth(PRINCIPAL, Some(SECRET));
    assert_eq!(post.send().await.unwrap().status(), 405);
    assert_eq!(test.tap.counters().statuses[&404], 5);
}

#[tokio::test]
async fn each_400_has_the_text_of_the_real_api() {
    let test = TapTest::new().await;
    for (query, text) in [
        (
            "interval=2026-11-20T10:00:00Z/2026-11-20T10:00:29Z",
            "The requested interval is too short. Requests must be for at least 30.00s of data",
        ),
        (
            "interval=2026-11-13T11:59:59Z/PT30M",
            "The requested start time is too far into the past. \
             Requests for information up to 7.00d are accepted",
        ),
        ("interval=PT30M/2026-11-20T12:00:00Z", "The requested interval is still current."),
        ("interval=2026-11-20T11:00:00Z/2026-11-20T10:00:00Z", ""),
        (
            "sinceTime=2026-11-20T10:59:59Z",
            "The sinceTime parameter gives a time too far into the past",
        ),
    ] {
        assert_eq!(test.answer("/v2/siem/all", query).await, (400, text.to_owned()), "{query}");
    }
    assert_eq!(test.tap.counters().all_calls(), 0);
}

#[tokio::test]
async fn without_json_the_answer_is_syslog() {
    let test = TapTest::new().await;
    let query = format!("interval={WINDOW}");
    assert_eq!(test.answer("/v2/siem/all", &query).await, (204, String::new()));
    test.add(TapKind::ClicksPermitted, "c", "10:40:00");
    let (status, lines) = test.answer("/v2/siem/all", &query).await;
    assert_eq!(status, 200);
    let line = "<38>1 2026-11-20T10:40:00Z - ProofpointTAP - CLKPER [tapclk@21139 id=\"c\"]\n";
    assert_eq!(lines, line);
}

#[tokio::test]
async fn requests_are_remembered_with_their_windows() {
    let test = TapTest::new().await;
    test.call("/v2/siem/issues", HOUR).await;
    test.call("/v2/siem/all", "sinceSeconds=5").await;
    let calls = test.tap.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(
        calls[0],
        TapCall {
            at: at("12:00:00"),
            principal: PRINCIPAL.to_owned(),
            endpoint: Endpoint::Issues,
            query: HOUR.to_owned(),
            window: Some(at("10:00:00")..at("11:00:00")),
            status: Some(200),
        }
    );
    assert_eq!((calls[1].window.clone(), calls[1].status), (None, Some(400)));
}
