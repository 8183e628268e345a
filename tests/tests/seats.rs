//! A seat that an invitation holds is taken, whoever's cohort gave it: what campaigns draw too
//! seldom to be relied on.

use dengmi_core::command::ConsentPurpose;
use dengmi_core::course::{CourseAction, CourseReceipt, PupilStage};
use dengmi_core::random::Seed;
use dengmi_core::{
    Action, Actor, Batch, BranchId, Calendar, CohortId, Command, CommunityId, Day, Decimal,
    ManagerId, MemberId, Outcome, Receipt, Reject, Timestamp,
};
use dengmi_engine::{Engine, EngineConfig};
use dengmi_sim::workload;

const BRANCH: BranchId = BranchId(1);

/// The first day of both courses.
const FIRST: Day = Day(20_800);

/// Two groups with a cohort and a member each, and one long-term group for one member.
struct Town {
    engine: Engine,
    seq: u64,
    at: Timestamp,
}

impl Town {
    fn new() -> Self {
        let [mut files, _] = workload::files();
        let home = files.iter_mut().find(|file| file.path.ends_with("/home.ron")).unwrap();
        assert!(home.text.contains("capacity: 3"));
        home.text = home.text.replace("capacity: 3", "capacity: 1");
        let pack = workload::pack(&files).expect("a smaller group is no fault");
        let config = EngineConfig { branch: BRANCH, seed: Seed::from_number(3), branches: 1 };
        let at = Calendar::default().start_of(FIRST.plus(-4));
        let mut town = Self { engine: Engine::new(config, pack), seq: 0, at };
        town.done(Action::AddManager);
        let manager = ManagerId::new(BRANCH, 1);
        for template in ["lessons", "lessons", "home"] {
            town.done(Action::OpenCommunity { template: template.parse().unwrap(), manager });
        }
        for seq in 1..=2 {
            let community = CommunityId::new(BRANCH, seq);
            town.done(Action::Join { community });
            let (member, purpose) = (member(seq), ConsentPurpose::Activities);
            town.done(Action::Consent { member, purpose, version: 1, given: true });
            let course = "week".parse().unwrap();
            let communities = vec![community];
            town.done(Action::Course(CourseAction::Start { course, communities, start: FIRST }));
        }
        town
    }

    fn apply(&mut self, at: Timestamp, commands: Vec<Command>) -> Vec<Outcome> {
        self.seq += 1;
        self.at = at;
        let batch = Batch { seq: self.seq, at, commands: commands.into() };
        self.engine.apply(&batch).expect("batches follow each other").outcomes
    }

    fn attempt(&mut self, action: Action) -> Result<Receipt, Reject> {
        let command = Command { actor: Actor::System, action };
        match self.apply(self.at.plus_ms(1_000), vec![command]).remove(0) {
            Outcome::Done(receipt) => Ok(receipt),
            Outcome::Rejected(reject) => Err(reject),
        }
    }

    fn done(&mut self, action: Action) -> Receipt {
        self.attempt(action.clone()).unwrap_or_else(|reject| panic!("{action:?}: {reject:?}"))
    }

    fn wait_until(&mut self, day: i32, hour: i64) {
        let at = Calendar::default().start_of(FIRST.plus(day)).plus_ms(hour * 3_600_000);
        self.apply(at, Vec::new());
    }

    fn stage(&self, seq: u32) -> PupilStage {
        self.engine.member_card(member(seq)).unwrap().courses[0].stage
    }

    /// Both members do what graduation asks for, and the courses end.
    fn play(&mut self) {
        self.wait_until(-1, 12);
        for seq in 1..=2 {
            let (member, cohort) = (member(seq), cohort(seq));
            self.done(Action::Course(CourseAction::Enrol { member, cohort }));
        }
        self.wait_until(0, 12);
        for seq in 1..=2 {
            let (member, cohort) = (member(seq), cohort(seq));
            let computed = Decimal::from_micros(100_000_000).unwrap();
            let finish = CourseAction::FinishLesson { member, cohort, day: 1, computed };
            self.done(Action::Course(finish));
        }
        for day in 1..=7 {
            self.wait_until(day, 12);
        }
    }
}

fn member(seq: u32) -> MemberId {
    MemberId::new(BRANCH, seq)
}

/// The cohort of the member of that number.
fn cohort(seq: u32) -> CohortId {
    CohortId::new(BRANCH, seq)
}

#[test]
fn an_invitation_of_another_cohort_holds_its_seat() {
    let mut town = Town::new();
    town.play();
    // Both graduated; the first cohort's graduate was invited to the only seat.
    assert_eq!([1, 2].map(|seq| town.stage(seq)), [PupilStage::Invited, PupilStage::Graduated]);
    let reinvite = CourseAction::Reinvite { member: member(2), cohort: cohort(2) };
    assert_eq!(town.attempt(Action::Course(reinvite.clone())), Err(Reject::NoPlace));
    // Accepted, it is held still.
    let answer = |accept| {
        let (member, cohort) = (member(1), cohort(1));
        Action::Course(CourseAction::AnswerInvitation { member, cohort, accept })
    };
    town.done(answer(true));
    assert_eq!(town.attempt(Action::Course(reinvite.clone())), Err(Reject::NoPlace));
    // Declined, it is free for the other cohort.
    town.done(answer(false));
    let receipt = town.done(Action::Course(reinvite));
    let home = CommunityId::new(BRANCH, 3);
    let free =
        matches!(receipt, Receipt::Course(CourseReceipt::Invitation { to, .. }) if to == home);
    assert!(free, "{receipt:?}");
}

#[test]
fn who_arrived_from_another_cohort_has_the_seat() {
    let mut town = Town::new();
    town.play();
    let (arriving, course) = (member(1), cohort(1));
    let accept = CourseAction::AnswerInvitation { member: arriving, cohort: course, accept: true };
    town.done(Action::Course(accept));
    town.done(Action::Course(CourseAction::Arrive { member: arriving, cohort: course }));
    assert_eq!(town.stage(1), PupilStage::Arrived);
    let reinvite = CourseAction::Reinvite { member: member(2), cohort: cohort(2) };
    assert_eq!(town.attempt(Action::Course(reinvite)), Err(Reject::NoPlace));
}
