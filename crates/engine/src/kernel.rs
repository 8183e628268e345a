//! What every feature stands on: the phases of a batch, the builder features install themselves
//! with, the batch's own resources, and the sections of a saved state.

use std::sync::Arc;

use bevy_ecs::prelude::*;
use bevy_ecs::schedule::{LogLevel, ScheduleBuildSettings, ScheduleLabel, SingleThreadedExecutor};
use dengmi_core::command::Answer;
use dengmi_core::random::Seed;
use dengmi_core::{Action, BranchId, Command, Fact, MemberId, Outcome, Receipt, Reject, Timestamp};
use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::RestoreError;
use crate::stream::Stream;

/// The phases of a batch, in the only order there is. Systems of one phase are chained by the
/// feature that adds them; two that could run in either order do not build.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// Members, groups, runs: who and what there is.
    Structure,
    /// What falls due by now opens and closes.
    Clock,
    /// Check-ins.
    Streak,
    /// Quiz answers.
    Quiz,
    /// Moments reactions.
    Moments,
    /// Facts become rewards.
    Reward,
    /// Rewards are cut to caps and budgets.
    Caps,
    /// Points move.
    Ledger,
    /// Features note which entries their awards became.
    Notes,
    /// Standings.
    Board,
    /// Events get their numbers.
    Outreach,
}

#[derive(ScheduleLabel, Clone, Debug, PartialEq, Eq, Hash)]
struct BatchSchedule;

#[derive(ScheduleLabel, Clone, Debug, PartialEq, Eq, Hash)]
struct PaySchedule;

/// What pays facts out before the rest of the batch: the phases from rewards to notes.
#[derive(Resource)]
pub(crate) struct Payday {
    pub(crate) schedule: Schedule,
    sweeps: Vec<fn(&mut World)>,
}

/// Pays the facts written so far, and forgets them. A round of a whole branch is paid in parts
/// that stay in the processor's cache; what comes of it is the same, because rewards, limits and
/// entries follow the order of the facts.
pub(crate) fn pay(world: &mut World) {
    world.resource_scope(|world, mut payday: Mut<Payday>| {
        payday.schedule.run(world);
        for sweep in &payday.sweeps {
            sweep(world);
        }
    });
}

/// A schedule of the phases.
fn in_phases(label: impl ScheduleLabel, order: Option<u64>) -> Schedule {
    let mut schedule = Schedule::new(label);
    schedule.set_executor(SingleThreadedExecutor::new());
    debug_assert!(order.is_none() || cfg!(feature = "shuffle"));
    schedule.set_build_settings(ScheduleBuildSettings {
        ambiguity_detection: LogLevel::Error,
        #[cfg(feature = "shuffle")]
        shuffle_seed: order,
        ..Default::default()
    });
    schedule.configure_sets(
        (
            Phase::Structure,
            Phase::Clock,
            Phase::Streak,
            Phase::Quiz,
            Phase::Moments,
            Phase::Reward,
            Phase::Caps,
            Phase::Ledger,
            Phase::Notes,
            Phase::Board,
            Phase::Outreach,
        )
            .chain(),
    );
    schedule
}

/// Who the engine works for.
#[derive(Resource, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) branch: BranchId,
    pub(crate) seed: Seed,
    pub(crate) branches: u16,
}

/// The batch being applied: the only clock there is.
#[derive(Resource, Clone, Copy, Default)]
pub(crate) struct Now {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
}

/// The commands of the batch being applied.
#[derive(Resource, Default)]
pub(crate) struct BatchCommands {
    all: Arc<Vec<Command>>,
    /// Positions of those that are no part of a hot path: they are handed to the features that own
    /// their actions.
    requests: Vec<u32>,
}

impl BatchCommands {
    pub(crate) fn begin(&mut self, commands: &Arc<Vec<Command>>) {
        self.all = commands.clone();
    }

    /// Hands a command to the feature that owns its action.
    pub(crate) fn request(&mut self, index: u32) {
        self.requests.push(index);
    }

    /// What was handed over, with its position in the batch.
    pub(crate) fn requests(&self) -> impl Iterator<Item = (u32, &Command)> {
        self.requests.iter().map(|index| (*index, &self.all[*index as usize]))
    }

    /// What the command at a position answers.
    pub(crate) fn answers(&self, index: u32) -> &[Answer] {
        match &self.all[index as usize].action {
            Action::Answer { answers, .. } => answers,
            _ => &[],
        }
    }

