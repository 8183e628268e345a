//! Groups: size, and how often their members may be contacted.

use crate::codes;
use crate::content::{Content, Item};
use crate::diagnostic::{Said, say};
use crate::model::CommunityFile;
use crate::source::Report;

/// Most members of a WeCom customer group.
const CAPACITY_MAX: u32 = 500;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for community in content.communities.iter() {
        capacity(content, community, report);
        touch(content, community, report);
    }
}

fn capacity(content: &Content<'_>, community: &Item<CommunityFile>, report: &mut Report) {
    let capacity = community.value.capacity;
    let at = content.at(&community.place, "capacity");
    if capacity == 0 {
        let message = say!("群容量为 0，谁也进不来", "a group without room for anybody");
        let help = say!("请写 1 到 {CAPACITY_MAX}", "write 1 to {CAPACITY_MAX}");
        report.error(codes::CAPACITY, at, message, help);
    } else if capacity > CAPACITY_MAX {
        let message = say!(
            "群容量写了 {capacity} 人，企业微信客户群最多 {CAPACITY_MAX} 人",
            "a group of {capacity}; WeCom groups end at {CAPACITY_MAX}"
        );
        let help = say!(
            "按平台上限填写，人多就多建几个群",
            "write what the platform holds, and open more groups"
        );
        report.warning(codes::CAPACITY, at, message, help);
    }
}

fn touch(content: &Content<'_>, community: &Item<CommunityFile>, report: &mut Report) {
    let touch = &community.value.touch;
    let limits = [
        ("private_per_week", touch.private_per_week, 7, ("每周私聊", "private messages a week")),
        ("mass_per_day", touch.mass_per_day, 1, ("每天群发", "mass messages a day")),
        ("moments_per_day", touch.moments_per_day, 3, ("每天发朋友圈", "Moments posts a day")),
    ];
    for (field, value, most, (zh, en)) in limits {
        if value > most {
            let at = content.at(&community.place, &format!("touch.{field}"));
            let message = Said::new(
                format!("{zh} {value} 次，最多 {most} 次"),
                format!("{value} {en}; {most} at most"),
            );
            let help = say!(
                "触达过多会让客户退群，超出部分平台也会拦截",
                "members who are contacted too often leave; the platform refuses more"
            );
            report.error(codes::TOUCH, at, message, help);
        }
    }
    if touch.quiet_from == touch.quiet_to {
        let at = content.at(&community.place, "touch.quiet_to");
        let message = say!("没有免打扰时段", "there are no quiet hours");
        let help = say!(
            "例如 `quiet_from: \"21:00\"`，`quiet_to: \"08:30\"`",
            "write for example `quiet_from: \"21:00\"`, `quiet_to: \"08:30\"`"
        );
        report.error(codes::QUIET_HOURS, at, message, help);
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::check;
    use crate::codes::*;

    const GROUP: &str = "content/communities/education.ron";

    #[test]
    fn groups_fit_the_platform() {
        check(GROUP, "capacity: 200", "capacity: 0", &[(CAPACITY, "0")]);
        check(GROUP, "capacity: 200", "capacity: 501", &[(CAPACITY, "501")]);
        check(GROUP, "private_per_week: 2", "private_per_week: 8", &[(TOUCH, "8")]);
        check(GROUP, "mass_per_day: 1", "mass_per_day: 2", &[(TOUCH, "2")]);
        check(GROUP, "moments_per_day: 3", "moments_per_day: 4", &[(TOUCH, "4")]);
        check(GROUP, "quiet_to: \"08:30\"", "quiet_to: \"21:00\"", &[(QUIET_HOURS, "\"21:00\"")]);
    }
}
