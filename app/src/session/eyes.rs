//! The camera as a session uses it: a small picture to show, text regions, hints for aiming, and the best picture when a
//! text is steady and complete.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use image::RgbImage;

use super::brain::SharedStarter;
use super::input::Sighting;
use super::view::Preview;
use crate::aiming::{Aim, Sight, look};
use crate::camera::{Camera, CameraEvent, Frame, Source};
use crate::reading::{Point, Quad, fit};

/// Longest side of the picture that is shown.
const PREVIEW_SIDE: u32 = 640;
/// Between two searches for text: five a second.
const LOOK_EVERY: Duration = Duration::from_millis(190);
/// Between two pictures that are shown while nothing moves and nothing new is known.
const SHOW_EVERY: Duration = Duration::from_millis(450);
/// After so many looks at which nothing moved and nothing new was seen, everything takes twice the time.
const RESTS: u32 = 10;

/// The open camera.
pub(super) struct Eyes {
    camera: Camera,
    aim: Arc<Mutex<Aim>>,
    newest: Newest,
    aiming: Arc<AtomicBool>,
}

/// The newest picture.
type Newest = Arc<Mutex<Option<Arc<RgbImage>>>>;

impl Eyes {
    /// Opens a camera; `told` hears what it shows.
    pub(super) fn open(
        source: Source,
        starter: SharedStarter,
        mut told: impl FnMut(Sighting) + Send + 'static,
    ) -> std::io::Result<Self> {
        let aim = Arc::new(Mutex::new(Aim::default()));
        let newest = Newest::default();
        let aiming = Arc::new(AtomicBool::new(true));
        let mut gaze = Gaze {
            starter,
            aim: aim.clone(),
            newest: newest.clone(),
            aiming: aiming.clone(),
            sight: None,
            look_due: None,
            looks: 0,
            shown: None,
            still: 0,
            regions: vec![],
            hint: None,
        };
        let camera = Camera::start(source, move |event| match event {
            CameraEvent::Opened { name, torch } => told(Sighting::Opened { name, torch }),
            CameraEvent::Torch(on) => told(Sighting::Torch(on)),
            CameraEvent::Lost(error) => told(Sighting::Lost(error)),
            CameraEvent::Frame(frame) => gaze.see(frame, &mut told),
        })?;
        Ok(Self { camera, aim, newest, aiming })
    }

    /// Switches the lamp.
    pub(super) fn set_torch(&self, on: bool) {
        self.camera.set_torch(on);
    }

    /// The best of the newest pictures; the very newest while none was looked at.
    pub(super) fn best(&self) -> Option<Arc<RgbImage>> {
        let mut aim = self.aim.lock().unwrap_or_else(PoisonError::into_inner);
        let best = aim.best();
        aim.taken();
        let newest = || self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        best.map(|frame| frame.picture).or_else(newest)
    }

    /// Searches for text, or only shows pictures.
    pub(super) fn aim(&self, on: bool) {
        self.aiming.store(on, Ordering::Relaxed);
    }
}

/// What is known from one picture to the next.
struct Gaze {
    starter: SharedStarter,
    aim: Arc<Mutex<Aim>>,
    newest: Newest,
    aiming: Arc<AtomicBool>,
    sight: Option<Sight>,
    look_due: Option<Instant>,
    /// Looks since the picture that was shown last.
    looks: u64,
    shown: Option<Instant>,
    /// Looks in a row at which nothing moved and nothing new was seen.
    still: u32,
    /// In shares of the picture's width.
    regions: Vec<Quad>,
    hint: Option<String>,
}

impl Gaze {
    fn see(&mut self, frame: Frame, told: &mut impl FnMut(Sighting)) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(frame.picture.clone());
        let is_due = self.look_due.is_none_or(|due| Instant::now() >= due);
        let is_new = is_due && self.aiming.load(Ordering::Relaxed) && self.look(&frame, told);
        let is_still = self.sight.as_ref().is_some_and(Sight::is_steady);
        if !is_new && is_still && self.shown.is_some_and(|shown| shown.elapsed() < self.slowed(SHOW_EVERY)) {
            return;
        }
        // A picture that cannot be made small is not shown; the next one may be.
        let Ok((small, _)) = fit(&frame.picture, PREVIEW_SIDE) else { return };
        self.shown = Some(Instant::now());
        let width = small.width() as f32;
        let regions = self.regions.iter().map(|quad| quad.map(|p| Point::new(p.x * width, p.y * width))).collect();
        let (picture, hint, looks) = (Arc::new(small), self.hint.clone(), std::mem::take(&mut self.looks));
        told(Sighting::Preview(Preview { picture, regions, hint, looks }));
    }

    /// The time between two looks or pictures, which is longer while there is nothing to miss.
    fn slowed(&self, every: Duration) -> Duration {
        if self.still >= RESTS { 2 * every } else { every }
    }

    /// Searches for text; whether there is something new to show.
    fn look(&mut self, frame: &Frame, told: &mut impl FnMut(Sighting)) -> bool {
        // Until the networks are loaded there is nothing to search with.
        let Some(starter) = self.starter.get() else { return false };
        // Counted from when it was due: pictures never come just then.
        let now = Instant::now();
        self.look_due = Some(self.look_due.map_or(now, |due| (due + self.slowed(LOOK_EVERY)).max(now)));
        let Ok(sight) = look(&frame.picture, &starter.text_models(), self.sight.as_ref()) else { return false };
        self.looks += 1;
        let width = frame.picture.width() as f32;
        let regions = sight.regions.iter().map(|quad| quad.map(|p| Point::new(p.x / width, p.y / width))).collect();
        let advice = {
            let mut aim = self.aim.lock().unwrap_or_else(PoisonError::into_inner);
            aim.see(frame.clone(), &sight, Instant::now())
        };
        let is_steady = sight.is_steady();
        self.sight = Some(sight);
        let hint = advice.matter.map(|matter| matter.spoken().to_string());
        let before = (std::mem::replace(&mut self.regions, regions), std::mem::replace(&mut self.hint, hint));
        let is_new = before.0 != self.regions || before.1 != self.hint;
        self.still = if is_steady && !is_new { self.still.saturating_add(1) } else { 0 };
        if let Some(hint) = advice.hint {
            told(Sighting::Hint(hint.spoken().to_string(), frame.at));
        }
        if let Some(best) = advice.capture {
            told(Sighting::Capture(best.picture));
        }
        is_new
    }
}
