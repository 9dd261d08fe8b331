//! What waits for a person, and what an approval would come to.

use starrocks_offboard::operations::console::waiting_for::{
    Effect, WaitingCount, WaitingFor, count_waiting, waiting_for,
};
use starrocks_offboard::outcome::denial::Denial;
use starrocks_offboard::outcome::state::State;
use support::memory::Memory;

use crate::approvals::shared::{self, app, gateway_of, gateway_with, row_of, says};
use crate::console::shared::{DANA, ERIN, Reader, STRANGER};
use crate::gateway::memory;

const TWO: (&str, &str) = ("production = 1", "production = 2");

/// Two people more in `[[person]]`.
const PEOPLE: (&str, &str) = (
    "[[caller]]",
    "[[person]]\nname = \"erin\"\nprincipals = [\"slack/U0ERIN\"]\naccounts = [\"erin_ro\"]\n
    [[person]]\nname = \"marek\"\nprincipals = [\"slack/U0MAREK\"]\n\n[[caller]]",
);

async fn waiting(host: &Memory, app: &starrocks_offboard::app::App, principal: &str) -> WaitingFor {
    waiting_for(&Reader::new(host, app, principal).ctx(), None, 50).await.unwrap()
}

async fn count(host: &Memory, app: &starrocks_offboard::app::App, principal: &str) -> usize {
    count_waiting(&Reader::new(host, app, principal).ctx()).await.unwrap().count
}

/// Asks for an account on production, and confirms.
async fn asked(host: &Memory, app: &starrocks_offboard::app::App, who: &str, user_name: &str) {
    says(host, app, who, &format!("{user_name} warehouse left the company")).await;
    says(host, app, who, &format!("confirm {}", row_of(host, user_name).1)).await;
}

#[tokio::test]
async fn a_request_from_asking_to_the_last_approval() {
    let (host, app) = (memory(), gateway_with(&[TWO, PEOPLE]));
    says(&host, &app, shared::DANA, "erin_ro warehouse left the company").await;
    // To be confirmed: the requester's own.
    let own = waiting(&host, &app, DANA).await;
    assert_eq!((own.own.len(), own.to_decide.len(), own.own[0].is_requester), (1, 0, true));
    assert_eq!(own.own[0].confirmation, Some(Effect::Waits(2)));
    assert_eq!((count(&host, &app, DANA).await, count(&host, &app, ERIN).await), (1, 0));
    assert_eq!(waiting(&host, &app, ERIN).await.to_decide, []);

    says(&host, &app, shared::DANA, &format!("confirm {}", row_of(&host, "erin_ro").1)).await;
    assert_eq!((count(&host, &app, DANA).await, count(&host, &app, ERIN).await), (0, 1));
    assert_eq!(count(&host, &app, STRANGER).await, 0);
    let for_erin = waiting(&host, &app, ERIN).await;
    let to_decide = &for_erin.to_decide[0];
    assert_eq!(to_decide.approval, Effect::Waits(1));
    let request = &to_decide.request;
    assert_eq!((request.state, request.required), (State::AwaitingApproval, 2));
    assert_eq!(request.requester.as_ref().and_then(|who| who.name.as_deref()), Some("dana"));
    assert_eq!(request.environment.as_deref(), Some("production"));
    assert_eq!(request.policies, ["dba-asks-on-production"]);
    let owners: Vec<_> = request.owners.iter().flatten().map(|owner| owner.name.as_str()).collect();
    assert_eq!(owners, ["erin"]);
    // Not dana, who asked, nor erin, who reads it; marek is in no team.
    let others: Vec<_> = request.approvers.people.iter().map(|who| who.principal.as_str()).collect();
    assert_eq!(others, ["portal/HPUAPORTALKEY0000001", "slack/U0FAY"]);
    assert_eq!(request.approvers.teams, [""; 0]);

    says(&host, &app, shared::ERIN, &format!("approve {}", request.reference)).await;
    let for_erin = waiting(&host, &app, ERIN).await;
    assert_eq!((for_erin.to_decide.len(), for_erin.approved.len()), (0, 1));
    assert_eq!((count(&host, &app, ERIN).await, count(&host, &app, "slack/U0FAY").await), (0, 1));
    let for_fay = waiting(&host, &app, "slack/U0FAY").await;
    assert_eq!(for_fay.to_decide[0].approval, Effect::Removes);
    let approvals = &for_fay.to_decide[0].request.approvals;
    assert_eq!((approvals[0].by.name.as_deref(), approvals[0].caller.as_str()), (Some("erin"), "slack"));
    let own = waiting(&host, &app, DANA).await;
    assert_eq!((own.own[0].request.approvals.len(), &own.own[0].confirmation), (1, &None));
    assert_eq!(waiting(&host, &app, STRANGER).await.to_decide, []);
}

