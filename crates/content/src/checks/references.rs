//! Every id that is mentioned leads somewhere.

use dengmi_core::Slug;

use crate::codes::{self, Code};
use crate::content::{Content, Items, Kind, Place, fact_of, fact_path, source_product};
use crate::diagnostic::{Said, say};
use crate::model::QuestKind;
use crate::nearest::did_you_mean;
use crate::source::Report;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    let mut check = References { content, report };
    for product in content.products.iter() {
        check.notices(&product.place, &product.value.notices);
    }
    for community in content.communities.iter() {
        check.notices(&community.place, &community.value.notices);
    }
    for question in content.questions.iter() {
        let place = &question.place;
        if let Some(fact) = fact_of(&question.value.body) {
            let path = format!("{}.product", fact_path(&question.value.body));
            check.product(place, &path, &fact.product);
        }
        if let Some((product, _)) = source_product(&question.value.source) {
            check.product(place, "source.product", product);
        }
    }
    for market in content.markets.iter() {
        for (index, asset) in market.value.assets.iter().enumerate() {
            if let Some(sheet) = &asset.sheet {
                check.product(&market.place, &format!("assets.{index}.sheet"), sheet);
            }
        }
    }
    for scenario in content.scenarios.iter() {
        let (place, id) = (&scenario.place, &scenario.value.market);
        check.one(place, "market", id, Kind::Market, codes::DEAD_MARKET, &content.markets);
    }
    for quest in content.quests.iter() {
        let place = &quest.place;
        check.notices(place, &quest.value.notices);
        check.list(place, "rewards", &quest.value.rewards, |check, path, id| {
            check.one(place, path, id, Kind::Rule, codes::DEAD_RULE, &content.rules);
        });
        match &quest.value.kind {
            QuestKind::QuizSeries(series) => {
                for (r, round) in series.rounds.iter().enumerate() {
                    for (q, id) in round.questions.iter().enumerate() {
                        check.question(place, &format!("kind.rounds.{r}.questions.{q}"), id);
                    }
                }
            }
            QuestKind::MomentsChallenge(moments) => {
                if let Some(id) = &moments.question {
                    check.question(place, "kind.question", id);
                }
            }
            QuestKind::CheckInStreak(_) => {}
        }
    }
    courses(&mut check);
}

fn courses(check: &mut References<'_, '_, '_>) {
    let content = check.content;
    for course in content.courses.iter() {
        let place = &course.place;
        check.notices(place, &course.value.notices);
        check.list(place, "rewards", &course.value.rewards, |check, path, id| {
            check.one(place, path, id, Kind::Rule, codes::DEAD_RULE, &content.rules);
        });
        let (kind, dead) = (Kind::Assessment, codes::DEAD_ASSESSMENT);
        let id = &course.value.assessment;
        check.one(place, "assessment", id, kind, dead, &content.assessments);
        let (id, dead) = (&course.value.mock.scenario, codes::DEAD_SCENARIO);
        check.one(place, "mock.scenario", id, Kind::Scenario, dead, &content.scenarios);
        for (index, pair) in course.value.paired.iter().enumerate() {
            check.question(place, &format!("paired.{index}.before"), &pair.before);
            check.question(place, &format!("paired.{index}.after"), &pair.after);
        }
    }
    for lesson in content.lessons.iter() {
        let place = &lesson.place;
        check.notices(place, &lesson.value.notices);
        check.list(place, "sheets", &lesson.value.sheets, |check, path, id| {
            check.product(place, path, id);
        });
        // Where they lead depends on the course's script: see the checks of courses.
        check.list(place, "shocks", &lesson.value.shocks, |_, _, _| {});
        for (field, ids) in
            [("questions", &lesson.value.questions), ("review", &lesson.value.review)]
        {
            check.list(place, field, ids, |check, path, id| check.question(place, path, id));
        }
    }
    for assessment in content.assessments.iter() {
        check.notices(&assessment.place, &assessment.value.notices);
    }
}

struct References<'c, 'a, 'r> {
    content: &'c Content<'a>,
    report: &'r mut Report,
}

