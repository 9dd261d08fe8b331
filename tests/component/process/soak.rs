//! Load, a cloud that misbehaves and processes that are killed, all at once; then the books are balanced:
//!
//! - every answer is a documented one, and what must be refused is, whatever else goes on;
//! - every answer that names a row has it, and says what the row says;
//! - every DELETE that TaurusDB saw belongs to one row, and was signed after the row was there;
//! - a delivery has a second DELETE only where the one before it is certain to have done nothing;
//! - what the row says became of the account is what became of it;
//! - rows that a dead process left behind are settled when a caller asks;
//! - a process that lives long holds no more memory late than early.
//!
//! The gateways are processes of their own (`killed`) that share a ledger; the next one is ready before the last is killed, so
//! that what is measured is the gateway and not its start. `SOAK_MINUTES` is how long it goes on, instead of twenty seconds;
//! `SOAK_SEED` makes the dice fall as they did.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::NaiveDateTime;
use http::Method;
use local::postgres_server::{Server, ServerOptions};
use local::repository;
use local::simulator::received::ReceivedRequest;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::harness::answer::{Answer, try_send};
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, INSTANCE, Kind, Signature, Who, Wire};
use crate::harness::setup::Setup;
use crate::harness::store::Store;
use crate::process::crashes::Process;

/// Signed for a name that stands for every process, as behind a load balancer.
const HOST: &str = "offboard.example.com";

const SENDERS: usize = 6;

/// Short, so that a cloud that hangs costs a moment. `total_ms` and five seconds more is how long a row may be in flight.
const LIMITS: &str =
    "connect_ms = 500\nfirst_byte_ms = 400\ncall_ms = 700\ntotal_ms = 2000\nearly_answer_ms = 30000\nattempts = 3";

/// A signature is good for 300 seconds; what is older is not sent again.
const REPEATABLE: Duration = Duration::from_secs(200);

/// What the cloud does wrong, each for a while.
const FAULTS: [&str; 26] = [
    "latency=50ms",
    "any:latency=300ms",
    "latency=600ms",
    "reset-before",
    "reset-after",
    "hang",
    "hang-after",
    "throttled*2",
    "throttled=1*1",
    "busy*1",
    "busy=DBS.201014",
    "unauthorized",
    "status=500",
    "status=503,1*1",
    "html=502",
    "html=504",
    "truncated",
    "truncated-after",
    "huge",
    "drip-after",
    "wrong-json",
    "any:down",
    "gone",
    "list:hang",
    "list:status=500",
    "list:reset-before",
];

/// Splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    fn milliseconds(&mut self, from: usize, to: usize) -> Duration {
        Duration::from_millis((from + self.below(to - from)) as u64)
    }
}

/// A request, and what came of it each time.
struct Sent {
    kind: Kind,
    /// Of an account that no other requester asks for; `None` for what has no row of a removal.
    user_name: Option<String>,
    /// Whether there is such an account at first.
    is_there: bool,
    wire: Wire,
    at: Instant,
    /// What it has to come to, where that is certain.
    must_be: Option<&'static str>,
    answers: Vec<Answer>,
    /// How often the process was gone before it answered.
    unanswered: usize,
}

impl Sent {
    fn new(kind: Kind, user_name: Option<String>, ask: &Ask, must_be: Option<&'static str>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut wire = ask.wire(kind, HOST, i64::try_from(now).unwrap());
        wire.set("Host", HOST);
        Self { kind, user_name, is_there: false, wire, at: Instant::now(), must_be, answers: Vec::new(), unanswered: 0 }
    }

    /// Sends it so many times at once, to the process that is there.
    async fn send(&mut self, current: &mut watch::Receiver<std::net::SocketAddr>, copies: usize) {
        let address = *current.borrow_and_update();
        let mut sending = JoinSet::new();
        for _ in 0..copies {
            sending.spawn(try_send(address, self.wire.request()));
        }
        for told in sending.join_all().await {
            match told {
                Ok(answer) => self.answers.push(answer),
                Err(_) => self.unanswered += 1,
            }
        }
    }
}

