//! Every code is used, and every warning and error of the log has one.

use proofpoint_sentinel::error_code::ALL;

use crate::support::repository::{read, text_files};

/// The source of the program, without its tests and the demo, which has no codes.
fn sources() -> Vec<(String, String)> {
    let files = text_files().into_iter().filter(|file| {
        let name = file.path.as_str();
        name.starts_with("src/")
            && name.ends_with(".rs")
            && !name.ends_with("tests.rs")
            && !name.starts_with("src/cli/demo")
    });
    files
        .map(|file| {
            let code = file.text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let code = code.to_owned();
            (file.path, code)
        })
        .collect()
}

#[test]
fn every_code_is_used() {
    let catalog = read("src/error_code/catalog.rs");
    let names = catalog.lines().filter_map(|line| line.trim().split_once(" = "));
    let is_number = |text: &str| text.trim_end_matches(';').parse::<u16>().is_ok();
    let names: Vec<&str> =
        names.filter(|(_, number)| is_number(number)).map(|(name, _)| name).collect();
    assert_eq!(names.len(), ALL.len());
    let sources = sources();
    let is_used = |name: &str| {
        let used = format!("error_code::{name}");
        sources.iter().any(|(_, text)| is_in(text, &used))
    };
    let unused: Vec<&&str> = names.iter().filter(|name| !is_used(name)).collect();
    assert!(unused.is_empty(), "no message has {unused:?}");
}

/// Whether the name is there as a whole.
fn is_in(text: &str, name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.match_indices(name)
        .any(|(at, _)| !text.as_bytes().get(at + name.len()).copied().is_some_and(is_part))
}

#[test]
fn every_warning_and_error_of_the_log_has_a_code() {
    let mut faults = Vec::new();
    let mut count = 0;
    for (path, text) in sources() {
        for start in ["tracing::warn!(", "tracing::error!("] {
            for (at, _) in text.match_indices(start) {
                count += 1;
                let arguments = &text[at + start.len()..];
                let fields = arguments.split('"').next().unwrap_or_default();
                if !is_in(fields, "code") {
                    faults.push(format!("{path}: {start}{fields}"));
                }
            }
        }
    }
    assert!(count > 10, "the log's macros are found");
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}
