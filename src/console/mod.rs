//! The console's answers: HTML with the headers that go with it. Pure: what a page shows is an argument, and nothing is decided here.

pub mod headers;
pub mod page;
