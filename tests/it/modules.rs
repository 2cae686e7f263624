//! Modules depend on each other one way only: no two files of a crate need each other, no two
//! folders do, and the modules of the connector keep the order that ARCHITECTURE.md gives.
//!
//! A file depends on another where it names one of its items, outside of tests. Declaring a module
//! and passing its items on (`pub use`) is no dependency; who names an item that was passed on
//! depends on the file that has it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility};

use crate::support::repository::read;

/// Modules of a crate by their path in it, such as `["state", "blob"]`; the crate itself is `[]`.
type Modules = BTreeMap<Vec<String>, Module>;

#[derive(Default)]
struct Module {
    /// Paths that are named, as they are written, and those that are passed on.
    named: Vec<Vec<String>>,
    /// What an item that this module passes on is called elsewhere.
    passed_on: BTreeMap<String, Vec<String>>,
}

/// Which modules depend on which.
type Graph = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

const CRATES: [&str; 4] =
    ["src/lib.rs", "src/main.rs", "crates/core/src/lib.rs", "crates/simulator/src/lib.rs"];

#[test]
fn no_two_files_need_each_other() {
    let cycles: Vec<String> = CRATES
        .iter()
        .flat_map(|file| {
            cycles(&graph(file)).into_iter().map(move |cycle| format!("{file}: {cycle}"))
        })
        .collect();
    assert!(cycles.is_empty(), "\n{}\n", cycles.join("\n"));
}

#[test]
fn no_two_folders_need_each_other() {
    let mut faults = Vec::new();
    for file in CRATES {
        let graph = graph(file);
        let folders: BTreeSet<&[String]> = graph
            .keys()
            .filter_map(|module| module.split_last())
            .map(|(_, folder)| folder)
            .collect();
        for folder in folders {
            let within = siblings(&graph, folder);
            faults.extend(cycles(&within).into_iter().map(|cycle| format!("{file}: {cycle}")));
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn modules_keep_the_order_of_the_architecture() {
    let layers = layers(&read("ARCHITECTURE.md"));
    let layer =
        |name: &str| layers.iter().position(|layer| layer.iter().any(|other| other == name));
    let graph = siblings(&graph("src/lib.rs"), &[]);
    let mut faults = Vec::new();
    for (module, uses) in &graph {
        let Some(own) = layer(&module[0]) else {
            faults.push(format!("{} has no place in the order", module[0]));
            continue;
        };
        let upwards = uses.iter().filter(|used| layer(&used[0]).is_some_and(|other| other <= own));
        faults.extend(upwards.map(|used| format!("{} depends on {}", module[0], used[0])));
    }
    let there: BTreeSet<&String> = graph.keys().map(|module| &module[0]).collect();
    let gone = layers.iter().flatten().filter(|name| !there.contains(name));
    faults.extend(gone.map(|name| format!("ARCHITECTURE.md names {name}, which is not there")));
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// The modules of each layer, from the top down: the list under the heading of that name.
fn layers(page: &str) -> Vec<Vec<String>> {
    let (_, section) = page.split_once("\n## Module dependencies\n").expect("the section is there");
    let section = section.split("\n## ").next().expect("it has a beginning");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let names = |row: &str| row.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let layers: Vec<Vec<String>> =
        rows.map(|row| names(row.split('|').nth(1).expect("a row has cells"))).collect();
    assert!(!layers.is_empty(), "the section has a table of layers");
    layers
}

/// The graph of what lies in a folder, each with all below it taken for one.
fn siblings(graph: &Graph, folder: &[String]) -> Graph {
    let within = |module: &[String]| {
        let below = module.len() > folder.len() && module.starts_with(folder);
        below.then(|| module[..=folder.len()].to_vec())
    };
    let mut found = Graph::new();
    for (module, uses) in graph {
        let Some(own) = within(module) else { continue };
        let uses = uses.iter().filter_map(|used| within(used)).filter(|used| *used != own);
        let uses: Vec<Vec<String>> = uses.collect();
        found.entry(own).or_default().extend(uses);
    }
    found
}

/// Each set of modules that can all be reached from each other, written out.
fn cycles(graph: &Graph) -> Vec<String> {
    let reach: BTreeMap<&Vec<String>, BTreeSet<&Vec<String>>> =
        graph.keys().map(|module| (module, reachable(graph, module))).collect();
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for module in graph.keys().filter(|module| reach[module].contains(module)) {
        if told.contains(module) {
            continue;
        }
        let circle: Vec<&Vec<String>> =
            reach[module].iter().copied().filter(|other| reach[*other].contains(module)).collect();
        told.extend(circle.iter().copied());
        let names: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
        found.push(names.join(" <-> "));
    }
    found
}

fn reachable<'a>(graph: &'a Graph, from: &Vec<String>) -> BTreeSet<&'a Vec<String>> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Vec<String>> = graph[from].iter().collect();
    while let Some(module) = open.pop() {
        if found.insert(module) {
            open.extend(&graph[module]);
        }
    }
    found
}

/// What depends on what in the crate that begins at `file`.
fn graph(file: &str) -> Graph {
    let mut modules = Modules::new();
    let folder = Path::new(file).parent().expect("it lies in a folder").to_str().expect("UTF-8");
    collect(file, folder, Vec::new(), &mut modules);
    let depends = |own: &Vec<String>, module: &Module| {
        let named = module.named.iter().filter_map(|path| resolve(&modules, own, path, 0));
        named.filter(|used| used != own).collect()
    };
    modules.iter().map(|(own, module)| (own.clone(), depends(own, module))).collect()
}

/// Reads a module's file, and those of its modules, which lie in `folder`.
fn collect(file: &str, folder: &str, path: Vec<String>, modules: &mut Modules) {
    let source = read(file);
    let parsed = syn::parse_file(&source).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut found = Module::default();
    Names { module: &mut found }.visit_file(&parsed);
    for item in &parsed.items {
        match item {
            Item::Mod(module) if module.content.is_none() && !is_for_tests(&module.attrs) => {
                let name = module.ident.to_string();
                let below = format!("{folder}/{name}");
                let path = path.iter().cloned().chain([name]).collect();
                collect(&format!("{below}.rs"), &below, path, modules);
            }
            _ => {}
        }
    }
    modules.insert(path, found);
}

/// The module that has the item at `path`, named in the module `own`; `None` where it is no item of
/// this crate.
fn resolve(
    modules: &Modules,
    own: &[String],
    path: &[String],
    depth: usize,
) -> Option<Vec<String>> {
    if depth > 8 {
        return None;
    }
    let (mut at, mut rest) = match path.first()?.as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "self" => (own.to_vec(), &path[1..]),
        "super" => (own[..own.len().checked_sub(1)?].to_vec(), &path[1..]),
        first => {
            let child: Vec<String> = own.iter().cloned().chain([first.to_owned()]).collect();
            if path.len() < 2 || !modules.contains_key(&child) {
                return None;
            }
            (child, &path[1..])
        }
    };
    while let Some(name) = rest.first() {
        if name == "super" {
            at.pop()?;
            rest = &rest[1..];
            continue;
        }
        let below: Vec<String> = at.iter().cloned().chain([name.clone()]).collect();
        if !modules.contains_key(&below) {
            break;
        }
        at = below;
        rest = &rest[1..];
    }
    let passed_on = rest.first().and_then(|name| modules.get(&at)?.passed_on.get(name));
    match passed_on {
        Some(source) => resolve(modules, &at, source, depth + 1).or(Some(at)),
        None => Some(at),
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let list = attribute.path().is_ident("cfg").then(|| attribute.meta.require_list().ok());
        list.flatten().is_some_and(|list| {
            let condition = list.tokens.to_string();
            condition == "test" || condition.contains("(test") || condition.contains("fuzzing")
        })
    })
}

