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
            self.last = Some(sight);
        }
        last
    }

    /// The first hint, within a second, about a shot seen anew, which is not taken.
    fn told(&mut self, shot: Shot) -> Option<Hint> {
        self.again();
        self.take(shot, 4);
        assert!(self.captures.is_empty(), "{shot:?}");
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
        assert_eq!(film.told(shot), Some(hint), "{shot:?}");
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
        assert_eq!(film.told(shot), Some(hint), "{shot:?}");
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
fn where_there_is_no_text_the_holder_is_told_so_and_nothing_is_taken() {
    for stage in [Stage::empty(), Stage::no_text()] {
        let mut film = Film::of(stage);
        film.take(Shot::default(), 25);
        assert_eq!(film.hints.iter().map(|(_, hint)| *hint).collect::<Vec<_>>(), [Hint::NoText]);
        assert!(film.captures.is_empty());
    }
}

/// `cargo test --release --workspace --lib -- aiming::sequence_tests::cost --ignored --nocapture`
#[test]
#[ignore = "it measures"]
fn cost() {
    let mut stage = Stage::letter();
    let starter = Starter::open(&find(None).unwrap(), Backend::Cpu).unwrap();
    let models = starter.text_models();
    let well = Shot::default();
    let moved = |i: usize, far: f32| {
        let (x, y) = (far * (i as f32 * 0.9).sin(), far * (i as f32).cos());
        Shot { middle: (CENTRE.0 + x, CENTRE.1 + 0.3 * y), ..well }
    };
    let scenes: [(&str, Vec<RgbImage>); 5] = [
        ("a page held still", (0..10).map(|i| stage.take(moved(i, 2.0))).collect()),
        ("a page in a restless hand", (0..25).map(|i| stage.take(moved(i, 20.0))).collect()),
        ("a page carried about", (0..25).map(|i| stage.take(moved(i, 200.0))).collect()),
        ("the dark", (0..10).map(|_| stage.take(Shot { light: 0.02, ..well })).collect()),
        ("a table without text", (0..10).map(|_| Stage::empty().take(well)).collect()),
    ];
    for (scene, frames) in scenes {
        let (mut last, mut aim, mut times) = (None, Aim::default(), vec![]);
        let (start, before) = (Instant::now(), cpu_seconds());
        for frame in frames.iter().cycle().take(50) {
            let frame = Arc::new(frame.clone());
            let began = Instant::now();
            let sight = look(&frame, &models, last.as_ref()).unwrap();
            let _ = aim.see(Frame { picture: frame, at: began }, &sight, began);
            times.push(began.elapsed());
            last = Some(sight);
            std::thread::sleep(Duration::from_millis(200).saturating_sub(began.elapsed()));
        }
        let (cpu, seconds) = (cpu_seconds() - before, start.elapsed().as_secs_f64());
        times.sort();
        let ms = |at: usize| times[at].as_secs_f64() * 1e3;
        println!(
            "{scene}: {:.0} ms a look (median), {:.0} ms (worst); {:.0} ms of CPU; {:.1} looks a second, {:.1} % of a core",
            ms(times.len() / 2),
            ms(times.len() - 1),
            cpu * 1e3 / times.len() as f64,
            times.len() as f64 / seconds,
            100.0 * cpu / seconds,
        );
    }
}

/// CPU seconds of this process so far, all threads.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks = |at: usize| after_name.split_whitespace().nth(at).unwrap().parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}
