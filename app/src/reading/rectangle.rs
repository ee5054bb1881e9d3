//! The smallest rotated rectangle around a set of pixels.
//!
//! Our own, in whole numbers: imageproc 0.27 sorts points by their angle in floating point and panics on large regions.

use super::quad::{Point, Quad};

/// A pixel.
type Pixel = (i32, i32);

/// The smallest rotated rectangle around `pixels`, corners in the order of text that runs to the right.
pub fn smallest_rectangle(pixels: &[Pixel]) -> Quad {
    let hull = convex_hull(pixels);
    let edges = (0..hull.len()).map(|i| (hull[i], hull[(i + 1) % hull.len()]));
    // The smallest rectangle has a side along an edge of the hull.
    let along = |((x0, y0), (x1, y1)): (Pixel, Pixel)| {
        let (dx, dy) = ((x1 - x0) as f32, (y1 - y0) as f32);
        let length = dx.hypot(dy).max(f32::MIN_POSITIVE);
        let (ux, uy) = if dx == 0.0 && dy == 0.0 { (1.0, 0.0) } else { (dx / length, dy / length) };
        let range = |f: &dyn Fn(f32, f32) -> f32| {
            let values = hull.iter().map(|&(x, y)| f(x as f32, y as f32));
            values.fold((f32::MAX, f32::MIN), |(lo, hi), v| (lo.min(v), hi.max(v)))
        };
        let (u0, u1) = range(&|x, y| x * ux + y * uy);
        let (v0, v1) = range(&|x, y| y * ux - x * uy);
        let corner = |u: f32, v: f32| Point::new(u * ux - v * uy, u * uy + v * ux);
        ((u1 - u0) * (v1 - v0), [corner(u0, v0), corner(u1, v0), corner(u1, v1), corner(u0, v1)])
    };
    let smallest = edges.map(along).min_by(|a, b| a.0.total_cmp(&b.0));
    in_order(smallest.map_or([Point::default(); 4], |(_, corners)| corners))
}

/// Corners of a rectangle as top left, top right, bottom right, bottom left, as PaddleOCR orders them: the two leftmost
/// are the left side.
fn in_order(mut corners: [Point; 4]) -> Quad {
    corners.sort_by(|a, b| a.x.total_cmp(&b.x));
    let [a, b, c, d] = corners;
    let (tl, bl) = if b.y > a.y { (a, b) } else { (b, a) };
    let (tr, br) = if d.y > c.y { (c, d) } else { (d, c) };
    Quad([tl, tr, br, bl])
}

/// Andrew's monotone chain.
fn convex_hull(pixels: &[Pixel]) -> Vec<Pixel> {
    let mut sorted = pixels.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let turns_left = |o: Pixel, a: Pixel, b: Pixel| {
        let wide = |v: i32| i64::from(v);
        (wide(a.0) - wide(o.0)) * (wide(b.1) - wide(o.1)) - (wide(a.1) - wide(o.1)) * (wide(b.0) - wide(o.0)) > 0
    };
    let chain = |pixels: &mut dyn Iterator<Item = Pixel>| {
        let mut chain: Vec<Pixel> = vec![];
        for pixel in pixels {
            while let [.., o, a] = chain[..]
                && !turns_left(o, a, pixel)
            {
                chain.pop();
            }
            chain.push(pixel);
        }
        chain
    };
    let mut hull = chain(&mut sorted.iter().copied());
    let upper = chain(&mut sorted.iter().rev().copied());
    if upper.len() > 2 {
        hull.extend(&upper[1..upper.len() - 1]);
    }
    hull
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disc_of_many_pixels_has_a_square_around_it() {
        let pixels: Vec<Pixel> = (-300..=300)
            .flat_map(|y| (-300..=300).map(move |x| (x, y)))
            .filter(|(x, y)| x * x + y * y <= 90_000)
            .collect();
        let quad = smallest_rectangle(&pixels);
        assert!((quad.width() - 600.0).abs() < 2.0 && (quad.height() - 600.0).abs() < 2.0);
    }

    #[test]
    fn a_tilted_line_of_pixels_and_a_single_one_do_no_harm() {
        let line: Vec<Pixel> = (0..100).map(|x| (x, x / 2)).collect();
        let quad = smallest_rectangle(&line);
        assert!((quad.angle().to_degrees() - 26.5).abs() < 1.0 && quad.height() < 1.0);
        assert_eq!(smallest_rectangle(&[(3, 4)]), Quad([Point::new(3.0, 4.0); 4]));
        assert_eq!(smallest_rectangle(&[]).width(), 0.0);
    }
}