/// A requester who asks for removals, one after the other, and now and then again for an earlier one.
async fn sender(
    number: usize,
    mut dice: Dice,
    gateway: Arc<Gateway>,
    mut current: watch::Receiver<std::net::SocketAddr>,
    until: Instant,
) -> Vec<Sent> {
    let mut history: Vec<Sent> = Vec::new();
    let mut count = 0;
    while Instant::now() < until {
        let kind = Kind::ALL[dice.below(3)];
        count += 1;
        let own = format!("u{number}_{count}");
        let unique = |ask: Ask| Ask {
            webhook_id: format!("msg_{number}_{count}"),
            response_url: format!("https://hooks.slack.com/commands/{number}/{count}"),
            reason: Some(format!("case {number} {count}")),
            ..ask
        };
        let next = match dice.below(20) {
            0..10 => {
                let is_there = gateway.simulator.add_account(INSTANCE, &own);
                Some(Sent { is_there, ..Sent::new(kind, Some(own.clone()), &unique(Ask::to_remove(&own)), None) })
            }
            10 => Some(Sent::new(kind, Some(own.clone()), &unique(Ask::to_remove(&own)), None)),
            11 => {
                let dry = Ask { dry_run: true, ..unique(Ask::to_remove("carol")) };
                Some(Sent::new(kind, None, &dry, Some("DRY_RUN")))
            }
            12 => {
                let stranger = unique(Ask::to_remove("carol")).by(Who::Stranger);
                Some(Sent::new(kind, None, &stranger, Some("OFFBOARD.40301")))
            }
            13 => Some(Sent::new(kind, None, &unique(Ask::to_remove("root")), Some("OFFBOARD.40302"))),
            14 => Some(Sent::new(kind, None, &unique(Ask::to_remove("etl_loader")), Some("OFFBOARD.40303"))),
            15 => {
                let forged = Ask { signature: Signature::OtherSecret, ..unique(Ask::to_remove("carol")) };
                Some(Sent::new(kind, None, &forged, Some("OFFBOARD.40105")))
            }
            _ => None,
        };
        let copies = if dice.below(8) == 0 { 3 } else { 1 };
        match next {
            Some(mut sent) => {
                sent.send(&mut current, copies).await;
                history.push(sent);
            }
            None => {
                let young: Vec<_> = history.iter_mut().filter(|sent| sent.at.elapsed() < REPEATABLE).collect();
                if let Some(earlier) = young.into_iter().rev().nth(dice.below(12)) {
                    earlier.send(&mut current, copies).await;
                }
            }
        }
    }
    history
}

/// The cloud misbehaves in one way, then in another, and half of the time in none.
async fn weather(mut dice: Dice, gateway: Arc<Gateway>, until: Instant) {
    while Instant::now() < until {
        gateway.simulator.clear_faults();
        if dice.below(2) == 0 {
            for _ in 0..1 + dice.below(2) {
                gateway.simulator.fault(FAULTS[dice.below(FAULTS.len())].parse().unwrap());
            }
        }
        tokio::time::sleep(dice.milliseconds(100, 600)).await;
    }
    gateway.simulator.clear_faults();
}

/// A row, as far as the books need it.
#[derive(Debug)]
struct Entry {
    id: String,
    state: String,
    user_name: Option<String>,
    attempts: i64,
    code: Option<String>,
    in_flight_until: Option<i64>,
    dry_run: bool,
}

fn entries(ledger: &Store) -> Vec<Entry> {
    let columns = ["id", "state", "user_name", "attempts", "code", "in_flight_until", "dry_run"];
    let rows = ledger.columns("removals", &columns);
    let entry = |row: BTreeMap<String, Option<String>>| {
        let number = |name: &str| row[name].as_ref().map(|text| text.parse::<i64>().unwrap());
        Entry {
            id: row["id"].clone().unwrap(),
            state: row["state"].clone().unwrap(),
            user_name: row["user_name"].clone(),
            attempts: number("attempts").unwrap(),
            code: row["code"].clone(),
            in_flight_until: number("in_flight_until"),
            dry_run: number("dry_run") == Some(1),
        }
    };
    rows.into_iter().map(entry).collect()
}

/// What a request gets while the ledger's server is away.
const LEDGER_DOWN: &str = "OFFBOARD.50301";

fn is_open(entry: &Entry) -> bool {
    ["in-flight", "unknown"].contains(&entry.state.as_str())
}

