//! The command `sightread`.
fn main() {}
