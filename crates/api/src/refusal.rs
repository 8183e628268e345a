//! How the engine's refusals are told: status and title for every one of them.

use axum::http::StatusCode;
use dengmi_core::Reject;

use crate::problem::Problem;

/// Status and Chinese title of a refusal. A `match` without a wildcard: a new refusal does not
/// compile until it has both.
const fn told(reject: Reject) -> (StatusCode, &'static str) {
    use StatusCode as S;
    match reject {
        Reject::WrongBranch => (S::NOT_FOUND, "不属于本分行"),
        Reject::NotYours => (S::FORBIDDEN, "只能操作自己的内容"),
        Reject::UnknownManager => (S::NOT_FOUND, "没有这位客户经理"),
        Reject::UnknownCommunity => (S::NOT_FOUND, "没有这个社群"),
        Reject::UnknownTemplate => (S::NOT_FOUND, "没有这个社群模板"),
        Reject::CommunityFull => (S::CONFLICT, "社群已满员"),
        Reject::UnknownMember => (S::NOT_FOUND, "没有这位成员"),
        Reject::MemberLeft => (S::CONFLICT, "成员已退出"),
        Reject::MemberErased => (S::GONE, "成员资料已删除"),
        Reject::AlreadyThere => (S::CONFLICT, "成员已在该社群"),
        Reject::TooManyTags => (S::CONFLICT, "标签种类已达上限"),
        Reject::BranchFull => (S::CONFLICT, "分行成员已满"),
        Reject::NoConsent => (S::FORBIDDEN, "成员尚未同意参与"),
        Reject::UnknownQuest => (S::NOT_FOUND, "没有这个活动"),
        Reject::UnknownContent => (S::NOT_FOUND, "内容未加载"),
        Reject::BadStart => (S::UNPROCESSABLE_ENTITY, "开始日期不对"),
        Reject::WrongAudience => (S::UNPROCESSABLE_ENTITY, "活动不适用于该类社群"),
        Reject::UnknownRun => (S::NOT_FOUND, "没有这期活动"),
        Reject::WrongKind => (S::CONFLICT, "活动类型不符"),
        Reject::NotStarted => (S::CONFLICT, "活动还没开始"),
        Reject::RunEnded => (S::CONFLICT, "活动已结束"),
        Reject::NotInvited => (S::FORBIDDEN, "所在社群未参加本期活动"),
        Reject::DuplicateCheckIn => (S::CONFLICT, "今天已经打过卡"),
        Reject::WrongPhrase => (S::UNPROCESSABLE_ENTITY, "口令不对"),
        Reject::PhraseNeeded => (S::UNPROCESSABLE_ENTITY, "请输入今日口令"),
        Reject::TooLate => (S::CONFLICT, "时间超出补报范围"),
        Reject::NothingToMakeUp => (S::CONFLICT, "这一天不能补卡"),
        Reject::NoMakeUps => (S::CONFLICT, "补卡次数已用完"),
        Reject::BadRepair => (S::UNPROCESSABLE_ENTITY, "修复天数不对"),
        Reject::UnknownRound => (S::NOT_FOUND, "没有这一轮"),
        Reject::RoundNotOpen => (S::CONFLICT, "本轮还没开始"),
        Reject::RoundClosed => (S::CONFLICT, "本轮答题已结束"),
        Reject::JoinedTooLate => (S::CONFLICT, "入群晚于开题，请等下一轮"),
        Reject::UnknownQuestion => (S::UNPROCESSABLE_ENTITY, "没有这道题"),
        Reject::WrongChoice => (S::UNPROCESSABLE_ENTITY, "答案形式不对"),
        Reject::NoAttempts => (S::CONFLICT, "答题次数已用完"),
        Reject::BadAnswers => (S::UNPROCESSABLE_ENTITY, "答案数量不对"),
        Reject::BadSeconds => (S::UNPROCESSABLE_ENTITY, "延长时间不对"),
        Reject::CorrectionOver => (S::CONFLICT, "更正期已过"),
        Reject::WrongKey => (S::UNPROCESSABLE_ENTITY, "答案与题型不符"),
        Reject::SameKey => (S::CONFLICT, "答案没有变化"),
        Reject::TooManyPosts => (S::CONFLICT, "今天发布次数已满"),
        Reject::UnknownPost => (S::NOT_FOUND, "没有这条朋友圈"),
        Reject::PostClosed => (S::CONFLICT, "这条朋友圈的活动已结束"),
        Reject::StaffExcluded => (S::CONFLICT, "员工互动不计入活动"),
        Reject::BadPoints => (S::UNPROCESSABLE_ENTITY, "积分数量不对"),
        Reject::NotEnoughPoints => (S::CONFLICT, "积分不足"),
        Reject::OrderBooked => (S::CONFLICT, "订单已入账"),
        Reject::AlreadyReversed => (S::CONFLICT, "已经冲正"),
        Reject::NotReversible => (S::UNPROCESSABLE_ENTITY, "这笔不能冲正"),
        Reject::UnknownCourse => (S::NOT_FOUND, "没有这门课程"),
        Reject::UnknownCohort => (S::NOT_FOUND, "没有这一期课程"),
        Reject::GroupTaken => (S::CONFLICT, "社群已有进行中的课程"),
        Reject::WrongStage => (S::CONFLICT, "课程当前阶段不能这样做"),
        Reject::EnrolmentClosed => (S::CONFLICT, "不在报名时间内"),
        Reject::NotInCohortGroup => (S::FORBIDDEN, "请先加入本期课程的社群"),
        Reject::AlreadyEnrolled => (S::CONFLICT, "已经报名"),
        Reject::OtherCohort => (S::CONFLICT, "正在参加另一期课程"),
        Reject::NotEnrolled => (S::CONFLICT, "没有参加这一期课程"),
        Reject::LessonNotSent => (S::CONFLICT, "这一课还没有发布"),
        Reject::LessonOver => (S::CONFLICT, "这一课的补学时间已过"),
        Reject::LessonFinished => (S::CONFLICT, "这一课已经学完"),
        Reject::ItemsNotDue => (S::CONFLICT, "现在不需要回答这些题"),
        Reject::BadWish => (S::UNPROCESSABLE_ENTITY, "结业后不能去这个社群"),
        Reject::NoInvitation => (S::CONFLICT, "没有有效的邀请"),
        Reject::NoReinvitation => (S::CONFLICT, "不能再次邀请"),
        Reject::NoPlace => (S::CONFLICT, "没有合适的社群有空位"),
        Reject::BadAmendment => (S::UNPROCESSABLE_ENTITY, "内容不能这样更换"),
        Reject::CommunityClosed => (S::CONFLICT, "社群已随课程解散"),
        Reject::UnderAge => (S::FORBIDDEN, "未满年龄，不能做风险测评"),
        Reject::AssessmentLimit => (S::CONFLICT, "风险测评次数已用完"),
        Reject::BadAssessment => (S::UNPROCESSABLE_ENTITY, "测评答案不完整"),
        Reject::NothingToConfirm => (S::CONFLICT, "没有待确认的测评结果"),
        Reject::UnknownSheet => (S::NOT_FOUND, "没有这份说明书"),
        Reject::AboveLevel => (S::FORBIDDEN, "超出你的风险等级"),
        Reject::NoMarketingConsent => (S::FORBIDDEN, "尚未同意接收产品信息"),
        Reject::UnknownAsset => (S::NOT_FOUND, "市场里没有这个品种"),
        Reject::AssetOff => (S::CONFLICT, "这个品种不开放买入"),
        Reject::OrdersNotYet => (S::CONFLICT, "还没到可以下单的时候"),
        Reject::NoMorePrices => (S::CONFLICT, "本期行情已经结束"),
        Reject::PlanFirst => (S::CONFLICT, "请先写下计划"),
        Reject::BadPlan => (S::UNPROCESSABLE_ENTITY, "计划内容不对"),
        Reject::DebriefFirst => (S::CONFLICT, "请先写亏损复盘"),
        Reject::NothingToDebrief => (S::CONFLICT, "现在没有需要复盘的内容"),
        Reject::BadAmount => (S::UNPROCESSABLE_ENTITY, "金额或份额不对"),
        Reject::NotEnoughCash => (S::CONFLICT, "可用现金不足"),
        Reject::DailyLimit => (S::CONFLICT, "超过当日限购金额"),
        Reject::NotEnoughUnits => (S::CONFLICT, "可赎回份额不足"),
        Reject::LockedUp => (S::CONFLICT, "持有期未满，不能赎回"),
        Reject::WindowClosed => (S::CONFLICT, "不在开放期内"),
        Reject::Suspended => (S::CONFLICT, "暂停赎回"),
        Reject::NoFastRedemption => (S::CONFLICT, "不支持快速赎回"),
        Reject::FastLimit => (S::CONFLICT, "超过快速赎回限额"),
        Reject::TooManyOrders => (S::CONFLICT, "下单次数已达上限"),
        Reject::UnknownOrder => (S::NOT_FOUND, "没有这笔委托"),
        Reject::OrderDone => (S::CONFLICT, "这笔委托已不能撤销"),
        Reject::TooManyTexts => (S::CONFLICT, "文字条数已达上限"),
        Reject::UnknownNews => (S::NOT_FOUND, "没有这条消息"),
        Reject::NotAFraud => (S::CONFLICT, "这条消息不是骗局"),
        Reject::AlreadyDone => (S::CONFLICT, "已经完成"),
    }
}

impl From<Reject> for Problem {
    fn from(reject: Reject) -> Self {
        let (status, title) = told(reject);
        Self::new(status, reject.code(), title, reject.help())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_refusal_is_a_client_error_with_its_own_type() {
        let mut seen = HashSet::new();
        for &reject in Reject::ALL {
            let problem = Problem::from(reject);
            assert!((400..500).contains(&problem.status), "{reject:?}");
            assert!(problem.urn.ends_with(reject.code()), "{reject:?}");
            assert!(seen.insert(problem.urn), "{reject:?}");
            assert!(!problem.title.is_ascii(), "{reject:?}");
        }
    }
}
