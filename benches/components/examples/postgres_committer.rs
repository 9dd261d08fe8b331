//! The bare forwarder between two bare commits on PostgreSQL: what a record before and after costs any component there.
//!
//! It takes a connection for each commit, as a component does that gives it back while it waits for the upstream.
#![cfg(target_family = "wasm")]

use bench_components::{Answer, failed, forward};
use spin_sdk::http::Request;
use spin_sdk::http_service;
use spin_sdk::pg::{Connection, DbValue, ParameterValue};
use spin_sdk::variables;

#[http_service]
async fn handle(request: Request) -> Answer {
    recorded(request).await.unwrap_or_else(failed)
}

async fn recorded(request: Request) -> Result<Answer, String> {
    let address = variables::get("ledger").await.map_err(|error| error.to_string())?;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let insert = "INSERT INTO bare (path) VALUES ($1) RETURNING id";
    let row = run(&address, insert, vec![ParameterValue::Str(path)]).await?;
    let [DbValue::Int64(id)] = row[..] else { return Err("the row has no id".to_owned()) };
    let answer = forward(request).await?;
    let status = i64::from(answer.status().as_u16());
    let update = "UPDATE bare SET status = $2 WHERE id = $1";
    run(&address, update, vec![ParameterValue::Int64(id), ParameterValue::Int64(status)]).await?;
    Ok(answer)
}

/// The values of the first row.
async fn run(address: &str, statement: &str, parameters: Vec<ParameterValue>) -> Result<Vec<DbValue>, String> {
    let database = Connection::open(address).await.map_err(|error| error.to_string())?;
    let mut answer = database.query(statement, parameters).await.map_err(|error| error.to_string())?;
    let first = answer.rows().next().await.unwrap_or_default();
    answer.result().await.map_err(|error| error.to_string())?;
    Ok(first)
}
