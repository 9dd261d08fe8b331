//! A process that is killed (SIGKILL) while TaurusDB is at it: its row stays, no instance sends the DELETE a second time, and when it
//! cannot be running any more, the account list says what it did.
//!
//! The process is this test binary once more, told by a variable of its environment to be a gateway. `once` has the same for
//! every kind of caller with a runtime that is dropped; here nothing of the process is left to tidy up after itself.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use local::http_client as client;
use local::runtime::database::Database;
use local::runtime::logs::Logs;
use local::runtime::options::{Clock, Options};
use local::runtime::server::Runtime;
use local::simulator::target::Target;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::harness::answer::{Answer, PATIENCE};
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind};
use crate::harness::setup::{START, Setup};

/// What a process of its own is to run.
const VARIABLE: &str = "OFFBOARD_TEST_PROCESS";

const LISTENS: &str = "the process listens on ";

/// Signed for a name that stands for every process, as behind a load balancer.
const HOST: &str = "offboard.example.com";

#[derive(Serialize, Deserialize)]
struct Told {
    config: PathBuf,
    /// Without one the variables lead to it.
    ledger: Option<PathBuf>,
    variables: BTreeMap<String, String>,
    stand_ins: BTreeMap<String, String>,
    /// The clock is this machine's.
    real_time: bool,
}

/// Not a test: the process that is killed. It is told nothing in an ordinary run, and then there is nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn the_process() {
    let Ok(told) = std::env::var(VARIABLE) else { return };
    let told: Told = serde_json::from_str(&told).unwrap();
    let options = Options {
        config: Some(told.config),
        database: told.ledger.map_or(Database::Memory, Database::File),
        variables: told.variables,
        stand_ins: told.stand_ins,
        clock: if told.real_time { Clock::System } else { Clock::Fixed(Arc::new(AtomicI64::new(START))) },
        logs: Logs::stderr(),
        ..Options::default()
    };
    let runtime = Runtime::start(options).await.unwrap();
    println!("{LISTENS}{}", runtime.address());
    // It is not left behind when the test that started it ends in some other way.
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await.unwrap().unwrap();
}

/// A process of its own on the configuration, ledger and cloud of a gateway.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Started, and listening. What it logs goes to `log`.
    pub(crate) fn start(gateway: &Gateway, log: Stdio) -> Self {
        let told = Told {
            config: gateway.config("offboard.toml").parent().unwrap().to_owned(),
            ledger: gateway.ledger.as_file().map(Path::to_owned),
            variables: gateway.options.variables.clone(),
            stand_ins: gateway.options.stand_ins.clone(),
            real_time: matches!(gateway.options.clock, Clock::System),
        };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::crashes::the_process", "--nocapture", "--test-threads=1"])
            .env(VARIABLE, serde_json::to_string(&told).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut addresses = lines.filter_map(|line| line.split_once(LISTENS)?.1.parse().ok());
        let address = addresses.next().expect("the process says where it listens");
        Self { child, address }
    }

    /// How much memory of the machine it holds, in KiB: `VmRSS` of proc(5).
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the kernel says it");
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        assert!(!self.child.wait().unwrap().success());
    }
}

async fn ask(gateway: &Gateway, request: http::Request<bytes::Bytes>) -> Answer {
    let mut answer = gateway.send(request).await;
    answer.headers.remove("date");
    answer
}

/// What the DELETE did whose end no instance saw, and how the list settles it.
async fn killed(fault: Option<&str>, gone: bool, code: &str, state: &str) {
    let setup = fault.into_iter().fold(Setup::default(), Setup::fault);
    // The process that goes on. It has heard of nothing yet.
    let gateway = Gateway::start(setup).await;
    let process = {
        let gateway = &gateway;
        tokio::task::block_in_place(|| Process::start(gateway, Stdio::null()))
    };
    let mut wire = Ask::default().wire(Kind::StandardWebhooks, HOST, gateway.now());
    wire.set("Host", HOST);

    let hold = gateway.simulator.hold_only(Target::Delete);
    let asked = tokio::spawn(client::send(process.address, wire.request()));
    timeout(PATIENCE, hold.waiting(1)).await.expect("the DELETE in time");
    process.kill();
    assert!(asked.await.unwrap().is_err(), "the process answered after its end");
    hold.release();
    gateway.simulator.finished(1).await;
    assert_eq!(gateway.has_account("alice"), !gone);
    let row = gateway.row();
    assert_eq!((row.state.as_str(), row.attempts, row.ended_at, row.code), ("in-flight", 1, None, None));

    // It could be running: elsewhere, for all that the ledger says.
    for (passes, left) in [(0, "35"), (34_999, "1")] {
        gateway.advance(passes);
        let waiting = ask(&gateway, wire.request()).await;
        assert_eq!((waiting.status, waiting.code().as_str()), (409, "OFFBOARD.40901"));
        assert_eq!(waiting.header("retry-after"), Some(left));
        assert_eq!(waiting.header("x-offboard-removal"), Some(row.id.as_str()));
    }
    assert_eq!(gateway.simulator.requests().len(), 1);

    gateway.advance(1);
    let settled = ask(&gateway, wire.request()).await;
    assert_eq!((settled.code().as_str(), gateway.deletes()), (code, 1));
    assert_eq!(settled.header("x-offboard-confirmed-by"), Some("account-list"));
    let row = gateway.row();
    assert_eq!((row.state.as_str(), row.attempts, row.code.as_deref()), (state, 1, Some(code)));

    // What is known to have done nothing may be asked for again, by the same delivery; what was removed is not.
    gateway.simulator.clear_faults();
    let last = ask(&gateway, wire.request()).await;
    assert_eq!((last.code().as_str(), gateway.deletes()), ("SUCCESS", if gone { 1 } else { 2 }));
    assert_eq!(last == settled, gone);
    assert!(!gateway.has_account("alice"));
    assert_eq!(gateway.states(), [("alice".into(), "removed".into())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_that_removed_the_account() {
    killed(None, true, "SUCCESS", "removed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_that_did_not_remove_the_account() {
    killed(Some("reset-before"), false, "OFFBOARD.50204", "not-removed").await;
}
