//! The policies in force, and why they decide as they do.

use starrocks_offboard::operations::console::explain_policy::{
    ExplainError, ExplainQuery, explain_policy, policies_in_force,
};
use starrocks_offboard::policy::Action;
use starrocks_offboard::policy::explain::Role;
use starrocks_offboard::policy::question::{Asked, Verdict};

use crate::audit::shared::{ANALYTICS_ONLY, LEDGER_ONLY, POLICY, gateway_of};
use crate::console::shared::{DANA, Reader, STRANGER, code};
use crate::gateway::memory;

fn about(account: &str, action: Option<Action>) -> ExplainQuery {
    let (instance, user_name) = account.split_once('/').unwrap_or((account, ""));
    ExplainQuery {
        principal: DANA.into(),
        instance: instance.into(),
        user_name: user_name.into(),
        action,
        ..ExplainQuery::default()
    }
}

#[tokio::test]
async fn who_may_audit_the_ledger_reads_the_policies() {
    for (policy, principal, expected) in [
        (POLICY, DANA, None),
        (POLICY, STRANGER, Some("OFFBOARD.40304")),
        (ANALYTICS_ONLY, DANA, Some("OFFBOARD.40304")),
        (LEDGER_ONLY, STRANGER, None),
    ] {
        let (host, app) = (memory(), gateway_of(policy));
        let reader = Reader::new(&host, &app, principal);
        assert_eq!(code(policies_in_force(&reader.ctx())).as_deref(), expected, "{principal} {policy}");
        let explained = explain_policy(&reader.ctx(), &about("analytics/alice", None));
        assert_eq!(code(explained).as_deref(), expected, "{principal} {policy}");
        assert_eq!((host.statements.get(), host.sent.borrow().len()), (0, 0));
    }
    let (host, app) = (memory(), gateway_of(POLICY));
    let in_force = policies_in_force(&Reader::new(&host, &app, DANA).ctx()).unwrap();
    assert_eq!(in_force.policies.len(), POLICY.matches("\n@id(").count());
    assert!(in_force.digest.starts_with(app.policies.digest()) && in_force.digest.len() == 64, "{in_force:?}");
}

#[tokio::test]
async fn decisions_are_explained() {
    let verdicts: [(ExplainQuery, Verdict); 7] = [
        (about("analytics/alice", None), Verdict::Permitted(vec!["dba-removes-on-staging".into()])),
        (
            about("warehouse/alice", None),
            Verdict::NeedsApproval { policies: vec!["dba-asks-on-production".into()], required: 1 },
        ),
        (
            ExplainQuery { at: Some("2026-06-01T20:00:00Z".parse().unwrap()), ..about("warehouse/alice", None) },
            Verdict::Denied(vec!["production-in-working-hours".into()]),
        ),
        (
            ExplainQuery { removals_last_hour: 20, ..about("analytics/alice", None) },
            Verdict::Denied(vec!["brake-twenty-an-hour".into()]),
        ),
        (about("analytics", Some(Action::List)), Verdict::Permitted(vec!["dba-lists".into()])),
        (about("analytics/root", Some(Action::Audit)), Verdict::Permitted(vec!["dba-looks-up".into()])),
        (ExplainQuery { principal: STRANGER.into(), ..about("analytics/alice", None) }, Verdict::Denied(Vec::new())),
    ];
    let (host, app) = (memory(), gateway_of(POLICY));
    let reader = Reader::new(&host, &app, DANA);
    for (query, expected) in verdicts {
        let explained = explain_policy(&reader.ctx(), &query).unwrap().unwrap();
        assert_eq!(explained.answer.verdict, expected, "{query:?}");
    }
    let night = ExplainQuery { at: Some("2026-06-01T20:00:00Z".parse().unwrap()), ..about("warehouse/alice", None) };
    let explained = explain_policy(&reader.ctx(), &night).unwrap().unwrap();
    let asked: Vec<_> = explained.answer.explanations.iter().map(|(asked, _)| *asked).collect();
    assert_eq!(asked, [Asked::Action(Action::Delete), Asked::Action(Action::Request)]);
    let (_, request) = &explained.answer.explanations[1];
    let roles: Vec<_> = request.policies.iter().map(|policy| (policy.id.as_str(), policy.role.clone())).collect();
    assert_eq!(
        roles,
        [
            ("production-in-working-hours", Role::Decided),
            ("dba-asks-on-production", Role::Overridden),
            ("twenty-requests-wait", Role::AlmostApplies),
        ]
    );
    assert_eq!((explained.who.name.as_deref(), &explained.teams), (Some("dana"), &vec!["dba".to_owned()]));
}

#[tokio::test]
async fn a_question_that_cannot_be_asked_names_its_field() {
    let (host, app) = (memory(), gateway_of(POLICY));
    let reader = Reader::new(&host, &app, DANA);
    let ask = |query: ExplainQuery| explain_policy(&reader.ctx(), &query).unwrap().unwrap_err();
    let of = |principal: &str| ExplainQuery { principal: principal.into(), ..about("analytics/alice", None) };
    assert!(matches!(ask(of("pager/U1")), ExplainError::Principal(why) if why.contains("`pager` is not configured")));
    assert!(matches!(ask(of("")), ExplainError::Principal(_)));
    assert!(matches!(ask(about("lake/alice", None)), ExplainError::Instance(_)));
    assert_eq!(ask(about("analytics", None)), ExplainError::UserName);
    let reason = ExplainQuery { reason: "a\u{0}b".into(), ..about("analytics/alice", None) };
    assert!(matches!(ask(reason), ExplainError::Reason(_)));
    // A system account is refused before policy is asked.
    let root = explain_policy(&reader.ctx(), &about("analytics/root", None)).unwrap().unwrap();
    assert!(matches!(root.answer.verdict, Verdict::Refused(_)), "{root:?}");
}
