//! The console's pages, from samples of their views: no gateway, no ledger.
//!
//! - `samples`, `pages`: the data, and every page of it
//! - `golden`: each page as it is kept in `tests/fixtures/console/`, and what holds of every page
//! - `escaping`: words of others, whatever they are
//! - `browser`: the kept pages in Chromium: axe-core, and nothing wider than a phone

mod browser;
mod escaping;
mod golden;
mod pages;
mod samples;
