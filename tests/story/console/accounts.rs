//! The access review of an instance.

use std::collections::BTreeMap;

use starrocks_offboard::app::App;
use starrocks_offboard::host::SendError;
use starrocks_offboard::operations::console::review_accounts::{
    AccountReview, AccountState, ReviewQuery, Reviewed, Unremovable, review_accounts,
};
use starrocks_offboard::operations::console::{KnownFrom, Standing};
use support::memory::Memory;

use crate::audit::shared::{OFFBOARD, POLICY};
use crate::console::shared::{DANA, Reader, Row, STRANGER, code, person, write};
use crate::gateway::memory;

const DAY: i64 = 86_400_000;

/// Two identity systems.
const DIRECTORIES: &str = r#"
[[caller]]
name = "okta"
kind = "scim"
secrets = ["okta_token"]

[caller.leavers]
instances = ["analytics"]
user_names = ["{userName|local|snake}"]
map = { "userName:ravi@a.example" = ["rkumar", "rkumar_ro"] }

[[caller]]
name = "entra"
kind = "scim"
secrets = ["entra_token"]

[caller.leavers]
instances = ["analytics", "warehouse"]
user_names = ["{userName|local|snake}"]
"#;

fn app_of(policy: &str) -> App {
    let offboard = OFFBOARD
        .replace("principals = [\"slack/U2CERLKJA\"]", "principals = [\"slack/U2CERLKJA\", \"okta/dana@a.example\"]");
    let schema = include_str!("../../../config/schema.cedarschema");
    App::parse(&format!("{offboard}{DIRECTORIES}"), policy, schema).unwrap()
}

fn app() -> App {
    app_of(POLICY)
}

async fn review(host: &Memory, app: &App, principal: &str, query: &ReviewQuery) -> AccountReview {
    let reader = Reader::new(host, app, principal);
    review_accounts(&reader.ctx(), app.config.instance("analytics").unwrap(), query).await.unwrap()
}

/// Each account with its state, in the order of the review.
fn states(review: &AccountReview) -> Vec<(&str, AccountState)> {
    review.accounts.accounts().iter().map(|account| (account.user_name.as_str(), account.state)).collect()
}

/// Names and standing of an account's owners, and how they are known.
fn owners(review: &AccountReview, user_name: &str) -> Vec<String> {
    let account = review.accounts.accounts().iter().find(|account| account.user_name == user_name).unwrap();
    let owner = |owner: &starrocks_offboard::operations::console::Owner| {
        let standing = match owner.standing {
            Standing::Active => "active",
            Standing::Left { at: Some(_) } => "left",
            Standing::Left { at: None } => "left at an unknown time",
        };
        let from = owner.known_from.iter().map(|from| match from {
            KnownFrom::Configuration => "configuration".to_owned(),
            KnownFrom::Directory { caller, named_by } => format!("{caller} {named_by:?}"),
        });
        format!("{} {standing}: {}", owner.name, from.collect::<Vec<_>>().join(", "))
    };
    account.owners.iter().map(owner).collect()
}

async fn with_people(host: &Memory, app: &App) {
    app.ledger(host).await.map(drop).unwrap();
    for (caller, user_name, active) in [
        ("okta", "mei.lee@a.example", 0),
        ("okta", "wei@a.example", 1),
        ("okta", "ravi@a.example", 2),
        ("okta", "silke@a.example", 3),
        ("okta", "pat@a.example", 0),
        ("entra", "pat@b.example", 1),
        ("okta", "dana@a.example", 1),
        // One person in both systems, who has left one of them.
        ("okta", "kim@a.example", 0),
        ("entra", "kim@a.example", 1),
        ("entra", "tam@a.example", 0),
    ] {
        person(host, caller, user_name, active);
    }
}

const LISTED: [&str; 13] = [
    "dana",
    "etl_loader",
    "kim",
    "loader",
    "mei_lee",
    "pat",
    "rdsAdmin",
    "rkumar",
    "rkumar_ro",
    "silke",
    "tam",
    "wei",
    "Odd-Name",
];

