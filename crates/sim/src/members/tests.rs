use dengmi_core::{BranchId, CommunityId, ManagerId};

use super::*;
use crate::workload;

const BRANCH: BranchId = BranchId(2);

fn member(seq: u32) -> MemberId {
    MemberId::new(BRANCH, seq)
}

fn crowd() -> Crowd {
    Crowd::new(Seed::from_number(4), Seed::from_number(5), Day(20_773))
}

#[test]
fn shares_are_those_of_the_personas() {
    assert_eq!(PERSONAS.iter().map(|persona| persona.share).sum::<u32>(), 100);
    let crowd = crowd();
    for persona in &PERSONAS {
        let count = (1..=2_000).filter(|seq| crowd.persona(member(*seq)) == persona).count() as u32;
        assert!(count.abs_diff(20 * persona.share) < 100, "{} {count}", persona.zh);
    }
}

#[test]
fn nicknames_are_names() {
    for seq in 1..=500 {
        let name = crowd().nickname(member(seq));
        assert_eq!(dengmi_core::text::clean_name(&name).as_deref(), Ok(name.as_str()));
    }
}

/// A day of 300 members in one group with every quest of the workload's content: what they do by
/// hour, and what the engine says.
#[test]
fn a_day_of_a_group_is_mostly_accepted() {
    let packs = workload::packs().expect("the workload's content passes the checks");
    let config =
        dengmi_engine::EngineConfig { branch: BRANCH, seed: Seed::from_number(5), branches: 1 };
    let mut engine = dengmi_engine::Engine::new(config, packs[0].clone());
    let day = Day(20_773);
    let begins = Calendar::default().start_of(day);
    let mut seq = 0;
    let mut apply = |engine: &mut dengmi_engine::Engine, at, actions: Vec<Command>| {
        seq += 1;
        let batch = dengmi_core::Batch { seq, at, commands: actions.into() };
        engine.apply(&batch).expect("batches follow each other")
    };
    let operator = |action| Command { actor: Actor::Operator(1), action };
    let manager = ManagerId::new(BRANCH, 1);
    let open = Action::OpenCommunity { template: "lessons".parse().expect("an id"), manager };
    let groups = 8;
    let mut setup = vec![operator(Action::AddManager)];
    setup.extend((0..groups).map(|_| operator(open.clone())));
    for group in 1..=groups {
        let community = CommunityId::new(BRANCH, group);
        setup.extend((0..38).map(|_| operator(Action::Join { community })));
    }
    apply(&mut engine, Timestamp(begins.0 - 2), setup);
    let consents = (1..=engine.members()).map(|seq| {
        let purpose = dengmi_core::command::ConsentPurpose::Activities;
        let action = Action::Consent { member: member(seq), purpose, version: 1, given: true };
        operator(action)
    });
    let launches = packs[0].quests.keys().map(|quest| {
        operator(Action::Launch { quest: quest.clone(), communities: Vec::new(), start: day })
    });
    let commands = consents.chain(launches).collect();
    apply(&mut engine, Timestamp(begins.0 - 1), commands);
    let known = BTreeMap::from([(packs[0].digest, packs[0].clone())]);
    let (mut done, mut refused, mut by_hour) = (0, Vec::new(), [0; 24]);
    for hour in 0..24 {
        let now = begins.plus_ms(hour * HOUR_MS + 1);
        apply(&mut engine, now, Vec::new());
        if hour == 7 {
            let run = engine
                .catalog()
                .runs
                .iter()
                .find(|run| run.quest.as_str() == "moments")
                .map(|run| run.id);
            let run = run.expect("launched");
            apply(&mut engine, now.plus_ms(1), vec![operator(Action::Publish { run, manager })]);
        }
        let deeds = crowd().hour(&engine.catalog(), &known, now);
        assert_eq!(deeds, crowd().hour(&engine.catalog(), &known, now), "hours can be repeated");
        by_hour[hour as usize] = deeds.len();
        for deed in deeds {
            let at = begins
                .plus_ms(hour * HOUR_MS + i64::from(deed.minute) * 60_000)
                .max(engine.at().plus_ms(1));
            let applied = apply(&mut engine, at, vec![deed.command]);
            match &applied.outcomes[..] {
                [dengmi_core::Outcome::Done(_)] => done += 1,
                other => refused.push(other.to_vec()),
            }
        }
    }
    assert!(by_hour[0..6].iter().all(|count| *count == 0), "{by_hour:?}");
    assert!(by_hour[12] > 50 && by_hour[21] > 20, "{by_hour:?}");
    assert!(done > 200 && refused.len() < 20, "{done} {refused:?}");
}
