//! The only folder that names Spin: the HTTP entry point, and the [`Host`] implementation that the core runs on.
//!
//! Nothing is decided here. Every request gets a response, because Spin would turn a handler's error into an empty 500.
//!
//! The build calls `bake` and keeps the memory that it leaves behind as the component's own. So `bake` opens
//! nothing, and files are read by WASI 0.3 only: `std::fs` finds folders by a table that some C libraries fill at the start
//! of an instance, which then is the build's table.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_channel::oneshot;
use futures_util::future::{Either, join, join3, select};
use spin_sdk::variables;
use spin_sdk::wasip3::clocks::monotonic_clock::wait_for;
use spin_sdk::wasip3::filesystem::preopens::get_directories;
use spin_sdk::wasip3::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode as FileError, OpenFlags, PathFlags};
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};
use spin_sdk::wasip3::random::random::get_random_bytes;
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::StreamResult;

mod batch;
mod clock;
mod log;
mod pause;
mod postgres;
mod sqlite;
mod wire;

use crate::app::{App, Baked, OFFBOARD, Texts};
use crate::diagnostic::{Diagnostic, Unusable};
use crate::flow;
use crate::host::{Answered, Batched, DatabaseKind, Host, Limits, LogLabels, SendError, StoreError, Value};
use crate::ledger::Ledger;
use crate::ledger::location::Location;
use crate::secret::Secret;
use crate::shell::log::write_line;
use crate::shell::sqlite::Most;

/// Where spin.toml mounts the operator's files.
const CONFIG: &str = "/config";

/// How much of a file is read at once, in bytes: as much as the runtime reads.
const READ: usize = 8 * 1024;

/// The variable that says where the ledger is.
const LEDGER: &str = "ledger";

/// How long the value of a variable is used without reading it again: a rotation is seen within this time.
const VARIABLE_KEPT: Duration = Duration::from_secs(2);

thread_local! {
    /// What `bake` left; `None` in a component that was not baked, and once the app was taken out.
    static BAKED: RefCell<Option<Baked>> = const { RefCell::new(None) };
    /// The configuration, once the first request of the instance has read it.
    static GATEWAY: RefCell<Option<Rc<Result<App, Unusable>>>> = const { RefCell::new(None) };
    /// The variables that were read, and when. Their names are those of offboard.toml.
    static VARIABLES: RefCell<BTreeMap<String, (Instant, Option<Secret>)>> = const { RefCell::new(BTreeMap::new()) };
}

mod exports {
    #![allow(missing_docs, unreachable_pub, unsafe_code, reason = "generated")]

    spin_sdk::wit_bindgen::generate!({
        inline: "
            package offboard:gateway;
            world gateway {
                /// The texts of offboard.toml, policy.cedar and schema.cedarschema, in this order.
                export bake: func(texts: list<string>) -> result<_, string>;
            }
        ",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
    });

    export!(Component);

    pub(super) struct Component;
}

impl exports::Guest for exports::Component {
    fn bake(texts: Vec<String>) -> Result<(), String> {
        let Ok([offboard, policy, schema]) = <[String; 3]>::try_from(texts) else {
            return Err("three texts are expected: offboard.toml, policy.cedar, schema.cedarschema".into());
        };
        let baked = Baked::new(Texts { offboard, policy, schema }).map_err(|unusable| unusable.to_string())?;
        BAKED.set(Some(baked));
        scrub();
        Ok(())
    }
}

/// Writes zeros over what parsing has freed. The component would carry it: only zeros take no room in it.
fn scrub() {
    const SIZES: [usize; 6] = [64 << 10, 8 << 10, 1 << 10, 128, 48, 16];
    const PAGE: usize = 64 << 10;
    const MOST: usize = 1 << 12;
    let mut chunks: Vec<Vec<u8>> = Vec::with_capacity(MOST);
    let end = core::arch::wasm32::memory_size::<0>().saturating_mul(PAGE);
    for size in SIZES {
        // Until no free room of this size is left.
        while chunks.len() < MOST
            && chunks.last().is_none_or(|chunk| chunk.len() != size || chunk.as_ptr().addr() < end)
        {
            chunks.push(vec![1; size]);
        }
    }
    for mut chunk in chunks {
        chunk.fill(0);
        std::hint::black_box(&chunk);
    }
}

