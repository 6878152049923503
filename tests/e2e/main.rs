//! End to end: a real djust server, a real Chromium that clicks, the real engine or the real program.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod basics;
mod causes;
mod compare;
mod connection;
mod hostile;
mod inspector;
mod kills;
mod lab;
mod pages;
mod pictures;
mod privacy;
mod program;
mod questions;
mod reload;
mod share;
mod staging;
mod travel;
mod versions;
mod window;
mod workers;
