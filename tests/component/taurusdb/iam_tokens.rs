//! Tokens of IAM's through the component: how often one is asked for, by how many requests, instances and processes at once,
//! when one is renewed, and that only TaurusDB and IAM see one.

use std::collections::BTreeSet;
use std::fs;

use local::simulator::demo;
use local::simulator::target::Target;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::harness::answer::{Answer, PATIENCE, send};
use crate::harness::credentials::Credentials;
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, INSTANCE, Kind, PROJECT};
use crate::harness::setup::Setup;

/// So that the brake is not what is tested.
fn without_a_brake(setup: Setup) -> Setup {
    setup.replace("policy.cedar", "context.removals_last_hour >= 20", "context.removals_last_hour >= 1000")
}

fn account(number: usize) -> String {
    format!("user_{number}")
}

/// So many removals at once, each of another account, the gateways in turn.
fn many_at_once(gateways: &[&Gateway], numbers: std::ops::Range<usize>) -> JoinSet<Answer> {
    let mut asked = JoinSet::new();
    for number in numbers {
        let gateway = gateways[number % gateways.len()];
        gateway.simulator.add_account(INSTANCE, &account(number));
        let wire = Ask::to_remove(&account(number)).wire(Kind::Api, &gateway.address.to_string(), gateway.now());
        asked.spawn(send(gateway.address, wire.request()));
    }
    asked
}

/// Waits until this many removals are claimed: what they wait for then is their token.
async fn claimed(gateway: &Gateway, count: usize) {
    let claimed = async {
        while gateway.rows().len() < count {
            // Not a sleep: each turn asks, and gives the component time to write.
            assert_eq!(gateway.get("/healthz").await.status, 200);
        }
    };
    timeout(PATIENCE, claimed).await.expect("all of them in time");
}

async fn all_succeed(asked: JoinSet<Answer>) {
    for answer in timeout(PATIENCE, asked.join_all()).await.expect("all answers in time") {
        assert_eq!(answer.code(), "SUCCESS", "{answer:?}");
    }
}

/// One request asks IAM, and all the others, in its instance and in every other, wait for what it gets.
#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_requests_at_a_cold_start_ask_iam_once() {
    for credentials in [Credentials::Password, Credentials::AgencyOnAksk, Credentials::AgencyOnPassword] {
        let gateway = Gateway::start(without_a_brake(credentials.setup())).await;
        let hold = gateway.simulator.hold_only(Target::Iam);
        let asked = many_at_once(&[&gateway], 0..64);
        timeout(PATIENCE, hold.waiting(1)).await.expect("a token call in time");
        claimed(&gateway, 64).await;
        assert_eq!((gateway.simulator.token_calls(), gateway.deletes()), (1, 0));
        hold.release();
        all_succeed(asked).await;
        assert_eq!(gateway.simulator.token_calls(), credentials.token_calls(), "{credentials:?}");
        assert_eq!(gateway.deletes(), 64);
        let used: BTreeSet<_> = tokens_at_taurusdb(&gateway).into_iter().collect();
        assert_eq!(used.len(), 1);
    }
}