/// Returns the configuration. The first request of an instance reads it, and opens the ledger meanwhile.
async fn gateway(spin: &Spin, with_ledger: bool) -> Rc<Result<App, Unusable>> {
    if let Some(known) = GATEWAY.with_borrow(Clone::clone) {
        return known;
    }
    let ledger = async { if with_ledger { Some(Ledger::open(spin).await.map(|_| ())) } else { None } };
    let (texts, opened) = join(texts(), ledger).await;
    // Another request may have read them meanwhile.
    let gateway = GATEWAY.with_borrow_mut(|gateway| Rc::clone(gateway.get_or_insert_with(|| Rc::new(load(texts)))));
    if let (Ok(app), Some(opened)) = (&*gateway, opened) {
        app.ledger_was_opened(opened);
    }
    gateway
}

fn load(texts: Result<Texts, Unusable>) -> Result<App, Unusable> {
    let app = texts.and_then(|texts| match BAKED.with_borrow_mut(|baked| Some(baked.as_mut()?.take_for(&texts))) {
        Some(Some(app)) => Ok(app),
        differs => {
            if differs.is_some() {
                write_line("config: the component was built with other files than these, so each instance parses them; build it again");
            }
            App::parse(&texts.offboard, &texts.policy, &texts.schema)
        }
    });
    if let Err(unusable) = &app {
        write_line(&format!("config: {unusable}"));
    }
    app
}

async fn texts() -> Result<Texts, Unusable> {
    let folders = get_directories();
    let read = async |name: &'static str| {
        let text = read_file(&folders, name).await;
        text.map_err(|why| Unusable::new(&[Diagnostic::error(name, None, format!("cannot be read: {why}"))]))
    };
    let (offboard, policy, schema) = join3(read(OFFBOARD), read("policy.cedar"), read("schema.cedarschema")).await;
    Ok(Texts { offboard: offboard?, policy: policy?, schema: schema? })
}

/// Reads a file of `/config`, wherever that is: spin.toml mounts the folder, and an application from a registry has one root.
async fn read_file(folders: &[(Descriptor, String)], name: &str) -> Result<String, String> {
    let path = format!("{CONFIG}/{name}");
    let inside = folders.iter().filter_map(|(folder, mounted)| {
        let rest = path.strip_prefix(mounted.trim_end_matches('/'))?.strip_prefix('/')?;
        Some((mounted.len(), folder, rest))
    });
    let (_, folder, rest) = inside.max_by_key(|(length, ..)| *length).ok_or("no folder is mounted there")?;
    let (follow, read) = (PathFlags::SYMLINK_FOLLOW, DescriptorFlags::READ);
    let file =
        folder.open_at(follow, rest.to_owned(), OpenFlags::empty(), read).await.map_err(|code| in_words(&code))?;
    let (mut stream, end) = file.read_via_stream(0);
    let mut bytes = Vec::new();
    loop {
        // Not `collect`, which begins with room for eight bytes and so calls ten times.
        if bytes.len() == bytes.capacity() {
            bytes.reserve(READ);
        }
        let (status, so_far) = stream.read(bytes).await;
        bytes = so_far;
        if !matches!(status, StreamResult::Complete(_)) {
            break;
        }
    }
    end.await.map_err(|code| in_words(&code))?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

fn in_words(code: &FileError) -> String {
    match code {
        FileError::NoEntry => "there is no such file".to_owned(),
        FileError::Access | FileError::NotPermitted => "permission denied".to_owned(),
        other => format!("{other:?}"),
    }
}

mod entry {
    #![allow(missing_docs, unreachable_pub, unsafe_code, reason = "generated")]

    spin_sdk::wasip3::http::service::export!(Entry);

    pub(super) struct Entry;
}

/// What `#[http_service]` writes, without its conversion of the request.
impl spin_sdk::wasip3::exports::http::handler::Guest for entry::Entry {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        Ok(handle(request).await)
    }
}

