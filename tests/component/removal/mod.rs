//! A removal, from the request to the last message about it.

mod dry_run;
mod follow_up;
mod policy;
mod repeats;