    /// Lets go of a batch that is over.
    fn sweep(&mut self) {
        self.all = Arc::default();
        self.requests.clear();
    }
}

/// Goes through the requests with a feature that may change the world. What `serve` gives is the
/// command's outcome; nothing where the action belongs to another feature.
pub(crate) fn serve_requests(
    world: &mut World,
    mut serve: impl FnMut(&mut World, &Command) -> Option<Result<Receipt, Reject>>,
) {
    let commands = std::mem::take(&mut *world.resource_mut::<BatchCommands>());
    let mut outcomes = std::mem::take(&mut *world.resource_mut::<Outcomes>());
    for (index, command) in commands.requests() {
        if let Some(result) = serve(world, command) {
            outcomes.set(index, result);
        }
    }
    *world.resource_mut() = outcomes;
    *world.resource_mut() = commands;
}

/// A fact, for the rules.
#[derive(Clone, Copy)]
pub(crate) struct Happened(pub(crate) Fact);

/// One outcome for every command of the batch.
#[derive(Resource, Default)]
pub(crate) struct Outcomes {
    said: Vec<Outcome>,
    /// Which commands are not answered yet.
    open: Vec<bool>,
}

impl Outcomes {
    pub(crate) fn begin(&mut self, commands: usize) {
        self.said = Vec::with_capacity(commands);
        self.said.extend(std::iter::repeat_with(|| Outcome::Done(Receipt::Ok)).take(commands));
        self.open.clear();
        self.open.resize(commands, true);
    }

    #[inline]
    pub(crate) fn set(&mut self, index: u32, result: Result<Receipt, Reject>) {
        // Two features that answer one command would both have acted on it.
        let open = std::mem::take(&mut self.open[index as usize]);
        assert!(open, "command {index} was answered twice");
        self.said[index as usize] = match result {
            Ok(receipt) => Outcome::Done(receipt),
            Err(reject) => Outcome::Rejected(reject),
        };
    }

    pub(crate) fn take(&mut self) -> Vec<Outcome> {
        assert!(!self.open.contains(&true), "every command is answered by its feature");
        std::mem::take(&mut self.said)
    }
}

/// Members whose card changed in this batch, and whether the catalogue did.
#[derive(Resource, Default)]
pub(crate) struct Touched {
    bits: Vec<u64>,
    any: bool,
    pub(crate) catalog: bool,
}

impl Touched {
    #[inline]
    pub(crate) fn member(&mut self, seq: u32) {
        let word = seq as usize / 64;
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (seq % 64);
        self.any = true;
    }

    /// The members of `branch` in id order; forgets them.
    pub(crate) fn take(&mut self, branch: BranchId) -> Vec<MemberId> {
        let mut members = Vec::new();
        if self.any {
            let count: u32 = self.bits.iter().map(|bits| bits.count_ones()).sum();
            members.reserve_exact(count as usize);
            for (word, bits) in self.bits.iter_mut().enumerate() {
                while *bits != 0 {
                    let seq = word as u32 * 64 + bits.trailing_zeros();
                    members.push(MemberId::new(branch, seq));
                    *bits &= *bits - 1;
                }
            }
            self.any = false;
        }
        members
    }
}

/// A feature's part of a saved state.
#[derive(Clone, Copy)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    /// Goes up when the meaning of the bytes changes; older versions stay readable.
    pub(crate) version: u16,
    pub(crate) save: fn(&mut World) -> Vec<u8>,
    pub(crate) restore: fn(&mut World, u16, &[u8]) -> Result<(), RestoreError>,
}

/// Bytes of a section's value.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("plain data always encodes")
}

/// Puts encoded bytes at the end of a vector.
struct Append(Vec<u8>);

impl Flavor for Append {
    type Output = Vec<u8>;

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}

/// Bytes of a value, into a vector that is used again and again.
pub(crate) fn encode_into<T: Serialize>(value: &T, bytes: Vec<u8>) -> Vec<u8> {
    postcard::serialize_with_flavor(value, Append(bytes)).expect("plain data always encodes")
}

/// The value of a section; every byte must be used.
pub(crate) fn decode<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, RestoreError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(RestoreError::Unreadable(format!("bytes are left over in section `{name}`"))),
        Err(error) => Err(RestoreError::Unreadable(format!("section `{name}`: {error}"))),
    }
}

