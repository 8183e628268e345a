//! Mock markets, their rules in plain words, and how courses invest on them.

use dengmi_api::backend::{
    AssessmentText, AssetKind, AssetText, GraduationTerms, InvestingText, Language, MarketText,
    NewsText, Risk,
};
use dengmi_content::Pack;
use dengmi_content::model::RiskLevel;
use dengmi_content::model::market::{Asset, AssetClass, Holding, ShareRules};
use dengmi_content::model::product::FeeTier;
use dengmi_content::model::scenario::ShockKind;
use dengmi_core::mock::Score;
use dengmi_core::time::TimeOfDay;
use dengmi_core::{Day, Decimal, Fen, Ppm, Slug};
use dengmi_engine::market::market_days;

use super::texts::{in_language, notices};

/// The notice that goes with everything about mock investing.
const MOCK_NOTICE: &str = "n4";

/// An amount in yuan, without zeros at the end.
pub(super) fn yuan(fen: Fen) -> String {
    let micros = fen.0.checked_mul(10_000).and_then(Decimal::from_micros);
    micros.unwrap_or_default().to_string()
}

/// A share in percent, without zeros at the end.
pub(super) fn percent(share: Ppm) -> String {
    Decimal::from_micros(i64::from(share.0) * 100).unwrap_or_default().to_string()
}

pub(super) fn risk(level: RiskLevel) -> Risk {
    match level {
        RiskLevel::R1 => Risk::R1,
        RiskLevel::R2 => Risk::R2,
        RiskLevel::R3 => Risk::R3,
        RiskLevel::R4 => Risk::R4,
        RiskLevel::R5 => Risk::R5,
    }
}

fn kind(class: AssetClass) -> AssetKind {
    match class {
        AssetClass::Demand => AssetKind::Demand,
        AssetClass::Term => AssetKind::Term,
        AssetClass::MoneyFund => AssetKind::MoneyFund,
        AssetClass::CashManagement => AssetKind::CashManagement,
        AssetClass::Wealth => AssetKind::Wealth,
        AssetClass::BondFund => AssetKind::BondFund,
        AssetClass::MixedFund => AssetKind::MixedFund,
        AssetClass::IndexFund => AssetKind::IndexFund,
        AssetClass::Gold => AssetKind::Gold,
        AssetClass::Overseas => AssetKind::Overseas,
        AssetClass::Share => AssetKind::Share,
    }
}

/// The mock market of a course whose first day is `first`.
pub(super) fn market(
    pack: &Pack,
    course: &Slug,
    first: Day,
    language: Language,
) -> Option<MarketText> {
    let course = pack.courses.get(pack.current(course))?;
    let scenario = pack.current(&course.course.mock.scenario);
    let script = pack.scenarios.get(scenario)?;
    let market = pack.markets.get(pack.current(&script.market))?;
    let asset = |asset: &Asset| AssetText {
        id: asset.id.clone(),
        title: in_language(&asset.title, language),
        kind: kind(asset.class),
        risk: risk(asset.risk),
        enabled: asset.enabled,
        sheet: asset.sheet.clone(),
        min: asset.trade.min_fen,
        daily_limit: asset.trade.daily_limit_fen,
        fast_limit: asset.trade.fast_limit_fen,
        confirm_days: asset.trade.confirm_days,
        redeemable_days: asset.trade.redeemable_days,
        cash_days: asset.trade.cash_days,
        subscription: asset.trade.fees.subscription_ppm,
        charged: asset.trade.fees.charged_ppm(),
        rules: rules(asset, market.cutoff, language),
    };
    let news = script.shocks.iter().map(|shock| NewsText {
        id: shock.id.clone(),
        day: shock.day,
        news: in_language(&shock.news, language),
        debrief: in_language(&shock.debrief, language),
        fraud: shock.kind == ShockKind::FraudPitch,
    });
    let mock: Vec<Slug> = MOCK_NOTICE.parse::<Slug>().into_iter().collect();
    Some(MarketText {
        market: script.market.clone(),
        scenario: scenario.clone(),
        title: in_language(&market.title, language),
        cutoff: market.cutoff,
        days: market_days(market, &course.lessons, first),
        assets: market.assets.iter().map(asset).collect(),
        news: news.collect(),
        notices: notices(pack, &mock, language),
    })
}

