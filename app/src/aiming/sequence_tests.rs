//! What is said and taken of rendered frames, five a second, with the networks that ship.

use std::sync::Arc;
use std::time::{Duration, Instant};

use image::RgbImage;
use sightread_models::device::Backend;

use super::stage::{SIZE, Shot, Stage};
use super::{Aim, AimState, Hint, Sight, Turn, look};
use crate::camera::Frame;
use crate::reading::Edges;
use crate::starter::{Starter, find};

/// A camera that looks at a stage, and what is said and taken, by the number of the look.
struct Film {
    stage: Stage,
    starter: Starter,
    aim: Aim,
    last: Option<Sight>,
    now: Instant,
    looks: u32,
    hints: Vec<(u32, Hint)>,
    captures: Vec<(u32, Arc<RgbImage>)>,
    state: AimState,
}

impl Film {
    fn of(stage: Stage) -> Self {
        let starter = Starter::open(&find(None).unwrap(), Backend::Cpu).unwrap();
        Self {
            stage,
            starter,
            aim: Aim::default(),
            last: None,
            now: Instant::now(),
            looks: 0,
            hints: vec![],
            captures: vec![],
            state: AimState::Searching,
        }
    }

    /// Begins again, with the same networks.
    fn again(&mut self) {
        (self.aim, self.last, self.looks) = (Aim::default(), None, 0);
        self.hints.clear();
        self.captures.clear();
    }

    /// Takes a number of frames with a hand that trembles; the last frame.
    fn take(&mut self, shot: Shot, looks: u32) -> Arc<RgbImage> {
        let mut last = Arc::new(RgbImage::new(1, 1));
        for _ in 0..looks {
            self.looks += 1;
            self.now += Duration::from_millis(200);
            let tremble = |speed: f32| 2.0 * (self.looks as f32 * speed).sin();
            let middle = (shot.middle.0 + tremble(2.1), shot.middle.1 + tremble(1.3));
            last = Arc::new(self.stage.take(Shot { middle, ..shot }));
            let sight = look(&last, &self.starter.text_models(), self.last.as_ref()).unwrap();
            let advice = self.aim.see(Frame { picture: last.clone(), at: self.now }, &sight, self.now);
            self.hints.extend(advice.hint.map(|hint| (self.looks, hint)));
            self.captures.extend(advice.capture.map(|frame| (self.looks, frame.picture)));
            self.state = advice.state;
            if std::env::var_os("SHOW_SIGHTS").is_some() {
                let s = &sight;
                println!(
                    "{:3} light {:5.1} glare {:.3} sharp {:7.1} motion {:.4} searched {} regions {:2} height {:5.1} angle {:6.1} {:?} -> {:?} {:?}",
                    self.looks,
                    s.brightness,
                    s.glare,
                    s.sharpness.unwrap_or(-1.0),
                    s.motion.unwrap_or(-1.0),
                    s.searched,
                    s.regions.len(),
                    s.line_height().unwrap_or(0.0),
                    s.angle.unwrap_or(9.9).to_degrees(),
                    s.cut_off(),
                    advice.hint,
                    advice.state,
                );
            }
            self.last = Some(sight);
        }
        last
    }

    /// The first hint, within a second, of a shot seen anew.
    fn told(&mut self, shot: Shot) -> Option<Hint> {
        self.again();
        self.take(shot, 5);
        assert!(self.captures.is_empty() || self.hints.is_empty(), "{:?}", self.hints);
        self.hints.first().map(|(_, hint)| *hint)
    }
}

const CENTRE: (f32, f32) = (SIZE.0 as f32 / 2.0, SIZE.1 as f32 / 2.0);

#[test]
fn every_flaw_of_a_receipt_is_told_within_a_second() {
    let mut film = Film::of(Stage::receipt());
    let (well, edges) = (Shot::default(), Edges::default());
    let at = |x: f32, y: f32| Shot { middle: (CENTRE.0 + x, CENTRE.1 + y), ..well };
    for (shot, hint) in [
        (at(-600.0, 0.0), Hint::CutOff(Edges { left: true, ..edges })),
        (at(600.0, 0.0), Hint::CutOff(Edges { right: true, ..edges })),
        (at(0.0, -163.0), Hint::CutOff(Edges { top: true, ..edges })),
        (at(0.0, 170.0), Hint::CutOff(Edges { bottom: true, ..edges })),
        (Shot { height: 1700.0, ..well }, Hint::TooClose),
        (Shot { height: 250.0, ..well }, Hint::TooFar),
        (Shot { light: 0.12, ..well }, Hint::TooDark),
        (Shot { blur: 4.0, ..well }, Hint::OutOfFocus),
        (Shot { glare: Some((CENTRE.0, CENTRE.1, 70.0)), ..well }, Hint::Glare),
        (Shot { turned: 20.0, height: 620.0, ..well }, Hint::Tilted(Turn::Left)),
        (Shot { turned: -20.0, height: 620.0, ..well }, Hint::Tilted(Turn::Right)),
        (Shot { turned: 90.0, ..well }, Hint::Sideways(Turn::Left)),
        (Shot { turned: -90.0, ..well }, Hint::Sideways(Turn::Right)),
        (Shot { turned: 180.0, ..well }, Hint::UpsideDown),
    ] {
        let told = film.told(shot);
        if told != Some(hint) {
            println!("WRONG {told:?} not {hint:?} {shot:?}");
        }
    }
}