/// The tokens of the DELETEs, in the order in which these came.
fn tokens_at_taurusdb(gateway: &Gateway) -> Vec<String> {
    let seen = gateway.simulator.requests();
    let deletes = seen.iter().filter(|seen| seen.method == http::Method::DELETE);
    deletes.map(|seen| seen.headers["x-auth-token"].to_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_on_one_database_share_a_token() {
    for credentials in [Credentials::Password, Credentials::AgencyOnPassword] {
        let mut gateway = Gateway::start(without_a_brake(credentials.setup())).await;
        let mut other = gateway.another().await;
        let hold = gateway.simulator.hold_only(Target::Iam);
        let asked = many_at_once(&[&gateway, &other], 0..32);
        timeout(PATIENCE, hold.waiting(1)).await.expect("a token call in time");
        claimed(&gateway, 32).await;
        hold.release();
        all_succeed(asked).await;
        assert_eq!(gateway.simulator.token_calls(), credentials.token_calls(), "{credentials:?}");

        // And with one that starts when both have ended.
        gateway.stop().await;
        other.stop().await;
        let later = gateway.another().await;
        all_succeed(many_at_once(&[&later], 32..33)).await;
        assert_eq!(later.simulator.token_calls(), credentials.token_calls(), "{credentials:?}");
        assert_eq!(later.deletes(), 33);
    }
}

/// As after a change of permissions, while requests are under way: each of them is refused once, and one new token does for all.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_under_load_is_renewed_once() {
    for credentials in Credentials::FROM_IAM {
        let gateway = Gateway::start(without_a_brake(credentials.setup())).await;
        all_succeed(many_at_once(&[&gateway], 0..1)).await;
        let hold = gateway.simulator.hold_only(Target::Delete);
        let asked = many_at_once(&[&gateway], 1..33);
        timeout(PATIENCE, hold.waiting(32)).await.expect("all DELETEs in time");
        gateway.simulator.revoke_tokens();
        hold.release();
        all_succeed(asked).await;

        // The agency's; and the user's that it is assumed with, which was revoked too.
        let more = if credentials == Credentials::AgencyOnPassword { 3 } else { 1 };
        assert_eq!(gateway.simulator.token_calls(), credentials.token_calls() + more, "{credentials:?}");
        assert_eq!(gateway.deletes(), 1 + 2 * 32);
        let used: BTreeSet<_> = tokens_at_taurusdb(&gateway).into_iter().collect();
        assert_eq!(used.len(), 2);
        gateway.settled().await;
        let attempts: Vec<_> = gateway.rows().into_iter().map(|row| row.attempts).collect();
        assert_eq!(attempts, [vec![1], vec![2; 32]].concat());
    }
}

/// Tokens are good for 24 hours here. They are renewed in the last 1.2 to 3.6 of these.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_before_it_ends_and_not_long_before() {
    const HOUR: i64 = 3_600_000;
    let gateway = Gateway::start(Credentials::Password.setup()).await;
    for (number, (hours, token_calls)) in [(0, 1), (20, 1), (3, 2), (0, 2)].into_iter().enumerate() {
        gateway.advance(hours * HOUR);
        all_succeed(many_at_once(&[&gateway], number..number + 1)).await;
        assert_eq!(gateway.simulator.token_calls(), token_calls, "{number}");
    }
    let used = tokens_at_taurusdb(&gateway);
    assert_eq!((&used[0], &used[2]), (&used[1], &used[3]));
    assert_ne!(used[0], used[2]);
}

/// While one request renews, no other waits: the old token is still good.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_renewal() {
    let gateway = Gateway::start(without_a_brake(Credentials::Password.setup())).await;
    all_succeed(many_at_once(&[&gateway], 0..1)).await;
    gateway.advance(23 * 3_600_000);
    let hold = gateway.simulator.hold_only(Target::Iam);
    let renewing = many_at_once(&[&gateway], 1..2);
    timeout(PATIENCE, hold.waiting(1)).await.expect("the token call in time");
    all_succeed(many_at_once(&[&gateway], 2..34)).await;
    assert_eq!(gateway.simulator.token_calls(), 2);
    hold.release();
    all_succeed(renewing).await;
    assert_eq!((gateway.simulator.token_calls(), gateway.deletes()), (2, 34));
}

/// Its turn is over when its request can be running no more; no other request asks before.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_died_while_it_renewed_keeps_its_turn_no_longer_than_its_time() {
    let mut gateway = Gateway::start(Credentials::Password.setup()).await;
    let hold = gateway.simulator.hold_only(Target::Iam);
    let mut asked = many_at_once(&[&gateway], 0..1);
    timeout(PATIENCE, hold.waiting(1)).await.expect("the token call in time");
    asked.abort_all();
    gateway.kill();

    let gateway = gateway.another().await;
    let asked = many_at_once(&[&gateway], 1..2);
    claimed(&gateway, 2).await;
    assert_eq!(gateway.simulator.token_calls(), 1);
    gateway.advance(27_000);
    timeout(PATIENCE, hold.waiting(2)).await.expect("another token call in time");
    hold.release();
    all_succeed(asked).await;
    assert_eq!((gateway.simulator.token_calls(), gateway.deletes()), (2, 1));
}