/// The codes of docs/error-codes.md, and the ones that TaurusDB's answers have.
fn documented() -> impl Fn(&str) -> bool {
    let page = fs::read_to_string(repository::root().join("docs/error-codes.md")).unwrap();
    let codes = page.lines().filter_map(|line| line.strip_prefix("| `OFFBOARD.")?.split_once('`'));
    let codes: BTreeSet<_> = codes.map(|(digits, _)| format!("OFFBOARD.{digits}")).collect();
    assert!(codes.len() > 50, "{codes:?}");
    move |code| {
        let passed_on = ["DBS.", "APIGW."].iter().any(|of| code.starts_with(of));
        // `OFFBOARD.<status>90`: any status.
        let undocumented_body = code.len() == "OFFBOARD.50290".len() && code.ends_with("90");
        passed_on || undocumented_body || codes.contains(code) || ["SUCCESS", "DRY_RUN"].contains(&code)
    }
}

fn code_of(answer: &Answer) -> String {
    answer.header("x-offboard-code").unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// What was answered, beside the rows as they are at the end; those that were settled after the load say something new.
fn answers_and_rows(
    history: &[Sent],
    entries: &BTreeMap<&str, &Entry>,
    settled: &BTreeSet<&str>,
    outages: bool,
) -> BTreeMap<String, usize> {
    let documented = documented();
    let mut codes = BTreeMap::new();
    for sent in history {
        for answer in &sent.answers {
            let code = code_of(answer);
            *codes.entry(code.clone()).or_default() += 1;
            let about = || format!("{:?} {:?} {answer:?}", sent.kind, sent.user_name);
            assert!(documented(&code), "{}", about());
            if outages && code == LEDGER_DOWN {
                continue;
            }
            if let Some(expected) = sent.must_be {
                assert_eq!(code, expected, "{}", about());
            }
            let id = answer.header("x-offboard-removal").unwrap_or_else(|| panic!("no row: {}", about()));
            // What removes nothing is answered also if its row could not be written.
            if outages && !entries.contains_key(id) && sent.user_name.is_none() {
                continue;
            }
            let entry = entries.get(id).unwrap_or_else(|| panic!("the row is gone: {}", about()));
            match &sent.user_name {
                Some(user_name) => assert_eq!(entry.user_name.as_ref(), Some(user_name), "{}", about()),
                None => {
                    assert_eq!(
                        (entry.in_flight_until, entry.dry_run),
                        (None, code == "DRY_RUN"),
                        "{entry:?} {}",
                        about()
                    )
                }
            }
            // An outcome that was told and could not be written is settled by the account list, which knows only whether the account
            // is there. A killed process writes no row after its answer, so this is not for outages alone.
            let is_by_the_list = ["removed", "not-removed"].contains(&entry.state.as_str());
            let by_the_list = is_by_the_list && (outages || code == "DBS.200824");
            match code.as_str() {
                "SUCCESS" => assert_eq!(entry.state, "removed", "{entry:?} {}", about()),
                _ if by_the_list => {}
                // The account list may contradict TaurusDB's word.
                "DBS.200824" => {
                    assert!(
                        ["already-gone", "refused-upstream"].contains(&entry.state.as_str()),
                        "{entry:?} {}",
                        about()
                    );
                }
                _ => {}
            }
            // One of the answers is the last word.
            let is_said = sent.answers.iter().any(|answer| Some(code_of(answer)) == entry.code);
            let is_known = is_said || by_the_list || sent.unanswered > 0 || settled.contains(id);
            assert!(is_known, "{entry:?} {}", about());
        }
    }
    codes
}

/// When this DELETE was signed, in seconds: by the clock that the rows have their times from.
fn signed_at(seen: &ReceivedRequest) -> i64 {
    let date = seen.headers["x-sdk-date"].to_str().unwrap();
    NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ").unwrap().and_utc().timestamp()
}

fn user_name_of(seen: &ReceivedRequest) -> Option<&str> {
    seen.path_and_query.split(['?', '&']).find_map(|pair| pair.strip_prefix("user_name="))
}

/// What TaurusDB saw, beside the rows and what was answered: `unanswered` are the accounts of which some process did not live to
/// tell.
fn deletes_and_rows(
    seen: &[ReceivedRequest],
    entries: &[Entry],
    (history, has_outages): (&[Sent], bool),
    unanswered: &BTreeSet<&str>,
) -> usize {
    let mut deletes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, request) in seen.iter().enumerate().filter(|(_, request)| request.method == Method::DELETE) {
        deletes.entry(user_name_of(request).expect("a name")).or_default().push(place);
    }
    let mut claimed: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.in_flight_until.is_some()) {
        claimed.entry(entry.user_name.as_deref().expect("a name")).or_default().push(entry);
    }
    let mut again = 0;
    for (user_name, places) in &deletes {
        let rows = claimed.get(user_name).cloned().unwrap_or_default();
        let [row] = rows[..] else { panic!("{user_name}: {} DELETEs and {rows:#?}", places.len()) };
        // A row's id begins with the time at which it was made, in milliseconds.
        let made_at = i64::from_str_radix(&row.id[..12], 16).unwrap();
        assert!(signed_at(&seen[places[0]]) >= made_at.div_euclid(1000), "{user_name}: sent before {row:?}");

        for pair in places.windows(2) {
            let turned_away = seen[pair[0]].status.is_some_and(|status| [409, 429, 503].contains(&status.as_u16()));
            let looked_up = seen[pair[0]..pair[1]].iter().any(|request| {
                request.method == Method::GET
                    && user_name_of(request) == Some(user_name)
                    && request.status.is_some_and(|status| status == 200)
            });
            assert!(turned_away || looked_up, "{user_name}: sent again after {:?}\n{row:?}", seen[pair[0]]);
            again += 1;
        }
        if !unanswered.contains(user_name) {
            assert_eq!(places.len() as i64, row.attempts, "{user_name}: {row:?}");
        }
    }
    // And the other way round: what a row says was sent, was. A process that is killed has counted what it was about to send.
    for row in entries.iter().filter(|entry| entry.in_flight_until.is_some()) {
        let user_name = row.user_name.as_deref().unwrap();
        let sent = deletes.get(user_name).map_or(0, Vec::len) as i64;
        let told = || {
            history.iter().filter(|sent| sent.user_name.as_deref() == Some(user_name)).flat_map(|sent| &sent.answers)
        };
        // Where the ledger was away as well, what could not be sent has no outcome, and the list settles it as it does what was.
        let is_settled = has_outages && sent < row.attempts && row.state == "not-removed";
        let is_right = sent == row.attempts || is_settled || unanswered.contains(user_name);
        assert!(is_right, "{sent} DELETEs: {row:?} {:?}", told().map(code_of).collect::<Vec<_>>());
    }
    again
}