#[tokio::test]
async fn every_state_of_an_account() {
    let (host, app) = (memory(), app());
    with_people(&host, &app).await;
    let removed = Row { user_name: "tam", ago: 200 * DAY, ..Row::default() };
    let waiting = Row { user_name: "mei_lee", state: "awaiting-approval", took: None, waits: Some(DAY), ..removed };
    let ids = write(
        &host,
        &app,
        &[
            removed,
            Row { ago: 100, ..waiting },
            Row { user_name: "silke", state: "denied", ago: DAY, ..removed },
            // Of another instance, and of an account that is not there any more.
            Row { user_name: "loader", instance: "warehouse", ..removed },
            Row { user_name: "gone", ..removed },
        ],
    )
    .await;
    host.will_list(&LISTED);
    let review = review(&host, &app, DANA, &ReviewQuery::default()).await;
    assert_eq!(
        states(&review),
        [
            ("tam", AccountState::CameBack),
            ("mei_lee", AccountState::OwnerLeft),
            ("rkumar", AccountState::OwnerLeft),
            ("rkumar_ro", AccountState::OwnerLeft),
            ("silke", AccountState::OwnerLeft),
            ("Odd-Name", AccountState::NoOwner),
            ("loader", AccountState::NoOwner),
            ("pat", AccountState::OneOfSeveral),
            ("etl_loader", AccountState::Protected),
            ("rdsAdmin", AccountState::Protected),
            ("dana", AccountState::OwnerActive),
            ("kim", AccountState::OwnerActive),
            ("wei", AccountState::OwnerActive),
        ]
    );
    for (user_name, expected) in [
        ("tam", vec!["tam@a.example left: entra Template"]),
        ("rkumar_ro", vec!["ravi@a.example left: okta Map"]),
        ("silke", vec!["silke@a.example left at an unknown time: okta Template"]),
        ("loader", vec![]),
        ("pat", vec!["pat@b.example active: entra Template", "pat@a.example left: okta Template"]),
        ("dana", vec!["dana active: configuration, okta Template"]),
        ("kim", vec!["kim@a.example active: entra Template, okta Template"]),
    ] {
        assert_eq!(owners(&review, user_name), expected, "{user_name}");
    }
    let account = |name: &str| review.accounts.accounts().iter().find(|one| one.user_name == name).unwrap();
    assert_eq!(account("tam").removed.as_ref().map(|one| &one.id), Some(&ids[0]));
    assert_eq!(account("mei_lee").waiting.as_ref().map(|one| &one.id), Some(&ids[1]));
    assert_eq!(account("silke").other.as_ref().map(|one| &one.id), Some(&ids[2]));
    assert_eq!(account("Odd-Name").unremovable, Some(Unremovable::Unusual));
    assert_eq!(account("etl_loader").unremovable, Some(Unremovable::Configured));
    assert_eq!(account("rdsAdmin").unremovable, Some(Unremovable::System));
    assert_eq!(account("wei").unremovable, None);
    let Reviewed::Listed { counts, .. } = &review.accounts else { panic!("{review:?}") };
    let expected: BTreeMap<_, _> = [
        (AccountState::CameBack, 1),
        (AccountState::OwnerLeft, 4),
        (AccountState::NoOwner, 2),
        (AccountState::OneOfSeveral, 1),
        (AccountState::Protected, 2),
        (AccountState::OwnerActive, 3),
    ]
    .into();
    assert_eq!(counts, &expected);
    assert_eq!((&review.directories, review.is_complete), (&vec!["entra".to_owned(), "okta".to_owned()], true));
    assert_eq!(review.policies, ["dba-lists"]);
}

#[tokio::test]
async fn a_review_is_filtered_by_state_and_text() {
    let (host, app) = (memory(), app());
    with_people(&host, &app).await;
    for (state, text, expected) in [
        (Some(AccountState::OwnerLeft), "", vec!["mei_lee", "rkumar", "rkumar_ro", "silke", "tam"]),
        (None, "RAVI@", vec!["rkumar", "rkumar_ro"]),
        (None, " loader ", vec!["loader", "etl_loader"]),
        (Some(AccountState::Protected), "loader", vec!["etl_loader"]),
        (None, "nothing like this", vec![]),
    ] {
        host.will_list(&LISTED);
        let query = ReviewQuery { state, text: text.into() };
        let review = review(&host, &app, DANA, &query).await;
        let names: Vec<_> = states(&review).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, expected, "{query:?}");
        let Reviewed::Listed { counts, .. } = &review.accounts else { panic!("{review:?}") };
        assert_eq!(counts.values().sum::<usize>(), LISTED.len(), "the counts are of all accounts");
    }
}

