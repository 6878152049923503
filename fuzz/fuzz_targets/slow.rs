//! The target `slow` under libFuzzer.

#![no_main]
#![allow(unsafe_code, clippy::expect_used, reason = "libFuzzer, which is C++, calls these by their names")]

inspector_fuzz::libfuzzer!("slow");