/// What features install themselves into.
pub(crate) struct Builder {
    pub(crate) world: World,
    pub(crate) schedule: Schedule,
    pub(crate) payday: Payday,
    pub(crate) sections: Vec<Section>,
    /// Empties the messages of one type each. Messages live for one batch: every reader runs in
    /// every batch, so nothing that was unread is lost.
    pub(crate) sweeps: Vec<fn(&mut World)>,
}

impl Builder {
    pub(crate) fn new(setup: Setup, order: Option<u64>) -> Self {
        let mut world = World::new();
        world.insert_resource(setup);
        world.init_resource::<Now>();
        world.init_resource::<BatchCommands>();
        world.init_resource::<Outcomes>();
        world.init_resource::<Touched>();
        let mut builder = Self {
            world,
            schedule: in_phases(BatchSchedule, order),
            payday: Payday { schedule: in_phases(PaySchedule, order), sweeps: Vec::new() },
            sections: Vec::new(),
            sweeps: vec![|world| world.resource_mut::<BatchCommands>().sweep()],
        };
        builder.paid_message::<Happened>();
        builder
    }

    /// Messages between the phases that [`pay`] runs.
    pub(crate) fn paid_message<M: Send + Sync + 'static>(&mut self) -> &mut Self {
        self.payday.sweeps.push(|world| world.resource_mut::<Stream<M>>().sweep());
        self.message::<M>()
    }

    /// A system that also runs in [`pay`]; there without what orders it in a batch.
    pub(crate) fn paying<M, N>(
        &mut self,
        phase: Phase,
        in_batch: impl IntoScheduleConfigs<bevy_ecs::system::ScheduleSystem, M>,
        at_once: impl IntoScheduleConfigs<bevy_ecs::system::ScheduleSystem, N>,
    ) -> &mut Self {
        self.payday.schedule.add_systems(at_once.in_set(phase));
        self.systems(phase, in_batch)
    }

    pub(crate) fn message<M: Send + Sync + 'static>(&mut self) -> &mut Self {
        self.world.init_resource::<Stream<M>>();
        self.sweeps.push(|world| world.resource_mut::<Stream<M>>().sweep());
        self
    }

    pub(crate) fn resource<R: Resource + Default>(&mut self) -> &mut Self {
        self.world.init_resource::<R>();
        self
    }

    pub(crate) fn systems<M>(
        &mut self,
        phase: Phase,
        systems: impl IntoScheduleConfigs<bevy_ecs::system::ScheduleSystem, M>,
    ) -> &mut Self {
        self.schedule.add_systems(systems.in_set(phase));
        self
    }

    pub(crate) fn section(&mut self, section: Section) -> &mut Self {
        self.sections.push(section);
        self
    }

    pub(crate) fn feature(&mut self, plugin: fn(&mut Builder)) -> &mut Self {
        plugin(self);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> Builder {
        let setup = Setup { branch: BranchId(1), seed: Seed::from_number(1), branches: 1 };
        Builder::new(setup, None)
    }

    fn one(_: ResMut<Outcomes>) {}
    fn two(_: ResMut<Outcomes>) {}

    #[test]
    fn two_systems_that_could_run_in_either_order_do_not_build() {
        let mut loose = builder();
        loose.systems(Phase::Quiz, (one, two));
        assert!(loose.schedule.initialize(&mut loose.world).is_err());
        let mut ordered = builder();
        ordered.systems(Phase::Quiz, (one, two).chain());
        assert!(ordered.schedule.initialize(&mut ordered.world).is_ok());
        let mut apart = builder();
        apart.systems(Phase::Quiz, one).systems(Phase::Moments, two);
        assert!(apart.schedule.initialize(&mut apart.world).is_ok());
    }

    #[test]
    fn touched_members_come_in_order_once() {
        let mut touched = Touched::default();
        for member in [200, 3, 64, 3, 63] {
            touched.member(member);
        }
        let branch = BranchId(7);
        let all = [3, 63, 64, 200].map(|seq| MemberId::new(branch, seq));
        assert_eq!(touched.take(branch), all);
        assert!(touched.take(branch).is_empty());
    }

    #[test]
    #[should_panic(expected = "answered twice")]
    fn a_command_is_answered_once() {
        let mut outcomes = Outcomes::default();
        outcomes.begin(1);
        outcomes.set(0, Ok(Receipt::Ok));
        outcomes.set(0, Ok(Receipt::Ok));
    }
}
