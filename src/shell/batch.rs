//! Statements of concurrent requests, sent as one: a commit costs as much for one row as for sixteen.
//!
//! A request that finds such a statement under way waits in line. When it has ended, the first in line runs the next one, for all
//! that wait by then, and hands them their rows. No request runs more than one, so none waits for work that is not its own.
//!
//! Tasks of a component cannot wake each other, but a stream that one of them reads ends when another drops its writer.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use spin_sdk::wasip3::wit_bindgen::StreamWriter;
use spin_sdk::wasip3::wit_stream;

use crate::host::{Batched, StoreError, Value};
use crate::shell::sqlite::Most;

/// The largest batch. An instance takes this many requests at once.
const LARGEST: usize = 16;

type Rows = Vec<Vec<Value>>;

/// What a request in line is woken with.
enum Turn {
    /// It runs the next statement, for these as well.
    Lead(Vec<Waiting>),
    /// Another request has run it.
    Done(Result<Rows, StoreError>),
}

/// A request in line.
struct Waiting {
    item: Vec<Value>,
    turn: Rc<RefCell<Option<Turn>>>,
    /// Dropped to wake it.
    bell: StreamWriter<u8>,
}

impl Waiting {
    fn wake(self, turn: Turn) {
        self.turn.replace(Some(turn));
        drop(self.bell);
    }
}

thread_local! {
    /// Those in line behind each statement that is under way, by the text of the statement.
    static LINES: RefCell<BTreeMap<&'static str, Vec<Waiting>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Runs a statement for an item, alone or with those of other requests. `run` sends a statement.
pub(super) async fn query(
    statement: &'static Batched,
    item: Vec<Value>,
    run: impl AsyncFn(&'static str, Vec<Value>, Most) -> Result<Rows, StoreError>,
) -> Result<Rows, StoreError> {
    let is_first = LINES.with_borrow_mut(|lines| {
        let is_first = !lines.contains_key(statement.one);
        lines.entry(statement.one).or_default();
        is_first
    });
    let others = if is_first {
        Vec::new()
    } else {
        match wait(statement, &item).await {
            Turn::Lead(others) => others,
            Turn::Done(rows) => return rows,
        }
    };
    let _leading = Leading(statement);
    match others.as_slice() {
        [] => run(statement.one, item, Most::One).await,
        others => {
            let items: Vec<&[Value]> =
                std::iter::once(item.as_slice()).chain(others.iter().map(|waiting| waiting.item.as_slice())).collect();
            let all = run(statement.many, vec![Batched::parameter(&items)], Most::Any).await;
            for waiting in others {
                waiting.turn.replace(Some(Turn::Done(statement.rows_of(&waiting.item, &all))));
            }
            statement.rows_of(&item, &all)
        }
    }
}

/// The request whose statement is under way.
struct Leading(&'static Batched);

impl Drop for Leading {
    fn drop(&mut self) {
        hand_over(self.0);
    }
}

/// Waits in line.
async fn wait(statement: &'static Batched, item: &[Value]) -> Turn {
    let (bell, mut listener) = wit_stream::new::<u8>();
    let turn = Rc::new(RefCell::new(None));
    let waiting = Waiting { item: item.to_vec(), turn: turn.clone(), bell };
    LINES.with_borrow_mut(|lines| lines.entry(statement.one).or_default().push(waiting));
    listener.read(Vec::with_capacity(1)).await;
    turn.take().unwrap_or_else(|| Turn::Done(Err(StoreError::Failed("the statement of a batch was given up".into()))))
}

/// Lets the first in line run the next statement, or notes that none is under way.
fn hand_over(statement: &'static Batched) {
    let next = LINES.with_borrow_mut(|lines| {
        let line = lines.get_mut(statement.one)?;
        let batch = statement.batch(line, LARGEST, |waiting| &waiting.item);
        if batch.is_empty() {
            lines.remove(statement.one);
        }
        Some(batch)
    });
    let mut batch = next.unwrap_or_default().into_iter();
    if let Some(leader) = batch.next() {
        leader.wake(Turn::Lead(batch.collect()));
    }
}
