//! TaurusDB and IAM: what they answer, what they do wrong, how long they take.

mod answers;
mod faults;
mod iam_tokens;
mod time_limits;