/// What became of the accounts; `there` are those that there were.
fn accounts_and_rows(accounts: &BTreeSet<String>, there: &BTreeSet<&str>, entries: &[Entry]) {
    for row in entries.iter().filter(|entry| entry.in_flight_until.is_some()) {
        let user_name = row.user_name.as_deref().unwrap();
        let is_there = accounts.contains(user_name);
        match row.state.as_str() {
            "removed" => assert!(!is_there, "{row:?}"),
            // What was turned away in its only attempt did nothing. Of an earlier one, the effect may come late.
            "refused-upstream" | "not-sent" if row.attempts <= 1 => {
                assert_eq!(is_there, there.contains(user_name), "{row:?}");
            }
            // So it may where the list still had the account, and `gone` is what the cloud says of one that is there.
            "refused-upstream" | "not-sent" | "not-removed" | "already-gone" => {}
            state => panic!("{state}: {row:?}"),
        }
    }
}

fn median(mut samples: Vec<u64>) -> u64 {
    samples.sort_unstable();
    samples[samples.len() / 2]
}

/// No request is stopped by the brake, which other suites test.
fn setup() -> Setup {
    Setup { real_time: true, ..Setup::default() }.people().limits(LIMITS).replace(
        "policy.cedar",
        "context.removals_last_hour >= 20",
        "context.removals_last_hour >= 1000000",
    )
}

fn length() -> Duration {
    match std::env::var("SOAK_MINUTES") {
        Ok(minutes) => Duration::from_secs(60 * minutes.parse::<u64>().expect("SOAK_MINUTES is a whole number")),
        Err(_) => Duration::from_secs(20),
    }
}

fn seed() -> u64 {
    match std::env::var("SOAK_SEED") {
        Ok(seed) => seed.parse().expect("SOAK_SEED is a number"),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
    }
}

