//! What a gateway does when it cannot: TaurusDB is not there or does not answer, the ledger cannot be written, configuration
//! or policy cannot be used. Nothing is sent that is not written down, and every answer says whether something was sent.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use local::simulator::options::SimulatorOptions;
use local::simulator::server::Simulator;
use sha2::{Digest, Sha256};
use starrocks_offboard::policy::load::DEEPEST;
use tempfile::TempDir;
use tokio::net::TcpSocket;

use crate::harness::agreement::assert_agreement;
use crate::harness::answer::Answer;
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind, Signature};
use crate::harness::setup::{Setup, start_of_time};
use crate::harness::store::Store;

/// 200 in words for Slack, and the code's own status for everybody else.
fn assert_failed(kind: Kind, answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.code(), code, "{kind:?} {answer:#?}");
    assert_eq!(answer.is_in_words(), kind == Kind::Slack, "{answer:#?}");
    assert_eq!(answer.status, if kind == Kind::Slack { 200 } else { status }, "{answer:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_sent_can_be_asked_again() {
    for kind in Kind::ALL {
        // A port that is taken, so that no other process gets it, and on which none listens yet.
        let reserved = TcpSocket::new_v4().unwrap();
        reserved.set_reuseaddr(true).unwrap();
        reserved.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listen = reserved.local_addr().unwrap();
        let gateway = Gateway::start(Setup::default().variable("taurusdb_endpoint", &format!("http://{listen}"))).await;
        let wire = Ask::default().wire(kind, &gateway.address.to_string(), gateway.now());

        for attempt in 1..=2 {
            let answer = gateway.send(wire.request()).await;
            assert_failed(kind, &answer, 502, "OFFBOARD.50201");
            let row = gateway.row();
            // Each of them was tried four times, because it was safe to.
            assert_eq!((row.state.as_str(), row.attempts), ("not-sent", 4 * attempt));
            assert_agreement_of_attempt(&answer, &row.id);
        }

        let options = SimulatorOptions { listen, clock: Arc::new(start_of_time), ..SimulatorOptions::demo() };
        let simulator = Simulator::start(options).await.unwrap();
        let answer = gateway.send(wire.request()).await;
        assert_eq!(answer.code(), "SUCCESS");
        let row = gateway.row();
        assert_eq!((row.state.as_str(), row.attempts, row.code.as_deref()), ("removed", 9, Some("SUCCESS")));
        assert_agreement_of_attempt(&answer, &row.id);
        assert_eq!(simulator.requests().len(), 1);
    }
}