/// Five wrong passwords in a row lock a user: for a minute IAM is asked once, by any requester and however often the gateway is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_once_a_minute() {
    for credentials in [Credentials::Password, Credentials::AgencyOnPassword] {
        let setup = credentials.setup().variable("huaweicloud_password", "yesterday's");
        let mut gateway = Gateway::start(without_a_brake(setup)).await;
        let wire = Ask::default().wire(Kind::StandardWebhooks, &gateway.address.to_string(), gateway.now());
        for (minutes, calls) in [(0, 1), (0, 1), (1, 2)] {
            gateway.advance(minutes * 60_000);
            let answer = gateway.send(wire.request()).await;
            assert_eq!((answer.status, answer.code().as_str()), (503, "OFFBOARD.50304"));
            let row = gateway.row();
            assert_eq!((row.state.as_str(), row.attempts), ("not-sent", 0));
            assert_eq!((gateway.simulator.token_calls(), gateway.deletes()), (calls, 0), "{credentials:?}");
        }
        // The log has IAM's words; the requester does not.
        let lines = gateway.logs.lines().join("\n");
        assert!(
            lines.contains("iam: refused with 401 Unauthorized: Unauthorized: The username or password"),
            "{lines}"
        );
        assert!(!lines.contains("yesterday's"), "{lines}");

        // The right one does not wait for the minute to pass.
        gateway.stop().await;
        let gateway = gateway.another_with("huaweicloud_password", demo::IAM_PASSWORD).await;
        assert_eq!(gateway.send(wire.request()).await.code(), "SUCCESS");
        assert_eq!(gateway.simulator.token_calls(), 2 + credentials.token_calls());
    }
}

/// And a request that waited for it, in whichever instance, does not ask again.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_once_for_all_who_wait() {
    let setup = Credentials::Password.setup().variable("huaweicloud_password", "yesterday's");
    let gateway = Gateway::start(without_a_brake(setup)).await;
    let hold = gateway.simulator.hold_only(Target::Iam);
    let asked = many_at_once(&[&gateway], 0..32);
    timeout(PATIENCE, hold.waiting(1)).await.expect("a token call in time");
    claimed(&gateway, 32).await;
    hold.release();
    for answer in timeout(PATIENCE, asked.join_all()).await.expect("all answers in time") {
        assert_eq!(answer.code(), "OFFBOARD.50304");
    }
    assert_eq!((gateway.simulator.token_calls(), gateway.deletes()), (1, 0));
}

