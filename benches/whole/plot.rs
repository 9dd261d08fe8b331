//! Plots as inline SVG: lines over a logarithmic or even axis, and bars. Nothing but what the report needs.

use std::fmt::Write;

use crate::table::number;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 176.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 44.0;
const COLOURS: [&str; 6] = ["#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#64748b"];

/// Lines over one axis.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plot {
    pub(crate) title: String,
    pub(crate) x: String,
    pub(crate) y: String,
    /// A name and its points, each.
    pub(crate) lines: Vec<(String, Vec<(f64, f64)>)>,
    /// Whether the axis to the right counts in powers; zero is then drawn at the left edge.
    pub(crate) is_logarithmic: bool,
}

impl Plot {
    pub(crate) fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|(_, points)| points);
        let place = |x: f64| if self.is_logarithmic { (x + 1.0).ln() } else { x };
        let left = points().map(|(x, _)| place(*x)).fold(f64::INFINITY, f64::min);
        let right = points().map(|(x, _)| place(*x)).fold(f64::NEG_INFINITY, f64::max);
        let top = nice(points().map(|(_, y)| *y).fold(0.0, f64::max));
        let width = WIDTH - LEFT - RIGHT;
        let height = HEIGHT - TOP - BOTTOM;
        let at_x = |x: f64| LEFT + width * if right > left { (place(x) - left) / (right - left) } else { 0.5 };
        let at_y = |y: f64| TOP + height * (1.0 - y / top);

        let mut svg = open(&self.title);
        axes(&mut svg, top, &self.x, &self.y);
        let mut seen: Vec<f64> = points().map(|(x, _)| *x).collect();
        seen.sort_by(f64::total_cmp);
        seen.dedup();
        for x in seen {
            let _ = write!(
                svg,
                "<text x='{:.1}' y='{:.1}' text-anchor='middle'>{}</text>",
                at_x(x),
                HEIGHT - BOTTOM + 16.0,
                thousands(x)
            );
        }
        for ((name, points), (number, colour)) in self.lines.iter().zip(COLOURS.iter().cycle().enumerate()) {
            let path: Vec<String> = points.iter().map(|(x, y)| format!("{:.1},{:.1}", at_x(*x), at_y(*y))).collect();
            let _ =
                write!(svg, "<polyline points='{}' fill='none' stroke='{colour}' stroke-width='2'/>", path.join(" "));
            for (x, y) in points {
                let _ = write!(
                    svg,
                    "<circle cx='{:.1}' cy='{:.1}' r='3' fill='{colour}'><title>{}: {}</title></circle>",
                    at_x(*x),
                    at_y(*y),
                    thousands(*x),
                    self::number(*y)
                );
            }
            legend(&mut svg, number, colour, name);
        }
        svg.push_str("</svg>");
        svg
    }
}

/// A bar for each name, made up of parts that have names too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bars {
    pub(crate) title: String,
    pub(crate) y: String,
    pub(crate) parts: Vec<String>,
    /// A name and the height of each part.
    pub(crate) bars: Vec<(String, Vec<f64>)>,
}

impl Bars {
    pub(crate) fn svg(&self) -> String {
        let top = nice(self.bars.iter().map(|(_, parts)| parts.iter().sum::<f64>()).fold(0.0, f64::max));
        let height = HEIGHT - TOP - BOTTOM;
        let step = (WIDTH - LEFT - RIGHT) / self.bars.len().max(1) as f64;
        let mut svg = open(&self.title);
        axes(&mut svg, top, "", &self.y);
        for (at, (name, parts)) in self.bars.iter().enumerate() {
            let x = LEFT + step * (at as f64 + 0.15);
            let mut y = HEIGHT - BOTTOM;
            for (part, colour) in parts.iter().zip(COLOURS.iter().cycle()) {
                let tall = height * part / top;
                y -= tall;
                let _ = write!(
                    svg,
                    "<rect x='{x:.1}' y='{y:.1}' width='{:.1}' height='{tall:.1}' fill='{colour}'><title>{}</title></rect>",
                    step * 0.7,
                    number(*part)
                );
            }
            let _ = write!(
                svg,
                "<text x='{:.1}' y='{:.1}' text-anchor='middle'>{}</text>",
                x + step * 0.35,
                HEIGHT - BOTTOM + 16.0,
                escaped(name)
            );
        }
        if self.parts.len() > 1 {
            for (part, (number, colour)) in self.parts.iter().zip(COLOURS.iter().cycle().enumerate()) {
                legend(&mut svg, number, colour, part);
            }
        }
        svg.push_str("</svg>");
        svg
    }
}

fn open(title: &str) -> String {
    format!(
        "<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' xmlns='http://www.w3.org/2000/svg'>\
         <text x='{LEFT}' y='18' class='title'>{}</text>",
        escaped(title)
    )
}

fn axes(svg: &mut String, top: f64, x: &str, y: &str) {
    for part in 0..=4 {
        let at = TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - f64::from(part) / 4.0);
        let _ = write!(
            svg,
            "<line x1='{LEFT}' y1='{at:.1}' x2='{:.1}' y2='{at:.1}' class='grid'/>\
             <text x='{:.1}' y='{:.1}' text-anchor='end'>{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0,
            number(top * f64::from(part) / 4.0)
        );
    }
    let _ = write!(
        svg,
        "<text x='{:.1}' y='{:.1}' text-anchor='middle'>{}</text>\
         <text transform='translate(14,{:.1}) rotate(-90)' text-anchor='middle'>{}</text>",
        LEFT + (WIDTH - LEFT - RIGHT) / 2.0,
        HEIGHT - 8.0,
        escaped(x),
        TOP + (HEIGHT - TOP - BOTTOM) / 2.0,
        escaped(y)
    );
}

fn legend(svg: &mut String, number: usize, colour: &str, name: &str) {
    let y = TOP + 16.0 * number as f64;
    let x = WIDTH - RIGHT + 12.0;
    let _ = write!(
        svg,
        "<rect x='{x:.1}' y='{y:.1}' width='10' height='10' fill='{colour}'/><text x='{:.1}' y='{:.1}'>{}</text>",
        x + 15.0,
        y + 9.0,
        escaped(name)
    );
}

/// A round number that is not less.
fn nice(value: f64) -> f64 {
    if value.is_nan() || value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 4.0, 6.0, 8.0, 10.0].map(|step| step * power).into_iter().find(|nice| *nice >= value).unwrap_or(value)
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// For HTML and SVG.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;")
}
