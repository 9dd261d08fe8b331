//! Every input of `corpus/` and `regressions/`, through its target: no libFuzzer needed.

use std::fs;
use std::path::{Path, PathBuf};

use fuzz::TARGETS;

fn inputs(folder: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(target);
    let Ok(files) = fs::read_dir(&folder) else { return Vec::new() };
    let mut files: Vec<_> = files.map(|entry| entry.expect("it is there").path()).collect();
    files.sort();
    files
}

fn run(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("it is a target");
    let corpus = inputs("corpus", name);
    assert!(!corpus.is_empty(), "the corpus of {name} is empty; fuzz/README.md says how it is made");
    for path in corpus.into_iter().chain(inputs("regressions", name)) {
        // The last one to be seen is the one that failed.
        println!("{}", path.display());
        target(&fs::read(&path).expect("it can be read"));
    }
}

macro_rules! targets {
    ($($name:ident: $test:ident),*) => {
        $(#[test]
        fn $test() {
            run(stringify!($name));
        })*

        #[test]
        fn every_target_has_a_test() {
            let mut tested = [$(stringify!($name)),*];
            tested.sort_unstable();
            assert_eq!(tested.to_vec(), TARGETS.map(|(name, _)| name).to_vec());
        }
    };
}

targets! {
    caller: no_request_of_any_kind_breaks_anything,
    chat: nothing_that_people_type_is_read_otherwise_than_the_grammar_says,
    config: no_configuration_breaks_the_check,
    filter: no_filter_or_path_is_read_otherwise_than_it_is_written,
    iam: nothing_that_iam_or_an_issuer_says_breaks_anything,
    search: no_search_shows_what_it_does_not_ask_for,
    signature: no_signature_covers_two_requests,
    story: no_story_breaks_an_invariant,
    strict: the_strict_readers_read_what_is_there,
    token: no_token_proves_more_than_it_says,
    upstream: nothing_that_taurusdb_says_breaks_anything
}
