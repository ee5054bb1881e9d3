//! Four corners of a line of text, and the plane geometry around them.

use serde::Serialize;

/// A point in pixels of the picture, y downwards.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

impl Point {
    /// The point (x, y).
    pub fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Distance to another point.
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// Turned by `angle` (radians, clockwise as y points down) about the origin.
    pub fn rotated(self, angle: f32) -> Self {
        let (sin, cos) = angle.sin_cos();
        Self { x: self.x * cos - self.y * sin, y: self.x * sin + self.y * cos }
    }
}

/// A line's corners in the order of its text: top left, top right, bottom right, bottom left.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quad(pub [Point; 4]);

impl Quad {
    /// Length of the longer of the two long edges, along the text.
    pub fn width(&self) -> f32 {
        let [tl, tr, br, bl] = self.0;
        tl.distance(tr).max(bl.distance(br))
    }

    /// Length of the longer of the two short edges, across the text.
    pub fn height(&self) -> f32 {
        let [tl, tr, br, bl] = self.0;
        tl.distance(bl).max(tr.distance(br))
    }

    /// The middle.
    pub fn center(&self) -> Point {
        let sum = self.0.iter().fold(Point::default(), |s, p| Point::new(s.x + p.x, s.y + p.y));
        Point::new(sum.x / 4.0, sum.y / 4.0)
    }

    /// Direction of the text, radians clockwise from "to the right".
    pub fn angle(&self) -> f32 {
        let [tl, tr, br, bl] = self.0;
        (tr.y + br.y - tl.y - bl.y).atan2(tr.x + br.x - tl.x - bl.x)
    }

    /// Grown by `distance` on every side; exact for rectangles.
    pub fn grown(&self, distance: f32) -> Self {
        let [tl, tr, br, bl] = self.0;
        let (w, h) = (tl.distance(tr).max(1e-3), tl.distance(bl).max(1e-3));
        let along = Point::new((tr.x - tl.x) / w * distance, (tr.y - tl.y) / w * distance);
        let across = Point::new((bl.x - tl.x) / h * distance, (bl.y - tl.y) / h * distance);
        let moved =
            |p: Point, a: f32, b: f32| Point::new(p.x + a * along.x + b * across.x, p.y + a * along.y + b * across.y);
        Self([moved(tl, -1.0, -1.0), moved(tr, 1.0, -1.0), moved(br, 1.0, 1.0), moved(bl, -1.0, 1.0)])
    }

    /// Every corner mapped.
    pub fn map(&self, f: impl Fn(Point) -> Point) -> Self {
        Self(self.0.map(f))
    }

    /// The same corners, the text running along another edge: `turns` quarter turns on.
    pub fn turned(&self, turns: usize) -> Self {
        let mut corners = self.0;
        corners.rotate_left(turns % 4);
        Self(corners)
    }

    /// Smallest and largest x.
    pub fn x_range(&self) -> (f32, f32) {
        self.0.iter().fold((f32::MAX, f32::MIN), |(lo, hi), p| (lo.min(p.x), hi.max(p.x)))
    }

    /// Smallest and largest y.
    pub fn y_range(&self) -> (f32, f32) {
        self.0.iter().fold((f32::MAX, f32::MIN), |(lo, hi), p| (lo.min(p.y), hi.max(p.y)))
    }
}
