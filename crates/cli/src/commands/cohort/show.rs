//! A cohort in words and figures.

use dengmi_content::Pack;
use dengmi_core::course::{CohortStage, CohortView, PupilStage};
use dengmi_core::{Ppm, Slug, Timestamp};
use serde_json::{Value, json as value};

/// Width of the longest bar.
const BAR: u32 = 30;

/// What the content calls a cohort's course.
pub(super) struct Named {
    title: String,
    lessons: Vec<String>,
    /// Names of the bands of the score, lowest first.
    bands: Vec<String>,
}

impl Named {
    /// Falls back to the id where the content no longer has the course.
    pub(super) fn of(pack: Option<&Pack>, id: &Slug) -> Self {
        let found = pack.and_then(|pack| pack.courses.get(pack.current(id)));
        let Some(course) = found else {
            return Self { title: id.to_string(), lessons: Vec::new(), bands: Vec::new() };
        };
        Self {
            title: course.course.title.zh().to_owned(),
            lessons: course.lessons.iter().map(|one| one.title.zh().to_owned()).collect(),
            bands: course.course.score.bands.iter().map(|one| one.title.zh().to_owned()).collect(),
        }
    }
}

/// A stage in Chinese and English.
pub(crate) fn stage(stage: CohortStage) -> (&'static str, &'static str) {
    match stage {
        CohortStage::Planned => ("已排期", "planned"),
        CohortStage::Enrolling => ("报名", "enrolling"),
        CohortStage::Running => ("上课", "running"),
        CohortStage::Grading => ("评定", "grading"),
        CohortStage::Placing => ("结业安置", "placing"),
        CohortStage::Archived => ("归档", "archived"),
    }
}

/// A member's stage in Chinese and English.
pub(crate) fn pupil(stage: PupilStage) -> (&'static str, &'static str) {
    match stage {
        PupilStage::Enrolled => ("在读", "enrolled"),
        PupilStage::Left => ("退出", "left"),
        PupilStage::Unfinished => ("未结业", "unfinished"),
        PupilStage::Graduated => ("结业", "graduated"),
        PupilStage::Invited => ("已邀请", "invited"),
        PupilStage::Accepted => ("已接受", "accepted"),
        PupilStage::Declined => ("谢绝", "declined"),
        PupilStage::Lapsed => ("过期", "lapsed"),
        PupilStage::Arrived => ("已入群", "arrived"),
    }
}

fn percent(share: Ppm) -> String {
    format!("{}.{}%", share.0 / 10_000, share.0 / 1_000 % 10)
}

fn days(view: &CohortView) -> i32 {
    view.last.0 - view.first.0 + 1
}

/// One line of the list.
pub(super) fn line(view: &CohortView, named: &Named) -> String {
    let (zh, en) = stage(view.stage);
    let members: u32 = view.pupils.iter().sum();
    let groups: Vec<String> = view.communities.iter().map(ToString::to_string).collect();
    format!(
        "{}\t{}\t{}\t{zh} {en}\t{} – {}\t{}/{}\t{members}\t{}",
        view.id,
        view.course,
        named.title,
        view.first,
        view.last,
        view.sent,
        days(view),
        groups.join(" ")
    )
}

/// Date and time in China.
fn clock(at: Timestamp) -> String {
    let shifted = at.plus_ms(8 * 3_600_000).to_string();
    shifted.get(..16).unwrap_or(&shifted).replace('T', " ")
}

