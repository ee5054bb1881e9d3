//! Figures of studies: which lines go into which chart.

use super::Kind;
use super::memory::MemoryResults;
use super::plan::{GPTQ, PAPER, PAPER_TURNS, RPIQ, RPIQ_TURNS};
use super::results::{ModelResults, Point, StudyResults};
use super::svg::{Chart, Line, Scale, figure};

const ERROR: &str = "held-out error, part of GPTQ's";
const GIB: f64 = (1u64 << 30) as f64;

/// The figure of a study, a row of charts for each model.
pub fn study_figure(results: &StudyResults) -> String {
    let rows: Vec<Vec<Chart>> = results.models.iter().map(|model| charts(results.study, model)).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(1);
    figure(&format!("RPIQ study: {}", results.study.name()), &rows.concat(), columns)
}

fn charts(study: Kind, model: &ModelResults) -> Vec<Chart> {
    let measured = model.points.iter().any(|point| point.perplexity.is_some());
    let chart = |title: &str, x_label: &str, x_scale, y_label: &str, lines| Chart {
        title: format!("{}: {title}", model.model),
        x_label: x_label.into(),
        y_label: y_label.into(),
        x_scale,
        y_scale: Scale::Linear,
        lines,
    };
    let (x_label, x_scale) = match study {
        Kind::Iterations => ("rounds T", Scale::Linear),
        Kind::Alpha => ("step α", Scale::Logarithmic),
        Kind::Calibration => ("seed of the selection", Scale::Linear),
        Kind::Order | Kind::Memory => ("seed of the order (0: as they come, −1: by diagonal)", Scale::Linear),
    };
    let gamma = |lines| chart("Γ", "round", Scale::Linear, "Γ, part of the start's", lines);
    let error = |lines| chart("layer errors", x_label, x_scale, ERROR, lines);
    let mut charts = match study {
        Kind::Iterations => vec![
            gamma(gamma_lines(model)),
            error(lines(model, &[RPIQ, PAPER], packed).chain([off_grid_line(model, &[PAPER])]).collect()),
        ],
        Kind::Alpha => vec![
            chart(
                "Γ at the end",
                x_label,
                x_scale,
                "Γ, part of the start's",
                vec![
                    line(model, PAPER, "paper, as packed", &|p| p.gamma_packed.last().copied()),
                    line(model, PAPER, "paper, between grid points", &|p| p.gamma_off_grid.last().copied()),
                ],
            ),
            error(
                lines(model, &[PAPER], packed)
                    .chain([off_grid_line(model, &[PAPER]), level(model, RPIQ, packed)])
                    .collect(),
            ),
        ],
        Kind::Calibration => vec![error(lines(model, &[GPTQ, PAPER, RPIQ], packed).collect())],
        Kind::Order | Kind::Memory => vec![
            error(lines(model, &[PAPER, RPIQ], packed).chain([off_grid_line(model, &[PAPER])]).collect()),
            chart(
                "batches in turn",
                "batches",
                Scale::Linear,
                ERROR,
                lines(model, &[PAPER_TURNS, RPIQ_TURNS], packed)
                    .chain([off_grid_line(model, &[PAPER_TURNS])])
                    .collect(),
            ),
        ],
    };
    if measured {
        let mut all: Vec<Line> = lines(model, &[GPTQ, PAPER, RPIQ], |p| p.perplexity).collect();
        let levels = [GPTQ, RPIQ].into_iter().filter(|&series| !model.points.iter().any(|p| p.series == series));
        all.extend(levels.map(|series| level(model, series, |p| p.perplexity)));
        if let Some(full) = model.full_precision_perplexity {
            all.push(across(model, "full precision", full));
        }
        all.retain(|line| !line.points.is_empty());
        charts.push(chart("perplexity as packed", x_label, x_scale, "perplexity", all));
    }
    charts
}

fn packed(point: &Point) -> Option<f64> {
    Some(point.against_gptq?.mean_ratio)
}

/// The runs of a series.
fn line(model: &ModelResults, series: &str, name: &str, y: &dyn Fn(&Point) -> Option<f64>) -> Line {
    let points = model.points.iter().filter(|point| point.series == series);
    let mut points: Vec<(f64, f64)> = points.filter_map(|point| Some((point.value, y(point)?))).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Line { name: name.into(), points }
}

