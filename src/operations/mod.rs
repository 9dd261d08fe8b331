//! What is done for a command: one file a command.

pub(crate) mod content;
pub(crate) mod decide_approval;
pub(crate) mod get_removal;
pub(crate) mod list_removals;
pub(crate) mod offboard_leavers;
pub(crate) mod provision_people;
pub(crate) mod remove;
