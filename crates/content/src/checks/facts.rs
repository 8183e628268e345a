//! A right answer that is a fact of a product page is right today, and the question says where to
//! find it.

use dengmi_core::Decimal;

use crate::codes;
use crate::content::{Content, Item, fact_of, fact_path, source_product};
use crate::diagnostic::{Said, say};
use crate::model::product::Sheet;
use crate::model::question::{AnswerSource, TrueFalse};
use crate::model::{Body, FactField, FactValue, ProductFact, Question};
use crate::source::Report;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for question in content.questions.iter() {
        check_source(content, question, report);
        if let Some(fact) = fact_of(&question.value.body) {
            check_fact(content, question, fact, report);
        }
    }
}

fn check_source(content: &Content<'_>, question: &Item<Question>, report: &mut Report) {
    let source = &question.value.source;
    let Some((id, version)) = source_product(source) else { return };
    let Some(product) = content.product(id) else { return };
    let page = product.value.page_version;
    if version != page {
        let at = content.at(&question.place, "source.version");
        let message = say!(
            "题目按产品页第 {version} 版编写，现在是第 {page} 版",
            "the question was written for version {version} of the page; it is {page} now"
        );
        let help = say!(
            "对照产品页核对题干、选项和反馈，再改成 `{page}`",
            "compare stem, options and feedback with the page, then write `{page}`"
        );
        report.error(codes::PAGE_VERSION, at, message, help);
    }
    let at = content.at(&question.place, "source");
    match (source, product.value.sheet) {
        (AnswerSource::SampleSheet { .. }, Sheet::Real) => {
            let message = say!(
                "`{id}` 是真实产品，不是教学样例",
                "`{id}` is a real product, not a teaching sheet"
            );
            let help = say!("请写 `ProductPage(...)`", "write `ProductPage(...)`");
            report.error(codes::SHEET_KIND, at, message, help);
        }
        (AnswerSource::ProductPage { .. }, Sheet::Sample) => {
            let message = say!(
                "`{id}` 是教学样例，不是真实产品页",
                "`{id}` is a teaching sheet, not a real product's page"
            );
            let help = say!("请写 `SampleSheet(...)`", "write `SampleSheet(...)`");
            report.error(codes::SHEET_KIND, at, message, help);
        }
        _ => {}
    }
}

