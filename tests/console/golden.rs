//! Every page, in both languages, as it is kept in `tests/fixtures/console/`. A change of one is meant, or is a mistake; `BLESS=1`
//! writes the files anew.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use local::repository;
use starrocks_offboard::console::pages::removals::{self, Removals};
use starrocks_offboard::console::stylesheet::{self, STYLESHEET};
use starrocks_offboard::outcome::language::Language;

use crate::pages::{all, rows};
use crate::samples::Samples;

/// The most bytes of a page that is compressed.
const LARGEST: usize = 60 * 1024;

const LANGUAGES: [Language; 2] = [Language::English, Language::Chinese];

pub(crate) fn folder() -> PathBuf {
    repository::root().join("tests/fixtures/console")
}

/// Every page, by the name of its file. The stylesheet is without its hash, so that a change of it alone is none of the pages.
fn every_page() -> Vec<(String, String)> {
    let pages = LANGUAGES.into_iter().flat_map(|language| {
        let samples = Samples { language, text: &str::to_owned };
        all(&samples).into_iter().map(move |(name, page)| {
            assert_eq!(page.matches(&stylesheet::path()).count(), 1, "{name}");
            let page = page.replace(&stylesheet::path(), "/console/console.css");
            (format!("{name}.{}.html", language.as_str()), page)
        })
    });
    pages.collect()
}

#[test]
fn every_page_is_as_it_is_kept() {
    let pages = every_page();
    for (name, page) in &pages {
        let file = folder().join(name);
        if std::env::var_os("BLESS").is_some() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&file, page).unwrap();
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert!(kept == *page, "{} differs; if that is meant: BLESS=1 cargo test --test console", file.display());
    }
    let known: BTreeSet<_> = pages.into_iter().map(|(name, _)| name).collect();
    let kept = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let kept: BTreeSet<_> = kept.collect();
    assert_eq!(kept, known, "files that no page has");
}

/// What the content security policy of the console would not run is not there to begin with.
#[test]
fn no_page_has_what_the_security_policy_forbids() {
    for (name, page) in every_page() {
        let page = page.to_lowercase();
        for never in ["<script", "<style", " style=", "javascript:", "data:", "<iframe", "<base", "http-equiv", "//"] {
            let found = page.find(never).map(|at| page[at.saturating_sub(40)..].chars().take(80).collect::<String>());
            // Two slashes are in no address: every one of them is on this host.
            assert_eq!(found, None, "{name}: {never}");
        }
        let handlers = page.match_indices(" on").filter(|(at, _)| {
            let name: String = page[at + 3..].chars().take_while(char::is_ascii_alphanumeric).collect();
            page[at + 3 + name.len()..].starts_with("=\"")
        });
        assert_eq!(handlers.count(), 0, "{name}");
    }
}

#[test]
fn every_id_is_there_once_and_every_reference_leads_somewhere() {
    for (name, page) in every_page() {
        let values = |attribute: &str| -> Vec<String> {
            let start = format!(" {attribute}=\"");
            let parts = page.split(&start).skip(1);
            parts.filter_map(|part| Some(part.split_once('"')?.0.to_owned())).collect()
        };
        let ids = values("id");
        let unique: BTreeSet<_> = ids.iter().map(String::as_str).collect();
        assert_eq!(unique.len(), ids.len(), "{name}: an id is there twice: {ids:?}");
        let attributes = ["aria-labelledby", "aria-describedby", "for", "form"];
        let references = attributes.iter().flat_map(|attribute| values(attribute));
        let references: Vec<_> =
            references.flat_map(|ids| ids.split(' ').map(str::to_owned).collect::<Vec<_>>()).collect();
        let local = values("href").into_iter().filter_map(|href| Some(href.strip_prefix('#')?.to_owned()));
        for reference in references.into_iter().chain(local) {
            assert!(unique.contains(reference.as_str()), "{name}: nothing has the id {reference}");
        }
        assert_eq!(page.matches("<h1").count(), 1, "{name}");
    }
}

/// Every class of a page is one of the stylesheet, or is one that tests and readers look for.
#[test]
fn every_class_is_styled() {
    let bare = ["stack", "more", "page", "digest", "rules", "find", "pager", "list"];
    for (name, page) in every_page() {
        for classes in page.split(" class=\"").skip(1).filter_map(|part| Some(part.split_once('"')?.0)) {
            for class in classes.split(' ') {
                let is_known = STYLESHEET.contains(&format!(".{class}")) || bare.contains(&class);
                assert!(is_known, "{name}: {class}");
            }
        }
    }
}

#[test]
fn every_page_is_small() {
    let samples = Samples { language: Language::Chinese, text: &str::to_owned };
    let rows = rows(&samples).into_iter().cycle().take(500).enumerate().map(|(nth, mut row)| {
        row.id = format!("{:032x}", nth.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        row
    });
    let largest = Removals { rows: rows.collect(), ..Removals::default() };
    let largest = ("500 rows".to_owned(), removals::page(&samples.frame(None), &largest));
    for (name, page) in every_page().into_iter().chain([largest]) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all((page + STYLESHEET).as_bytes()).unwrap();
        let size = encoder.finish().unwrap().len();
        assert!(size <= LARGEST, "{name}: {size} bytes with the stylesheet");
    }
}
