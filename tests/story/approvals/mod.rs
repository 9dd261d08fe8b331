//! Requests that wait for a confirmation or an approval.

mod any_order;
mod approval;
pub(crate) mod buttons;
mod confirmation;
mod forbids;
mod listing;
pub(crate) mod shared;
