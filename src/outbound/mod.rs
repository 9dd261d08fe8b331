//! Calls to other systems: the time that they may take, and when they are sent again. What is sent, and what an answer means,
//! is not known here.

pub mod budget;
pub mod retry;
