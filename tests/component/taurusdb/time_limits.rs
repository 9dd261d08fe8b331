//! Each time limit of `[limits]`, short and really waited for: which outcome it comes to, whether anything was sent, and that
//! no request takes longer than all of its time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::harness::agreement::assert_agreement;
use crate::harness::credentials::Credentials;
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, Kind};
use crate::harness::setup::Setup;

/// An address at which connections do not come to stand: a process listens, whose queue is full and who never accepts.
struct Clogged {
    address: SocketAddr,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl Clogged {
    async fn start() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        // How long a queue really is, is up to the system.
        while let Ok(stood) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
            queue.push(stood.unwrap());
            assert!(queue.len() < 100, "the queue does not fill up");
        }
        Self { address, _listener: listener, _queue: queue }
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// One removal, and what came of it.
struct Case {
    credentials: Credentials,
    limits: &'static str,
    faults: &'static [&'static str],
    /// The variable whose host cannot be connected to.
    clogged: Option<&'static str>,
    code: &'static str,
    state: &'static str,
    /// DELETEs by the row; none of those at a clogged address reached anybody.
    attempts: i64,
    /// At least, and at most, in milliseconds: the least is the limit, less what a timer may be early by.
    takes: (u64, u64),
}

impl Case {
    fn new(limits: &'static str, faults: &'static [&'static str]) -> Self {
        let (code, state) = ("SUCCESS", "removed");
        Self {
            credentials: Credentials::Aksk,
            limits,
            faults,
            clogged: None,
            code,
            state,
            attempts: 1,
            takes: (0, 3_000),
        }
    }

    fn clogged(limits: &'static str, variable: &'static str) -> Self {
        Self { clogged: Some(variable), ..Self::new(limits, &[]) }
    }
}

async fn run(case: Case) {
    let clogged = Clogged::start().await;
    let mut setup = case.credentials.setup().limits(case.limits);
    if let Some(variable) = case.clogged {
        setup = setup.variable(variable, &clogged.endpoint());
    }
    let setup = case.faults.iter().fold(setup, |setup: Setup, fault| setup.fault(fault));
    let gateway = Gateway::start(setup).await;
    let began = Instant::now();
    let answer = gateway.ask(Kind::Api, &Ask::default()).await;
    let took = began.elapsed();
    let row = gateway.row();
    assert_agreement(&gateway, &answer, &row);
    let about = format!(
        "{:?} {} {:?}: {took:?} {row:#?}\n{}",
        case.credentials,
        case.limits,
        case.faults,
        gateway.logs.lines().join("\n")
    );
    assert_eq!(
        (answer.code().as_str(), row.state.as_str(), row.attempts),
        (case.code, case.state, case.attempts),
        "{about}"
    );
    let (least, most) = case.takes;
    assert!(took >= Duration::from_millis(least) && took < Duration::from_millis(most), "{about}");
}

/// Cases wait; they do not disturb each other.
async fn check(cases: impl IntoIterator<Item = Case>) {
    let mut running = JoinSet::new();
    for case in cases {
        running.spawn(run(case));
    }
    running.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_does_not_stand_in_time() {
    let times = |limits, attempts, takes| Case {
        code: "OFFBOARD.50402",
        state: "not-sent",
        attempts,
        takes,
        ..Case::clogged(limits, "taurusdb_endpoint")
    };
    check([
        times("connect_ms = 300\nattempts = 1", 1, (290, 2_000)),
        // Not a byte left, so it is tried again.
        times("connect_ms = 300\nattempts = 3", 3, (890, 4_000)),
        // One to IAM is no other.
        Case {
            credentials: Credentials::Password,
            code: "OFFBOARD.50203",
            state: "not-sent",
            attempts: 0,
            takes: (590, 3_000),
            ..Case::clogged("connect_ms = 300\nattempts = 2", "iam_endpoint")
        },
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_byte_that_does_not_come_in_time() {
    let limits = "first_byte_ms = 700";
    check([
        // The DELETE, and the list.
        Case {
            code: "OFFBOARD.50401",
            state: "unknown",
            takes: (1_390, 4_200),
            ..Case::new(limits, &["hang", "list:hang"])
        },
        Case { code: "OFFBOARD.50204", state: "not-removed", takes: (690, 2_100), ..Case::new(limits, &["hang"]) },
        Case { takes: (690, 2_100), ..Case::new(limits, &["hang-after"]) },
        Case {
            credentials: Credentials::Password,
            code: "OFFBOARD.50203",
            state: "not-sent",
            attempts: 0,
            takes: (690, 2_100),
            ..Case::new(limits, &["iam:hang"])
        },
        // In time.
        Case { takes: (150, 3_000), ..Case::new("first_byte_ms = 2000", &["latency=150ms"]) },
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_whole_in_time() {
    let limits = "call_ms = 700";
    check([
        Case {
            code: "OFFBOARD.50403",
            state: "unknown",
            takes: (1_390, 4_200),
            ..Case::new(limits, &["drip", "list:drip"])
        },
        Case { code: "OFFBOARD.50204", state: "not-removed", takes: (690, 2_100), ..Case::new(limits, &["drip"]) },
        Case { takes: (690, 2_100), ..Case::new(limits, &["drip-after"]) },
        // Shorter than the first byte's, which it then stands for.
        Case {
            code: "OFFBOARD.50403",
            state: "unknown",
            takes: (1_390, 4_200),
            ..Case::new(limits, &["hang", "list:hang"])
        },
        Case {
            credentials: Credentials::AgencyOnAksk,
            code: "OFFBOARD.50203",
            state: "not-sent",
            attempts: 0,
            takes: (690, 2_100),
            ..Case::new(limits, &["iam:drip"])
        },
    ])
    .await;
}

/// Three quarters of the time are for sending, and the last is kept for settling.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_ends_within_its_time() {
    let limits = "call_ms = 2400\ntotal_ms = 2400";
    check([
        Case {
            code: "OFFBOARD.50405",
            state: "unknown",
            takes: (2_390, 7_200),
            ..Case::new(limits, &["hang", "list:hang"])
        },
        Case {
            code: "OFFBOARD.50405",
            state: "unknown",
            takes: (2_390, 7_200),
            ..Case::new(limits, &["drip", "list:drip"])
        },
        Case { code: "OFFBOARD.50204", state: "not-removed", takes: (1_790, 7_200), ..Case::new(limits, &["hang"]) },
        Case { takes: (1_790, 7_200), ..Case::new(limits, &["drip-after"]) },
        // All of it went into connecting.
        Case {
            code: "OFFBOARD.50404",
            state: "not-sent",
            takes: (1_790, 7_200),
            ..Case::clogged(limits, "taurusdb_endpoint")
        },
        // Or into waiting for IAM.
        Case {
            credentials: Credentials::Password,
            code: "OFFBOARD.50203",
            state: "not-sent",
            attempts: 0,
            takes: (1_790, 7_200),
            ..Case::new(limits, &["iam:hang"])
        },
        // There is no time to wait for as long as was asked.
        Case { code: "APIGW.0308", state: "not-removed", takes: (0, 1_900), ..Case::new(limits, &["throttled=2"]) },
        Case {
            code: "APIGW.0308",
            state: "not-removed",
            attempts: 2,
            takes: (990, 7_200),
            ..Case::new(limits, &["throttled=1"])
        },
    ])
    .await;
}

/// As often as it may be sent, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_counted() {
    let times = |limits, attempts| Case {
        code: "DBS.200019",
        state: "not-removed",
        attempts,
        takes: (0, 5_000),
        ..Case::new(limits, &["busy"])
    };
    check([times("attempts = 1", 1), times("attempts = 2", 2), times("attempts = 4", 4)]).await;
}
