//! Plots as SVG: dots by row on one logarithmic axis, and lines.

use crate::table::short;
use std::fmt::Write as _;

/// Told apart also without colours: by the legend's order and, for lines, by dashes.
const COLOURS: [&str; 8] = ["#1f6feb", "#d1242f", "#2da44e", "#bf8700", "#8250df", "#57606a", "#1b9e9e", "#bf3989"];
const WIDTH: f64 = 860.0;

/// One line of dots.
pub(crate) struct Row {
    pub(crate) name: String,
    /// As many as there are series.
    pub(crate) values: Vec<Option<f64>>,
}

/// What each series has in each row, on a logarithmic axis.
pub(crate) struct Dots<'a> {
    pub(crate) title: &'a str,
    pub(crate) series: &'a [String],
    pub(crate) rows: Vec<Row>,
}

impl Dots<'_> {
    pub(crate) fn svg(&self) -> String {
        const LEFT: f64 = 330.0;
        const TOP: f64 = 70.0;
        const STEP: f64 = 26.0;
        let bottom = TOP + STEP * self.rows.len() as f64;
        let axis = Axis::logarithmic(self.rows.iter().flat_map(|row| row.values.iter().flatten().copied()), LEFT, WIDTH - 30.0);
        let mut svg = Svg::new(bottom + 40.0, self.title);
        svg.legend(self.series);
        for (at, text) in axis.ticks() {
            svg.line(at, TOP - 8.0, at, bottom, "#d0d7de");
            svg.text(at, bottom + 16.0, "middle", &text);
        }
        for (at, row) in self.rows.iter().enumerate() {
            let y = TOP + STEP * (at as f64 + 0.5);
            svg.text(LEFT - 12.0, y + 4.0, "end", &row.name);
            svg.line(LEFT, y, WIDTH - 30.0, y, "#eaeef2");
            for (series, value) in row.values.iter().enumerate() {
                if let Some(value) = value {
                    let title = format!("{}: {}", self.series[series], short(*value));
                    svg.dot(axis.at(*value), y, COLOURS[series % COLOURS.len()], &title);
                }
            }
        }
        svg.finish()
    }
}

/// Values of one thing over another.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Lines in one frame; the vertical axis starts at zero.
pub(crate) struct Lines<'a> {
    pub(crate) title: &'a str,
    pub(crate) below: &'a str,
    pub(crate) logarithmic: bool,
    pub(crate) lines: Vec<Line>,
}

impl Lines<'_> {
    pub(crate) fn svg(&self) -> String {
        const LEFT: f64 = 80.0;
        const TOP: f64 = 70.0;
        const BOTTOM: f64 = 330.0;
        let points = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        let across = points().map(|(x, _)| x);
        let across =
            if self.logarithmic { Axis::logarithmic(across, LEFT, WIDTH - 30.0) } else { Axis::linear(across, LEFT, WIDTH - 30.0) };
        let up = Axis::linear(points().map(|(_, y)| y), BOTTOM, TOP);
        let mut svg = Svg::new(BOTTOM + 50.0, self.title);
        svg.legend(&self.lines.iter().map(|line| line.name.clone()).collect::<Vec<_>>());
        for (at, text) in across.ticks() {
            svg.line(at, TOP, at, BOTTOM, "#eaeef2");
            svg.text(at, BOTTOM + 16.0, "middle", &text);
        }
        for (at, text) in up.ticks() {
            svg.line(LEFT, at, WIDTH - 30.0, at, "#d0d7de");
            svg.text(LEFT - 8.0, at + 4.0, "end", &text);
        }
        svg.text((LEFT + WIDTH - 30.0) / 2.0, BOTTOM + 36.0, "middle", self.below);
        for (number, line) in self.lines.iter().enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            let places: Vec<(f64, f64)> = line.points.iter().map(|(x, y)| (across.at(*x), up.at(*y))).collect();
            svg.path(&places, colour, number);
            for ((x, y), (_, value)) in places.iter().zip(&line.points) {
                svg.dot(*x, *y, colour, &format!("{}: {}", line.name, short(*value)));
            }
        }
        svg.finish()
    }
}

/// Where a value lies between two ends.
struct Axis {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
    logarithmic: bool,
}

