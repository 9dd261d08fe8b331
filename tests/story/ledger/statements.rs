//! Each statement on a real PostgreSQL: what the server takes its parameters for, and what it answers with.

use starrocks_offboard::app::statements;
use starrocks_offboard::ledger::dialect;
use support::postgres_ledger::PostgresLedger;

const SENT: [&str; 2] = ["int8", "text"];
const READ: [&str; 5] = ["int8", "int4", "int2", "bool", "text"];

/// The shell sends numbers as `bigint` and all else as `text`, and the server infers the types of parameters by itself. Where it infers
/// others the statement fails, whatever is sent. That each parameter is sent as the one of the two that it is, each story shows.
#[test]
fn parameters_and_columns_have_the_types_of_the_shell() {
    let ledger = PostgresLedger::take();
    let mut wrong = String::new();
    for statement in statements() {
        let text = dialect::postgres(statement);
        match ledger.types(&text) {
            Ok((parameters, columns)) => {
                for (number, kind) in parameters.iter().enumerate().filter(|(_, kind)| !SENT.contains(&kind.as_str())) {
                    wrong += &format!("${} is {kind}: {text}\n", number + 1);
                }
                for (number, kind) in columns.iter().enumerate().filter(|(_, kind)| !READ.contains(&kind.as_str())) {
                    wrong += &format!("column {} is {kind}: {text}\n", number + 1);
                }
                if parameters.len() != greatest_parameter(statement) {
                    wrong += &format!("{} parameters: {statement}\n{text}\n", parameters.len());
                }
            }
            Err(why) => wrong += &format!("{why}: {text}\n"),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The number of parameters, in SQLite's words.
fn greatest_parameter(statement: &str) -> usize {
    let numbers = statement.split('?').skip(1).map(|rest| {
        let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().expect("a number is behind each question mark")
    });
    numbers.max().unwrap_or(0)
}
