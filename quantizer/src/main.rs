//! The command `rpiq`.
fn main() {}
