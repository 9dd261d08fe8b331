//! The steps of a removal, as its row tells them.

use starrocks_offboard::app::App;
use starrocks_offboard::operations::console::look_up;
use starrocks_offboard::operations::console::removal_timeline::{Step, StepKind, WaitedFor, removal_timeline};
use support::memory::Memory;

use crate::approvals::shared::{self, gateway_with, row_of, says};
use crate::console::shared::{DANA, ERIN, Reader, Row, STRANGER, code, write};
use crate::gateway::memory;

/// The steps in a line each.
async fn steps(host: &Memory, app: &App, id: &str) -> Vec<String> {
    let looked_up = look_up(&Reader::new(host, app, ERIN).ctx(), id).await.unwrap();
    removal_timeline(&app.config, &looked_up.row).iter().map(in_words).collect()
}

fn in_words(step: &Step) -> String {
    let words = match &step.what {
        StepKind::Asked { by, reason, .. } => {
            format!("asked by {:?}: {:?}", by.as_ref().map(|who| &who.principal), reason.as_deref())
        }
        StepKind::Proved { kind, teams, .. } => format!("proved by {kind}, of {}", teams.join("+")),
        StepKind::Decided { policies, .. } => format!("decided by {}", policies.join("+")),
        StepKind::Waited { for_whom: WaitedFor::Confirmation, .. } => "waited for the requester".to_owned(),
        StepKind::Waited { for_whom: WaitedFor::Approvals(many), .. } => format!("waited for {many}"),
        StepKind::Voted { by, is_approval, reason, .. } => {
            format!("{} {is_approval}: {:?}", by.principal, reason.as_deref())
        }
        StepKind::Sent { attempts } => format!("sent {attempts}"),
        StepKind::Answered { status, code, .. } => format!("answered {status} {code}"),
        StepKind::Settled { by } => format!("settled by {by}"),
        StepKind::Reached(state) => state.as_str().to_owned(),
    };
    format!("{}{words}", if step.at.is_some() { "" } else { "? " })
}

#[tokio::test]
async fn a_removal_that_two_people_approved_and_the_list_settled() {
    let (host, app) = (memory(), gateway_with(&[("production = 1", "production = 2")]));
    says(&host, &app, shared::DANA, "alice warehouse left the company").await;
    let reference = row_of(&host, "alice").1;
    says(&host, &app, shared::DANA, &format!("confirm {reference}")).await;
    says(&host, &app, shared::ERIN, &format!("approve {reference} checked")).await;
    let waits = [
        "asked by Some(\"slack/U2CERLKJA\"): Some(\"left the company\")",
        "proved by slack, of dba",
        "? decided by dba-asks-on-production",
        "? waited for 2",
        "slack/U0ERIN true: Some(\"checked\")",
        "? awaiting-approval",
    ];
    assert_eq!(steps(&host, &app, &reference).await, waits);
    // No usable answer, and no list.
    host.will_answer(504, "<html>");
    host.will_answer(504, "<html>");
    says(&host, &app, shared::FAY, &format!("approve {reference}")).await;
    assert_eq!(row_of(&host, "alice").0, "unknown");
    host.will_list(&[]);
    let settled = steps(&host, &app, &reference).await;
    assert_eq!(settled[..2], waits[..2]);
    assert_eq!(
        settled[2..],
        [
            "? decided by dba-approves+dba-asks-on-production",
            "? waited for 2",
            "slack/U0ERIN true: Some(\"checked\")",
            "slack/U0FAY true: None",
            "? sent 1",
            "? answered 200 ",
            "settled by account-list",
            "removed",
        ]
    );
}

#[tokio::test]
async fn rows_tell_only_what_they_know() {
    let (host, app) = (memory(), gateway_with(&[]));
    let ids = write(
        &host,
        &app,
        &[
            Row::default(),
            Row { state: "expired", waits: Some(300_000), actor: DANA, ..Row::default() },
            Row { state: "refused", instance: "gone", ..Row::default() },
        ],
    )
    .await;
    let asked = ["asked by Some(\"hr\"): None", "proved by standard-webhooks, of dba"];
    for (id, expected) in [
        (&ids[0], vec![asked[0], asked[1], "removed"]),
        (
            &ids[1],
            vec![
                "asked by Some(\"slack/U2CERLKJA\"): None",
                "proved by standard-webhooks, of dba",
                "? waited for the requester",
                "expired",
            ],
        ),
        (&ids[2], vec![asked[0], asked[1], "refused"]),
    ] {
        assert_eq!(steps(&host, &app, id).await, expected);
    }
    let reader = Reader::new(&host, &app, STRANGER);
    assert_eq!(code(look_up(&reader.ctx(), &ids[0]).await).as_deref(), Some("OFFBOARD.40304"));
    assert_eq!(code(look_up(&reader.ctx(), "unknown").await).as_deref(), Some("OFFBOARD.40404"));
}
