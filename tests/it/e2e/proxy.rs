//! Collections through an outgoing proxy.

use std::time::Duration;

use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel_core::feed::EventType;
use tokio::time::Instant;
use url::Url;

use crate::e2e::fixture::{Scene, SceneBuilder, failure, last_hour, messages};
use crate::e2e::row_assertions::assert_arrived;
use crate::support::proxy::ConnectProxy;

const USER: &str = "ann";
const PASSWORD: &str = "hunter2/@:";
const PASSWORD_ESCAPED: &str = "hunter2%2F%40%3A";

async fn proxy() -> ConnectProxy {
    ConnectProxy::start(USER, PASSWORD).await
}

/// A scene whose connections with TLS go through `proxy`, of which `setting` tells.
fn through(proxy: &ConnectProxy, setting: &str) -> SceneBuilder {
    let address = format!("http://{USER}:{PASSWORD_ESCAPED}@{}", proxy.address());
    Scene::of().set(setting, &address).set("NO_PROXY", "")
}

fn authority(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap(), url.port().unwrap())
}

/// Makes sure that the message names what it has to and not the password.
fn assert_tells(text: &str, what: &[&str]) {
    for what in what {
        assert!(text.contains(what), "`{what}` is not in: {text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn sessions_and_tokens_use_the_proxy_and_plain_http_does_not() {
    for setting in ["ProofpointProxy", "HTTPS_PROXY", "https_proxy"] {
        let proxy = proxy().await;
        let scene = through(&proxy, setting).start().await;
        let events = scene.give(&messages(), last_hour(), 20);
        scene.run_well().await;
        assert_arrived(&scene, EventType::Message, &events);
        let log_api = authority(&scene.simulation.pod.uri());
        let tokens = authority(&scene.simulation.identity.authority_host());
        assert_eq!(proxy.tunnels(), [(log_api, 1), (tokens, 1)].into(), "{setting}");
        assert_eq!(proxy.answers(), [(200, 2)].into(), "{setting}");
    }
}

#[tokio::test]
async fn our_own_setting_wins() {
    let proxy = proxy().await;
    let scene =
        through(&proxy, "ProofpointProxy").set("HTTPS_PROXY", "http://127.0.0.1:1").start().await;
    let events = scene.give(&messages(), last_hour(), 3);
    scene.run_well().await;
    assert_arrived(&scene, EventType::Message, &events);
    assert_eq!(proxy.tunnels().len(), 2);
}

#[tokio::test]
async fn no_proxy_leads_past_the_proxy() {
    let proxy = proxy().await;
    let scene = through(&proxy, "ProofpointProxy").set("NO_PROXY", "localhost").start().await;
    let events = scene.give(&messages(), last_hour(), 3);
    scene.run_well().await;
    assert_arrived(&scene, EventType::Message, &events);
    assert_eq!(proxy.answers(), [].into());
}

#[tokio::test]
async fn a_wrong_password_names_the_setting_and_is_not_retried() {
    let proxy = proxy().await;
    let wrong = format!("http://{USER}:hunter2@{}", proxy.address());
    let scene = through(&proxy, "ProofpointProxy").set("ProofpointProxy", &wrong);
    let scene = scene.without_connector_table().start().await;
    let text = failure(&scene.run().await, &messages());
    let name = format!("the proxy {} (ProofpointProxy)", proxy.address());
    assert_tells(&text, &[&name, "answered 407", "password"]);
    assert_eq!(proxy.answers(), [(407, 1)].into());
    assert_eq!(scene.next_hour(&messages()).await, last_hour(), "the hour is not done");
}

#[tokio::test]
async fn a_proxy_that_forbids_the_peer_is_told_and_not_tried_again() {
    let proxy = proxy().await;
    let scene = through(&proxy, "HTTPS_PROXY").without_connector_table().start().await;
    let events = scene.give(&messages(), last_hour(), 3);
    proxy.refuse_next(403);
    let text = failure(&scene.run().await, &messages());
    let log_api = authority(&scene.simulation.pod.uri());
    assert_tells(&text, &["(HTTPS_PROXY) answered 403", &log_api, "NO_PROXY"]);
    assert_eq!(proxy.answers(), [(403, 1)].into());

    scene.run_well().await;
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_proxy_that_can_not_reach_the_peer_yet_is_retried() {
    let proxy = proxy().await;
    let scene = through(&proxy, "ProofpointProxy").start().await;
    let events = scene.give(&messages(), last_hour(), 3);
    proxy.refuse_next(502);
    scene.run_well().await;
    assert_arrived(&scene, EventType::Message, &events);
    assert_eq!(proxy.answers(), [(200, 2), (502, 1)].into());
}

#[tokio::test]
async fn a_proxy_that_can_not_be_reached_is_told() {
    // Port 1 is nobody's.
    let scene =
        Scene::of().set("HTTPS_PROXY", "http://127.0.0.1:1").set("NO_PROXY", "").start().await;
    let reading_ends = Instant::now() + Duration::from_secs(2);
    let text = failure(&scene.run_as(Run { reading_ends, ..scene.a_run() }).await, &messages());
    let name = "the proxy 127.0.0.1:1 (HTTPS_PROXY) can't be reached";
    assert_tells(&text, &[name, "the next run tries again"]);
}
