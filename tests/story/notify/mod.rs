//! Who is told: the messages of each platform, what becomes of each answer, reminders and escalations by a moved clock, and every order
//! of failures.

mod end_to_end;
mod messages;
mod outbox;
mod refusals;
mod schedule;
mod shared;