/// Waits until no request can be running any more, asks about every row that is left, and returns how many of them a repeat
/// settled.
async fn settle(left: &[Entry], history: &[Sent], address: SocketAddr) -> usize {
    let over_at = left.iter().filter_map(|entry| entry.in_flight_until).max().unwrap_or_default();
    let now = || i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    while now() <= over_at {
        tokio::time::sleep(Duration::from_millis(u64::try_from(over_at - now() + 1).unwrap_or(1))).await;
    }
    let mut settled_by_repeats = 0;
    for entry in left {
        let own = history.iter().find(|sent| sent.user_name == entry.user_name).expect("somebody asked for it");
        let request = if own.at.elapsed() < REPEATABLE {
            settled_by_repeats += 1;
            own.wire.request()
        } else {
            let look = Ask {
                says: Some(crate::harness::requests::Says {
                    how: "status".into(),
                    id: entry.id.clone(),
                    clicked: false,
                }),
                ..Ask::default()
            };
            Sent::new(Kind::Api, None, &look, None).wire.request()
        };
        let answer = try_send(address, request).await.unwrap();
        // A look shows the row as it is then; a repeat is answered as the first request would have been.
        let is_settled = match answer.json().get("state").and_then(|state| state.as_str()) {
            Some(state) => ["removed", "not-removed"].contains(&state),
            None => ["SUCCESS", "OFFBOARD.50204"].contains(&code_of(&answer).as_str()),
        };
        assert!(is_settled, "{answer:?} {entry:?}");
    }
    settled_by_repeats
}

