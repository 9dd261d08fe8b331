//! The pages of the console, as pure functions: a view of plain data goes in, HTML comes out.
//!
//! Each page of [`pages`] has a view, which the operation behind it fills, and a function that renders it. Time, language and the
//! reader are part of the view's [`frame`](pages::frame). What is deliberately absent: HTTP, sessions, policy and the ledger.
//!
//! - [`view`]: the data that several views have
//! - [`locale`]: texts, times, durations and lists in the reader's language; the texts themselves are in `words`
//! - [`markup`]: HTML in which everything of others is escaped; nothing else makes it
//! - `components`: badges, environments, people, owners
//! - [`sentence`]: what a button does, in a sentence before it
//! - [`chart`]: charts as SVG
//! - [`stylesheet`]: the one stylesheet
//!
//! Templates are in `templates/`; no template has a text of a language, and none uses `safe`.

pub mod chart;
mod components;
pub mod href;
pub mod icons;
pub mod locale;
pub mod markup;
pub mod pages;
pub mod sentence;
mod states;
pub mod stylesheet;
pub mod view;
mod words;