/// The whole cohort: stages one below the other, lessons, members as bars.
pub(super) fn picture(view: &CohortView, named: &Named) -> Vec<String> {
    let groups: Vec<String> = view.communities.iter().map(ToString::to_string).collect();
    let mut lines = vec![
        format!("{}  {}  ({})", view.id, named.title, view.course),
        format!(
            "{} – {}，{} 天 days  社群 groups {}  答题 quiz {}",
            view.first,
            view.last,
            days(view),
            groups.join(" "),
            view.run
        ),
        String::new(),
        "阶段 stages".to_owned(),
    ];
    for (name, at) in CohortStage::ALL.into_iter().zip(view.since) {
        let mark = match at {
            _ if name == view.stage => '▶',
            Some(_) => '●',
            None => '·',
        };
        let (zh, en) = stage(name);
        let at = at.map(clock).unwrap_or_default();
        lines.push(format!("  {mark} {at:<16}  {zh} {en}").trim_end().to_owned());
    }
    lines.extend([String::new(), format!("课程 lessons  {}/{}", view.sent, days(view))]);
    for (day, title) in (1u8..).zip(&named.lessons) {
        let mark = if day <= view.sent { '●' } else { '·' };
        lines.push(format!("  {mark} {day:>2}  {title}"));
    }
    let total: u32 = view.pupils.iter().sum();
    lines.extend([String::new(), format!("成员 members  {total}")]);
    let most = view.pupils.iter().copied().max().unwrap_or(0).max(1);
    for (name, count) in PupilStage::ALL.into_iter().zip(view.pupils) {
        if count > 0 {
            let (zh, en) = pupil(name);
            // Never nothing where somebody is.
            let bar = "█".repeat(usize::try_from((count * BAR / most).max(1)).unwrap_or(1));
            lines.push(format!("  {count:>5}  {bar}  {zh} {en}"));
        }
    }
    lines.push(String::new());
    if let Some(gain) = view.gain {
        let gained = gain.normalised.map_or_else(|| "–".to_owned(), percent);
        lines.push(format!(
            "学习增益 gain: 前 before {} → 后 after {}  归一化 normalised {gained}  ({} 人 members)",
            percent(gain.before),
            percent(gain.after),
            gain.members
        ));
    }
    for (days, share) in [7, 30].into_iter().zip(view.retained) {
        if let Some(share) = share {
            lines.push(format!("留存 active after {days} 天 days: {}", percent(share)));
        }
    }
    lines.extend(standing(view, named));
    lines.push(match view.market.dates.last() {
        Some(date) => format!(
            "行情 market day {}（{}），已收 {} 天 days closed",
            view.market.day(),
            view.first.plus(*date),
            view.market.closed
        ),
        None => "行情 market: 还没有价格 no prices yet".to_owned(),
    });
    lines.push(format!("内容 content    {}", view.terms));
    lines.push(format!("承诺 commitment {}", view.commitment));
    if let Some(secret) = view.secret {
        lines.push(format!("密钥 secret     {secret}"));
    }
    lines
}

/// A band's name; its number where the content no longer has it.
fn band(named: &Named, place: usize) -> String {
    named.bands.get(place).cloned().unwrap_or_else(|| format!("{}", place + 1))
}

/// Bands and teams as of the last close; nothing before the first.
fn standing(view: &CohortView, named: &Named) -> Vec<String> {
    let mut lines = Vec::new();
    if view.market.closed == 0 {
        return lines;
    }
    let bands = view.standing.bands.iter().enumerate();
    let bands: Vec<String> =
        bands.map(|(place, members)| format!("{} {members}", band(named, place))).collect();
    lines.push(format!("分段 bands  {}", bands.join("  ")));
    for team in &view.standing.teams {
        lines.push(format!(
            "小组 team {}  {} 人 members  平均分 mean score {}",
            team.community, team.members, team.score
        ));
    }
    lines
}

