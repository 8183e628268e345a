//! What the lessons ask to be done on the mock account, and the questionnaire.

use std::sync::Arc;

use dengmi_content::Pack;
use dengmi_content::model::lesson::TaskEvidence;
use dengmi_content::model::scenario::ShockKind;
use dengmi_core::mock::MockReceipt;
use dengmi_core::{Day, MemberId, Receipt, Reject, Slug};

use super::super::cohorts::{Cohort, Packs};
use super::super::{Answered, Auditor, Edge};
use super::receipt;

/// Something that may be what a lesson asked for.
pub(super) enum Done {
    Assessment,
    Plan,
    Note,
    Sheet(Slug),
    Order(Slug),
    Fraud,
    Debrief,
}

impl Cohort {
    /// The content it goes on with.
    pub(super) fn newest<'p>(&self, packs: &'p Packs) -> &'p Arc<Pack> {
        &packs[&self.syllabus.content[self.syllabus.content.len() - 1].1]
    }

    /// The content in force with the last lesson sent.
    pub(super) fn in_force<'p>(&self, packs: &'p Packs) -> &'p Arc<Pack> {
        let sent = self.sent.max(1);
        let content = self.syllabus.content.iter().rev().find(|(from, _)| *from <= sent);
        &packs[&content.unwrap_or(&self.syllabus.content[0]).1]
    }

    /// Whether a lesson sent so far shows a product, or it is the sheet of an asset.
    pub(super) fn shows(&self, packs: &Packs, product: &Slug) -> bool {
        let pack = self.newest(packs);
        let lessons = (1..=self.sent).filter_map(|day| self.syllabus.lesson(packs, day));
        let shown = lessons.flat_map(|lesson| &lesson.sheets);
        let of_assets = self.market.assets.iter().filter_map(|asset| asset.sheet.as_ref());
        shown.chain(of_assets).any(|sheet| pack.current(sheet) == product)
    }

    /// Whether a member read the sheet of an asset; what has none needs not be read.
    pub(super) fn sheet_read(&self, packs: &Packs, member: u32, asset: &Slug) -> bool {
        let sheet = self.market.asset(asset).and_then(|(_, asset)| asset.sheet.as_ref());
        let pack = self.in_force(packs);
        let read = self.pupils.get(&member).map(|pupil| &pupil.mock.sheets);
        let same = |sheet: &Slug, read: &Slug| pack.current(read) == pack.current(sheet);
        sheet.is_none_or(|sheet| read.is_some_and(|all| all.iter().any(|read| same(sheet, read))))
    }
}

impl Auditor {
    /// Notes what was done for the lessons that asked for it.
    pub(super) fn mark_tasks(&mut self, seq: u32, member: MemberId, done: &Done) {
        let packs = &self.packs;
        let Some(cohort) = self.cohorts.get_mut(&seq) else { return };
        let pack = cohort.newest(packs);
        let mut days = Vec::new();
        for day in 1..=cohort.sent {
            let Some(lesson) = cohort.syllabus.lesson(packs, day) else { continue };
            let today = day == cohort.sent;
            days.extend(
                match (&lesson.mock.done_by, done) {
                    (TaskEvidence::Assessment, Done::Assessment)
                    | (TaskEvidence::Plan, Done::Plan)
                    | (TaskEvidence::FraudReport, Done::Fraud)
                    | (TaskEvidence::Debrief, Done::Debrief) => true,
                    (TaskEvidence::Note, Done::Note) => today,
                    (TaskEvidence::Order(assets), Done::Order(asset)) => {
                        today && assets.contains(asset)
                    }
                    (TaskEvidence::Sheet, Done::Sheet(product)) => {
                        lesson.sheets.iter().any(|sheet| pack.current(sheet) == product)
                    }
                    _ => false,
                }
                .then_some(day),
            );
        }
        if let Some(pupil) = cohort.pupils.get_mut(&member.seq) {
            if !days.is_empty() {
                self.seen.mark(Edge::TaskDone);
            }
            pupil.mock.tasks.extend(days);
        }
    }

    pub(super) fn assess(
        &mut self,
        seq: u32,
        member: MemberId,
        adult: bool,
        choices: &[u8],
        today: Day,
    ) -> Answered {
        let cohort = &self.cohorts[&seq];
        let pack = cohort.in_force(&self.packs);
        let name = &cohort.syllabus.course(&self.packs).assessment;
        let rules = pack.assessments.get(pack.current(name)).ok_or(Reject::BadAssessment)?;
        let result = self.levels.assess(member.seq, rules, adult, choices, today)?;
        self.seen.mark(if result.confirmed { Edge::LevelFound } else { Edge::LevelWaits });
        self.mark_tasks(seq, member, &Done::Assessment);
        Ok(receipt(MockReceipt::Assessed(result)))
    }

    pub(super) fn report_fraud(&mut self, seq: u32, member: MemberId, news: &Slug) -> Answered {
        let cohort = &self.cohorts[&seq];
        let told = cohort.market.shocks.iter().find(|shock| shock.id == *news);
        let told = told.filter(|shock| shock.day <= cohort.sent).ok_or(Reject::UnknownNews)?;
        if told.kind != ShockKind::FraudPitch {
            return Err(Reject::NotAFraud);
        }
        if !self.account(seq, member)?.frauds.insert(news.clone()) {
            return Err(Reject::AlreadyDone);
        }
        self.seen.mark(Edge::FraudReported);
        self.mark_tasks(seq, member, &Done::Fraud);
        Ok(Receipt::Ok)
    }
}