/// Gathers the paths that a file names.
struct Names<'a> {
    module: &'a mut Module,
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_for_tests(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if is_for_tests(&item.attrs) {
            return;
        }
        let is_private = matches!(item.vis, Visibility::Inherited);
        for (path, name) in paths(&item.tree, &[]) {
            if is_private {
                self.module.named.push(path);
            } else {
                self.module.passed_on.insert(name, path);
            }
        }
    }

    /// Who may see an item is no dependency.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path.segments.iter().map(|segment| segment.ident.to_string());
        let names: Vec<String> = names.collect();
        if names.len() > 1 {
            self.module.named.push(names);
        }
        visit::visit_path(self, path);
    }
}

/// The paths in a `use`, each with the name by which it is known afterwards.
fn paths(tree: &UseTree, before: &[String]) -> Vec<(Vec<String>, String)> {
    let with = |name: String| before.iter().cloned().chain([name]).collect::<Vec<String>>();
    match tree {
        UseTree::Path(path) => paths(&path.tree, &with(path.ident.to_string())),
        UseTree::Name(name) if name.ident == "self" => {
            vec![(before.to_vec(), before.last().cloned().unwrap_or_default())]
        }
        UseTree::Name(name) => vec![(with(name.ident.to_string()), name.ident.to_string())],
        UseTree::Rename(rename) => {
            vec![(with(rename.ident.to_string()), rename.rename.to_string())]
        }
        UseTree::Glob(_) => vec![(before.to_vec(), "*".to_owned())],
        UseTree::Group(group) => group.items.iter().flat_map(|tree| paths(tree, before)).collect(),
    }
}
