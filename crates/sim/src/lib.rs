//! Synthetic members and workloads: commands drawn from a seed, for tests, measurements and
//! demonstrations. Nothing here reads a clock or a file; whoever runs a workload owns the engine.

mod answering;
pub mod audit;
pub mod classroom;
mod dice;
pub mod market;
pub mod members;
pub mod month;
#[cfg(test)]
mod shipped;
pub mod vet;
pub mod workload;
