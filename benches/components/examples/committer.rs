//! The bare forwarder between two bare commits: what a record before and after costs any component on this disk.
#![cfg(target_family = "wasm")]

use std::cell::RefCell;
use std::rc::Rc;

use bench_components::{Answer, failed, forward};
use spin_sdk::http::Request;
use spin_sdk::http_service;
use spin_sdk::sqlite::{Connection, Value};

thread_local! {
    /// One connection an instance, kept.
    static DATABASE: RefCell<Option<Rc<Connection>>> = const { RefCell::new(None) };
}

/// The connection, set as the component sets its own, beside a table that is there.
const OPEN: [&str; 3] = [
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, path TEXT NOT NULL, status INTEGER) STRICT",
];

#[http_service]
async fn handle(request: Request) -> Answer {
    recorded(request).await.unwrap_or_else(failed)
}

async fn recorded(request: Request) -> Result<Answer, String> {
    let database = database().await?;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let rows = run(&database, "INSERT INTO bare (path) VALUES (?1) RETURNING id", vec![Value::Text(path)]).await?;
    let [Value::Integer(id)] = rows[..] else { return Err("the row has no id".to_owned()) };
    let answer = forward(request).await?;
    let status = i64::from(answer.status().as_u16());
    run(&database, "UPDATE bare SET status = ?2 WHERE id = ?1", vec![Value::Integer(id), Value::Integer(status)])
        .await?;
    Ok(answer)
}

async fn database() -> Result<Rc<Connection>, String> {
    let open = DATABASE.with(|database| database.borrow().clone());
    if let Some(open) = open {
        return Ok(open);
    }
    let opened = Rc::new(Connection::open_default().await.map_err(|error| error.to_string())?);
    for statement in OPEN {
        run(&opened, statement, vec![]).await?;
    }
    DATABASE.with(|database| *database.borrow_mut() = Some(Rc::clone(&opened)));
    Ok(opened)
}

/// The values of the first row.
async fn run(database: &Connection, statement: &str, parameters: Vec<Value>) -> Result<Vec<Value>, String> {
    let result = database.execute(statement, parameters).await.map_err(|error| error.to_string())?;
    let rows = result.collect().await.map_err(|error| error.to_string())?;
    Ok(rows.into_iter().next().map(|row| row.values).unwrap_or_default())
}
