//! Line charts as SVG text: axes, ticks, lines with marks, a legend. Lines differ in colour, dash and mark, so that they can be
//! told apart without colours; what they show is also written as text for whoever does not see it.

use std::fmt::Write;

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// How an axis is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    Logarithmic,
}

/// Axes with lines.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) x_label: String,
    pub(super) y_label: String,
    pub(super) x_scale: Scale,
    pub(super) y_scale: Scale,
    pub(super) lines: Vec<Line>,
}

const WIDTH: f64 = 380.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 46.0;
const LEGEND_LINE: f64 = 16.0;
/// Okabe and Ito's colours, which people with any kind of colour vision tell apart.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00"];
const DASHES: [&str; 6] = ["", "6 3", "2 3", "8 3 2 3", "1 2", "10 4"];
/// More values than these on the x axis get round ticks instead of their own.
const OWN_TICKS: usize = 7;

/// A file with charts side by side, `columns` in a row.
pub(super) fn figure(title: &str, charts: &[Chart], columns: usize) -> String {
    let columns = columns.clamp(1, charts.len().max(1));
    let most = charts.iter().map(|chart| chart.lines.len()).max().unwrap_or(0);
    let cell = HEIGHT + LEGEND_LINE * most as f64 + 8.0;
    let (width, height) = (WIDTH * columns as f64, cell * charts.len().div_ceil(columns) as f64);
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" font-family="sans-serif" font-size="11"><title>{}</title><desc>{}</desc><rect width="{width}" height="{height}" fill="white"/>"#,
        escape(title),
        escape(&charts.iter().map(describe).collect::<Vec<_>>().join(" "))
    );
    for (n, chart) in charts.iter().enumerate() {
        let (x, y) = ((n % columns) as f64 * WIDTH, (n / columns) as f64 * cell);
        let _ = write!(svg, "\n<g transform=\"translate({x} {y})\">");
        draw(chart, &mut svg);
        svg.push_str("</g>");
    }
    svg.push_str("\n</svg>\n");
    svg
}

/// A chart in words.
fn describe(chart: &Chart) -> String {
    let line = |line: &Line| {
        let points: Vec<String> = line.points.iter().map(|&(x, y)| format!("{}: {}", number(x), number(y))).collect();
        format!("{}: {}.", line.name, points.join(", "))
    };
    let lines: Vec<String> = chart.lines.iter().map(line).collect();
    format!("{} ({} by {}). {}", chart.title, chart.y_label, chart.x_label, lines.join(" "))
}

/// Where values lie on the paper.
struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    /// Coordinates of `low` and `high`.
    from: f64,
    to: f64,
}

impl Axis {
    fn new(values: impl Iterator<Item = f64>, scale: Scale, from: f64, to: f64) -> Self {
        let place = |value: f64| if scale == Scale::Logarithmic { value.max(f64::MIN_POSITIVE).log10() } else { value };
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.map(place).filter(|value| value.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let margin = if high > low { 0.06 * (high - low) } else { 0.1 * high.abs().max(0.1) };
        Self { scale, low: low - margin, high: high + margin, from, to }
    }

    fn at(&self, value: f64) -> f64 {
        let value = match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.max(f64::MIN_POSITIVE).log10(),
        };
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    fn ticks(&self) -> Vec<f64> {
        let inside = |place: f64| place >= self.low && place <= self.high;
        if self.scale == Scale::Logarithmic && self.high - self.low > 0.7 {
            let decades = self.low.floor() as i32..=self.high.ceil() as i32;
            let steps: &[f64] = if self.high - self.low > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
            let all = decades.flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)));
            return all.filter(|tick| inside(tick.log10())).collect();
        }
        let value = |place: f64| if self.scale == Scale::Logarithmic { 10f64.powf(place) } else { place };
        let (low, high) = (value(self.low), value(self.high));
        let raw = (high - low) / 5.0;
        let power = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|s| s * power).find(|&step| step >= raw).unwrap_or(power);
        let first = (low / step).ceil() as i64;
        (first..first + 12).map(|n| n as f64 * step).take_while(|&tick| tick <= high).collect()
    }
}

