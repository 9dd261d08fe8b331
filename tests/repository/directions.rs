//! Which file of `src/` may import which: `docs/architecture.md` draws the layers, and this holds the files to them.
//!
//! What counts as an import: every path of a `use`, and every path in the code that begins with `crate`, `super`, `self` or a
//! module that the file declares. A path is resolved to the file of its last module. `mod` declares a child and is no import;
//! unit tests at the end of a file may import what they like.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources;

/// The layers. A module may import from its own layer and from those below it, except that modules of [`SIBLINGS`] do not know each
/// other beside [`BETWEEN_SIBLINGS`].
const RANKS: [(u8, &[&str]); 7] = [
    (9, &["shell"]),
    (8, &["flow"]),
    (7, &["operations"]),
    (6, &["app", "jwks_cache", "provider_cache"]),
    (5, SIBLINGS),
    // Pages of plain data: below everything that fills them, so that they see neither policy nor the ledger.
    (4, &["console"]),
    (3, &["request", "reply", "outcome", "config", "outbound"]),
];
const LOWEST: (u8, &[&str]) = (1, &["host", "secret", "crypto", "diagnostic"]);

const SIBLINGS: &[&str] = &["callers", "policy", "ledger", "taurusdb", "notify"];

/// Importing module, and what it may import of a sibling.
const BETWEEN_SIBLINGS: [(&str, &str); 3] =
    [("ledger", "src/policy/"), ("taurusdb", "src/policy/permit.rs"), ("notify", "src/callers/chat/")];

/// Words that a module may not name at all.
const NEVER_NAMED: [(&str, &str); 2] = [("policy", "http"), ("console", "http")];

/// An import, by the names of both files.
type Import = (String, String);

#[test]
fn every_import_goes_down() {
    let sources = Sources::read();
    let mut wrong = BTreeSet::new();
    for (from, to) in sources.imports() {
        if let Err(rule) = direction(module(&from), module(&to), &to) {
            wrong.insert(format!("{from} imports {to}: {rule}"));
        }
    }
    for (file, code) in &sources.files {
        for (of, word) in NEVER_NAMED {
            if module(file) == of && paths(code, &[word]).into_iter().any(|path| path[0] == word) {
                wrong.insert(format!("{file} names {word}: `{of}` never does"));
            }
        }
    }
    let list: String = wrong.iter().map(|wrong| format!("{wrong}\n")).collect();
    assert!(wrong.is_empty(), "{} imports go in the wrong direction:\n{list}", wrong.len());
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let imports = Sources::read().imports();
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        imports.iter().map(|(from, _)| (from.as_str(), reached(&imports, from))).collect();
    let mut knots: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
    for (file, others) in &reached {
        let knot: Vec<&str> =
            others.iter().copied().filter(|other| reached.get(other).is_some_and(|back| back.contains(file))).collect();
        let Some(circle) = circle(&imports, file) else { continue };
        let shortest = knots.entry(knot).or_insert_with(|| circle.clone());
        if circle.len() < shortest.len() {
            *shortest = circle;
        }
    }
    let list: String = knots
        .iter()
        .map(|(knot, circle)| {
            let circle = circle.join(" imports ");
            format!(
                "{} files import each other in circles: {}\n  the shortest: {circle}\n",
                knot.len(),
                knot.join(", ")
            )
        })
        .collect();
    assert!(
        knots.is_empty(),
        "files may not import each other in a circle, a mod.rs and its children neither:\n{list}"
    );
}

#[test]
fn only_shell_names_spin_s_sdk() {
    let naming = |word: &str| -> Vec<String> {
        let files = sources::below("src").into_iter().filter(|(_, text)| text.contains(word));
        files.map(|(file, _)| file).collect()
    };
    for word in ["spin_sdk", "wasip2", "wasip3"] {
        let files = naming(word);
        assert!(files.iter().all(|file| file.starts_with("src/shell/")), "{word}: {files:?}");
    }
    assert_eq!(
        naming("spin_sdk"),
        [
            "src/shell/batch.rs",
            "src/shell/mod.rs",
            "src/shell/pause.rs",
            "src/shell/postgres.rs",
            "src/shell/sqlite.rs",
            "src/shell/wire.rs"
        ]
    );
}

/// `flow` of `src/flow/mod.rs`.
fn module(file: &str) -> &str {
    let name = file.trim_start_matches("src/").trim_end_matches(".rs");
    name.split('/').next().unwrap_or_default()
}

fn rank(module: &str) -> Option<u8> {
    RANKS.into_iter().chain([LOWEST]).find(|(_, modules)| modules.contains(&module)).map(|(rank, _)| rank)
}

