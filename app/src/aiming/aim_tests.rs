//! What is said and taken, on looks made by hand: five a second.

use std::sync::Arc;

use image::RgbImage;

use super::*;
use crate::aiming::hint::Turn;
use crate::reading::{Edges, Point, Quad};

/// Lines of text, one below the other, moved by (`dx`, `dy`).
fn lines(dx: f32, dy: f32) -> Vec<Quad> {
    let line = |i: usize| {
        let (x, y) = (300.0 + dx, 100.0 + 60.0 * i as f32 + dy);
        Quad([(x, y), (x + 600.0, y), (x + 600.0, y + 40.0), (x, y + 40.0)].map(|(x, y)| Point::new(x, y)))
    };
    (0..8).map(line).collect()
}

fn page(number: u32) -> Sight {
    Sight::made(lines(0.0, 0.0), number)
}

fn table() -> Sight {
    Sight::made(vec![], 0)
}

fn moving() -> Sight {
    Sight { motion: Some(0.02), ..page(1) }
}

/// The edge at which the lines are cut off.
fn cut(dx: f32, dy: f32) -> Sight {
    let inside = |p: Point| Point::new(p.x.clamp(0.0, 1279.0), p.y.clamp(0.0, 719.0));
    Sight::made(lines(dx, dy).iter().map(|quad| quad.map(inside)).collect(), 1)
}

/// Feeds looks to an [`Aim`] and writes down what it says, by the number of the look.
struct Watch {
    aim: Aim,
    start: Instant,
    looks: u32,
    hints: Vec<(u32, Hint)>,
    captures: Vec<(u32, u32)>,
    state: AimState,
}

impl Watch {
    fn new() -> Self {
        let (aim, start) = (Aim::default(), Instant::now());
        Self { aim, start, looks: 0, hints: vec![], captures: vec![], state: AimState::Searching }
    }

    /// The same sight for a number of looks. A frame's width is the number of its look, from 1 on.
    fn see(&mut self, sight: &Sight, looks: u32) -> &mut Self {
        for _ in 0..looks {
            self.looks += 1;
            let now = self.start + Duration::from_millis(200) * self.looks;
            let frame = Frame { picture: Arc::new(RgbImage::new(self.looks, 1)), at: now };
            let advice = self.aim.see(frame, sight, now);
            self.hints.extend(advice.hint.map(|hint| (self.looks, hint)));
            self.captures.extend(advice.capture.map(|frame| (self.looks, frame.picture.width())));
            self.state = advice.state;
        }
        self
    }

    fn said(&self) -> Vec<Hint> {
        self.hints.iter().map(|(_, hint)| *hint).collect()
    }
}

#[test]
fn a_page_held_well_is_taken_once_and_nothing_is_said() {
    let mut watch = Watch::new();
    watch.see(&page(1), 50);
    assert_eq!(watch.said(), []);
    assert!(matches!(watch.captures[..], [(4, _)]), "{:?}", watch.captures);
    assert_eq!(watch.state, AimState::Taken);
}

#[test]
fn the_sharpest_of_the_steady_frames_is_taken() {
    let mut watch = Watch::new();
    for sharpness in [900.0, 400.0, 700.0, 500.0] {
        let motion = Some(if sharpness == 900.0 { 0.05 } else { 0.0 });
        watch.see(&Sight { sharpness: Some(sharpness), motion, ..page(1) }, 1);
    }
    watch.see(&Sight { sharpness: Some(450.0), ..page(1) }, 1);
    assert_eq!(watch.captures, [(5, 3)], "not the one before the hand was still, and not the last");
}

#[test]
fn the_best_frame_for_a_wish_is_complete_first_and_sharp_then() {
    let mut watch = Watch::new();
    assert!(watch.aim.best().is_none());
    watch.see(&Sight { sharpness: Some(300.0), ..moving() }, 1);
    watch.see(&Sight { sharpness: Some(350.0), ..moving() }, 1);
    watch.see(&Sight { sharpness: Some(900.0), ..cut(-330.0, 0.0) }, 1);
    watch.see(&table(), 1);
    assert_eq!(watch.aim.best().unwrap().picture.width(), 2);
    watch.see(&table(), 4);
    assert_eq!(watch.aim.best().unwrap().picture.width(), 8, "old frames are no use: the newest");
}

#[test]
fn a_page_read_by_wish_is_not_taken_again() {
    let mut watch = Watch::new();
    watch.see(&page(1), 2);
    watch.aim.taken();
    watch.see(&page(1), 30);
    assert_eq!((watch.captures.len(), watch.hints.len()), (0, 0));
}

#[test]
fn the_same_page_is_taken_again_only_after_it_was_gone() {
    let mut watch = Watch::new();
    watch.see(&page(1), 10).see(&moving(), 10).see(&page(1), 20).see(&table(), 3).see(&page(1), 20);
    assert_eq!(watch.captures.len(), 1, "it moved, and was out of sight for a moment");
    watch.see(&table(), 8).see(&page(1), 10);
    assert_eq!(watch.captures.len(), 2);
    assert_eq!(watch.said(), []);
}

#[test]
fn another_page_in_its_place_is_taken() {
    let mut watch = Watch::new();
    watch.see(&page(1), 10).see(&moving(), 2).see(&page(2), 10);
    assert_eq!(watch.captures.len(), 2, "{:?}", watch.captures);
}

#[test]
fn after_a_capture_nothing_is_said_of_the_same_page() {
    let mut watch = Watch::new();
    watch.see(&page(1), 10).see(&Sight { glare: 0.2, ..page(1) }, 20).see(&moving(), 20);
    assert_eq!(watch.said(), []);
}

