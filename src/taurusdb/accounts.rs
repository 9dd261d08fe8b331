//! The account list, which settles what a removal did when its answer does not say:
//! `GET /v3/{project_id}/instances/{instance_id}/starrocks/users?limit=1..100&offset=…&user_name=…` →
//! `{"user_details":[{"user_name",…}],"total_count"}` (seen in the SDKs and the Terraform provider).
//!
//! Whether the filter is exact is stated nowhere, so names are compared here, page by page. An account counts as gone only
//! when every account that the list says to have was seen, in one reading during which their number did not change.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::host::Answered;

/// Accounts a page: the most that the API gives.
pub(super) const PAGE: usize = 100;

/// The largest page that is read, in bytes. A hundred accounts with their databases and rights.
pub(super) const ANSWER_LIMIT: usize = 1024 * 1024;

/// How often a reading is begun anew because the list changed under it.
pub(super) const READINGS: usize = 3;

/// One reading of the list, page after page.
#[derive(Debug, Default)]
pub(super) struct Reading {
    seen: BTreeSet<String>,
    entries: usize,
    total: Option<usize>,
}

/// What a page comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// The account is on it.
    Found,
    /// There are more pages, from this offset on.
    More(usize),
    /// It was the last, and the account is on none.
    Done,
    /// The list changed during the reading.
    Changed,
    /// It is not the list that the API documents.
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

impl Reading {
    /// Takes the next page.
    pub(super) fn page(&mut self, user_name: &str, answer: &Answered) -> Page {
        let body = answer.body().as_deref().unwrap_or_default();
        let Ok(list) = serde_json::from_slice::<List>(body) else { return Page::Unreadable };
        if answer.status() != http::StatusCode::OK {
            return Page::Unreadable;
        }
        if list.user_details.iter().any(|user| user.user_name == user_name) {
            return Page::Found;
        }
        if self.total.is_some_and(|total| total != list.total_count) {
            return Page::Changed;
        }
        self.total = Some(list.total_count);
        self.entries = self.entries.saturating_add(list.user_details.len());
        let is_empty = list.user_details.is_empty();
        self.seen.extend(list.user_details.into_iter().map(|user| user.user_name));
        if self.seen.len() < self.entries {
            // An account on two pages: something moved, and something else may have been passed over.
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
    fn an_account_is_gone_only_when_every_other_was_seen() {
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
        /// Any list, in pages of any size: found when it is there, done when it is not.
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
        }
    }
}