impl Axis {
    /// From zero to a round number above the largest.
    fn linear(values: impl Iterator<Item = f64>, start: f64, end: f64) -> Self {
        let largest = values.fold(f64::MIN_POSITIVE, f64::max);
        let step = Axis::step(largest);
        Axis { low: 0.0, high: (largest / step).ceil() * step, start, end, logarithmic: false }
    }

    /// A bit more than from the smallest to the largest.
    fn logarithmic(values: impl Iterator<Item = f64>, start: f64, end: f64) -> Self {
        let (low, high) = values
            .filter(|value| *value > 0.0)
            .fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), value| (low.min(value), high.max(value)));
        Axis { low: low.min(high) * 0.8, high: high * 1.25, start, end, logarithmic: true }
    }

    /// One, two or five times a power of ten, so that there are four to eight ticks.
    fn step(largest: f64) -> f64 {
        let power = 10_f64.powf((largest / 4.0).log10().floor());
        let factor = largest / 4.0 / power;
        power
            * if factor < 2.0 {
                1.0
            } else if factor < 5.0 {
                2.0
            } else {
                5.0
            }
    }

    fn at(&self, value: f64) -> f64 {
        let part = if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.start + part * (self.end - self.start)
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        let mut ticks = Vec::new();
        if self.logarithmic {
            let wide = self.high / self.low > 200.0;
            for power in self.low.log10().floor() as i32..=self.high.log10().ceil() as i32 {
                for factor in if wide { [1.0].as_slice() } else { &[1.0, 2.0, 5.0] } {
                    ticks.push(factor * 10_f64.powi(power));
                }
            }
            ticks.retain(|value| (self.low..=self.high).contains(value));
        } else {
            let step = Axis::step(self.high);
            ticks.extend((0..=(self.high / step).round() as i32).map(|count| f64::from(count) * step));
        }
        ticks.into_iter().map(|value| (self.at(value), tick(value))).collect()
    }
}

/// Without digits that say nothing.
fn tick(value: f64) -> String {
    if value >= 1000.0 { short(value) } else { format!("{}", (value * 1e6).round() / 1e6) }
}

struct Svg(String);

impl Svg {
    fn new(height: f64, title: &str) -> Self {
        let mut svg = Svg(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#1f2328\">\n\
             <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
        ));
        let _ = writeln!(svg.0, "<text x=\"16\" y=\"24\" font-size=\"15\" font-weight=\"bold\">{}</text>", escaped(title));
        svg
    }

    fn legend(&mut self, names: &[String]) {
        let mut x = 22.0;
        for (at, name) in names.iter().enumerate() {
            self.dot(x, 44.0, COLOURS[at % COLOURS.len()], name);
            self.text(x + 10.0, 48.0, "start", name);
            x += 30.0 + 7.0 * name.chars().count() as f64;
        }
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let _ = writeln!(self.0, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escaped(text));
    }

    fn line(&mut self, x: f64, y: f64, to_x: f64, to_y: f64, colour: &str) {
        let _ = writeln!(self.0, "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{to_x:.1}\" y2=\"{to_y:.1}\" stroke=\"{colour}\"/>");
    }

    fn dot(&mut self, x: f64, y: f64, colour: &str, title: &str) {
        let _ = writeln!(
            self.0,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"{colour}\"><title>{}</title></circle>",
            escaped(title)
        );
    }

    fn path(&mut self, places: &[(f64, f64)], colour: &str, number: usize) {
        let points: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let dashes = if number == 0 { String::new() } else { format!(" stroke-dasharray=\"{} 3\"", 3 * (number + 1)) };
        let _ = writeln!(
            self.0,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>",
            points.join(" ")
        );
    }

    fn finish(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::Axis;

    #[test]
    fn axes_have_a_few_round_ticks() {
        for largest in [0.7, 3.0, 9.9, 10.0, 48_000.0] {
            let axis = Axis::linear([largest].into_iter(), 0.0, 100.0);
            assert!((4..=10).contains(&axis.ticks().len()) && axis.at(largest) <= 100.0, "{largest}: {:?}", axis.ticks());
        }
        let axis = Axis::logarithmic([0.4, 120.0].into_iter(), 0.0, 100.0);
        assert_eq!(axis.ticks().iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["1", "10", "100"]);
    }
}