fn check_fact(
    content: &Content<'_>,
    question: &Item<Question>,
    fact: &ProductFact,
    report: &mut Report,
) {
    let at = |step: &str| {
        content.at(&question.place, &format!("{}.{step}", fact_path(&question.value.body)))
    };
    match source_product(&question.value.source) {
        // Dead products were reported with the references.
        Some((source, _))
            if content.product(source).is_some()
                && content.product(&fact.product).is_some()
                && content.current(source) != content.current(&fact.product) =>
        {
            let message = say!(
                "答案取自 `{product}`，出处写的却是 `{source}`",
                "the answer is a fact of `{product}`, but the source is `{source}`",
                product = fact.product
            );
            let help = say!(
                "`answer` 和 `source` 要写同一个产品",
                "name the same product in `answer` and `source`"
            );
            report.error(
                codes::SOURCE_PRODUCT,
                content.at(&question.place, "source"),
                message,
                help,
            );
        }
        None => {
            let message = say!(
                "答案取自 `{product}`，出处却没有写产品",
                "the answer is a fact of `{product}`, but the source names no product",
                product = fact.product
            );
            let help = say!(
                "请写 `SampleSheet(product: .., version: ..)` 或 `ProductPage(..)`，\
                 客户才找得到答案，页面更新也能及时发现",
                "write `SampleSheet(product: .., version: ..)` or `ProductPage(..)`, so that \
                 members find it and a new page version is noticed"
            );
            report.error(
                codes::SOURCE_PRODUCT,
                content.at(&question.place, "source"),
                message,
                help,
            );
        }
        Some(_) => {}
    }
    if let Some(yuan) = fact.of_yuan {
        if !takes_amount(fact.field) {
            let message = say!(
                "这一项不是费率或利率，写金额没有作用",
                "this fact is not a rate, so an amount has no effect"
            );
            let help = say!("删去 `of_yuan`", "remove `of_yuan`");
            report.error(codes::AMOUNT_IDLE, at("of_yuan"), message, help);
        } else if yuan.micros() <= 0 {
            let message = say!(
                "金额是 {yuan} 元，没有可问的结果",
                "an amount of {yuan} yuan gives nothing to ask for"
            );
            let help = say!("请写大于 0 的金额", "write an amount above 0");
            report.error(codes::AMOUNT_IDLE, at("of_yuan"), message, help);
        }
    }
    // A dead product was reported with the references.
    let Some(product) = content.product(&fact.product) else { return };
    let Some(today) = content.fact(fact) else {
        let message = say!(
            "`{product}` 的产品页没有这一项",
            "the page of `{product}` does not state this",
            product = fact.product
        );
        let place = content.at(&product.place, "");
        let help = say!(
            "改问 {path} 里有的数据，或在那里补上",
            "ask for a fact that {path} gives, or add it there",
            path = place.path()
        );
        report.error(codes::DEAD_FACT, at("field"), message, help);
        return;
    };
    if today.to_string() != fact.expect {
        let message = say!(
            "产品页现在是 `{today}`，出题时是 `{expected}`",
            "the page says `{today}` today; when the question was written it was `{expected}`",
            expected = fact.expect
        );
        let same_number = matches!(
            (today, fact.expect.parse::<Decimal>()),
            (FactValue::Number(number, _), Ok(expected)) if number == expected
        );
        let help = if same_number {
            say!(
                "数值相同，写法请改为 `\"{today}\"`",
                "it is the same number; write it as `\"{today}\"`"
            )
        } else {
            say!(
                "核对干扰项和反馈后，改为 `expect: \"{today}\"`",
                "check distractors and feedback, then write `expect: \"{today}\"`"
            )
        };
        report.error(codes::CHANGED_FACT, at("expect"), message, help);
    }
    match (&question.value.body, today) {
        (Body::Number { unit, .. }, FactValue::Number(_, of)) if of != *unit => {
            let message = say!(
                "数据的单位是 {of:?}，题目要的是 {unit:?}",
                "the fact is in {of:?}, the question asks for {unit:?}"
            );
            let help = say!(
                "请写 `unit: {of:?}`，或改问别的数据",
                "write `unit: {of:?}`, or ask for another fact"
            );
            report.error(codes::FACT_KIND, content.at(&question.place, "body.unit"), message, help);
        }
        (Body::Number { .. }, FactValue::Level(_) | FactValue::Time(_)) => {
            let message = say!("这一项不是数字", "this fact is not a number");
            let help = say!("请改用 `Single` 或 `Typed`", "ask with `Single` or `Typed`");
            report.error(codes::FACT_KIND, at("field"), message, help);
        }
        (Body::TrueFalse { answer: TrueFalse::FactIs { claim, .. } }, today) => {
            if let Some(help) = odd_claim(claim, today) {
                let at = content.at(&question.place, "body.answer.claim");
                let message = say!(
                    "`{claim}` 与产品页的写法不一致，永远判为错",
                    "`{claim}` is not written as the page would write it, so it is never true"
                );
                report.error(codes::CLAIM_SPELLING, at, message, help);
            }
        }
        _ => {}
    }
}

fn takes_amount(field: FactField) -> bool {
    matches!(
        field,
        FactField::DepositRate
            | FactField::SubscriptionFee
            | FactField::ManagementFee
            | FactField::RedemptionFee { .. }
            | FactField::NavChange { .. }
    )
}