/// Answers a request. The request's task sends the response as soon as it is known and then finishes its work, such as a
/// follow-up; Spin and the local runtime let it finish.
async fn handle(request: Request) -> Response {
    let (answer, answered) = oneshot::channel();
    spawn(async move {
        clock::run_on();
        let inbound = wire::head(&request);
        let spin = Spin::default();
        let app = gateway(&spin, flow::may_need_ledger(&inbound)).await;
        let app = (*app).as_ref().map_err(|unusable| unusable.places.as_str());
        let (inbound, problem) = wire::with_body(inbound, request, |inbound| flow::body_limit(app, inbound)).await;
        clock::run_on();
        // Sending fails if the client has closed the connection; the work goes on.
        flow::handle(&spin, app, inbound, problem, |response| drop(answer.send(response))).await;
    });
    let response = answered.await.unwrap_or_else(|_| {
        let mut response = http::Response::new(Bytes::new());
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        response
    });
    wire::response(response)
}

/// Waits for the runtime, and lets the clock run on meanwhile.
async fn waited<T>(work: impl Future<Output = T>) -> T {
    let result = work.await;
    clock::run_on();
    result
}

/// The core's runtime, on Spin, for one request.
#[derive(Default)]
struct Spin {
    postgres: postgres::Session,
    labels: RefCell<LogLabels>,
}

impl Spin {
    async fn location(&self) -> Result<Location, StoreError> {
        let value = self.variable(LEDGER).await;
        Location::parse(value.as_ref()).map_err(|why| StoreError::Failed(why.into()))
    }
}

impl Host for Spin {
    fn now(&self) -> DateTime<Utc> {
        clock::now()
    }

    fn random(&self) -> u128 {
        let bytes = get_random_bytes(16);
        bytes.iter().fold(0, |number, byte| (number << 8) | u128::from(*byte))
    }

    async fn variable(&self, name: &str) -> Option<Secret> {
        let known = VARIABLES.with_borrow(|variables| variables.get(name).cloned());
        if let Some((read_at, value)) = known
            && clock::latest().saturating_duration_since(read_at) < VARIABLE_KEPT
        {
            return value;
        }
        let read_at = clock::latest();
        match waited(variables::get(name)).await {
            Ok(value) => {
                let value = Secret::new(value);
                let read = (read_at, value.clone());
                VARIABLES.with_borrow_mut(|variables| variables.insert(name.to_owned(), read));
                value
            }
            Err(error) => {
                write_line(&format!("variable `{name}` cannot be read: {error}"));
                None
            }
        }
    }

    async fn file(&self, name: &str) -> Option<String> {
        waited(read_file(&get_directories(), name)).await.ok()
    }

    async fn database(&self) -> Result<DatabaseKind, StoreError> {
        self.location().await.map(|location| location.kind())
    }

    async fn query(&self, statement: &'static str, parameters: Vec<Value>) -> Result<Vec<Vec<Value>>, StoreError> {
        match self.location().await? {
            Location::Postgres(address) => waited(self.postgres.query(&address, statement, parameters)).await,
            Location::Sqlite | Location::Trial => waited(sqlite::run(statement, parameters, Most::Any)).await,
        }
    }

    async fn query_batched(
        &self,
        statement: &'static Batched,
        item: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        match self.location().await? {
            Location::Postgres(address) => {
                let run = async |text, parameters, _| self.postgres.query(&address, text, parameters).await;
                waited(batch::query(statement, item, run)).await
            }
            Location::Sqlite | Location::Trial => waited(batch::query(statement, item, sqlite::run)).await,
        }
    }

    fn elapsed(&self) -> Duration {
        clock::elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        waited(wait_for(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))).await;
    }

    async fn send(&self, request: http::Request<Bytes>, limits: Limits) -> Result<Answered, SendError> {
        self.postgres.release();
        let call = pin!(wire::call(request, limits));
        let time_limit = pin!(self.sleep(limits.call));
        match waited(select(call, time_limit)).await {
            Either::Left((answered, _)) => answered,
            Either::Right(_) => Err(SendError::CallTimedOut(format!("not within {} ms", limits.call.as_millis()))),
        }
    }

    fn labels(&self) -> &RefCell<LogLabels> {
        &self.labels
    }

    fn write_line(&self, line: &str) {
        write_line(line);
    }
}