#[test]
fn text_that_is_cut_off_is_told_and_not_taken() {
    let edge = Edges::default();
    for (dx, dy, hint) in [
        (-330.0, 0.0, Hint::CutOff(Edges { left: true, ..edge })),
        (400.0, 0.0, Hint::CutOff(Edges { right: true, ..edge })),
        (0.0, -130.0, Hint::CutOff(Edges { top: true, ..edge })),
        (0.0, 180.0, Hint::CutOff(Edges { bottom: true, ..edge })),
        (-330.0, -130.0, Hint::CutOff(Edges { left: true, top: true, ..edge })),
    ] {
        let mut watch = Watch::new();
        watch.see(&cut(dx, dy), 30);
        assert_eq!(watch.hints, [(2, hint)], "once, at the second look");
        assert_eq!(watch.captures, []);
    }
}

#[test]
fn text_beyond_opposite_edges_is_too_close() {
    let wide = |p: Point| Point::new(if p.x < 640.0 { 0.0 } else { 1279.0 }, p.y);
    let mut watch = Watch::new();
    watch.see(&Sight::made(lines(0.0, 0.0).iter().map(|quad| quad.map(wide)).collect(), 1), 10);
    assert_eq!(watch.said(), [Hint::TooClose]);
}

#[test]
fn one_line_that_ends_at_an_edge_is_complete() {
    let mut regions = lines(0.0, 0.0);
    regions[3] = regions[3].map(|p| Point::new(if p.x < 640.0 { 0.0 } else { p.x }, p.y));
    let mut watch = Watch::new();
    watch.see(&Sight::made(regions, 1), 5);
    assert_eq!((watch.said(), watch.captures.len()), (vec![], 1));
    let mut watch = Watch::new();
    watch.see(&Sight::made(vec![lines(0.0, -100.0)[0]], 1), 5);
    assert_eq!((watch.said(), watch.captures.len()), (vec![], 1), "a sign of one line");
}

#[test]
fn the_most_useful_hint_comes_first() {
    let dark = Sight { brightness: 20.0, sharpness: Some(10.0), ..cut(-330.0, 0.0) };
    let mut watch = Watch::new();
    watch.see(&dark, 5);
    assert_eq!(watch.said(), [Hint::TooDark]);
    let mut watch = Watch::new();
    watch.see(&Sight { sharpness: Some(10.0), motion: Some(0.02), glare: 0.1, ..page(1) }, 5);
    assert_eq!(watch.said(), [Hint::Blurred]);
    let mut watch = Watch::new();
    watch.see(&Sight { sharpness: Some(10.0), glare: 0.1, ..page(1) }, 5);
    assert_eq!(watch.said(), [Hint::OutOfFocus], "the hand is still");
}

#[test]
fn flicker_makes_no_chatter() {
    let mut watch = Watch::new();
    for _ in 0..50 {
        watch.see(&cut(-330.0, 0.0), 1).see(&moving(), 1);
    }
    assert!(watch.hints.len() <= 1, "{:?}", watch.hints);
    let mut watch = Watch::new();
    for i in 0..100 {
        watch.see(&Sight { brightness: if i % 4 < 2 { 43.0 } else { 47.0 }, sharpness: Some(30.0), ..page(1) }, 1);
    }
    assert_eq!(watch.hints.iter().filter(|(look, _)| *look < 40).count(), 1, "{:?}", watch.hints);
}

#[test]
fn hints_are_a_second_and_a_half_apart() {
    let mut watch = Watch::new();
    watch.see(&cut(-330.0, 0.0), 3).see(&cut(400.0, 0.0), 4).see(&cut(0.0, -130.0), 20);
    assert!(watch.hints.len() >= 2);
    assert!(watch.hints.windows(2).all(|two| two[1].0 - two[0].0 >= 8), "{:?}", watch.hints);
}

#[test]
fn a_table_without_text_is_told_after_a_while() {
    let mut watch = Watch::new();
    watch.see(&table(), 60);
    assert_eq!(watch.hints, [(21, Hint::NoText)]);
    assert_eq!(watch.state, AimState::Searching);
}

#[test]
fn a_bearable_flaw_is_told_and_then_the_page_is_taken_as_it_is() {
    let middle = Point::new(600.0, 340.0);
    let around = |p: Point| {
        let p = Point::new(p.x - middle.x, p.y - middle.y).rotated(0.3);
        Point::new(p.x + middle.x, p.y + middle.y)
    };
    let tilted = Sight::made(lines(0.0, 0.0)[1..7].iter().map(|quad| quad.map(around)).collect(), 1);
    let mut watch = Watch::new();
    watch.see(&tilted, 24);
    assert_eq!((watch.said(), &watch.captures[..]), (vec![Hint::Tilted(Turn::Left)], &[][..]));
    watch.see(&tilted, 4);
    assert_eq!((watch.said().len(), watch.captures.len()), (1, 1));
}

#[test]
fn a_hand_that_trembles_is_told_once_and_the_page_is_taken_all_the_same() {
    let mut watch = Watch::new();
    watch.see(&Sight { motion: Some(0.012), ..page(1) }, 20);
    assert_eq!(watch.said(), [Hint::HoldStill]);
    assert_eq!(watch.captures.len(), 1);
    let mut watch = Watch::new();
    watch.see(&moving(), 100);
    assert_eq!((watch.said(), watch.captures.len()), (vec![Hint::HoldStill], 0));
}
