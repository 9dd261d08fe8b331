//! `GET /removals` over any rows, with any filter and any policy.

use std::collections::BTreeMap;

use chrono::DateTime;
use proptest::prelude::*;
use support::database::cases;

use crate::audit::shared::{
    ALICE_ONLY, ANALYTICS_ONLY, LEDGER_ONLY, NOTHING, POLICY, PORTAL, Row, START, gateway_of, list_as, newest_first,
    pages, write,
};
use crate::gateway::{memory, text};

fn any_row() -> impl Strategy<Value = (i64, i64, u32, &'static str, [Option<&'static str>; 3])> {
    (
        0..60_000_i64,
        prop_oneof![4 => Just(0), 1 => 0..60_000_i64],
        any::<u32>(),
        prop::sample::select(vec!["removed", "denied", "refused"]),
        (
            prop::sample::select(vec![Some("hr"), Some(PORTAL), Some("slack/U1"), None]),
            prop::sample::select(vec![Some("analytics"), Some("warehouse"), Some("gone"), None]),
            prop::sample::select(vec![Some("alice"), Some("bob"), None]),
        )
            .prop_map(|(actor, instance, user_name)| [actor, instance, user_name]),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(64)))]

    /// Whatever there is, for every reader and every filter: all pages together are the rows that they may see, each once, newest
    /// first; and each page but the last is full, whatever lies between.
    #[test]
    fn each_row_once(
        given in prop::collection::vec(any_row(), 0..400),
        policy in prop::sample::select(vec![POLICY, ANALYTICS_ONLY, ALICE_ONLY, LEDGER_ONLY, NOTHING]),
        instance in prop::option::of(prop::sample::select(vec!["analytics", "warehouse", "gone"])),
        user_name in prop::option::weighted(0.3, prop::sample::select(vec!["alice", "bob"])),
        actor in prop::option::weighted(0.3, prop::sample::select(vec!["hr", PORTAL])),
        state in prop::option::weighted(0.3, prop::sample::select(vec!["removed", "denied"])),
        since in prop::option::weighted(0.3, 0..80_i64),
        until in prop::option::weighted(0.3, 0..140_i64),
        limit in prop::sample::select(vec![1_usize, 2, 7, 50, 100, 500]),
    ) {
        // Ids are of the first try, and no two are the same.
        let rows: BTreeMap<String, Row> = given
            .into_iter()
            .map(|(first, later, random, state, [actor, instance, user_name])| {
                let id = format!("{:012x}{random:020x}", START + first);
                (id.clone(), Row { id, asked_at: START + first + later, state, actor, instance, user_name })
            })
            .collect();
        let rows: Vec<Row> = rows.into_values().collect();
        let may_see = |row: &&Row| {
            let account = row.user_name.filter(|_| matches!(row.instance, Some("analytics" | "warehouse")));
            row.actor == Some(PORTAL)
                || policy == POLICY
                || (policy == ANALYTICS_ONLY && account.is_some() && row.instance == Some("analytics"))
                || (policy == ALICE_ONLY && account == Some("alice"))
                || (policy == LEDGER_ONLY && account.is_none())
        };
        let time = |seconds: i64| START + seconds * 1000;
        let is_asked_for = |row: &&Row| {
            instance.is_none_or(|instance| row.instance == Some(instance))
                && user_name.is_none_or(|user_name| row.user_name == Some(user_name))
                && actor.is_none_or(|actor| row.actor == Some(actor))
                && state.is_none_or(|state| row.state == state)
                && since.is_none_or(|since| row.asked_at >= time(since))
                && until.is_none_or(|until| row.asked_at < time(until))
        };
        let expected = newest_first(rows.iter().filter(is_asked_for).filter(may_see));

        let written = |at: i64| {
            DateTime::from_timestamp_millis(time(at)).unwrap().format("%Y-%m-%dT%H%%3A%M%%3A%SZ").to_string()
        };
        let mut query = format!("limit={limit}");
        for (name, value) in [
            ("instance", instance.map(str::to_owned)),
            ("user_name", user_name.map(str::to_owned)),
            ("actor", actor.map(|actor| actor.replace('/', "%2F"))),
            ("state", state.map(str::to_owned)),
            ("since", since.map(written)),
            ("until", until.map(written)),
        ] {
            query.extend(value.map(|value| format!("&{name}={value}")));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (host, app) = (memory(), gateway_of(policy));
            write(&host, &app, &rows).await;
            if expected.is_empty() {
                let answer = list_as(&host, &app, &query, None).await;
                assert!([200, 403].contains(&answer.status().as_u16()), "{}", text(&answer));
                if answer.status() == 200 {
                    assert_eq!(text(&answer), r#"{"removals":[],"next":null}"#);
                }
                return;
            }
            let pages = pages(&host, &app, &query).await;
            assert_eq!(pages.concat(), expected, "{query}");
            let (last, full) = pages.split_last().unwrap();
            assert!(!last.is_empty() && full.iter().all(|page| page.len() == limit));
        });
    }
}
