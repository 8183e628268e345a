//! Item statistics: how hard a question was, and whether it told those who know from those who do
//! not.

use serde::{Deserialize, Serialize};

/// Statistics of one question of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QuestionStats {
    pub(crate) answers: u32,
    pub(crate) right: u32,
    /// Thousandths from -1,000 to 1,000.
    pub(crate) discrimination: Option<i16>,
}

/// Fewest answers for which a discrimination says anything.
const ANSWERS_MIN: u32 = 10;

/// Statistics of every question; `sheets` holds for each member and question whether it was
/// right, `None` where it was not answered.
///
/// Discrimination of a question is the share of right answers among those who had more right
/// elsewhere in the round than the mean, less that share among those who had fewer; those at the
/// mean stay out. In whole numbers: comparisons with the mean are products, not quotients.
pub(crate) fn statistics(
    questions: usize,
    sheets: &[impl AsRef<[Option<bool>]>],
) -> Vec<QuestionStats> {
    (0..questions)
        .map(|question| {
            let answered: Vec<(bool, i64)> = sheets
                .iter()
                .filter_map(|sheet| {
                    let sheet = sheet.as_ref();
                    let right = sheet[question]?;
                    let all = sheet.iter().filter(|mark| **mark == Some(true)).count() as i64;
                    Some((right, all - i64::from(right)))
                })
                .collect();
            let answers = answered.len() as u32;
            let right = answered.iter().filter(|(right, _)| *right).count() as u32;
            let discrimination = if answers < ANSWERS_MIN { None } else { discriminate(&answered) };
            QuestionStats { answers, right, discrimination }
        })
        .collect()
}

fn discriminate(answered: &[(bool, i64)]) -> Option<i16> {
    let sum: i64 = answered.iter().map(|(_, elsewhere)| elsewhere).sum();
    let count = answered.len() as i64;
    let share = |side: std::cmp::Ordering| {
        let group = answered.iter().filter(|(_, elsewhere)| (elsewhere * count).cmp(&sum) == side);
        let (right, all) =
            group.fold((0, 0), |(right, all), (r, _)| (right + i64::from(*r), all + 1));
        (all > 0).then(|| right * 1_000 / all)
    };
    let (upper, lower) = (share(std::cmp::Ordering::Greater)?, share(std::cmp::Ordering::Less)?);
    i16::try_from(upper - lower).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rows: &[(&str, usize)], question: usize, expected: (u32, u32, Option<i16>)) {
        let sheets: Vec<Vec<Option<bool>>> = rows
            .iter()
            .flat_map(|(marks, times)| {
                let sheet = marks
                    .chars()
                    .map(|c| match c {
                        '1' => Some(true),
                        '0' => Some(false),
                        _ => None,
                    })
                    .collect();
                std::iter::repeat_n::<Vec<_>>(sheet, *times)
            })
            .collect();
        let stats = statistics(3, &sheets)[question];
        assert_eq!((stats.answers, stats.right, stats.discrimination), expected);
    }

    #[test]
    fn a_good_question_tells_them_apart() {
        check(&[("111", 6), ("000", 6)], 0, (12, 6, Some(1_000)));
        check(&[("011", 6), ("100", 6)], 0, (12, 6, Some(-1_000)));
        check(&[("111", 3), ("011", 3), ("100", 3), ("000", 3)], 0, (12, 6, Some(0)));
        check(&[("111", 4), ("000", 4), ("-11", 9)], 0, (8, 4, None));
        check(&[("111", 12)], 0, (12, 12, None));
    }
}
