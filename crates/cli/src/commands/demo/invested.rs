//! What became of mock investing, in a line for each cohort: bands, never money.

use std::collections::BTreeMap;
use std::sync::Arc;

use dengmi_content::Pack;
use dengmi_core::Digest;
use dengmi_core::course::CohortView;
use dengmi_core::view::Catalog;

/// A line for each cohort in which somebody has a score.
pub(super) fn lines(catalog: &Catalog, packs: &BTreeMap<Digest, Arc<Pack>>) -> Vec<String> {
    catalog.cohorts.iter().filter_map(|view| line(view, packs)).collect()
}

fn line(view: &CohortView, packs: &BTreeMap<Digest, Arc<Pack>>) -> Option<String> {
    let pack = packs.get(&view.content.last()?.1)?;
    let bands = &pack.courses.get(pack.current(&view.course))?.course.score.bands;
    let counted: u32 = view.standing.bands.iter().sum();
    if counted == 0 {
        return None;
    }
    let band = bands.iter().zip(&view.standing.bands);
    let bands: Vec<String> =
        band.map(|(band, count)| format!("{} {count}", band.title.zh())).collect();
    let bands = bands.join(" · ");
    Some(format!("模拟投资 mock investing {}: {counted} 人 members; {bands}", view.id))
}