/// What policy forbids at this moment, an approval would end.
#[tokio::test]
async fn an_approval_that_would_end_the_request() {
    let (host, app) = (memory(), app());
    asked(&host, &app, shared::DANA, "alice").await;
    let approval = async || waiting(&host, &app, ERIN).await.to_decide[0].approval.clone();
    assert_eq!(approval().await, Effect::Removes);
    host.now.set(host.now.get() + 11 * 3_600_000);
    assert_eq!(approval().await, Effect::Denied(Denial::Forbidden(vec!["production-in-working-hours".into()])));
    assert_eq!(row_of(&host, "alice").0, "awaiting-approval", "nothing was decided");

    let brake = r#"@id("calm") forbid (principal, action == Action::"delete", resource) when { context.instance_removals_last_hour >= 1 };"#;
    let (host, app) = (memory(), gateway_of(brake));
    asked(&host, &app, shared::DANA, "alice").await;
    let row = crate::console::shared::Row { instance: "warehouse", user_name: "bob", ..Default::default() };
    crate::console::shared::write(&host, &app, &[row]).await;
    let denied = Effect::Denied(Denial::Forbidden(vec!["calm".into()]));
    assert_eq!(waiting(&host, &app, ERIN).await.to_decide[0].approval, denied);
}

/// A row that was written under another configuration is not what it was asked for.
#[tokio::test]
async fn a_request_of_another_configuration() {
    let (host, app) = (memory(), app());
    asked(&host, &app, shared::DANA, "alice").await;
    let moved = gateway_with(&[("86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17", "96cf8ab6f4d14c1fa5e1d2b7a0c3e945in17")]);
    assert_eq!(waiting(&host, &moved, ERIN).await.to_decide[0].approval, Effect::ConfigurationChanged);
    assert_eq!(waiting(&host, &moved, DANA).await.own.len(), 1);
}

/// Other people's requests show only to those who may approve them.
#[tokio::test]
async fn who_sees_what_waits() {
    let forbids = r#"@id("not-on-production") forbid (principal, action == Action::"approve", resource in Environment::"production");"#;
    let (host, app) = (memory(), gateway_of(forbids));
    asked(&host, &app, shared::DANA, "alice").await;
    let for_erin = waiting(&host, &app, ERIN).await;
    assert_eq!((for_erin.to_decide.len(), for_erin.own.len()), (0, 0));
    let own = waiting(&host, &app, DANA).await;
    assert_eq!(own.own[0].request.approvers.people, [], "no person could approve it");
}

/// Teams that come from tokens cannot be listed.
#[tokio::test]
async fn a_team_of_tokens_is_named() {
    let bearer = "\n[[caller]]\nname = \"sso\"\nkind = \"api\"\nissuer = \"https://login.example\"
audience = \"offboard\"\njwks_url = \"https://login.example/keys\"\ngroups = \"groups\"\n\n[accounts]";
    let (host, app) = (memory(), gateway_with(&[("[accounts]", bearer)]));
    asked(&host, &app, shared::DANA, "alice").await;
    assert_eq!(waiting(&host, &app, ERIN).await.to_decide[0].request.approvers.teams, ["dba"]);
}

#[tokio::test]
async fn pages_and_the_number_in_the_navigation() {
    let (host, app) = (memory(), app());
    for number in 0..5 {
        asked(&host, &app, shared::DANA, &format!("user{number}")).await;
    }
    let reader = Reader::new(&host, &app, ERIN);
    let first = waiting_for(&reader.ctx(), None, 3).await.unwrap();
    let second = waiting_for(&reader.ctx(), first.next.as_deref(), 3).await.unwrap();
    let names = |page: &WaitingFor| page.to_decide.iter().map(|one| one.request.user_name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&first), ["user4", "user3", "user2"]);
    assert_eq!((names(&second), second.next), (vec!["user1".to_owned(), "user0".to_owned()], None));
    let before = host.statements.get();
    assert_eq!(count_waiting(&reader.ctx()).await.unwrap(), WaitingCount { count: 5, is_more: false });
    assert_eq!(host.statements.get() - before, 1);
}