/// Claims are compared letter by letter; gives what to write where that cannot succeed.
fn odd_claim(claim: &str, today: FactValue) -> Option<Said> {
    match today {
        FactValue::Number(..) => match claim.parse::<Decimal>() {
            Ok(number) if number.to_string() == claim => None,
            Ok(number) => Some(say!("请写 `\"{number}\"`", "write `\"{number}\"`")),
            Err(_) => Some(say!(
                "只写数字，不带单位，例如 `\"1.5\"`",
                "write the number alone, without its unit, as in `\"1.5\"`"
            )),
        },
        FactValue::Level(_) => {
            let levels = ["R1", "R2", "R3", "R4", "R5"];
            (!levels.contains(&claim))
                .then(|| say!("请写 `R1` 到 `R5` 中的一个等级", "write a level from `R1` to `R5`"))
        }
        FactValue::Time(_) => {
            let time = dengmi_core::time::TimeOfDay::try_from(claim.to_owned());
            time.is_err()
                .then(|| say!("请写时间，例如 `\"15:00\"`", "write a time as in `\"15:00\"`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::check;
    use crate::codes::*;

    const PAGES: &str = "content/questions/pages.ron";
    const STEADY: &str = "content/products/wealth/steady.ron";

    #[test]
    fn a_fact_is_there_and_as_expected() {
        check(
            PAGES,
            "field: lock_up_days, expect: \"90\"",
            "field: deposit_rate, expect: \"90\"",
            &[(DEAD_FACT, "deposit_rate")],
        );
        check(PAGES, "expect: \"90\"", "expect: \"90.0\"", &[(CHANGED_FACT, "\"90.0\"")]);
        // Two questions rest on the lock-up.
        check(
            STEADY,
            "lock_up_days: 90",
            "lock_up_days: 60",
            &[(CHANGED_FACT, "\"90\""), (CHANGED_FACT, "\"90\"")],
        );
        check(PAGES, "unit: Percent", "unit: Yuan", &[(FACT_KIND, "Yuan")]);
        check(
            PAGES,
            "field: benchmark_low, expect: \"2\"",
            "field: cutoff, expect: \"15:00\"",
            &[(FACT_KIND, "cutoff")],
        );
        check(
            PAGES,
            "of_yuan: \"10000\"",
            "of_yuan: \"0\"",
            &[(AMOUNT_IDLE, "\"0\""), (CHANGED_FACT, "\"150\"")],
        );
        check(
            PAGES,
            "lock_up_days, expect",
            "lock_up_days, of_yuan: \"5\", expect",
            &[(AMOUNT_IDLE, "\"5\"")],
        );
        check(PAGES, "claim: \"30\"", "claim: \"30 天\"", &[(CLAIM_SPELLING, "\"30 天\"")]);
        check(PAGES, "claim: \"30\"", "claim: \"30.0\"", &[(CLAIM_SPELLING, "\"30.0\"")]);
    }

    #[test]
    fn the_source_is_the_right_page() {
        check(PAGES, "version: 2", "version: 1", &[(PAGE_VERSION, "1")]);
        check(
            PAGES,
            "SampleSheet(product: \"wealth/steady\"",
            "ProductPage(product: \"wealth/steady\"",
            &[(SHEET_KIND, "ProductPage(product: \"wealth/steady\", version: 2)")],
        );
        check(
            PAGES,
            "ProductPage(product: \"fund/index\"",
            "SampleSheet(product: \"fund/index\"",
            &[(SHEET_KIND, "SampleSheet(product: \"fund/index\", version: 1)")],
        );
        check(
            PAGES,
            "ProductPage(product: \"fund/index\", version: 1)",
            "SampleSheet(product: \"wealth/steady\", version: 2)",
            &[(SOURCE_PRODUCT, "SampleSheet(product: \"wealth/steady\", version: 2)")],
        );
        check(
            PAGES,
            "SampleSheet(product: \"wealth/steady\", version: 2)",
            "Lesson({\"zh-CN\": \"一\"})",
            &[(SOURCE_PRODUCT, "Lesson({\"zh-CN\": \"一\"})")],
        );
    }
}
