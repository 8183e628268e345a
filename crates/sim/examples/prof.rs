#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods, clippy::disallowed_types)]
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
#[path = "../src/shipped.rs"]
mod shipped;
use dengmi_sim::classroom::{Classroom, Part};
fn main() {
    let args: Vec<u32> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let pack = shipped::pack(&shipped::files());
    let mut room = Classroom::new(pack, "journey-14".parse().unwrap(), args[0], 200).unwrap();
    let mut engine = room.engine();
    room.set_up(&mut engine).unwrap();
    let mut parts: BTreeMap<Part, (Duration, u64)> = BTreeMap::new();
    room.play(&mut engine, |engine, batch, part| {
        let began = Instant::now();
        let applied = engine.apply(batch);
        let took = began.elapsed();
        let (time, commands) = parts.entry(part).or_default();
        *time += took;
        *commands += batch.commands.len() as u64;
        applied
    })
    .unwrap();
    let days = f64::from(room.enrolled()) * 14.0;
    let mut sum = 0.0;
    for (part, (time, commands)) in parts {
        let ns = time.as_secs_f64() * 1e9;
        sum += ns;
        println!(
            "{part:?} {:.0} ns/member-day {:.0} ns/command {commands}",
            ns / days,
            ns / commands.max(1) as f64
        );
    }
    let config = dengmi_sim::month::MonthConfig::new(1, room.enrolled(), 14);
    month(&config);
    println!(
        "all {:.0} ns/member-day {:.0} ns/command refused {}",
        sum / days,
        sum / room.commands as f64,
        room.refused
    );
}
fn month(config: &dengmi_sim::month::MonthConfig) {
    let pack = dengmi_sim::month::pack().unwrap();
    let mut shard = dengmi_sim::month::Shard::new(config, 0);
    let mut engine = dengmi_engine::Engine::new(shard.engine_config(), pack);
    let mut took = Duration::ZERO;
    loop {
        let setup = shard.setting_up();
        let Some(batch) = shard.next_batch() else { break };
        let began = Instant::now();
        let applied = engine.apply(&batch).unwrap();
        if !setup {
            took += began.elapsed();
        }
        shard.observe(&applied);
    }
    let commands = shard.tally().commands;
    println!("month {:.0} ns/command {commands}", took.as_secs_f64() * 1e9 / commands as f64);
}
