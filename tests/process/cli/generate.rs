//! `completions` and `man`.

use crate::cli::program::run;

#[tokio::test]
async fn each_shell_gets_completions_of_all_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = run(&["completions", shell], &[]).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{shell}");
        for word in ["collect", "deadletter", "resend", "check", "support"] {
            assert!(ended.stdout.contains(word), "{word} of {shell}");
        }
    }
    assert_eq!(run(&["completions", "cmd"], &[]).await.code, Some(2));
}

#[tokio::test]
async fn the_program_and_its_commands_have_manual_pages() {
    for (arguments, told) in [
        (&["man"][..], ".TH proofpoint-sentinel 1"),
        (&["man", "collect"], "\\-\\-from"),
        (&["man", "deadletter"], "resend"),
    ] {
        let ended = run(arguments, &[]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.contains(told), "{told}: {ended:?}");
    }
    let ended = run(&["man", "nothing"], &[]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("there is no such command"), "{ended:?}");
}
