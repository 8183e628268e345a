//! Ids live for ever: every earlier id in `was` names exactly one thing, and nothing that lives.
//! The rule holds over all kinds together, because the pack keeps one table of renames.

use std::collections::BTreeMap;

use dengmi_core::Slug;

use crate::codes;
use crate::content::{Content, Kind, Place};
use crate::diagnostic::{Said, say};
use crate::source::Report;

/// `old` is written in a `was` at `place`, `path`, by what is called `new` today.
struct Rename {
    kind: Kind,
    old: Slug,
    new: Slug,
    place: Place,
    path: String,
}

pub(super) fn check(content: &mut Content<'_>, report: &mut Report) {
    let mut known: BTreeMap<Slug, Slug> = BTreeMap::new();
    let renames = all(content);
    for rename in &renames {
        let at = content.at(&rename.place, &rename.path);
        let (old, new) = (&rename.old, &rename.new);
        let back = renames.iter().any(|other| other.old == *new && other.new == *old);
        if old == new || back {
            let message = say!(
                "`{old}` 不能作为 `{new}` 的旧 id：绕成了一圈",
                "`{old}` cannot be an earlier id of `{new}`: it leads in a circle"
            );
            let help = say!("只列已经停用的 id", "list only ids that are not in use any more");
            report.error(codes::WAS_CYCLE, at, message, help);
        } else if let Some(kind) = living(content, old) {
            let (zh, en) = kind.name();
            let message = Said::new(
                format!("`{old}` 不能作为旧 id：现有{zh}正在使用"),
                format!("`{old}` cannot be an earlier id: a {en} has it today"),
            );
            let help = say!(
                "在这里删去，或给另一个换 id",
                "remove it here, or give the other one a new id"
            );
            report.error(codes::WAS_CLASH, at, message, help);
        } else if let Some(other) = known.get(old).filter(|other| *other != new) {
            let message = say!(
                "`{old}` 已经是 `{other}` 的旧 id",
                "`{old}` is an earlier id of `{other}` too"
            );
            let help = say!("只保留一处", "keep it in one place only");
            report.error(codes::WAS_CLASH, at, message, help);
        } else if rename.kind == Kind::Question && !old.as_str().contains('/') {
            let message = say!("`{old}` 不是完整的题目 id", "`{old}` is no full id of a question");
            let help = say!(
                "前面加上文件 id，例如 `basics/compound`",
                "write the file's id before it, as in `basics/compound`"
            );
            report.error(codes::BAD_ID, at, message, help);
        } else {
            known.insert(old.clone(), new.clone());
        }
    }
    content.renamed = known;
}

/// What is called `id` today.
fn living(content: &Content<'_>, id: &Slug) -> Option<Kind> {
    let kinds = [
        (Kind::Product, content.products.get(id).is_some()),
        (Kind::Question, content.questions.get(id).is_some()),
        (Kind::Rule, content.rules.get(id).is_some()),
        (Kind::Community, content.communities.get(id).is_some()),
        (Kind::Notice, content.notices.get(id).is_some()),
        (Kind::Quest, content.quests.get(id).is_some()),
        (Kind::Course, content.courses.get(id).is_some()),
        (Kind::Assessment, content.assessments.get(id).is_some()),
        (Kind::Market, content.markets.get(id).is_some()),
        (Kind::Scenario, content.scenarios.get(id).is_some()),
    ];
    kinds.into_iter().find(|&(_, lives)| lives).map(|(kind, _)| kind)
}

fn all(content: &Content<'_>) -> Vec<Rename> {
    let mut renames = Vec::new();
    let mut add = |kind: Kind, new: &Slug, place: &Place, was: &[Slug]| {
        renames.extend(was.iter().enumerate().map(|(i, old)| Rename {
            kind,
            old: old.clone(),
            new: new.clone(),
            place: place.clone(),
            path: format!("was.{i}"),
        }));
    };
    content.products.iter().for_each(|i| add(Kind::Product, &i.id, &i.place, &i.value.was));
    content.questions.iter().for_each(|i| add(Kind::Question, &i.id, &i.place, &i.value.was));
    content.rules.iter().for_each(|i| add(Kind::Rule, &i.id, &i.place, &i.value.was));
    content.communities.iter().for_each(|i| add(Kind::Community, &i.id, &i.place, &i.value.was));
    content.quests.iter().for_each(|i| add(Kind::Quest, &i.id, &i.place, &i.value.was));
    content.courses.iter().for_each(|i| add(Kind::Course, &i.id, &i.place, &i.value.was));
    content.assessments.iter().for_each(|i| add(Kind::Assessment, &i.id, &i.place, &i.value.was));
    content.markets.iter().for_each(|i| add(Kind::Market, &i.id, &i.place, &i.value.was));
    content.scenarios.iter().for_each(|i| add(Kind::Scenario, &i.id, &i.place, &i.value.was));
    // A renamed file renames its questions.
    for file in &content.question_files {
        for (index, old_file) in file.value.was.iter().enumerate() {
            for question in content.questions.iter().filter(|q| q.place.source == file.place.source)
            {
                let old = format!("{old_file}/{}", question.value.id);
                let Ok(old) = old.parse::<Slug>() else { continue };
                let (new, place) = (question.id.clone(), file.place.clone());
                let path = format!("was.{index}");
                renames.push(Rename { kind: Kind::Question, old, new, place, path });
            }
        }
    }
    renames
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{base_with, check, check_files};
    use crate::codes::*;

    #[test]
    fn an_earlier_id_names_one_thing() {
        let answer = "content/rewards/answer.ron";
        check(answer, "schema: 1,", r#"schema: 1, was: ["answer"],"#, &[(WAS_CYCLE, "\"answer\"")]);
        check(answer, "schema: 1,", r#"schema: 1, was: ["round"],"#, &[(WAS_CLASH, "\"round\"")]);
        // The table of renames is one for all kinds.
        check(answer, "schema: 1,", r#"schema: 1, was: ["quiz"],"#, &[(WAS_CLASH, "\"quiz\"")]);
        let basics = "content/questions/basics.ron";
        check(
            basics,
            "id: \"compound\",",
            r#"id: "compound", was: ["old"],"#,
            &[(BAD_ID, "\"old\"")],
        );
        check(basics, "schema: 1,", r#"schema: 1, was: ["pages"],"#, &[]);
        check_files(
            &base_with(&[
                (answer, "schema: 1,", r#"schema: 1, was: ["x"],"#),
                ("quests/quiz.ron", "schema: 1,", r#"schema: 1, was: ["x"],"#),
            ]),
            &[(WAS_CLASH, "\"x\"")],
        );
        check_files(
            &base_with(&[
                (answer, "schema: 1,", r#"schema: 1, was: ["round"],"#),
                ("content/rewards/round.ron", "schema: 1,", r#"schema: 1, was: ["answer"],"#),
            ]),
            &[(WAS_CYCLE, "\"round\""), (WAS_CYCLE, "\"answer\"")],
        );
    }
}
