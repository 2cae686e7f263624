//! What is wrong with one cluster's settings or token concerns that cluster alone, in every run.

use proofpoint_sentinel::report::{FeedOutcome, RunReport};
use proofpoint_sentinel::settings::Settings;
use proofpoint_sentinel_core::feed::{EventType, Feed};

use crate::e2e::fixture::{Scene, assert_tells, last_hour};
use crate::e2e::row_assertions::assert_arrived;

const CLUSTERS: [&str; 20] = [
    "a_hosted", "b_hosted", "c_hosted", "d_hosted", "e_hosted", "f_hosted", "g_hosted", "h_hosted",
    "i_hosted", "j_hosted", "k_hosted", "l_hosted", "m_hosted", "n_hosted", "o_hosted", "p_hosted",
    "q_hosted", "r_hosted", "s_hosted", "t_hosted",
];

const REFERENCE: &str = "@Microsoft.KeyVault(VaultName=v;SecretName=pod)";

fn messages_of(cluster_id: &str) -> Feed {
    Feed::log(cluster_id, EventType::Message)
}

/// The message of the only failed feed, and its name.
fn only_failure(report: &RunReport) -> (&str, String) {
    let failed: Vec<_> = report
        .feeds
        .iter()
        .filter_map(|feed| match &feed.outcome {
            FeedOutcome::Failed { code, reason } => {
                Some((feed.feed.as_str(), format!("{code}: {reason}")))
            }
            _ => None,
        })
        .collect();
    let [failure] = &failed[..] else { panic!("one feed fails: {failed:?}") };
    failure.clone()
}

/// The setting of the cluster at `position`: `name` with the suffix that the simulation gives it.
fn setting(scene: &Scene, name: &str, cluster_id: &str) -> String {
    let (id_name, _) = scene
        .vars
        .iter()
        .find(|(name, value)| name.starts_with("ProofpointClusterID") && *value == cluster_id)
        .expect("the simulation's settings name the cluster");
    id_name.replace("ProofpointClusterID", name)
}

#[tokio::test]
async fn a_clusters_bad_setting_stops_no_other_cluster() {
    for (mode, count, bad) in [("archive", 2, 0), ("hybrid", 2, 1), ("archive", 20, 7)] {
        for (change, code, is_named) in [
            (None, "PPS1001", true),
            (Some(REFERENCE), "PPS1003", true),
            (Some("Bearer t0ken"), "PPS1002", true),
            (Some("\"t0ken\""), "PPS1002", true),
            (Some("refused"), "PPS2002", false),
        ] {
            let builder = Scene::of().clusters(&CLUSTERS[..count]).set("ProofpointMode", mode);
            let mut scene = builder.start().await;
            let bad = CLUSTERS[bad];
            let name = setting(&scene, "ProofpointToken", bad);
            let right = scene.vars.remove(&name).expect("it has a token");
            if let Some(value) = change {
                scene.vars.insert(name.clone(), value.to_owned());
            }
            let mut others = Vec::new();
            let mut kept = Vec::new();
            for run in 0..2 {
                for cluster in &CLUSTERS[..count] {
                    let events = scene.give(&messages_of(cluster), last_hour().plus(run), 3);
                    if *cluster == bad { kept.extend(events) } else { others.extend(events) }
                }
                let report = scene.run().await;
                assert_eq!(report.feeds.len(), count, "each feed has a report");
                let (feed, text) = only_failure(&report);
                assert_eq!(feed, messages_of(bad).to_string());
                assert_tells(&text, &[code, if is_named { &name } else { "ProofpointToken" }]);
                assert_arrived(&scene, EventType::Message, &others);
                let status = scene.open_state().await.read_status(&messages_of(bad)).await;
                let status = status.unwrap().expect("the status says it too");
                let status = std::str::from_utf8(&status).unwrap();
                assert_tells(status, &[code, "\"failed\""]);
                scene.advance(60);
            }
            scene.vars.insert(name, right);
            // What the cluster missed is older than a look-back of one hour by now.
            scene.vars.insert("ProofpointInitialLookbackHours".into(), "4".into());
            scene.run_well().await;
            assert_arrived(&scene, EventType::Message, &[others, kept].concat());
        }
    }
}

#[tokio::test]
async fn a_leftover_setting_of_a_cluster_is_told_by_its_name() {
    let mut scene = Scene::new().await;
    scene.vars.insert("ProofpointToken_old".into(), "t0ken".into());
    let events = scene.give(&messages_of("acme_hosted"), last_hour(), 3);
    let report = scene.run().await;
    let (feed, text) = only_failure(&report);
    assert_eq!(feed, "cluster old");
    assert_tells(&text, &["PPS1001", "ProofpointClusterID_old", "found nothing"]);
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_setting_that_all_clusters_share_stops_the_run() {
    let mut scene = Scene::of().clusters(&CLUSTERS[..2]).start().await;
    let token = setting(&scene, "ProofpointToken", CLUSTERS[1]);
    scene.vars.remove(&token);
    scene.vars.insert("ProofpointMode".into(), "sideways".into());
    let faults = Settings::read(&scene.vars).expect_err("the mode is none").faults;
    let named: Vec<_> = faults.iter().map(|fault| fault.setting.as_str()).collect();
    assert_eq!(named, ["ProofpointMode", token.as_str()], "the cluster's fault is named as well");
}