/// Every token that IAM gave, and the password: they are in no file of the database and no log line.
#[tokio::test(flavor = "multi_thread")]
async fn the_store_holds_no_token_in_clear() {
    let mut gateway = Gateway::start(without_a_brake(Credentials::AgencyOnPassword.setup())).await;
    all_succeed(many_at_once(&[&gateway], 0..2)).await;
    gateway.simulator.revoke_tokens();
    all_succeed(many_at_once(&[&gateway], 2..3)).await;

    let seen = gateway.simulator.requests();
    let tokens = seen.iter().filter_map(|seen| seen.headers.get("x-auth-token"));
    let mut secrets: BTreeSet<_> = tokens.map(|token| token.to_str().unwrap().to_owned()).collect();
    // The user's and the agency's, each before and after.
    assert_eq!(secrets.len(), 4);
    secrets.insert(demo::IAM_PASSWORD.into());

    let look = |gateway: &Gateway| {
        let mut places = vec![("the log".to_owned(), gateway.logs.lines().join("\n").into_bytes())];
        for file in fs::read_dir(gateway.ledger.file().parent().unwrap()).unwrap() {
            let path = file.unwrap().path();
            places.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
        let found = |needle: &str| -> Vec<String> {
            let holds = |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
            places.iter().filter(|(_, bytes)| holds(bytes)).map(|(place, _)| place.clone()).collect()
        };
        // The search would find something that is there.
        assert!(found("user_2").iter().any(|place| place.ends_with("state.db") || place.ends_with("-wal")));
        for secret in &secrets {
            // Also no part of it: a sealed token shows nothing of what is in it.
            let part = &secret[..secret.len().min(40)];
            assert_eq!(found(part), [""; 0], "{part}");
        }
    };
    look(&gateway);
    gateway.stop().await;
    look(&gateway);

    // What is there is sealed, a row for each of the two.
    let ledger = rusqlite::Connection::open(gateway.ledger.file()).unwrap();
    let sealed = |sql| ledger.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(sealed("SELECT count(*) FROM tokens WHERE length(sealed) > 2990 AND leased_until = 0"), 2);
    assert_eq!(sealed("SELECT count(*) FROM tokens"), 2);
}

/// Each instance is asked with its own credentials, and with no other's.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_has_its_own_credentials() {
    let table = |name: &str, kind: &str, variables: &str| {
        format!("[[credentials]]\nname = \"{name}\"\nkind = \"{kind}\"\nvariables = {{ {variables} }}\n\n")
    };
    let instance = |name: &str, number: usize, credentials: &str| {
        format!(
            "[[instance]]\nname = \"{name}\"\nproject_id = \"{PROJECT}\"\ninstance_id = \"{number:032}in17\"\nregion = \"ap-southeast-3\"\nenvironment = \"staging\"\ncredentials = \"{credentials}\"\n\n"
        )
    };
    let more = [
        table(
            "user",
            "password",
            "user = \"huaweicloud_user\", password = \"huaweicloud_password\", domain = \"huaweicloud_domain\"",
        ),
        // spin.toml has no variables of a second access key, so the user's have to do.
        table("key", "aksk", "access_key = \"huaweicloud_user\", secret_key = \"huaweicloud_password\""),
        table("ready", "token", "token = \"huaweicloud_domain\""),
        instance("with-user", 1, "user"),
        instance("with-key", 2, "key"),
        instance("with-ready", 3, "ready"),
        instance("with-builtin-token", 4, "token"),
        "[[team]]".into(),
    ];
    let setup = Setup::default()
        .replace("offboard.toml", "[[team]]", &more.concat())
        .variable("huaweicloud_token", demo::TOKEN);
    let gateway = Gateway::start(setup).await;
    let proofs = [
        ("analytics", "SUCCESS", demo::ACCESS_KEY),
        // The simulated TaurusDB has but one instance: that it says so means that it took the proof.
        ("with-user", "DBS.200002", "MII"),
        ("with-key", "APIGW.0301", demo::IAM_USER),
        ("with-ready", "APIGW.0301", demo::IAM_DOMAIN),
        ("with-builtin-token", "DBS.200002", demo::TOKEN),
    ];
    for (number, (instance, code, proof)) in proofs.into_iter().enumerate() {
        let ask = Ask { instance: instance.into(), webhook_id: format!("msg_{number}"), ..Ask::default() };
        assert_eq!(gateway.ask(Kind::StandardWebhooks, &ask).await.code(), code, "{instance}");
        let seen = gateway.simulator.requests().pop().unwrap();
        assert_eq!(seen.method, http::Method::DELETE);
        let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let carried = match (header("authorization"), header("x-auth-token")) {
            (Some(signature), None) => {
                let (_, rest) = signature.split_once("Access=").unwrap();
                rest.split(',').next().unwrap().to_owned()
            }
            (None, Some(token)) if token.len() > 1000 => token[..3].to_owned(),
            (None, Some(token)) => token,
            both => panic!("{instance}: {both:?}"),
        };
        assert_eq!(carried, proof, "{instance}");
    }
    assert_eq!((gateway.simulator.token_calls(), gateway.deletes()), (1, 5));
}
