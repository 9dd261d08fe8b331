//! The errors of `spin:postgres`, in the words of Spin: the texts are Rust's debug output of the same errors.

use tokio_postgres::error::DbError;

use super::bindings::spin::postgres::postgres::{DbError as StructuredError, Error, QueryError};

/// Of `open`.
pub(super) fn connection_failed(error: &anyhow::Error) -> Error {
    Error::ConnectionFailed(format!("{error:?}"))
}

/// Of a statement: by fields if the server sent it, as text if the client did.
pub(super) fn query_failed(error: &tokio_postgres::Error) -> Error {
    let text = format!("{error:?}");
    Error::QueryFailed(match error.as_db_error() {
        Some(error) => QueryError::DbError(StructuredError {
            as_text: text,
            severity: error.severity().to_owned(),
            code: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            extras: extras(error),
        }),
        None => QueryError::Text(text),
    })
}

/// Of a row that was received and cannot be handed on.
pub(super) fn unreadable(error: &anyhow::Error) -> Error {
    Error::QueryFailed(QueryError::Text(format!("{error:?}")))
}

fn extras(error: &DbError) -> Vec<(String, String)> {
    let fields = [
        ("column", error.column()),
        ("constraint", error.constraint()),
        ("routine", error.routine()),
        ("hint", error.hint()),
        ("table", error.table()),
        ("datatype", error.datatype()),
        ("schema", error.schema()),
        ("file", error.file()),
    ];
    let mut extras: Vec<_> =
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    extras.extend(error.line().map(|line| ("line".to_owned(), line.to_string())));
    extras.extend(error.where_().map(|place| ("where_".to_owned(), place.to_owned())));
    extras
}