/// The list has pages, and may change between them.
#[tokio::test]
async fn the_whole_list_is_read() {
    let (host, app) = (memory(), app());
    let page = |names: std::ops::Range<usize>, total: usize| {
        let users: Vec<_> = names.map(|number| serde_json::json!({"user_name": format!("user{number}")})).collect();
        host.will_answer(200, &serde_json::json!({"user_details": users, "total_count": total}).to_string());
    };
    page(0..100, 150);
    page(100..150, 151);
    page(0..100, 151);
    page(100..151, 151);
    let review = review(&host, &app, DANA, &ReviewQuery::default()).await;
    assert_eq!(states(&review).len(), 151);
    let sent = host.sent.borrow();
    let queries: Vec<_> = sent.iter().map(|request| request.uri().query().unwrap_or_default()).collect();
    assert_eq!(queries, ["limit=100&offset=0", "limit=100&offset=100", "limit=100&offset=0", "limit=100&offset=100"]);
}

/// A list that cannot be read says nothing about which accounts there are: what rows and directories know is shown.
#[tokio::test]
async fn a_list_that_cannot_be_read() {
    let ways: [&dyn Fn(&Memory); 3] = [
        &|host| host.will_fail(SendError::Broken("reset".into())),
        &|host| host.will_answer(404, r#"{"error_code":"DBS.200002","error_msg":"no such instance"}"#),
        &|host| host.will_answer(200, "<html>"),
    ];
    for way in ways {
        let (host, app) = (memory(), app());
        with_people(&host, &app).await;
        let rows = [
            Row { user_name: "tam", ago: DAY, ..Row::default() },
            Row { user_name: "loader", state: "denied", ..Row::default() },
            Row { user_name: "old", ago: 60 * DAY, ..Row::default() },
            Row { user_name: "elsewhere", instance: "warehouse", ..Row::default() },
        ];
        write(&host, &app, &rows).await;
        way(&host);
        let review = review(&host, &app, DANA, &ReviewQuery::default()).await;
        assert!(matches!(review.accounts, Reviewed::Unreadable { .. }), "{review:?}");
        assert_eq!(states(&review), [("tam", AccountState::OwnerLeft), ("loader", AccountState::NoOwner)]);
        assert!(review.csv().lines().nth(1).unwrap().starts_with(r#""analytics","staging","tam","","owner-left""#));
    }
}

/// The list takes `list`, and what the ledger says takes `audit`, as over the API.
#[tokio::test]
async fn who_may_review_what() {
    let (host, app) = (memory(), app());
    let reader = Reader::new(&host, &app, STRANGER);
    let instance = app.config.instance("analytics").unwrap();
    let denied = code(review_accounts(&reader.ctx(), instance, &ReviewQuery::default()).await);
    assert_eq!(denied.as_deref(), Some("OFFBOARD.40304"));
    assert_eq!(host.sent.borrow().len(), 0);

    let (host, app) = (memory(), app_of(r#"@id("lists") permit (principal, action == Action::"list", resource);"#));
    let rows =
        [Row { user_name: "loader", ..Row::default() }, Row { user_name: "own", actor: STRANGER, ..Row::default() }];
    write(&host, &app, &rows).await;
    host.will_list(&["loader", "own"]);
    let review = review(&host, &app, STRANGER, &ReviewQuery::default()).await;
    assert_eq!(states(&review), [("own", AccountState::CameBack), ("loader", AccountState::NoOwner)]);
    assert!(review.accounts.accounts()[1].removed.is_none());
}

#[tokio::test]
async fn the_review_as_csv() {
    let (host, app) = (memory(), app());
    with_people(&host, &app).await;
    let ids = write(&host, &app, &[Row { user_name: "tam", ago: 1_000, ..Row::default() }]).await;
    person(&host, "okta", "=cmd@a.example", 1);
    host.will_list(&["tam", "pat", "=cmd"]);
    let review = review(&host, &app, DANA, &ReviewQuery::default()).await;
    let expected = [
        r#""instance","environment","user_name","listed","state","owners","known_from","left_at","removed_by","removed_at","waiting","read_at","owners_complete""#.to_owned(),
        format!(
            r#""analytics","staging","tam","true","came-back","tam@a.example","entra","2026-05-31T10:00:00.000Z","{}","2026-06-01T09:59:59.400Z","","2026-06-01T10:00:00.000Z","true""#,
            ids[0]
        ),
        r#""analytics","staging","'=cmd","true","no-owner","","","","","","","2026-06-01T10:00:00.000Z","true""#.to_owned(),
        r#""analytics","staging","pat","true","one-of-several","pat@b.example; pat@a.example","entra; okta","active; 2026-05-31T10:00:00.000Z","","","","2026-06-01T10:00:00.000Z","true""#.to_owned(),
    ];
    assert_eq!(review.csv().split_terminator("\r\n").collect::<Vec<_>>(), expected);
}
