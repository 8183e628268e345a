//! The edge, against whoever leans on it: mutated inputs, malformed files, bad tokens, readers of
//! answer keys, slow and silent clients.

mod fuzzed;
mod keys;
mod malformed;
mod slow;
mod tokens;
mod world;