/// How an asset is traded, a sentence for each rule.
fn rules(asset: &Asset, cutoff: TimeOfDay, language: Language) -> Vec<String> {
    let trade = &asset.trade;
    let zh = language == Language::Zh;
    let say = |chinese: String, english: String| if zh { chinese } else { english };
    let mut rules = Vec::new();
    let least = yuan(trade.min_fen);
    rules.push(say(format!("每次至少买 {least} 元。"), format!("Buy at least {least} yuan.")));
    if asset.class.is_deposit() {
        rules.push(say(
            "随时存取，当时生效。".to_owned(),
            "In and out at once, at any time.".to_owned(),
        ));
    } else {
        rules.push(say(
            format!("{cutoff} 前下单按当天（T 日）的价格，之后按下一个交易日的价格；下单时价格还没有出来。"),
            format!(
                "Orders before {cutoff} get the price of that day (T), later ones that of the next market day; nobody knows it yet."
            ),
        ));
        let (confirmed, free, cash) = (trade.confirm_days, trade.redeemable_days, trade.cash_days);
        rules.push(say(
            format!("买入 T+{confirmed} 日确认，T+{free} 日起可赎回；赎回的钱 T+{cash} 日到账。"),
            format!(
                "A purchase is confirmed on T+{confirmed} and can be redeemed from T+{free} on; the cash of a redemption arrives on T+{cash}."
            ),
        ));
    }
    rules.extend(holding(trade.holding, language));
    if let Some(limit) = trade.daily_limit_fen.map(yuan) {
        rules.push(say(
            format!("每人每天最多买 {limit} 元。"),
            format!("At most {limit} yuan a member and day."),
        ));
    }
    if let Some(limit) = trade.fast_limit_fen.map(yuan) {
        rules.push(say(
            format!("快速赎回每天最多 {limit} 元，实时到账。"),
            format!("Fast redemption pays up to {limit} yuan a day, at once."),
        ));
    }
    if trade.fees.subscription_ppm.0 > 0 {
        let (listed, charged) =
            (percent(trade.fees.subscription_ppm), percent(trade.fees.charged_ppm()));
        rules.push(say(
            format!("申购费率 {listed}%，实收 {charged}%，包含在买入金额里。"),
            format!(
                "Fee on purchase {listed} %, of which {charged} % is charged, out of the amount."
            ),
        ));
    }
    rules.extend(redemption(&trade.fees.redemption, language));
    rules.extend(trade.share.map(|rules| share(&rules, language)));
    if !asset.enabled {
        rules.push(say("本课程不开放买入。".to_owned(), "Not sold in this course.".to_owned()));
    }
    rules
}

fn holding(holding: Holding, language: Language) -> Option<String> {
    let zh = language == Language::Zh;
    Some(match holding {
        Holding::Free => return None,
        Holding::Minimum { days } if zh => format!("每份确认后满 {days} 天才能赎回。"),
        Holding::Minimum { days } => {
            format!("Each purchase can be redeemed {days} days after it is confirmed.")
        }
        Holding::Periodic { every_days, open_days } if zh => {
            format!("每 {every_days} 天开放 {open_days} 天，只在开放期内买卖。")
        }
        Holding::Periodic { every_days, open_days } => {
            format!("Open for {open_days} of every {every_days} days, to buy and to redeem.")
        }
        Holding::Closed { days } if zh => format!("封闭 {days} 天，到期前不能赎回。"),
        Holding::Closed { days } => {
            format!("Closed for {days} days; not redeemed before maturity.")
        }
        Holding::Term { days, early } if zh => {
            format!("存满 {days} 天按存入时的利率付息；提前支取按 {early}% 一年。")
        }
        Holding::Term { days, early } => {
            format!(
                "After {days} days it pays the rate of its first day; broken earlier, {early} % a year."
            )
        }
    })
}

/// Redemption fees from the shortest holding to the longest, as one sentence.
pub(super) fn redemption(tiers: &[FeeTier], language: Language) -> Option<String> {
    let zh = language == Language::Zh;
    let tier = |tier: &FeeTier| {
        let fee = percent(tier.ppm);
        match (tier.below_days, zh) {
            (Some(days), true) => format!("持有不足 {days} 天 {fee}%"),
            (Some(days), false) => format!("{fee} % below {days} days"),
            (None, true) => format!("更久 {fee}%"),
            (None, false) => format!("{fee} % beyond"),
        }
    };
    let told: Vec<String> = tiers.iter().map(tier).collect();
    let text = match zh {
        true => format!("赎回费：{}；先买的先赎。", told.join("，")),
        false => format!("Fee on redemption: {}; first in, first out.", told.join(", ")),
    };
    (!told.is_empty()).then_some(text)
}

fn share(rules: &ShareRules, language: Language) -> String {
    let ShareRules { lot, commission_ppm, commission_min_fen, transfer_ppm, stamp_ppm } = *rules;
    let (commission, transfer) = (percent(commission_ppm), percent(transfer_ppm));
    let (least, stamp) = (yuan(commission_min_fen), percent(stamp_ppm));
    match language {
        Language::Zh => format!(
            "按 {lot} 股一手买入；佣金 {commission}%，最低 {least} 元；过户费 {transfer}%；卖出收印花税 {stamp}%。"
        ),
        Language::En => format!(
            "Bought in lots of {lot}; commission {commission} %, at least {least} yuan; transfer fee {transfer} %; stamp duty {stamp} % on sale."
        ),
    }
}

