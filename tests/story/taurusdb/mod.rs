//! What TaurusDB and IAM do to a removal, and what answer, row and log then say.

mod account_list;
mod iam_tokens;
mod retries;
pub(crate) mod shared;