fn assert_agreement_of_attempt(answer: &Answer, id: &str) {
    assert_eq!(answer.header("x-offboard-removal"), Some(id), "{answer:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_nothing_is_sent_until_they_are_there() {
    for kind in Kind::ALL {
        for variable in ["huaweicloud_access_key", "huaweicloud_secret_key"] {
            let gateway = Gateway::start(Setup::default().variable(variable, "")).await;
            let wire = Ask::default().wire(kind, &gateway.address.to_string(), gateway.now());
            for _ in 0..2 {
                let answer = gateway.send(wire.request()).await;
                assert_failed(kind, &answer, 503, "OFFBOARD.50303");
                let row = gateway.row();
                assert_eq!((row.state.as_str(), row.actor.as_deref()), ("not-sent", Some(kind.principal())));
                assert_agreement_of_attempt(&answer, &row.id);
            }
            assert_eq!(gateway.deletes(), 0);
        }
    }
}

/// The waits are real, and the only ones here that are: for TaurusDB's first byte, and for the account list's.
#[tokio::test(flavor = "multi_thread")]
async fn taurusdb_that_does_not_answer_is_given_up_on() {
    let gateway = Gateway::start(Setup::default().limits("first_byte_ms = 700\ntotal_ms = 20000")).await;
    let hold = gateway.simulator.hold();
    let start = Instant::now();
    let ask = Ask::default();
    let [slack, webhook, api] = Kind::ALL.map(|kind| gateway.ask(kind, &ask));
    let (slack, webhook, api) = tokio::join!(slack, webhook, api);
    assert!(start.elapsed() >= Duration::from_millis(1400), "{:?}", start.elapsed());
    for (kind, answer) in Kind::ALL.into_iter().zip([slack, webhook, api]) {
        assert_failed(kind, &answer, 504, "OFFBOARD.50401");
    }
    assert_eq!(gateway.states(), vec![("alice".to_owned(), "unknown".to_owned()); 3]);
    hold.release();
}

/// A way to have a ledger that cannot be used, and to make it good again.
struct Spoiled {
    name: &'static str,
    spoil: fn(&Path),
    repair: fn(&Path),
}

const SPOILED: [Spoiled; 5] = [
    Spoiled {
        name: "the folder is gone",
        spoil: |ledger| fs::remove_dir_all(ledger.parent().unwrap()).unwrap(),
        repair: |ledger| fs::create_dir(ledger.parent().unwrap()).unwrap(),
    },
    Spoiled {
        name: "a folder is in its place",
        spoil: |ledger| fs::create_dir(ledger).unwrap(),
        repair: |ledger| fs::remove_dir(ledger).unwrap(),
    },
    Spoiled {
        name: "not a database",
        spoil: |ledger| fs::write(ledger, "not a database, and long enough to be looked at".repeat(100)).unwrap(),
        repair: |ledger| fs::remove_file(ledger).unwrap(),
    },
    Spoiled {
        name: "read-only, by the version that SQLite's header says is needed to write",
        spoil: |ledger| {
            sql(ledger, "PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
            let mut bytes = fs::read(ledger).unwrap();
            bytes[18] = 3;
            fs::write(ledger, bytes).unwrap();
        },
        repair: |ledger| fs::remove_file(ledger).unwrap(),
    },
    Spoiled {
        name: "of a newer gateway",
        spoil: |ledger| sql(ledger, "CREATE TABLE ledger (version INTEGER PRIMARY KEY); INSERT INTO ledger VALUES (6)"),
        repair: |ledger| sql(ledger, "DROP TABLE ledger"),
    },
];

fn sql(ledger: &Path, statements: &str) {
    let connection = rusqlite::Connection::open(ledger).unwrap();
    connection.execute_batch(statements).unwrap_or_else(|error| panic!("{statements}: {error}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_ledger_nothing_is_sent() {
    for kind in Kind::ALL {
        for Spoiled { name, spoil, repair } in SPOILED {
            let folder = TempDir::new().unwrap();
            let ledger = folder.path().join("ledger/state.db");
            fs::create_dir(ledger.parent().unwrap()).unwrap();
            let gateway = Gateway::start_with(Setup::default(), folder, Store::Sqlite(ledger.clone())).await;
            spoil(&ledger);

            let wire = Ask::default().wire(kind, &gateway.address.to_string(), gateway.now());
            let answer = gateway.send(wire.request()).await;
            assert_failed(kind, &answer, 503, "OFFBOARD.50301");
            assert_eq!(gateway.deletes(), 0, "{name}");
            // What is refused is refused with a ledger or without.
            let wrong = Ask { signature: Signature::Wrong, ..Ask::default() };
            assert_eq!(gateway.ask(kind, &wrong).await.code(), "OFFBOARD.40105", "{name}");
            let unwritten = gateway.logs.lines().iter().filter(|line| line.contains("could not be written")).count();
            assert_eq!(unwritten, 2, "{name}: {:#?}", gateway.logs.lines());

            repair(&ledger);
            assert_eq!(gateway.send(wire.request()).await.code(), "SUCCESS", "{name}");
            assert_eq!(gateway.states(), [("alice".into(), "removed".into())], "{name}");
        }
    }
}

const FULL: &str = "CREATE TRIGGER full BEFORE INSERT ON removals BEGIN SELECT RAISE(ABORT, 'disk full'); END";

/// The ledger can be read, and no row be added: the claim fails, at the last moment before the DELETE.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_row_nothing_is_sent() {
    for kind in Kind::ALL {
        let gateway = Gateway::start(Setup::default()).await;
        let bob = Ask { webhook_id: "msg_2".into(), ..Ask::to_remove("bob") };
        assert_eq!(gateway.ask(kind, &bob).await.code(), "SUCCESS");
        gateway.tamper(FULL);
        assert_failed(kind, &gateway.ask(kind, &Ask::default()).await, 503, "OFFBOARD.50301");
        assert_eq!(gateway.deletes(), 1);
        assert!(gateway.has_account("alice"));

        gateway.tamper("DROP TRIGGER full");
        assert_eq!(gateway.ask(kind, &Ask::default()).await.code(), "SUCCESS");
        let removed = |name: &str| (name.to_owned(), "removed".to_owned());
        assert_eq!(gateway.states(), [removed("bob"), removed("alice")]);
    }
}

/// The DELETE was sent, and its outcome could not be written down: the requester is told the truth, and it is not sent again.
#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_cannot_be_written_is_told_and_not_repeated() {
    for kind in Kind::ALL {
        let gateway = Gateway::start(Setup::default()).await;
        let bob = Ask { webhook_id: "msg_2".into(), ..Ask::to_remove("bob") };
        assert_eq!(gateway.ask(kind, &bob).await.code(), "SUCCESS");
        gateway.tamper(&FULL.replace("INSERT", "UPDATE"));
        assert_eq!(gateway.ask(kind, &Ask::default()).await.code(), "SUCCESS");
        assert_eq!(gateway.ask(kind, &Ask::default()).await.code(), "OFFBOARD.40901");
        assert_eq!(gateway.deletes(), 2);
        assert_eq!(gateway.states()[1], ("alice".into(), "in-flight".into()));
        let lines = gateway.logs.lines();
        assert!(
            lines.iter().any(|line| line.contains("could not be written") && line.contains("disk full")),
            "{lines:#?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_files_that_cannot_be_used_nothing_is_sent_and_the_log_says_why() {
    let policy_cut = ("policy.cedar", "permit (", "permit ((");
    for ((file, from, to), place, why) in [
        (
            ("offboard.toml", "environment =", "enviroment ="),
            "offboard.toml, line 26",
            "unknown field `enviroment`, expected one of `name`, `project_id`, `instance_id`, `region`, `endpoint`, `environment`, `credentials`",
        ),
        (("offboard.toml", "[[caller]]", "[[caller]"), "offboard.toml, line 50", "unclosed array table, expected `]`"),
        (policy_cut, "policy.cedar, line 6", ""),
        (
            ("policy.cedar", "@id(\"dba-removes-on-staging\")", ""),
            "policy.cedar, line 6",
            "policy 1 (a permit) has no valid `@id`",
        ),
        (("schema.cedarschema", "action delete", "action remove"), "policy.cedar, line 8", ""),
    ] {
        let gateway = Gateway::start(Setup::default().replace(file, from, to)).await;
        let health = gateway.get("/healthz").await;
        assert_eq!((health.status, &health.json()["status"]), (503, &"unusable".into()));
        // A stranger may ask: the places alone.
        let told = health.json()["reason"].as_str().unwrap().to_owned();
        let places = told.strip_suffix(": cannot be used; the log says why").unwrap_or_else(|| panic!("{told}"));
        assert_eq!(places.split("; ").next(), Some(place), "{told}");
        let begins = format!("config: {place}: {why}");
        assert!(gateway.logs.lines().iter().any(|line| line.starts_with(&begins)), "{:#?}", gateway.logs.lines());
        for kind in Kind::ALL {
            let answer = gateway.ask(kind, &Ask::default()).await;
            // No caller can be proved, so none is answered in the form of its kind.
            assert_eq!((answer.status, answer.code().as_str()), (503, "OFFBOARD.50302"), "{answer:#?}");
        }
        assert_eq!(gateway.deletes(), 0);
        let rows = gateway.rows();
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|row| row.state == "not-sent" && row.code.as_deref() == Some("OFFBOARD.50302")));
    }
}

/// A component's stack is small and nothing in it sees its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_nested_as_deep_as_the_component_can_read_and_no_deeper() {
    for (levels, works) in [(DEEPEST - 2, true), (DEEPEST, false)] {
        let condition = format!("when {{ {}true{} }};", "(".repeat(levels), ")".repeat(levels));
        let more = format!("@id(\"deep\")\npermit (principal, action, resource)\n{condition}\n\n@id(\"own-account\")");
        let gateway = Gateway::start(Setup::default().replace("policy.cedar", "@id(\"own-account\")", &more)).await;
        let health = gateway.get("/healthz").await;
        assert_eq!(health.status == 200, works, "{levels} {}", health.json());
        let log = gateway.logs.lines().join("\n");
        assert_eq!(log.contains("the text is nested more than 20 levels deep"), !works, "{log}");
        let answer = gateway.ask(Kind::Api, &Ask::default()).await;
        assert_eq!(answer.status, if works { 200 } else { 503 }, "{answer:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_is_named() {
    for file in ["offboard.toml", "policy.cedar", "schema.cedarschema"] {
        let gateway = Gateway::start(Setup::default()).await;
        fs::remove_file(gateway.config(file)).unwrap();
        let health = gateway.get("/healthz").await;
        let reason = health.json()["reason"].as_str().unwrap().to_owned();
        assert_eq!((health.status, reason), (503, format!("{file}: cannot be used; the log says why")));
        let begins = format!("config: {file}: cannot be read: ");
        assert!(gateway.logs.lines().iter().any(|line| line.starts_with(&begins)), "{:#?}", gateway.logs.lines());
        let answer = gateway.ask(Kind::Api, &Ask::default()).await;
        assert_eq!((answer.code().as_str(), gateway.deletes()), ("OFFBOARD.50302", 0));
        assert_agreement(&gateway, &answer, &gateway.row());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn healthz_tells_one_configuration_from_another() {
    let gateway = Gateway::start(Setup { confirm: true, ..Setup::default() }).await;
    let digest = |parts: &[&[u8]]| hex::encode(Sha256::digest(parts.concat()))[..12].to_owned();
    let read = |name| fs::read_to_string(gateway.config(name)).unwrap();
    let (offboard, policy, schema) = (read("offboard.toml"), read("policy.cedar"), read("schema.cedarschema"));
    let health = gateway.get("/healthz").await;
    assert_eq!(health.status, 200);
    assert_eq!(
        health.json(),
        serde_json::json!({
            "status": "ok",
            "version": env!("CARGO_PKG_VERSION"),
            "config": digest(&[offboard.as_bytes()]),
            "policy": digest(&[policy.as_bytes(), &[0], schema.as_bytes()]),
        })
    );
    assert_eq!(gateway.rows().len(), 0);
}
