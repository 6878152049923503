//! The installed app as a whole: under a virtual display, driven through WebDriver, beside a real server and a real browser.
//!
//! What it stands on must be there, or it fails and says what is missing: whoever cannot have it does not run this test.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod desk;
mod driver;
mod hostile;
mod journey;
mod locked;
mod notify;
mod picture;
mod rescue;