/// The same for other tools.
pub(super) fn json(view: &CohortView, named: &Named) -> Value {
    let since = CohortStage::ALL.into_iter().zip(view.since);
    let since =
        since.filter_map(|(stage, at)| Some(value!({"stage": stage, "at": at?.to_string()})));
    let members = PupilStage::ALL.into_iter().zip(view.pupils);
    let members = members.map(|(stage, count)| (pupil(stage).1.to_owned(), count.into()));
    let content = view.content.iter();
    let content = content.map(|(from, digest)| value!({"from_day": from, "digest": digest}));
    value!({
        "id": view.id,
        "course": view.course,
        "title": named.title,
        "stage": view.stage,
        "stages": since.collect::<Vec<_>>(),
        "communities": view.communities,
        "run": view.run,
        "first": view.first,
        "last": view.last,
        "days": days(view),
        "sent": view.sent,
        "members": members.collect::<serde_json::Map<String, Value>>(),
        "content": content.collect::<Vec<_>>(),
        "commitment": view.commitment,
        "secret": view.secret,
        "content_of_the_market": view.terms,
        "market_day": view.market.day(),
        "days_closed": view.market.closed,
        "bands": view.standing.bands.iter().enumerate().map(|(place, members)| {
            value!({"title": band(named, place), "members": members})
        }).collect::<Vec<_>>(),
        "teams": view.standing.teams.iter().map(|team| value!({
            "community": team.community,
            "members": team.members,
            "score": team.score,
        })).collect::<Vec<_>>(),
        "gain": view.gain.map(|gain| value!({
            "members": gain.members,
            "before_ppm": gain.before.0,
            "after_ppm": gain.after.0,
            "normalised_ppm": gain.normalised.map(|share| share.0),
        })),
        "retention_ppm": {
            "after_7_days": view.retained[0].map(|share| share.0),
            "after_30_days": view.retained[1].map(|share| share.0),
        },
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dengmi_core::course::Gain;
    use dengmi_core::mock::{BandStanding, MarketView, TeamScore};
    use dengmi_core::{BranchId, CohortId, CommunityId, Day, Digest, RunId};

    use super::*;

    fn view() -> CohortView {
        let branch = BranchId(1);
        let mut pupils = [0; 9];
        pupils[PupilStage::Enrolled as usize] = 60;
        pupils[PupilStage::Left as usize] = 1;
        CohortView {
            id: CohortId::new(branch, 1),
            course: "basics-7".parse().unwrap(),
            stage: CohortStage::Running,
            since: [Some(Timestamp(0)), Some(Timestamp(0)), Some(Timestamp(0)), None, None, None],
            content: vec![(1, Digest::of(b"pack"))],
            communities: vec![CommunityId::new(branch, 3)],
            run: RunId::new(branch, 9),
            first: Day(20_777),
            last: Day(20_783),
            sent: 2,
            pupils,
            commitment: Digest::of(b"commitment"),
            secret: None,
            gain: Some(Gain {
                members: 40,
                before: Ppm(400_000),
                after: Ppm(700_000),
                normalised: Some(Ppm(500_000)),
            }),
            retained: [Some(Ppm(812_345)), None],
            items: Vec::new().into(),
            terms: Digest::of(b"pack"),
            market: Arc::new(MarketView {
                assets: Vec::new().into(),
                first_day: -1,
                quotes: vec![Vec::new().into(); 3],
                dates: vec![-1, 0, 1],
                closed: 2,
                without_script: Vec::new(),
            }),
            standing: BandStanding {
                bands: vec![41, 19],
                teams: vec![TeamScore {
                    community: CommunityId::new(branch, 3),
                    members: 60,
                    score: 388,
                }],
            },
        }
    }

    #[test]
    fn the_picture_shows_where_it_stands() {
        let named = Named {
            title: "入门".to_owned(),
            lessons: vec!["一".to_owned(), "二".to_owned(), "三".to_owned()],
            bands: vec!["播种".to_owned(), "发芽".to_owned()],
        };
        let lines = picture(&view(), &named);
        let has = |text: &str| assert!(lines.iter().any(|line| line == text), "{text}\n{lines:#?}");
        has("  ● 1970-01-01 08:00  报名 enrolling");
        has("  ▶ 1970-01-01 08:00  上课 running");
        has("  ·                   评定 grading");
        has("课程 lessons  2/7");
        has("  ●  2  二");
        has("  ·  3  三");
        has(&format!("     60  {}  在读 enrolled", "█".repeat(30)));
        has("      1  █  退出 left");
        has(
            "学习增益 gain: 前 before 40.0% → 后 after 70.0%  归一化 normalised 50.0%  (40 人 members)",
        );
        has("留存 active after 7 天 days: 81.2%");
        has("分段 bands  播种 41  发芽 19");
        has("小组 team c1-3  60 人 members  平均分 mean score 388");
        has("行情 market day 1（2026-11-21），已收 2 天 days closed");
        assert!(!lines.iter().any(|line| line.contains("secret")), "not told yet");
        let mut early = view();
        Arc::make_mut(&mut early.market).closed = 0;
        let lines = picture(&early, &named);
        assert!(!lines.iter().any(|line| line.contains("bands")), "nothing is closed yet");
    }

    #[test]
    fn stages_are_called_what_the_interface_calls_them() {
        for one in CohortStage::ALL {
            assert_eq!(value!(one), stage(one).1);
        }
        for one in PupilStage::ALL {
            assert_eq!(value!(one), pupil(one).1);
        }
    }

    #[test]
    fn other_tools_read_names_not_positions() {
        let told = json(&view(), &Named::of(None, &view().course));
        assert_eq!(told["title"], "basics-7", "the id where the content has no such course");
        assert_eq!(
            (&told["members"]["enrolled"], &told["members"]["arrived"]),
            (&60.into(), &0.into())
        );
        assert_eq!(told["retention_ppm"], value!({"after_7_days": 812_345, "after_30_days": null}));
        assert_eq!(told["first"], "2026-11-20");
        assert_eq!(told["bands"][1], value!({"title": "2", "members": 19}));
        assert_eq!(told["teams"][0]["score"], 388);
        assert_eq!((&told["market_day"], &told["days_closed"]), (&1.into(), &2.into()));
    }
}
