//! What every caller kind has: a page, a row of the README, cases. The console's people send no command, so its cases are stories
//! (`tests/story/console`).

use std::collections::BTreeSet;
use std::fs;

use local::repository;
use starrocks_offboard::callers;
use starrocks_offboard::callers::kind::Endpoint;
use support::kind::Kind;

use crate::text_of;

/// A kind without a page cannot be set up, and one without cases is not tested.
#[test]
fn every_kind_has_its_page_its_row_and_its_cases() {
    let readme = text_of("README.md");
    let tried: BTreeSet<String> = Kind::all().iter().filter(|kind| !kind.cases().is_empty()).map(Kind::kind).collect();
    let names: BTreeSet<String> = callers::shapes().iter().map(|shape| shape.name.to_owned()).collect();
    let of_commands = callers::KINDS.iter().filter(|kind| kind.endpoint() != Endpoint::Console);
    assert_eq!(tried, of_commands.map(|kind| kind.shape().name.to_owned()).collect());
    for name in &names {
        let page = fs::read_to_string(repository::root().join(format!("docs/callers/{name}.md"))).unwrap_or_default();
        assert!(page.contains(&format!("kind = \"{name}\"")), "docs/callers/{name}.md");
        assert!(page.contains("platforms.py send ") || page.contains("curl "), "docs/callers/{name}.md sends nothing");
        assert!(readme.contains(&format!("| [`{name}`](docs/callers/{name}.md)")), "README has no row for {name}");
    }
}
