//! Curves to SVG files.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;
use postil::evaluate::Bin;

const SIZE: (u32, u32) = (640, 640);

/// One line of a plot.
pub(crate) struct Curve<'a> {
    pub(crate) name: String,
    pub(crate) bins: &'a [Bin],
}

/// Draws the share of right answers against their stated probability; the diagonal is perfect.
pub(crate) fn reliability(path: &Path, curves: &[Curve<'_>]) -> Result<()> {
    let drawing = SVGBackend::new(path, SIZE).into_drawing_area();
    draw(&drawing, curves).map_err(|error| anyhow!("{error}"))
}

fn draw(
    drawing: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    curves: &[Curve<'_>],
) -> Result<(), Box<dyn std::error::Error>> {
    drawing.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(drawing)
        .margin(20)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    chart.configure_mesh().x_desc("probability of being right").y_desc("share exactly right").draw()?;
    chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], BLACK.mix(0.3)))?;
    for (index, curve) in curves.iter().enumerate() {
        let color = Palette99::pick(index).to_rgba();
        let points: Vec<(f64, f64)> = curve.bins.iter().map(|bin| (bin.probability, bin.right)).collect();
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)).point_size(3))?
            .label(curve.name.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .draw()?;
    drawing.present()?;
    Ok(())
}
