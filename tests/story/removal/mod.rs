//! A removal, from the request to the last message about it.

mod any_departure;
mod brakes;
mod dry_run;
mod end_to_end;
mod follow_up;
mod leavers;
mod who_leaves;
