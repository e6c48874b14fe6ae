//! Fuzzes `edges::template`, which says what must hold.

#![no_main]

#[path = "../edges.rs"]
#[expect(dead_code, reason = "the other targets use the rest of it")]
mod edges;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| edges::template(bytes));
