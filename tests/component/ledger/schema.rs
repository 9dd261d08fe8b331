//! How the gateway's tables come to be on PostgreSQL, and what it may do there.

use local::postgres_server::TestDatabase;
use starrocks_offboard::ledger::schema::postgres_schema;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::harness::answer::{PATIENCE, send};
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind};
use crate::harness::setup::Setup;
use crate::harness::store::Store;

fn database() -> (Store, TestDatabase) {
    let store = Store::postgres();
    let Store::Postgres(database) = store.clone() else { unreachable!() };
    (store, database)
}

/// A role that may connect and nothing else. Roles belong to the whole server, so it is named after the database.
fn role(database: &TestDatabase) -> String {
    let name = format!("runs_{}", database.name());
    database.rows(&format!("CREATE ROLE {name} LOGIN")).unwrap();
    name
}

/// Sixteen first requests at once, to two processes.
#[tokio::test(flavor = "multi_thread")]
async fn it_is_made_once_by_many() {
    let one = Gateway::start_on(database().0, Setup::default()).await;
    let other = one.another().await;
    let mut asked = JoinSet::new();
    for number in 0..16 {
        let gateway = [&one, &other][number % 2];
        let ask = Ask { webhook_id: format!("msg_{number}"), ..Ask::to_remove(&format!("user_{number}")) };
        let wire = ask.wire(Kind::StandardWebhooks, &gateway.address.to_string(), gateway.now());
        asked.spawn(send(gateway.address, wire.request()));
    }
    for answer in timeout(PATIENCE, asked.join_all()).await.expect("all answers in time") {
        // The accounts do not exist: what counts is that each of them reached TaurusDB.
        assert_eq!(answer.code(), "DBS.200824", "{answer:#?}");
    }
}

/// An administrator has run ledger.sql; the gateway's user has what deploy/README.md grants, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_may_create_nothing_runs_it() {
    let (store, database) = database();
    let role = role(&database);
    let address = database.address_by(database.server(), &role);
    let gateway = Gateway::start_on(store, Setup::default().variable("ledger", &address)).await;
    assert_eq!(gateway.ask(Kind::Api, &Ask::default()).await.code(), "OFFBOARD.50301");
    let lines = gateway.logs.lines().join("\n");
    assert!(lines.contains("the tables do not exist and cannot be made: permission denied"), "{lines}");
    assert!(lines.contains("let an administrator run ledger.sql"), "{lines}");

    database.rows(postgres_schema()).unwrap();
    let grants = std::fs::read_to_string(local::repository::root().join("deploy/grants.sql")).unwrap();
    database.rows(&grants.replace("offboard_gateway", &role)).unwrap();
    for (number, kind) in Kind::ALL.into_iter().enumerate() {
        let ask = Ask { webhook_id: format!("msg_{number}"), ..Ask::to_remove(["alice", "bob", "carol"][number]) };
        let answer = gateway.ask(kind, &ask).await;
        assert!(
            ["SUCCESS", "DBS.200824"].contains(&answer.code().as_str()),
            "{answer:#?}\n{:#?}",
            gateway.logs.lines()
        );
    }
    let refused =
        ["DELETE FROM removals", "UPDATE removals SET actor = 'x'", "TRUNCATE approvals", "CREATE TABLE t (x int)"];
    for statement in refused {
        let as_role = format!("SET search_path = offboard; SET ROLE {role}; {statement}");
        let error = database.rows(&as_role).expect_err(statement);
        assert!(format!("{error:#}").contains("permission denied"), "{statement}: {error:#}");
    }
}

/// What an older gateway made is brought up to date: by the gateway where it may, else by an administrator.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_ledger_is_brought_up_to_date() {
    const VERSION_4: &str = include_str!("../../fixtures/ledger/postgres-version-4.sql");
    let schema = |database: &TestDatabase| {
        let columns = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'offboard' ORDER BY 1, 2";
        format!("{:?}", database.rows(columns).unwrap())
    };
    let (store, older) = database();
    older.rows(VERSION_4).unwrap();
    let gateway = Gateway::start_on(store, Setup::default()).await;
    assert_eq!(gateway.ask(Kind::Api, &Ask::default()).await.code(), "SUCCESS");
    let (_, new) = database();
    new.rows(postgres_schema()).unwrap();
    assert_eq!(schema(&older), schema(&new));

    let (store, older) = database();
    let role = role(&older);
    older.rows(VERSION_4).unwrap();
    let grants = std::fs::read_to_string(local::repository::root().join("deploy/grants.sql")).unwrap();
    let grants = grants.replace("offboard_gateway", &role);
    older
        .rows(&format!(
            "GRANT USAGE ON SCHEMA offboard TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA offboard TO {role}"
        ))
        .unwrap();
    let address = older.address_by(older.server(), &role);
    let gateway = Gateway::start_on(store, Setup::default().variable("ledger", &address)).await;
    assert_eq!(gateway.ask(Kind::Api, &Ask::default()).await.code(), "OFFBOARD.50301");
    let lines = gateway.logs.lines().join("\n");
    assert!(lines.contains("of an older version and cannot be brought up to date"), "{lines}");
    older.rows(postgres_schema()).unwrap();
    older.rows(&grants).unwrap();
    assert_eq!(gateway.ask(Kind::Api, &Ask { webhook_id: "msg_2".into(), ..Ask::default() }).await.code(), "SUCCESS");
}

/// A newer gateway's ledger, and addresses that lead elsewhere, are refused with what to do.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused() {
    let (store, database) = database();
    let gateway = Gateway::start_on(store.clone(), Setup::default()).await;
    assert_eq!(gateway.ask(Kind::Api, &Ask::default()).await.code(), "SUCCESS");
    let address = database.address_by(database.server(), local::postgres_server::OWNER);
    for (options, expected) in [
        ("-c search_path=public", "names of tables are looked for in the schema `public`"),
        ("-c search_path=offboard -c synchronous_commit=off", "a commit is confirmed before it is on the disk"),
        (
            r"-c search_path=offboard -c default_transaction_isolation=repeatable\\ read",
            "transactions are `repeatable read`",
        ),
    ] {
        let other = gateway.another_with("ledger", &format!("{address} options='{options}'")).await;
        let bob = Ask::to_remove("bob");
        assert_eq!(other.ask(Kind::Api, &bob).await.code(), "OFFBOARD.50301", "{options}");
        assert!(other.logs.lines().iter().any(|line| line.contains(expected)), "{:#?}", other.logs.lines());
    }
    gateway.tamper("UPDATE ledger SET version = 99");
    let other = gateway.another().await;
    assert_eq!(other.ask(Kind::Api, &Ask::to_remove("bob")).await.code(), "OFFBOARD.50301");
    assert!(
        other.logs.lines().iter().any(|line| line.contains("the ledger has version 99")),
        "{:#?}",
        other.logs.lines()
    );
    assert_eq!(other.deletes(), 1);
}