fn lines<'a>(
    model: &'a ModelResults,
    series: &'a [&str],
    y: impl Fn(&Point) -> Option<f64> + 'a,
) -> impl Iterator<Item = Line> + 'a {
    series.iter().map(move |series| line(model, series, &format!("{series}, as packed"), &y))
}

/// The paper's weights between grid points.
fn off_grid_line(model: &ModelResults, series: &[&str]) -> Line {
    let all = series.iter().map(|series| line(model, series, "", &|point| point.off_grid_against_gptq).points);
    Line { name: format!("{}, between grid points", series.join(", ")), points: all.flatten().collect() }
}

/// A baseline from the smallest to the largest value of the study.
fn level(model: &ModelResults, series: &str, y: impl Fn(&Point) -> Option<f64>) -> Line {
    let baseline = model.baselines.iter().find(|point| point.series == series).and_then(y);
    baseline.map_or_else(|| Line { name: series.into(), points: Vec::new() }, |y| across(model, series, y))
}

fn across(model: &ModelResults, name: &str, y: f64) -> Line {
    let values = || model.points.iter().filter(|p| [PAPER, RPIQ, GPTQ].contains(&p.series.as_str())).map(|p| p.value);
    let ends = [values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)];
    Line { name: name.into(), points: ends.map(|x| (x, y)).to_vec() }
}

/// Γ round by round, from the longest run of each series.
fn gamma_lines(model: &ModelResults) -> Vec<Line> {
    let longest = |series: &str, curve: &dyn Fn(&Point) -> Vec<f64>| {
        let curves = model.points.iter().filter(|point| point.series == series).map(curve);
        let curve = curves.max_by_key(Vec::len).unwrap_or_default();
        curve.into_iter().enumerate().map(|(round, gamma)| (round as f64, gamma)).collect()
    };
    vec![
        Line { name: "RPIQ, as packed".into(), points: longest(RPIQ, &|p| p.gamma_packed.clone()) },
        Line { name: "paper, as packed".into(), points: longest(PAPER, &|p| p.gamma_packed.clone()) },
        Line { name: "paper, between grid points".into(), points: longest(PAPER, &|p| p.gamma_off_grid.clone()) },
    ]
}

/// Peak memory and seconds by the number of blocks.
pub fn memory_figure(results: &MemoryResults) -> String {
    let of = |method: &str, name: &str, y: &dyn Fn(&super::MemoryRow) -> Option<f64>| {
        let rows = results.rows.iter().filter(|row| row.method == method);
        let points = rows.filter_map(|row| Some((row.blocks as f64, y(row)?))).collect();
        Line { name: format!("{method}, {name}"), points }
    };
    let mut methods: Vec<&str> = results.rows.iter().map(|row| row.method.as_str()).collect();
    methods.dedup();
    methods.sort_unstable();
    methods.dedup();
    let chart = |title: &str, y_label: &str, lines: Vec<Line>| Chart {
        title: title.into(),
        x_label: "blocks".into(),
        y_label: y_label.into(),
        x_scale: Scale::Linear,
        y_scale: Scale::Linear,
        lines: lines.into_iter().filter(|line| !line.points.is_empty()).collect(),
    };
    let both = |a: &'static str, y: fn(&super::MemoryRow) -> Option<f64>| methods.iter().map(move |m| of(m, a, &y));
    let peak = both("measured", |row| row.peak_bytes.map(|b| b as f64 / GIB))
        .chain(both("planned", |row| row.planned_bytes.map(|b| b as f64 / GIB)))
        .collect();
    let seconds = both("measured", |row| row.seconds_per_block).collect();
    let resident = both("measured", |row| row.resident_bytes.map(|b| b as f64 / GIB))
        .chain(both("files", |row| Some(row.file_bytes as f64 / GIB)))
        .collect();
    let charts = [
        chart("quantizing: peak memory", "GiB", peak),
        chart("quantizing: seconds a block", "seconds", seconds),
        chart("running: weights", "GiB", resident),
    ];
    figure("RPIQ study: memory", &charts, charts.len())
}