fn draw(chart: &Chart, svg: &mut String) {
    let points = || chart.lines.iter().flat_map(|line| &line.points);
    let x_axis = Axis::new(points().map(|p| p.0), chart.x_scale, LEFT, WIDTH - RIGHT);
    let y_axis = Axis::new(points().map(|p| p.1), chart.y_scale, HEIGHT - BOTTOM, TOP);
    let mut own: Vec<f64> = points().map(|p| p.0).collect();
    own.sort_by(f64::total_cmp);
    own.dedup();
    let x_ticks = if own.len() <= OWN_TICKS { own } else { x_axis.ticks() };
    let (bottom, right, middle) = (HEIGHT - BOTTOM, WIDTH - RIGHT, (LEFT + WIDTH - RIGHT) / 2.0);
    let _ =
        write!(svg, r#"<text x="{middle}" y="16" text-anchor="middle" font-size="12">{}</text>"#, escape(&chart.title));
    for tick in y_axis.ticks() {
        let y = y_axis.at(tick);
        let _ = write!(
            svg,
            r##"<path d="M{LEFT} {y:.1}H{right}" stroke="#ddd"/><text x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"##,
            LEFT - 5.0,
            y + 4.0,
            number(tick)
        );
    }
    for tick in x_ticks {
        let x = x_axis.at(tick);
        let _ = write!(
            svg,
            r#"<path d="M{x:.1} {bottom}v4" stroke="black"/><text x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            bottom + 16.0,
            number(tick)
        );
    }
    let _ = write!(
        svg,
        r#"<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="black"/><text x="{middle}" y="{:.1}" text-anchor="middle">{}</text><text transform="translate(13 {:.1}) rotate(-90)" text-anchor="middle">{}</text>"#,
        bottom + 34.0,
        escape(&chart.x_label),
        (TOP + bottom) / 2.0,
        escape(&chart.y_label)
    );
    for (n, line) in chart.lines.iter().enumerate() {
        let places: Vec<(f64, f64)> = line.points.iter().map(|&(x, y)| (x_axis.at(x), y_axis.at(y))).collect();
        let (colour, dash) = (COLOURS[n % COLOURS.len()], DASHES[n % DASHES.len()]);
        let corners: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let stroke = format!(r#"fill="none" stroke="{colour}" stroke-width="1.6" stroke-dasharray="{dash}""#);
        let _ = write!(svg, "\n<polyline points=\"{}\" {stroke}/>", corners.join(" "));
        for &(x, y) in &places {
            svg.push_str(&mark(n, x, y, colour));
        }
        let y = HEIGHT + LEGEND_LINE * (n as f64 + 0.5);
        let _ = write!(
            svg,
            r#"<path d="M{LEFT} {y:.1}h28" {stroke}/>{}<text x="{:.1}" y="{:.1}">{}</text>"#,
            mark(n, LEFT + 14.0, y, colour),
            LEFT + 36.0,
            y + 4.0,
            escape(&line.name)
        );
    }
}

/// A mark whose shape tells line `n`.
fn mark(n: usize, x: f64, y: f64, colour: &str) -> String {
    let path = match n % 4 {
        0 => return format!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{colour}"/>"#),
        1 => format!("M{:.1} {:.1}h6v6h-6z", x - 3.0, y - 3.0),
        2 => format!("M{x:.1} {:.1}l4 7h-8z", y - 4.0),
        _ => format!("M{x:.1} {:.1}l4 4l-4 4l-4-4z", y - 4.0),
    };
    format!(r#"<path d="{path}" fill="{colour}"/>"#)
}

/// Four digits at most.
fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".into();
    }
    if !(1e-3..1e5).contains(&size) {
        return format!("{value:.1e}");
    }
    let digits = (3 - size.log10().floor() as i32).clamp(0, 4) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>, scale: Scale) -> Chart {
        let line = |name: &str, points| Line { name: name.into(), points };
        Chart {
            title: "Γ < 1 & more".into(),
            x_label: "T".into(),
            y_label: "Γ".into(),
            x_scale: scale,
            y_scale: scale,
            lines: vec![line("a", points.clone()), line("b", points)],
        }
    }

    /// Names of the elements that are opened and not closed in their turn.
    fn unbalanced(svg: &str) -> Vec<String> {
        let mut open = Vec::new();
        for tag in svg.split('<').skip(1) {
            let (inside, _) = tag.split_once('>').expect("every tag ends");
            match inside.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop().as_deref(), Some(name)),
                None if inside.ends_with('/') => {}
                None => open.push(inside.split_whitespace().next().expect("has a name").to_string()),
            }
        }
        open
    }

    #[test]
    fn what_is_drawn_is_whole_and_stays_on_the_paper() {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            for points in [vec![], vec![(1.0, 2.0)], (1..20).map(|n| (f64::from(n), 1e-4 * f64::from(n * n))).collect()]
            {
                let svg = figure("a figure", &[chart(points.clone(), scale), chart(points, scale)], 2);
                assert!(unbalanced(&svg).is_empty() && svg.contains("Γ &lt; 1 &amp; more"), "{svg}");
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            }
        }
        let axis = Axis::new([0.01, 0.1, 1.0].into_iter(), Scale::Logarithmic, 0.0, 100.0);
        assert!((axis.at(0.1) - 50.0).abs() < 1e-9 && axis.at(0.01) > 0.0 && axis.at(1.0) < 100.0);
        assert_eq!(axis.ticks(), [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]);
        let axis = Axis::new([0.0, 20.0].into_iter(), Scale::Linear, 0.0, 100.0);
        assert_eq!(axis.ticks(), [0.0, 5.0, 10.0, 15.0, 20.0]);
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in
            [(0.0, "0"), (0.01, "0.01"), (22.915, "22.91"), (1234.5, "1234"), (-1.0, "-1"), (2e-7, "2.0e-7")]
        {
            assert_eq!(number(value), text);
        }
    }
}
