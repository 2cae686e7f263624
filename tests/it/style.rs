//! House rules that no lint knows.

use crate::support::repository::text_files;

/// A name that is longer does not state one behaviour.
const LONGEST_NAME: usize = 60;

/// A file that is longer has more than one idea.
const LONGEST_FILE: usize = 450;

#[test]
fn names_of_functions_are_short() {
    let mut faults = Vec::new();
    for file in text_files().iter().filter(|file| file.path.ends_with(".rs")) {
        for name in file.text.split("fn ").skip(1).filter_map(|rest| rest.split('(').next()) {
            let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if is_name && name.len() > LONGEST_NAME {
                faults.push(format!("{}: {name}", file.path));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn files_have_one_idea() {
    let files = text_files();
    let sources = files.iter().filter(|file| {
        // The cases of queries are data.
        !file.path.starts_with("tests/sentinel/")
            && [".rs", ".mjs", ".js", ".py"].iter().any(|kind| file.path.ends_with(kind))
    });
    let too_long: Vec<String> = sources
        .map(|file| (file.text.lines().count(), &file.path))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    assert!(too_long.is_empty(), "\n{}\n", too_long.join("\n"));
}