/// Whether a file of the module `from` may import the file `file` of the module `to`; else, the rule that forbids it.
fn direction(from: &str, to: &str, file: &str) -> Result<(), String> {
    if from == to || from == "lib" || to == "lib" {
        return Ok(());
    }
    let (Some(above), Some(below)) = (rank(from), rank(to)) else {
        return Err(format!("`{from}` or `{to}` has no layer; give it one in {}", file!()));
    };
    if below > above {
        return Err(format!("`{from}` (layer {above}) is below `{to}` (layer {below})"));
    }
    let siblings = SIBLINGS.contains(&from) && SIBLINGS.contains(&to);
    if siblings && !BETWEEN_SIBLINGS.iter().any(|(of, known)| *of == from && file.starts_with(known)) {
        let known =
            BETWEEN_SIBLINGS.iter().find(|(of, _)| *of == from).map_or("none of its siblings", |(_, known)| known);
        return Err(format!("`{from}` and `{to}` are siblings; `{from}` knows {known}"));
    }
    Ok(())
}

fn imported<'i>(imports: &'i BTreeSet<Import>, file: &str) -> impl Iterator<Item = &'i str> {
    // They are in the order of the importing files.
    let of_file = imports.range((file.to_owned(), String::new())..);
    of_file.take_while(move |(from, _)| from == file).map(|(_, to)| to.as_str())
}

/// Every file that this one imports, itself or through others.
fn reached<'i>(imports: &'i BTreeSet<Import>, file: &str) -> BTreeSet<&'i str> {
    let mut reached = BTreeSet::new();
    let mut left: Vec<&str> = imported(imports, file).collect();
    while let Some(next) = left.pop() {
        if reached.insert(next) {
            left.extend(imported(imports, next));
        }
    }
    reached
}

