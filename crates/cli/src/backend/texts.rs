//! Texts of a pack in the reader's language.

use std::collections::BTreeMap;
use std::sync::Arc;

use dengmi_api::backend::{
    CommunityText, Language, NoticeText, QuestKind, QuestText, QuestionKind, QuestionText,
};
use dengmi_content::Pack;
use dengmi_content::model::question::{AnswerSource, Body};
use dengmi_content::model::{self, Text, Unit};
use dengmi_core::{Digest, Slug};

pub(super) fn in_language(text: &Text, language: Language) -> String {
    text.get(language.tag()).to_owned()
}

pub(super) fn notices(pack: &Pack, ids: &[Slug], language: Language) -> Vec<NoticeText> {
    let notice = |id: &Slug| {
        let notice = pack.notices.get(pack.current(id))?;
        Some(NoticeText { id: notice.id.clone(), text: in_language(&notice.text, language) })
    };
    ids.iter().filter_map(notice).collect()
}

/// A unit as it stands beside a field; none for plain numbers.
pub(super) fn unit(unit: Unit, language: Language) -> Option<String> {
    let (zh, en) = unit.suffix();
    let text = match language {
        Language::Zh => zh,
        Language::En => en,
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

pub(super) fn question(pack: &Pack, id: &Slug, language: Language) -> Option<QuestionText> {
    let found = pack.questions.get(pack.current(id))?;
    let question = &found.question;
    let kind = match question.body {
        Body::Single { .. } => QuestionKind::Single,
        Body::Multi { .. } => QuestionKind::Multi,
        Body::TrueFalse { .. } => QuestionKind::TrueFalse,
        Body::Number { .. } => QuestionKind::Number,
        Body::Typed { .. } => QuestionKind::Text,
    };
    let (page, sheet) = match language {
        Language::Zh => ("产品页：", "示例说明书："),
        Language::En => ("Product page: ", "Sample sheet: "),
    };
    let product = |label: &str, id: &Slug| {
        let title =
            pack.products.get(pack.current(id)).map(|one| in_language(&one.title, language));
        format!("{label}{}", title.unwrap_or_else(|| id.to_string()))
    };
    let source = match &question.source {
        AnswerSource::ProductPage { product: id, .. } => product(page, id),
        AnswerSource::SampleSheet { product: id, .. } => product(sheet, id),
        AnswerSource::Poster(text) | AnswerSource::Lesson(text) => in_language(text, language),
    };
    Some(QuestionText {
        stem: in_language(&question.stem, language),
        kind,
        options: found.options.iter().map(|option| in_language(option, language)).collect(),
        unit: found.unit.and_then(|of| unit(of, language)),
        source,
        right: in_language(&question.feedback.right, language),
        wrong: in_language(&question.feedback.wrong, language),
        notices: Vec::new(),
    })
}

pub(super) fn quest(pack: &Pack, id: &Slug, language: Language) -> Option<QuestText> {
    let quest = pack.quest(pack.current(id))?;
    let (kind, prompt, question, phrase_required) = match &quest.kind {
        model::QuestKind::QuizSeries(_) => (QuestKind::QuizSeries, None, None, false),
        model::QuestKind::MomentsChallenge(moments) => {
            let card = in_language(&moments.card, language);
            (QuestKind::MomentsChallenge, Some(card), moments.question.clone(), false)
        }
        model::QuestKind::CheckInStreak(streak) => {
            let prompt = streak.prompt.as_ref().map(|text| in_language(text, language));
            (QuestKind::CheckInStreak, prompt, None, streak.phrase_required)
        }
    };
    Some(QuestText {
        title: in_language(&quest.title, language),
        summary: in_language(&quest.summary, language),
        kind,
        prompt,
        question,
        phrase_required,
        notices: notices(pack, &quest.notices, language),
    })
}

pub(super) fn community(pack: &Pack, id: &Slug, language: Language) -> Option<CommunityText> {
    let community = pack.communities.get(pack.current(id))?;
    Some(CommunityText {
        title: in_language(&community.title, language),
        purpose: in_language(&community.purpose, language),
        notices: notices(pack, &community.notices, language),
    })
}

/// A rule's title, in the current content or else in any that is known.
pub(super) fn rule_title(
    packs: &BTreeMap<Digest, Arc<Pack>>,
    current: Option<&Pack>,
    id: &Slug,
    language: Language,
) -> Option<String> {
    let known = packs.values().map(|pack| &**pack);
    let title = |pack: &Pack| Some(in_language(&pack.rules.get(pack.current(id))?.title, language));
    current.into_iter().chain(known).find_map(title)
}
