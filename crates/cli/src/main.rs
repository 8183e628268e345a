//! dengmi
fn main() {}