fn no_instance_failed(logs: &Path) {
    for log in fs::read_dir(logs).unwrap() {
        let text = fs::read_to_string(log.unwrap().path()).unwrap();
        for sign in ["an instance of the component failed", "the component failed to answer", "panicked at"] {
            assert!(!text.contains(sign), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_balance_after_load_faults_and_kills() {
    balance(Gateway::start(setup()).await, None).await;
}

/// Two processes at a time on one PostgreSQL, which is killed as well: with `SOAK_MINUTES`, because what an outage meets is another thing
/// each time, and a few seconds show little of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_books_balance_on_a_postgres_that_is_killed() {
    if std::env::var_os("SOAK_MINUTES").is_none() {
        return;
    }
    let server = Server::start(ServerOptions::default()).unwrap();
    let store = Store::Postgres(server.create_database().unwrap());
    balance(Gateway::start_on(store, setup()).await, Some(server)).await;
}

/// The ledger's server is killed now and then, and back a moment later.
async fn outages(mut server: Server, mut dice: Dice, until: Instant) -> (Server, usize) {
    let mut count = 0;
    while Instant::now() < until {
        tokio::time::sleep(dice.milliseconds(2000, 5000)).await;
        let away = dice.milliseconds(50, 1500);
        server = tokio::task::spawn_blocking(move || {
            server.kill().unwrap();
            std::thread::sleep(away);
            server.restart().unwrap();
            server
        })
        .await
        .unwrap();
        count += 1;
    }
    (server, count)
}

/// Samples of a process's memory in KiB, and how long it was watched.
async fn watch_memory(process: &Process, until: Instant) -> (Vec<u64>, Duration) {
    let life = Instant::now();
    let mut resident = Vec::new();
    while Instant::now() < until || resident.len() < 10 {
        resident.push(process.resident());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    (resident, life.elapsed())
}

/// See the module. `server` is the ledger's own, if it may be killed.
async fn balance(gateway: Gateway, server: Option<Server>) {
    let (length, seed) = (length(), seed());
    eprintln!("SOAK_SEED={seed}, {} seconds", length.as_secs());
    let dice = |number: u64| Dice(seed.wrapping_mul(1000).wrapping_add(number));

    let (gateway, has_outages) = (Arc::new(gateway), server.is_some());
    let logs = TempDir::new().unwrap();
    let start = |number: usize| {
        let (gateway, log) = (gateway.clone(), File::create(logs.path().join(number.to_string())).unwrap());
        tokio::task::spawn_blocking(move || Process::start(&gateway, Stdio::from(log)))
    };

    let mut process = start(0).await.unwrap();
    let mut next = start(1);
    let (current, watched) = watch::channel(process.address);
    let until = Instant::now() + length;
    // The last life is the longest, for its memory.
    let last_kill = Instant::now() + length * 2 / 5;
    let mut senders = JoinSet::new();
    for number in 0..SENDERS {
        senders.spawn(sender(number, dice(number as u64), gateway.clone(), watched.clone(), until));
    }
    let weather = tokio::spawn(weather(dice(100), gateway.clone(), until));
    let outages = server.map(|server| tokio::spawn(outages(server, dice(300), until)));

    let mut kills = 0;
    let mut dice = dice(200);
    loop {
        tokio::time::sleep(dice.milliseconds(1000, 4000)).await;
        if Instant::now() >= last_kill && kills > 0 {
            break;
        }
        let replacement = next.await.unwrap();
        current.send_replace(replacement.address);
        // Those on their way to the old one may still arrive there, or find no process.
        std::mem::replace(&mut process, replacement).kill();
        kills += 1;
        next = start(kills + 1);
    }
    let (resident, life) = watch_memory(&process, until).await;
    let history: Vec<Sent> = senders.join_all().await.into_iter().flatten().collect();
    weather.await.unwrap();
    let (_server, outages) = match outages {
        Some(outages) => outages.await.map(|(server, count)| (Some(server), count)).unwrap(),
        None => (None, 0),
    };

    // The last one dies as the others did, and what it leaves behind is settled by the process that is asked next.
    let replacement = next.await.unwrap();
    std::mem::replace(&mut process, replacement).kill();
    let left: Vec<_> = entries(&gateway.ledger).into_iter().filter(is_open).collect();
    let settled_by_repeats = settle(&left, &history, process.address).await;
    process.kill();

    let rows = entries(&gateway.ledger);
    let open: Vec<_> = rows.iter().filter(|entry| is_open(entry)).collect();
    assert!(open.is_empty(), "{open:#?}");
    let by_id: BTreeMap<_, _> = rows.iter().map(|entry| (entry.id.as_str(), entry)).collect();
    let settled = left.iter().map(|entry| entry.id.as_str()).collect();
    let codes = answers_and_rows(&history, &by_id, &settled, has_outages);
    let gone = history.iter().filter(|sent| sent.unanswered > 0).filter_map(|sent| sent.user_name.as_deref());
    // Of what a server that was away has not written, the row knows no more than the account list.
    let unwritten = left.iter().filter(|_| has_outages).filter_map(|entry| entry.user_name.as_deref());
    let down = history.iter().filter(|sent| sent.answers.iter().any(|answer| code_of(answer) == LEDGER_DOWN));
    let unanswered: BTreeSet<_> =
        gone.chain(unwritten).chain(down.filter_map(|sent| sent.user_name.as_deref())).collect();
    let seen = gateway.simulator.requests();
    let again = deletes_and_rows(&seen, &rows, (&history, has_outages), &unanswered);
    let there = history.iter().filter(|sent| sent.is_there).filter_map(|sent| sent.user_name.as_deref()).collect();
    accounts_and_rows(&gateway.simulator.accounts(INSTANCE), &there, &rows);
    no_instance_failed(logs.path());

    let fifth = resident.len() / 5;
    let (early, late) = (median(resident[fifth..2 * fifth].to_vec()), median(resident[4 * fifth..].to_vec()));
    let answers: usize = codes.values().sum();
    eprintln!(
        "{answers} answers, {} without one, {kills} kills, {outages} outages, {} rows, {} DELETEs ({again} of them again), {} lists, {} rows left \
         behind ({settled_by_repeats} settled by a repeat); memory {early} KiB early and {late} KiB late in a life of {} s; {codes:?}",
        unanswered.len(),
        rows.len(),
        seen.iter().filter(|request| request.method == Method::DELETE).count(),
        seen.iter().filter(|request| request.method == Method::GET).count(),
        left.len(),
        life.as_secs(),
    );
    assert!(late <= early * 3 / 2 + 32 * 1024, "memory grows from {early} to {late} KiB");
    // The test is about something.
    for code in ["SUCCESS", "DRY_RUN", "OFFBOARD.40301", "OFFBOARD.40105"] {
        assert!(codes.contains_key(code), "{code} never came: {codes:?}");
    }
}
