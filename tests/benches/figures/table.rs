//! One line per figure: least, middle, 99th of a hundred, most, and the aim with the ratio to it. Owns the
//! columns; must not measure.

/// The line above all.
pub(crate) fn head() {
    println!(
        "{:<52}{:>9}{:>9}{:>9}{:>9}{:>10}{:>7}",
        "FIGURE", "MIN", "MEDIAN", "P99", "MAX", "AIM", "RATIO"
    );
}

/// What an aim is about.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    /// There is none.
    None,
    /// The median.
    Median(f64),
    /// The 99th of a hundred.
    P99(f64),
}

/// One line; the ratio is the figure by the aim, so above 1 is too much.
pub(crate) fn line(what: &str, figures: &[f64], unit: &str, aim: Aim, more: &str) {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |part: f64| sorted[((sorted.len() as f64 * part) as usize).min(sorted.len() - 1)];
    let figure = |value: f64| format!("{value:.1}{unit}");
    let (aim, ratio) = match aim {
        Aim::None => ("-".to_owned(), "-".to_owned()),
        Aim::Median(aim) => (format!("≤ {aim}{unit}"), format!("{:.2}", at(0.5) / aim)),
        Aim::P99(aim) => (format!("≤ {aim}{unit}"), format!("{:.2}", at(0.99) / aim)),
    };
    let [least, middle, p99, most] = [0.0, 0.5, 0.99, 1.0].map(|part| figure(at(part)));
    println!("{what:<52}{least:>9}{middle:>9}{p99:>9}{most:>9}{aim:>10}{ratio:>7}  {more}");
}

/// A single figure.
pub(crate) fn single(what: &str, figure: f64, unit: &str, aim: Aim, more: &str) {
    line(what, &[figure], unit, aim, more);
}
