//! `explain`, and codes as a user meets them.

use serde_json::Value;

use crate::cli::program::run;

/// What the command prints with `--json`.
async fn explained(arguments: &[&str]) -> Value {
    let told = run(&[&["explain", "--json"], arguments].concat(), &[]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(told.stderr, "");
    serde_json::from_str(&told.stdout).expect("one JSON document and nothing else")
}

#[tokio::test]
async fn explain_prints_the_entry_of_a_code() {
    let told = run(&["explain", "pps4003"], &[]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stdout.starts_with("PPS4003: "), "{}", told.stdout);
    for part in ["Cause. ", "Remedy. ", "Heals by itself. "] {
        assert!(told.stdout.contains(&format!("\n{part}")), "{}", told.stdout);
    }
    assert!(!told.stdout.contains("**"), "{}", told.stdout);
}

#[tokio::test]
async fn explain_without_a_code_lists_all() {
    let told = run(&["explain"], &[]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stdout.lines().count() > 50, "{}", told.stdout);
    assert!(told.stdout.lines().all(|line| line.starts_with("PPS")), "{}", told.stdout);
}

#[tokio::test]
async fn explain_of_an_unknown_code_fails() {
    for code in ["PPS0000", "PPS12345", "X", ""] {
        for arguments in [&["explain", code][..], &["explain", code, "--json"]] {
            let told = run(arguments, &[]).await;
            assert_eq!(told.code, Some(1), "{told:?}");
            assert!(told.stderr.contains("there is no code"), "{}", told.stderr);
            assert_eq!(told.stdout, "", "a script must not take it for an entry");
        }
    }
}

#[tokio::test]
async fn explain_as_json_has_the_texts_of_the_entry() {
    let entry = explained(&["pps1003"]).await;
    let names: Vec<&str> =
        entry.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(names, ["cause", "code", "heals", "remedy", "title"]);
    assert_eq!(entry["code"], "PPS1003");

    // The same texts as without --json, where lines end and each part has its label.
    let told = run(&["explain", "PPS1003"], &[]).await;
    let text = |name: &str| entry[name].as_str().expect("a text");
    let expected = format!(
        "PPS1003: {} Cause. {} Remedy. {} Heals by itself. {}",
        text("title"),
        text("cause"),
        text("remedy"),
        text("heals"),
    );
    assert_eq!(told.stdout.split_whitespace().collect::<Vec<_>>().join(" "), expected);
    assert!(told.stdout.lines().count() > 7, "it has line breaks: {}", told.stdout);
}

#[tokio::test]
async fn explain_as_json_without_a_code_has_all_entries() {
    let all = explained(&[]).await;
    let all = all.as_array().expect("an array");
    let listed = run(&["explain"], &[]).await.stdout;
    assert_eq!(all.len(), listed.lines().count());
    for (entry, line) in all.iter().zip(listed.lines()) {
        let code = entry["code"].as_str().expect("a code");
        assert_eq!(format!("{code}  {}", entry["title"].as_str().expect("a title")), line);
        assert_eq!(*entry, explained(&[code]).await);
    }
}

#[tokio::test]
async fn bad_settings_are_told_one_a_line() {
    let bad = [
        ("ProofpointClusterID", "acme_hosted"),
        ("ProofpointMode", "fast"),
        ("ProofpointToken", "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/token)"),
        ("StateStorage", "file:///tmp/state"),
        ("WorkspaceID", "01234567-89ab-cdef-0123-456789abcdef"),
    ];
    let bad = bad.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let hours = ["--from", "2026-11-20T00", "--to", "2026-11-20T01"];
    let told = run(&[&["collect", "--type", "message"], &hours[..]].concat(), &bad).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    let mut lines = told.stderr.lines().skip_while(|line| !line.starts_with("error: "));
    assert_eq!(
        lines.next(),
        Some("error: PPS1000: 3 Function App settings can't be used:"),
        "{}",
        told.stderr
    );
    let rest: Vec<&str> = lines.collect();
    let beginnings = [
        "PPS1003 ProofpointToken: found a Key Vault reference that was not resolved, expected ",
        "PPS1002 ProofpointMode: found `fast`, expected hybrid or archive. Set it under ",
        "PPS1001 WorkspaceKey: found nothing, expected ",
    ];
    assert_eq!(rest.len(), beginnings.len(), "{}", told.stderr);
    for beginning in beginnings {
        assert!(rest.iter().any(|line| line.starts_with(beginning)), "{beginning}: {rest:#?}");
    }
}