/// How a course has its members invest.
pub(super) fn investing(pack: &Pack, course: &Slug, language: Language) -> Option<InvestingText> {
    let course = &pack.courses.get(pack.current(course))?.course;
    let (rules, graduation) = (&course.score, &course.graduation);
    let bands = rules.bands.iter();
    Some(InvestingText {
        cash: course.mock.cash_fen,
        orders_from_day: course.mock.orders_from_day,
        debrief_loss: course.mock.debrief_loss,
        assessment: pack.current(&course.assessment).clone(),
        most: Score {
            plan_first: rules.process.plan_first,
            orders_in_plan: rules.process.orders_in_plan,
            kept_course: rules.process.kept_course,
            read_sheet: rules.process.read_sheet,
            notes: rules.process.notes,
            knowledge: rules.knowledge,
            diversification: rules.portfolio.diversification,
            fit: rules.portfolio.fit,
            costs: rules.portfolio.costs,
            outcome: rules.outcome.middle.saturating_mul(2),
            drawdown: rules.penalties.drawdown,
            turnover: rules.penalties.turnover,
        },
        bands: bands.map(|band| (band.from, in_language(&band.title, language))).collect(),
        graduation: GraduationTerms {
            lessons: graduation.lessons,
            quizzes: graduation.quizzes,
            mastery: graduation.mastery,
            score: graduation.score,
            plan: graduation.plan,
            debrief: graduation.debrief,
        },
    })
}

/// A risk questionnaire.
pub(super) fn assessment(pack: &Pack, id: &Slug, language: Language) -> Option<AssessmentText> {
    let found = pack.assessments.get(pack.current(id))?;
    let questions = found.questions.iter().map(|question| {
        let options = question.options.iter().map(|option| in_language(&option.text, language));
        (in_language(&question.text, language), options.collect())
    });
    Some(AssessmentText {
        title: in_language(&found.title, language),
        summary: in_language(&found.summary, language),
        questions: questions.collect(),
        validity_days: found.validity_days,
        per_day: found.per_day,
        per_year: found.per_year,
        min_age: found.min_age,
        age_note: in_language(&found.age_note, language),
        notices: notices(pack, &found.notices, language),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shipped content, as the server has it.
    fn shipped() -> Pack {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let checked = crate::content::check(&root).unwrap_or_else(|_| panic!("content is there"));
        checked.pack.expect("the shipped content has no fault")
    }

    #[test]
    fn shipped_courses_have_every_text_in_both_languages() {
        let pack = shipped();
        for id in pack.courses.keys() {
            for language in [Language::Zh, Language::En] {
                let text = market(&pack, id, Day(20_777), language).unwrap();
                assert_eq!(text.notices.len(), 1, "N4 is on every screen");
                assert_eq!(text.assets.len(), 18);
                for asset in &text.assets {
                    assert!(asset.rules.len() >= 2, "{}", asset.id);
                    let sheet = asset.sheet.as_ref();
                    let page =
                        sheet.map(|id| crate::backend::products::product(&pack, id, language));
                    assert!(
                        page.is_none_or(|page| page.is_some_and(|page| !page.facts.is_empty()))
                    );
                }
                let courses = &pack.courses[id];
                assert_eq!(text.days.len(), courses.lessons.len());
                assert!(text.news.iter().any(|news| news.fraud), "{id}");
                let rules = investing(&pack, id, language).unwrap();
                let questions = assessment(&pack, &rules.assessment, language).unwrap().questions;
                assert!(questions.iter().all(|(_, options)| options.len() >= 2));
                let whole = Score { drawdown: 0, turnover: 0, ..rules.most };
                assert_eq!(whole.total(), 1_000, "{id}");
            }
        }
        let text = market(&pack, &"journey-14".parse().unwrap(), Day(20_777), Language::Zh);
        let text = text.unwrap();
        let of = |id: &str| text.assets.iter().find(|asset| asset.id.as_str() == id).unwrap();
        let overseas = of("overseas");
        assert!(overseas.rules.iter().any(|rule| rule == "每人每天最多买 1000 元。"));
        assert!(overseas.rules.iter().any(|rule| rule.contains("1.2%，实收 0.12%")));
        assert!(of("share-a").rules.iter().any(|rule| rule.contains("100 股一手")));
        assert!(
            of("money-fund").rules.iter().any(|rule| rule.contains("快速赎回每天最多 10000 元"))
        );
    }

    #[test]
    fn amounts_and_shares_are_plain() {
        assert_eq!(yuan(Fen(1_000_000)), "10000");
        assert_eq!(yuan(Fen(50)), "0.5");
        assert_eq!(percent(Ppm(15_000)), "1.5");
        assert_eq!(percent(Ppm(300)), "0.03");
    }

    #[test]
    fn holdings_and_fees_are_told_in_both_languages() {
        let term = Holding::Term { days: 90, early: "0.05".parse().unwrap() };
        assert!(holding(term, Language::Zh).unwrap().contains("90 天"));
        assert!(holding(term, Language::En).unwrap().contains("0.05 % a year"));
        assert_eq!(holding(Holding::Free, Language::Zh), None);
        let tiers = [
            FeeTier { below_days: Some(7), ppm: Ppm(15_000) },
            FeeTier { below_days: None, ppm: Ppm(0) },
        ];
        assert_eq!(
            redemption(&tiers, Language::Zh).unwrap(),
            "赎回费：持有不足 7 天 1.5%，更久 0%；先买的先赎。"
        );
        assert_eq!(redemption(&[], Language::En), None);
    }
}