/// The shortest circle through this file; the file is its first and its last one.
fn circle<'i>(imports: &'i BTreeSet<Import>, file: &'i str) -> Option<Vec<&'i str>> {
    let mut ways = vec![vec![file]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in imported(imports, way.last()?) {
                if next == file {
                    return Some([way.as_slice(), &[next]].concat());
                }
                if seen.insert(next) {
                    longer.push([way.as_slice(), &[next]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

/// The code of every file of `src/`.
struct Sources {
    files: BTreeMap<String, String>,
}

impl Sources {
    fn read() -> Self {
        let files = sources::below("src").into_iter().map(|(file, text)| (file, sources::code_of(&text)));
        Self { files: files.collect() }
    }

    fn imports(&self) -> BTreeSet<Import> {
        let mut imports = BTreeSet::new();
        for (file, code) in &self.files {
            let children = children(code);
            for path in paths(code, &children.iter().map(String::as_str).collect::<Vec<_>>()) {
                let to = self.resolve(file, &path, &children);
                if let Some(to) = to.filter(|to| to != file) {
                    imports.insert((file.clone(), to));
                }
            }
        }
        imports
    }

    /// The file of the last module of a path in this file; `None` for a path into another crate.
    fn resolve(&self, file: &str, path: &[String], children: &[String]) -> Option<String> {
        let mut at = Vec::new();
        let mut segments = path.iter().map(String::as_str).peekable();
        match segments.peek().copied()? {
            "crate" => drop(segments.next()),
            "self" => {
                segments.next();
                at = module_path(file);
            }
            "super" => {
                at = module_path(file);
                while segments.next_if_eq(&"super").is_some() {
                    at.pop();
                }
            }
            first if children.iter().any(|child| child == first) => at = module_path(file),
            _ => return None,
        }
        for segment in segments {
            at.push(segment.to_owned());
            if self.file_of(&at).is_none() {
                at.pop();
                break;
            }
        }
        self.file_of(&at)
    }

    fn file_of(&self, module: &[String]) -> Option<String> {
        let name = module.join("/");
        let names = if module.is_empty() {
            vec!["src/lib.rs".to_owned()]
        } else {
            vec![format!("src/{name}.rs"), format!("src/{name}/mod.rs")]
        };
        names.into_iter().find(|name| self.files.contains_key(name))
    }
}

/// `flow`, `parse` of `src/flow/parse.rs`; `flow` of `src/flow/mod.rs`; nothing of `src/lib.rs`.
fn module_path(file: &str) -> Vec<String> {
    let name = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    if name == "lib" { Vec::new() } else { name.split('/').map(str::to_owned).collect() }
}

/// The modules that this code declares in files of their own.
fn children(code: &str) -> Vec<String> {
    let declared = |line: &str| -> Option<String> {
        let declaration = line.trim().strip_suffix(';')?;
        let (visibility, name) = declaration.rsplit_once("mod ")?;
        let is_declaration = visibility.is_empty() || visibility.starts_with("pub");
        is_declaration.then(|| name.to_owned())
    };
    code.lines().filter_map(declared).collect()
}

/// Every path of a `use` in this code, and every path that begins with `crate`, `super`, `self` or one of `roots`.
fn paths(code: &str, roots: &[&str]) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    while let Some(start) = code[at..].find(is_word).map(|found| at + found) {
        let end = code[start..].find(|c| !is_word(c)).map_or(code.len(), |found| start + found);
        let word = &code[start..end];
        let is_first = !code[..start].ends_with("::");
        at = end;
        if word == "use" {
            let end = code[end..].find(';').map_or(code.len(), |found| end + found);
            expand(code[at..end].trim(), &[], &mut paths);
            at = end;
        } else if is_first
            && code[end..].starts_with("::")
            && (["crate", "super", "self"].contains(&word) || roots.contains(&word))
        {
            let is_path = |c: char| is_word(c) || c == ':';
            let end = code[start..].find(|c| !is_path(c)).map_or(code.len(), |found| start + found);
            paths.push(code[start..end].split("::").map(str::to_owned).collect());
            at = end;
        }
    }
    paths
}

/// The paths of a tree such as `a::{b, c::{d, self}, e as f}`.
fn expand(tree: &str, before: &[String], paths: &mut Vec<Vec<String>>) {
    let (path, group) = match tree.find('{') {
        Some(open) => (&tree[..open], tree[open + 1..].trim_end().strip_suffix('}')),
        None => (tree.split(" as ").next().unwrap_or_default(), None),
    };
    let segments = path.split("::").map(str::trim).filter(|segment| !segment.is_empty());
    let path: Vec<String> = before.iter().cloned().chain(segments.map(str::to_owned)).collect();
    let Some(group) = group else {
        paths.push(path);
        return;
    };
    let (mut depth, mut from) = (0_usize, 0);
    for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = group[from..at].trim();
                from = (at + 1).min(group.len());
                if !part.is_empty() {
                    expand(part, &path, paths);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(paths: Vec<Vec<String>>) -> Vec<String> {
        paths.into_iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn every_way_to_write_an_import_is_read() {
        let code = "pub(crate) use crate::a::{b, c::{self, D}, e as f};\nmod kid;\nfn g(x: super::H) { kid::i(); std::j(); k::l() }";
        let expected = ["crate::a::b", "crate::a::c::self", "crate::a::c::D", "crate::a::e", "super::H", "kid::i"];
        assert_eq!(joined(paths(code, &["kid"])), expected);
        assert_eq!(children(code), ["kid"]);
    }

    #[test]
    fn a_path_leads_to_the_file_of_its_last_module() {
        let files = ["src/lib.rs", "src/a/mod.rs", "src/a/b.rs", "src/c.rs"];
        let sources = Sources { files: files.map(|file| (file.to_owned(), String::new())).into() };
        let resolve = |file: &str, path: &str| {
            let path: Vec<String> = path.split("::").map(str::to_owned).collect();
            sources.resolve(file, &path, &["b".to_owned()])
        };
        for (file, path, to) in [
            ("src/c.rs", "crate::a::b::C::d", Some("src/a/b.rs")),
            ("src/c.rs", "crate::a::C", Some("src/a/mod.rs")),
            ("src/a/b.rs", "super::C", Some("src/a/mod.rs")),
            ("src/a/mod.rs", "b::C", Some("src/a/b.rs")),
            ("src/a/b.rs", "super::super::c", Some("src/c.rs")),
            ("src/c.rs", "crate::VERSION", Some("src/lib.rs")),
            ("src/c.rs", "http::Method", None),
        ] {
            assert_eq!(resolve(file, path).as_deref(), to, "{file} {path}");
        }
    }

    #[test]
    fn the_shortest_circle_is_found() {
        let imports = [("a", "b"), ("b", "c"), ("c", "a"), ("b", "a"), ("c", "d")];
        let imports = imports.map(|(from, to)| (from.to_owned(), to.to_owned())).into();
        assert_eq!(circle(&imports, "a"), Some(vec!["a", "b", "a"]));
        assert_eq!(circle(&imports, "c"), Some(vec!["c", "a", "b", "c"]));
        assert_eq!(circle(&imports, "d"), None);
        assert_eq!(reached(&imports, "c"), BTreeSet::from(["a", "b", "c", "d"]));
    }

    #[test]
    fn directions_are_what_the_layers_say() {
        for (from, to, file, fine) in [
            ("flow", "ledger", "src/ledger/row.rs", true),
            ("ledger", "flow", "src/flow/mod.rs", false),
            ("ledger", "policy", "src/policy/permit.rs", true),
            ("taurusdb", "policy", "src/policy/permit.rs", true),
            ("taurusdb", "policy", "src/policy/decide.rs", false),
            ("policy", "ledger", "src/ledger/row.rs", false),
            ("notify", "callers", "src/callers/chat/message.rs", true),
            ("notify", "callers", "src/callers/proof.rs", false),
            ("callers", "notify", "src/notify/mod.rs", false),
            ("callers", "taurusdb", "src/taurusdb/mod.rs", false),
            ("operations", "console", "src/console/view.rs", true),
            ("console", "outcome", "src/outcome/state.rs", true),
            ("console", "ledger", "src/ledger/row.rs", false),
            ("console", "policy", "src/policy/explain.rs", false),
            ("request", "config", "src/config/mod.rs", true),
            ("host", "request", "src/request/mod.rs", false),
            ("flow", "new", "src/new.rs", false),
        ] {
            assert_eq!(direction(from, to, file).is_ok(), fine, "{from} {to}");
        }
    }
}
