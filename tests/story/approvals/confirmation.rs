//! A requester in a chat is asked to confirm.

use crate::approvals::buttons::clicks;
use crate::approvals::shared::{DANA, ERIN, app, deletes, row_of, says};
use crate::gateway::{SUCCESS, memory, seconds, slash_as};

#[tokio::test]
async fn whoever_asks_in_a_chat_is_asked_whether_they_mean_it() {
    let (host, app) = (memory(), app());
    let shown = says(&host, &app, DANA, "alice analytics left").await;
    let (state, reference) = row_of(&host, "alice");
    assert_eq!((state.as_str(), deletes(&host)), ("awaiting-confirmation", 0));
    assert!(
        shown.starts_with(
            "⏳ Remove `alice` from `analytics`?\nNothing has been removed. To remove the account, confirm before 2026-06-01 10:05 +00:00.\n*Account*\n`alice`\n*Instance*\n`analytics`\n*Environment*\n`staging`\n*Reason*\nleft\n"
        ) && shown.ends_with("OFFBOARD.40903"),
        "{shown}"
    );

    let others = says(&host, &app, ERIN, &format!("confirm {reference}")).await;
    assert!(others.contains("OFFBOARD.40307"), "{others}");
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("awaiting-confirmation", 0));

    host.will_answer(200, SUCCESS);
    let removed = says(&host, &app, DANA, &format!("confirm {}", reference.to_lowercase())).await;
    assert!(
        removed
            .starts_with("✅ Removed `alice` from `analytics`\n*Reason*\nleft\n*Policy*\n`dba-removes-on-staging`\n"),
        "{removed}"
    );
    // Once more is not twice.
    let again = says(&host, &app, DANA, &format!("confirm {reference}")).await;
    assert!(again.starts_with("✅ Removed `alice`"), "{again}");
    assert_eq!((row_of(&host, "alice").0.as_str(), deletes(&host)), ("removed", 1));
}

#[tokio::test]
async fn what_is_cancelled_or_not_confirmed_in_time_is_not_sent() {
    let (host, app) = (memory(), app());
    says(&host, &app, DANA, "alice analytics").await;
    let reference = row_of(&host, "alice").1;
    let cancelled = says(&host, &app, DANA, &format!("cancel {reference}")).await;
    assert!(
        cancelled.starts_with("ℹ️ Cancelled: remove `alice` from `analytics`\nThe requester cancelled the request. Nothing has been removed.\n")
            && cancelled.ends_with("OFFBOARD.40905"),
        "{cancelled}"
    );
    let late = says(&host, &app, DANA, &format!("confirm {reference}")).await;
    assert!(late.contains("OFFBOARD.40905"), "{late}");
    assert_eq!(row_of(&host, "alice").0, "cancelled");

    for (passes, state) in [(299_000 - 1000, "removed"), (300_000 - 1000, "expired")] {
        says(&host, &app, DANA, "bob analytics").await;
        let reference = row_of(&host, "bob").1;
        host.now.set(host.now.get() + passes);
        if state == "removed" {
            host.will_answer(200, SUCCESS);
        }
        says(&host, &app, DANA, &format!("confirm {reference}")).await;
        assert_eq!(row_of(&host, "bob").0, state);
    }
    assert_eq!(deletes(&host), 1);
}

/// What takes longer than Slack waits follows later, whatever was typed.
#[tokio::test]
async fn a_typed_yes_that_takes_long_is_acknowledged() {
    let (host, app) = (memory(), app());
    says(&host, &app, DANA, "alice analytics").await;
    let reference = row_of(&host, "alice").1;
    host.will_answer(200, SUCCESS);
    host.which_takes(std::time::Duration::from_secs(9));
    host.will_answer(200, "ok");
    host.now.set(host.now.get() + 1000);
    let url = "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT0001%2Fconfirm";
    let inbound = slash_as(DANA, seconds(&host), &format!("confirm {reference}"), url);
    let (early, posted) = clicks(&host, &app, inbound).await;
    assert!(early.contains("⏳ Request received\\nThe result follows here."), "{early}");
    let [(posted_to, message)] = posted.as_slice() else { panic!("{posted:#?}") };
    assert_eq!(posted_to, "https://hooks.slack.com/commands/T0001/confirm");
    assert!(message["text"].as_str().unwrap().starts_with("✅ Removed `alice`"), "{message}");
    assert_eq!(message.get("replace_original"), None);

    // So does what became of one that only the list can settle.
    host.database.execute("UPDATE removals SET state = 'unknown'", &[]);
    host.will_list(&[]);
    host.which_takes(std::time::Duration::from_secs(9));
    host.will_answer(200, "ok");
    host.now.set(host.now.get() + 1000);
    let inbound = slash_as(DANA, seconds(&host), &format!("status {reference}"), url);
    let (_, posted) = clicks(&host, &app, inbound).await;
    let [(_, message)] = posted.as_slice() else { panic!("{posted:#?}") };
    assert!(message["text"].as_str().unwrap().contains(": Removed"), "{message}");
}

/// A reason stands in the middle of a line of the listing, where its own markup could end the gateway's.
#[tokio::test]
async fn a_reason_in_a_listing_is_no_markup() {
    let (host, app) = (memory(), app());
    says(&host, &app, DANA, "alice analytics *bold* <!channel>").await;
    let pending = says(&host, &app, DANA, "pending").await;
    assert!(pending.contains(": ∗bold∗ &lt;!channel&gt; · needs your confirmation"), "{pending}");
}
