//! TaurusDB's account list, which shows the effect of a removal whose answer is missing or unclear:
//! `GET /v3/{project_id}/instances/{instance_id}/starrocks/users?limit=1..100&offset=…&user_name=…` →
//! `{"user_details":[{"user_name",…}],"total_count"}` (seen in the SDKs and the Terraform provider).
//!
//! The API page does not say whether the `user_name` filter is exact, so names are compared here, page by page. An account
//! counts as gone only if one reading has seen `total_count` different accounts and `total_count` did not change meanwhile.
//!
//! This file reads pages and sends nothing.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::host::Answered;

/// The number of accounts on a page, the largest that the API allows.
pub(super) const PAGE: usize = 100;

/// The largest page that is read, in bytes: room for a hundred accounts with their databases and rights.
pub(super) const ANSWER_LIMIT: usize = 1024 * 1024;

/// How often the list is read at most, because it may change during a reading.
pub(super) const READINGS: usize = 3;

/// One reading of the list, page after page.
#[derive(Debug, Default)]
pub(super) struct Reading {
    seen: BTreeSet<String>,
    entries: usize,
    total: Option<usize>,
}

/// The result of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// The account is on this page.
    Found,
    /// The account is not on the pages so far. The next page starts at this offset.
    More(usize),
    /// This was the last page, and the account is on none of them.
    Done,
    /// The list changed during the reading.
    Changed,
    /// The answer is not a page as the API documents it.
    Unreadable,
}

#[derive(Deserialize)]
struct List {
    user_details: Vec<User>,
    total_count: usize,
}

#[derive(Deserialize)]
struct User {
    user_name: String,
}

impl List {
    /// Reads a page; `None` if the answer is none as the API documents it.
    fn read(answer: &Answered) -> Option<Self> {
        let is_page = answer.status() == http::StatusCode::OK;
        is_page.then(|| serde_json::from_slice(answer.body().as_deref().unwrap_or_default()).ok()).flatten()
    }
}

/// Whether a body is a page as the API documents it.
pub(super) fn is_page(body: &[u8]) -> bool {
    serde_json::from_slice::<List>(body).is_ok()
}

impl Reading {
    /// Adds the next page and returns its result for `user_name`.
    pub(super) fn page(&mut self, user_name: &str, answer: &Answered) -> Page {
        match List::read(answer) {
            None => Page::Unreadable,
            Some(list) if list.user_details.iter().any(|user| user.user_name == user_name) => Page::Found,
            Some(list) => self.add(list),
        }
    }

    /// Adds the next page of a reading that looks for no account in particular.
    pub(super) fn page_of_all(&mut self, answer: &Answered) -> Page {
        List::read(answer).map_or(Page::Unreadable, |list| self.add(list))
    }

    /// Returns the names on the pages so far.
    pub(super) fn into_names(self) -> BTreeSet<String> {
        self.seen
    }

    fn add(&mut self, list: List) -> Page {
        if self.total.is_some_and(|total| total != list.total_count) {
            return Page::Changed;
        }
        self.total = Some(list.total_count);
        self.entries = self.entries.saturating_add(list.user_details.len());
        let is_empty = list.user_details.is_empty();
        self.seen.extend(list.user_details.into_iter().map(|user| user.user_name));
        if self.seen.len() < self.entries {
            // An account was on two pages: accounts moved between pages, so one may have been missed.
            Page::Changed
        } else if self.entries == list.total_count {
            Page::Done
        } else if is_empty || self.entries > list.total_count {
            Page::Changed
        } else {
            Page::More(self.entries)
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn answer(status: u16, body: String) -> Answered {
        http::Response::builder().status(status).body(Some(Bytes::from(body))).unwrap()
    }

    fn page(names: &[&str], total: usize) -> Answered {
        let users: Vec<_> = names.iter().map(|name| serde_json::json!({"user_name": name, "dml": 0})).collect();
        answer(200, serde_json::json!({"user_details": users, "total_count": total}).to_string())
    }

    #[test]
    fn an_account_is_gone_only_if_all_accounts_were_seen() {
        for (pages, expected) in [
            (vec![page(&[], 0)], vec![Page::Done]),
            (vec![page(&["alice2", "malice", "Alice"], 3)], vec![Page::Done]),
            (vec![page(&["alice"], 1)], vec![Page::Found]),
            (vec![page(&["alice2"], 2), page(&["alice"], 2)], vec![Page::More(1), Page::Found]),
            (vec![page(&["alice2"], 2), page(&["alice3"], 2)], vec![Page::More(1), Page::Done]),
            (vec![page(&["alice2"], 2), page(&[], 2)], vec![Page::More(1), Page::Changed]),
            (vec![page(&["alice2"], 3), page(&["alice3"], 2)], vec![Page::More(1), Page::Changed]),
            (vec![page(&["alice2"], 2), page(&["alice2"], 2)], vec![Page::More(1), Page::Changed]),
            (vec![page(&["alice2", "alice3"], 1)], vec![Page::Changed]),
            (vec![answer(500, r#"{"user_details":[],"total_count":0}"#.into())], vec![Page::Unreadable]),
            (vec![answer(200, r#"{"user_details":[]}"#.into())], vec![Page::Unreadable]),
            (vec![answer(200, "<html>".into())], vec![Page::Unreadable]),
            (vec![http::Response::new(None)], vec![Page::Unreadable]),
        ] {
            let mut reading = Reading::default();
            let got: Vec<_> = pages.iter().map(|answer| reading.page("alice", answer)).collect();
            assert_eq!(got, expected, "{pages:?}");
        }
    }

    proptest! {
        /// A list of any length, in pages of any size: `Found` if it has the account, `Done` if not.
        #[test]
        fn every_page_is_read(names in prop::collection::btree_set("[ab]{1,3}", 0..30), size in 1_usize..7) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut reading = Reading::default();
            let mut offset = 0;
            let end = loop {
                let rest = names.get(offset..).unwrap_or_default();
                match reading.page("ab", &page(&rest[..rest.len().min(size)], names.len())) {
                    Page::More(next) => offset = next,
                    end => break end,
                }
            };
            prop_assert_eq!(end, if names.contains(&"ab") { Page::Found } else { Page::Done });

            let mut reading = Reading::default();
            let mut offset = 0;
            let end = loop {
                let rest = names.get(offset..).unwrap_or_default();
                match reading.page_of_all(&page(&rest[..rest.len().min(size)], names.len())) {
                    Page::More(next) => offset = next,
                    end => break end,
                }
            };
            prop_assert_eq!(end, Page::Done);
            prop_assert_eq!(reading.into_names(), names.iter().map(|name| (*name).to_owned()).collect());
        }
    }
}
