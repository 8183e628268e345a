//! The synthetic members at work: slot by slot of ten simulated minutes they do what is due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dengmi_api::Backend as _;
use dengmi_content::Pack;
use dengmi_content::model::QuestKind;
use dengmi_core::view::Catalog;
use dengmi_core::{Action, Actor, Calendar, Command, Digest, Outcome, PostId, RunId, Timestamp};
use dengmi_host::{Clock, FastClock};
use dengmi_sim::members::Crowd;
use tokio::sync::watch;

use super::{BRANCH, Backend, town};

const HOUR_MS: i64 = 3_600_000;

/// Members act in slots of so many simulated minutes.
const SLOT_MINUTES: i64 = 10;

/// Counts of what was sent.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Commands that were done.
    pub(super) done: AtomicU64,
    /// Commands that were refused.
    pub(super) refused: AtomicU64,
}

/// Plays the members, and the managers who post and launch again.
pub(super) struct Player {
    backend: Arc<Backend>,
    crowd: Crowd,
    clock: Arc<FastClock>,
    tally: Arc<Tally>,
}

impl Player {
    pub(super) fn new(backend: Arc<Backend>, crowd: Crowd, clock: Arc<FastClock>) -> Self {
        Self { backend, crowd, clock, tally: Arc::default() }
    }

    pub(super) fn tally(&self) -> Arc<Tally> {
        self.tally.clone()
    }

    fn now(&self) -> Timestamp {
        self.clock.read().wall
    }

    /// Plays until told to stop.
    pub(super) async fn run(&mut self, mut stopping: watch::Receiver<bool>) {
        let slot_ms = SLOT_MINUTES * 60_000;
        let mut slot = Timestamp(self.now().0.div_euclid(slot_ms) * slot_ms + slot_ms);
        loop {
            let wait = u64::try_from(slot.0 - self.now().0).unwrap_or(0);
            tokio::select! {
                () = tokio::time::sleep(self.clock.sleep_for(wait)) => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
            self.play(slot).await;
            // A machine that cannot keep up leaves slots out instead of falling behind.
            let behind = (self.now().0 - slot.0).div_euclid(slot_ms).max(1);
            slot = Timestamp(slot.0 + slot_ms * behind);
        }
    }

    async fn play(&self, slot: Timestamp) {
        let Some(catalog) = self.backend.catalog(BRANCH) else { return };
        let packs = self.backend.host().packs().all();
        let into_hour = slot.0.rem_euclid(HOUR_MS) / 60_000;
        let slots = into_hour..into_hour + SLOT_MINUTES;
        let mut deeds = self.crowd.hour(&catalog, &packs, slot);
        let card = |member| self.backend.member(member);
        deeds.extend(self.crowd.course_hour(&catalog, &packs, slot, card));
        let due = deeds.into_iter().filter(|deed| slots.contains(&i64::from(deed.minute)));
        let mut commands: Vec<Command> = due.map(|deed| deed.command).collect();
        if into_hour == 0 {
            commands.extend(managers(&catalog, &packs, slot));
        }
        // What cannot be sent (the host stops) is not sent again: the day goes on.
        let outcomes = town::send(&self.backend, commands).await.unwrap_or_default();
        for outcome in outcomes {
            let counter = match outcome {
                Outcome::Done(_) => &self.tally.done,
                Outcome::Rejected(_) => &self.tally.refused,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Posts at eight and six, launches at seven what has ended.
fn managers(
    catalog: &Catalog,
    packs: &BTreeMap<Digest, Arc<Pack>>,
    now: Timestamp,
) -> Vec<Command> {
    let calendar = Calendar::default();
    let day = calendar.day_of(now);
    let hour = (now.0 - calendar.start_of(day).0).div_euclid(HOUR_MS);
    let system = |action| Command { actor: Actor::System, action };
    let Some(pack) = packs.get(&catalog.content) else { return Vec::new() };
    let live = || catalog.runs.iter().filter(|run| run.ended.is_none());
    match hour {
        7 => {
            let ended = pack.quests.keys().filter(|quest| !live().any(|run| run.quest == **quest));
            let launch = |quest: &dengmi_core::Slug| Action::Launch {
                quest: quest.clone(),
                communities: Vec::new(),
                start: day,
            };
            ended.map(launch).map(system).collect()
        }
        8 | 18 => {
            let moments = live().filter(|run| {
                let quest = packs.get(&run.content).and_then(|pack| pack.quest(&run.quest));
                quest.is_some_and(|quest| matches!(quest.kind, QuestKind::MomentsChallenge(_)))
            });
            // Not every manager on every day: senders have limits.
            let managers = catalog.managers.iter().copied().enumerate();
            let todays: Vec<_> = managers
                .filter(|(index, _)| (*index as i64 + i64::from(day.0) + hour) % 3 == 0)
                .map(|(_, manager)| manager)
                .collect();
            let publish = |run: RunId| {
                let todays = todays.clone();
                todays.into_iter().map(move |manager| Action::Publish { run, manager })
            };
            moments
                .filter(|run| posted_today(catalog, run.id, calendar, now).is_none())
                .flat_map(|run| publish(run.id))
                .map(system)
                .collect()
        }
        _ => Vec::new(),
    }
}

fn posted_today(
    catalog: &Catalog,
    run: RunId,
    calendar: Calendar,
    now: Timestamp,
) -> Option<PostId> {
    let today = calendar.day_of(now);
    let posts = catalog.posts.iter().filter(|post| post.run == run);
    posts.filter(|post| calendar.day_of(post.at) == today).map(|post| post.id).next()
}
