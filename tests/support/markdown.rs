//! As much of Markdown as checking a document's links and tables takes.

use std::collections::{BTreeMap, BTreeSet};

/// Targets of links and images: inline, by reference definition, or in HTML attributes.
pub(crate) fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in prose(text) {
        let line: String = line.split('`').step_by(2).collect();
        links.extend(line.split("](").skip(1).map(inline_target));
        for attribute in ["href=\"", "src=\"", "srcset=\""] {
            let values = line.split(attribute).skip(1);
            links.extend(values.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
        if let Some((label, target)) = line.trim_start().split_once("]: ")
            && label.starts_with('[')
            && !label.starts_with("[^")
        {
            links.extend(target.split_whitespace().next().map(str::to_owned));
        }
    }
    links
}

/// What can stand after `#` in a link to this text: its headings as GitHub names them, and ids.
pub(crate) fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for line in prose(text) {
        if let Some(heading) = heading(line) {
            let slug = slug(heading);
            let count = seen.entry(slug.clone()).or_default();
            anchors.insert(if *count == 0 { slug } else { format!("{slug}-{count}") });
            *count += 1;
        }
        for attribute in [" id=\"", " name=\""] {
            let values = line.split(attribute).skip(1);
            anchors.extend(values.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
    anchors
}

/// The code spans in the first column of each table whose first header is `header`, in any case.
pub(crate) fn code_in_first_column(text: &str, header: &str) -> Vec<String> {
    rows(text, header).iter().flat_map(|cells| code(cells[0])).collect()
}

/// The cells of each row of each table whose first header is `header`, in any case.
pub(crate) fn rows<'a>(text: &'a str, header: &str) -> Vec<Vec<&'a str>> {
    let mut rows = Vec::new();
    let mut in_table = false;
    for line in prose(text) {
        let Some(row) = line.trim().strip_prefix('|') else {
            in_table = false;
            continue;
        };
        let cells: Vec<&str> = row.trim_end_matches('|').split('|').map(str::trim).collect();
        if !in_table {
            in_table = cells[0].eq_ignore_ascii_case(header);
        } else if !cells.iter().all(|cell| cell.trim_matches([':', '-']).is_empty()) {
            rows.push(cells);
        }
    }
    rows
}

/// The code spans in a line.
pub(crate) fn code(line: &str) -> impl Iterator<Item = String> {
    line.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// Lines that are not in a fenced block of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fence: Option<&str> = None;
    text.lines().filter(move |line| {
        let line = line.trim_start();
        match (fence, fence_of(line)) {
            (None, None) => true,
            (None, opening) => {
                fence = opening;
                false
            }
            (Some(open), _) => {
                if line.starts_with(open) {
                    fence = None;
                }
                false
            }
        }
    })
}

/// The run of three or more backticks or tildes that a line begins with.
fn fence_of(line: &str) -> Option<&str> {
    let mark = line.chars().next().filter(|mark| ['`', '~'].contains(mark))?;
    let fence = &line[..line.len() - line.trim_start_matches(mark).len()];
    (fence.len() >= 3).then_some(fence)
}

/// What follows `](`, up to the parenthesis that closes it or the title.
fn inline_target(rest: &str) -> String {
    let mut depth = 0;
    let target = rest.chars().take_while(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth >= 0 && !c.is_whitespace()
    });
    target.filter(|c| !['<', '>'].contains(c)).collect()
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| text.trim().trim_end_matches('#'))
}

/// The anchor that GitHub gives a heading.
pub(crate) fn slug(heading: &str) -> String {
    let mut shown = String::new();
    let mut rest = heading;
    while let Some((before, after)) = rest.split_once("](") {
        shown.push_str(before);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    shown.push_str(rest);
    let slug = shown.trim().chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c => c.is_alphanumeric().then_some(c),
    });
    slug.collect::<String>().to_lowercase()
}

#[test]
fn links_are_found_where_markdown_shows_them() {
    let text = "\
[a](one.md) and ![b](two.png \"title\") and [`c`](<three.md>)\n\
`[no](code.md)` [d](four_(x).md#part)\n\
<img src=\"five.png\"> <a href=\"six.md\">e</a>\n\
[f]: seven.md\n\
[^g]: a footnote\n\
````text\n```\n[no](fenced.md)\n````\n\
[h](eight.md)";
    let expected = [
        "one.md",
        "two.png",
        "three.md",
        "four_(x).md#part",
        "six.md",
        "five.png",
        "seven.md",
        "eight.md",
    ];
    assert_eq!(links(text), expected);
}

#[test]
fn anchors_are_named_as_github_names_them() {
    let text =
        "# A [b](c.md)-D: `E_f` (é)!\n## Twice\n## Twice\n```\n# no\n```\n<a id=\"x\"></a>\n#no";
    let expected = ["a-b-d-e_f-é", "twice", "twice-1", "x"].map(str::to_owned);
    assert_eq!(anchors(text), BTreeSet::from(expected));
}

#[test]
fn code_is_taken_from_the_first_column_of_the_right_tables() {
    let text = "\
| Setting | meaning |\n|---|---|\n| `A`, `B` | `not this` |\n| `C` | |\n\n\
| other | |\n|---|---|\n| `not this` | |";
    assert_eq!(code_in_first_column(text, "setting"), ["A", "B", "C"]);
    assert_eq!(rows(text, "setting"), [["`A`, `B`", "`not this`"], ["`C`", ""]]);
}