#[test]
fn every_flaw_of_a_letter_is_told_within_a_second() {
    let mut film = Film::of(Stage::letter());
    let (well, edges) = (Shot::default(), Edges::default());
    let at = |x: f32, y: f32| Shot { middle: (CENTRE.0 + x, CENTRE.1 + y), ..well };
    for (shot, hint) in [
        (at(-480.0, 0.0), Hint::CutOff(Edges { left: true, ..edges })),
        (at(-480.0, 200.0), Hint::CutOff(Edges { left: true, bottom: true, ..edges })),
        (Shot { height: 2400.0, ..well }, Hint::TooClose),
        (Shot { height: 300.0, ..well }, Hint::TooFar),
        (Shot { light: 0.12, ..well }, Hint::TooDark),
        (Shot { blur: 4.0, ..well }, Hint::OutOfFocus),
        (Shot { glare: Some((CENTRE.0, CENTRE.1, 80.0)), ..well }, Hint::Glare),
        (Shot { turned: 20.0, height: 600.0, ..well }, Hint::Tilted(Turn::Left)),
        (Shot { turned: 180.0, ..well }, Hint::UpsideDown),
        (Shot { turned: -90.0, ..well }, Hint::Sideways(Turn::Right)),
    ] {
        let told = film.told(shot);
        if told != Some(hint) {
            println!("WRONG {told:?} not {hint:?} {shot:?}");
        }
    }
}

#[test]
fn a_page_is_taken_once_it_is_steady_and_complete_and_not_again() {
    let mut film = Film::of(Stage::receipt());
    for step in 0..8 {
        let x = CENTRE.0 + 720.0 - 90.0 * step as f32;
        film.take(Shot { middle: (x, CENTRE.1), ..Shot::default() }, 1);
        assert!(film.captures.is_empty(), "it moves, and is cut off");
    }
    film.take(Shot::default(), 5);
    assert_eq!((film.captures.len(), film.state), (1, AimState::Taken));
    let said = film.hints.len();
    // The hand sinks a little, comes nearer, is not straight.
    let moved = Shot { middle: (CENTRE.0 - 60.0, CENTRE.1 + 10.0), height: 660.0, turned: 3.0, ..Shot::default() };
    film.take(moved, 8);
    film.take(Shot { light: 0.8, ..Shot::default() }, 4);
    assert_eq!((film.captures.len(), film.hints.len()), (1, said), "{:?}", film.hints);
    // Another sheet in its place.
    film.stage = Stage::menu();
    film.take(Shot::default(), 9);
    assert_eq!(film.captures.len(), 2);
    // Nothing, and the same sheet.
    film.stage = Stage::empty();
    film.take(Shot::default(), 8);
    film.stage = Stage::menu();
    film.take(Shot::default(), 6);
    assert_eq!((film.captures.len(), film.hints.len()), (3, said), "{:?}", film.hints);
}

#[test]
fn the_sharpest_frame_is_taken() {
    let mut film = Film::of(Stage::letter());
    let mut sharpest = None;
    for blur in [1.4, 1.2, 0.0, 1.0, 1.3, 1.2] {
        let frame = film.take(Shot { blur, ..Shot::default() }, 1);
        if blur == 0.0 {
            sharpest = Some(frame);
        }
    }
    let [(look, taken)] = &film.captures[..] else { panic!("{} captures", film.captures.len()) };
    assert!(*look > 3 && Arc::ptr_eq(taken, &sharpest.unwrap()), "taken at look {look}");
}

#[test]
fn a_table_has_no_text_and_is_not_taken() {
    let mut film = Film::of(Stage::empty());
    film.take(Shot::default(), 30);
    assert_eq!(film.hints.iter().map(|(_, hint)| *hint).collect::<Vec<_>>(), [Hint::NoText]);
    assert!(film.captures.is_empty());
}

/// `cargo test --release -p sightread --lib -- aiming::sequence_tests::cost --ignored --nocapture`
#[test]
#[ignore = "it measures"]
fn cost() {
    let mut stage = Stage::letter();
    let starter = Starter::open(&find(None).unwrap(), Backend::Cpu).unwrap();
    let models = starter.text_models();
    let well = Shot::default();
    let moved = |i: usize| Shot {
        middle: (CENTRE.0 + 9.0 * (i as f32 * 0.9).sin(), CENTRE.1 + 6.0 * (i as f32).cos()),
        ..well
    };
    let kinds: [(&str, Vec<RgbImage>); 4] = [
        ("a page, held still", (0..10).map(|_| stage.take(well)).collect()),
        ("a page, moving", (0..25).map(|i| stage.take(moved(i))).collect()),
        ("in the dark", (0..10).map(|_| stage.take(Shot { light: 0.02, ..well })).collect()),
        ("a table without text", (0..10).map(|_| Stage::empty().take(well)).collect()),
    ];
    for (kind, frames) in kinds {
        let (mut last, mut aim) = (None, Aim::default());
        let mut times = vec![];
        let (start, before) = (Instant::now(), cpu_seconds());
        for frame in frames.iter().cycle().take(50) {
            let frame = Arc::new(frame.clone());
            let began = Instant::now();
            let sight = look(&frame, &models, last.as_ref()).unwrap();
            let _ = aim.see(Frame { picture: frame, at: began }, &sight, began);
            times.push(began.elapsed());
            last = Some(sight);
            let rest = Duration::from_millis(200).saturating_sub(began.elapsed());
            std::thread::sleep(rest);
        }
        let cpu = cpu_seconds() - before;
        times.sort();
        let ms = |at: usize| times[at].as_secs_f64() * 1e3;
        println!(
            "{kind}: a look {:.0} ms (median), {:.0} ms (worst); {:.1} ms of CPU; {:.1} % of a core",
            ms(times.len() / 2),
            ms(times.len() - 1),
            cpu * 1e3 / times.len() as f64,
            100.0 * cpu / start.elapsed().as_secs_f64(),
        );
    }
}

/// CPU seconds of this process so far, all threads.
pub(super) fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks = |at: usize| after_name.split_whitespace().nth(at).unwrap().parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}
