//! Published prices as lines of CSV.

use dengmi_core::Slug;
use dengmi_engine::market::Path;

/// The first line: market day from 0, asset, net asset value in 1e-8 yuan, yield per 10,000 yuan in
/// 1/10,000 yuan, yearly rate in 1e-8.
pub(crate) const HEADER: &str = "day,asset,nav,wan_fen_yield,yearly";

/// A line for every market day of the course and every asset.
pub(crate) fn lines(path: &Path) -> impl Iterator<Item = String> {
    (0..path.end())
        .flat_map(move |day| path.assets().filter_map(move |asset| line(path, day, asset)))
}

fn line(path: &Path, day: i32, asset: &Slug) -> Option<String> {
    let quote = path.quote(asset, day)?;
    Some(format!("{day},{asset},{},{},{}", quote.nav, quote.wan_fen_yield, quote.yearly))
}