impl References<'_, '_, '_> {
    fn notices(&mut self, place: &Place, ids: &[Slug]) {
        let content = self.content;
        self.list(place, "notices", ids, |check, path, id| {
            check.one(place, path, id, Kind::Notice, codes::DEAD_NOTICE, &content.notices);
        });
    }

    fn product(&mut self, place: &Place, path: &str, id: &Slug) {
        self.one(place, path, id, Kind::Product, codes::DEAD_PRODUCT, &self.content.products);
    }

    fn question(&mut self, place: &Place, path: &str, id: &Slug) {
        self.one(place, path, id, Kind::Question, codes::DEAD_QUESTION, &self.content.questions);
    }

    fn list(
        &mut self,
        place: &Place,
        field: &str,
        ids: &[Slug],
        each: impl Fn(&mut Self, &str, &Slug),
    ) {
        for (index, id) in ids.iter().enumerate() {
            let path = format!("{field}.{index}");
            if ids[..index].contains(id) {
                let message = say!("`{id}` 列了两次", "`{id}` is listed twice");
                let at = self.content.at(place, &path);
                let help = say!("删去其中一个", "remove one of them");
                self.report.error(codes::REFERENCE_TWICE, at, message, help);
            } else {
                each(self, &path, id);
            }
        }
    }

    fn one<T>(
        &mut self,
        place: &Place,
        path: &str,
        id: &Slug,
        kind: Kind,
        code: Code,
        items: &Items<T>,
    ) {
        if items.get(id).is_some() || self.content.is_broken(kind, id.as_str()) {
            return;
        }
        let at = self.content.at(place, path);
        let today = self.content.current(id);
        if today != id
            && (items.get(today).is_some() || self.content.is_broken(kind, today.as_str()))
        {
            let message = say!("`{id}` 现在叫 `{today}`", "`{id}` is called `{today}` today");
            let help = say!("请写 `\"{today}\"`", "write `\"{today}\"`");
            self.report.warning(codes::OLD_ID, at, message, help);
            return;
        }
        let (zh, en) = kind.name();
        let message = Said::new(format!("没有{zh} `{id}`"), format!("there is no {en} `{id}`"));
        let known = items.iter().map(|item| item.id.as_str());
        let help = did_you_mean(id.as_str(), known).unwrap_or_else(|| {
            say!(
                "在 `{folder}` 下添加，或更正 id",
                "add it below `{folder}`, or correct the id",
                folder = kind.folder()
            )
        });
        self.report.error(code, at, message, help);
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::check;
    use crate::codes::*;

    #[test]
    fn every_id_leads_somewhere() {
        let quiz = "quests/quiz.ron";
        check(quiz, "basics/compound", "basics/compund", &[(DEAD_QUESTION, "\"basics/compund\"")]);
        check(quiz, r#"["answer", "#, r#"["anser", "#, &[(DEAD_RULE, "\"anser\"")]);
        check(quiz, r#"["n1", "#, r#"["n1", "n9", "#, &[(DEAD_NOTICE, "\"n9\"")]);
        check(quiz, r#"["n1", "#, r#"["n1", "n1", "#, &[(REFERENCE_TWICE, "\"n1\"")]);
        let pages = "content/questions/pages.ron";
        check(
            pages,
            r#"SampleSheet(product: "wealth/steady""#,
            r#"SampleSheet(product: "x""#,
            &[(DEAD_PRODUCT, "\"x\"")],
        );
        let claim = r#"fact: (product: "wealth/steady""#;
        check(
            pages,
            claim,
            r#"fact: (product: "wealth/stedy""#,
            &[(DEAD_PRODUCT, "\"wealth/stedy\"")],
        );
    }

    #[test]
    fn what_could_not_be_read_is_no_dead_reference() {
        let product = "content/products/wealth/steady.ron";
        check(product, "issuer_risk: R2", "issuer_risk: R9", &[(UNKNOWN_NAME, "R9")]);
        check(product, "(\n    schema: 1,", "(\n    schema: 1,]", &[(SYNTAX, "]")]);
        let basics = "content/questions/basics.ron";
        check(basics, "difficulty: 1", "difficulty: one", &[(WRONG_VALUE, "one")]);
        check(basics, "(\n    schema: 1,", "(\n    schema: 1,]", &[(SYNTAX, "]")]);
        let notices = "content/notices/standard.ron";
        check(notices, "(id: \"n7\", text:", "(id: \"n7\", txt:", &[(UNKNOWN_FIELD, "txt")]);
        check("content/rewards/points.ron", "1, exp", "1, 1, exp", &[(SYNTAX, "1")]);
    }

    #[test]
    fn an_old_id_is_a_warning() {
        let was = "content/rewards/answer.ron";
        check(was, "schema: 1,", "schema: 1, was: [\"old-answer\"],", &[]);
        let files = crate::checks::testing::base_with(&[
            (was, "schema: 1,", "schema: 1, was: [\"old-answer\"],"),
            ("quests/quiz.ron", "[\"answer\", ", "[\"old-answer\", "),
        ]);
        let (pack, diagnostics) = crate::load(&files, &crate::checks::testing::today());
        assert_eq!(diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["C0109"]);
        let pack = pack.expect("a warning does not refuse the pack");
        let quest = pack.quests.iter().find(|(id, _)| id.as_str() == "quiz").map(|(_, q)| q);
        assert_eq!(quest.expect("the quiz").rewards[0].as_str(), "answer");
    }
}
