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
            looked: None,
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
    looked: Option<Instant>,
    /// In shares of the picture's width.
    regions: Vec<Quad>,
    hint: Option<String>,
}

impl Gaze {
    fn see(&mut self, frame: Frame, told: &mut impl FnMut(Sighting)) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(frame.picture.clone());
        let due = self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY);
        let look_now = due && self.aiming.load(Ordering::Relaxed);
        let looked_at = look_now && self.look(&frame, told);
        // A picture that cannot be made small is not shown; the next one may be.
        let Ok((small, _)) = fit(&frame.picture, PREVIEW_SIDE) else { return };
        let width = small.width() as f32;
        let regions = self.regions.iter().map(|quad| quad.map(|p| Point::new(p.x * width, p.y * width))).collect();
        told(Sighting::Preview(Preview { picture: Arc::new(small), regions, hint: self.hint.clone(), looked_at }));
    }

    /// Searches for text; whether it could.
    fn look(&mut self, frame: &Frame, told: &mut impl FnMut(Sighting)) -> bool {
        // Until the networks are loaded there is nothing to search with.
        let Some(starter) = self.starter.get() else { return false };
        self.looked = Some(Instant::now());
        let Ok(sight) = look(&frame.picture, &starter.text_models(), self.sight.as_ref()) else { return false };
        let width = frame.picture.width() as f32;
        self.regions = sight.regions.iter().map(|quad| quad.map(|p| Point::new(p.x / width, p.y / width))).collect();
        let advice = {
            let mut aim = self.aim.lock().unwrap_or_else(PoisonError::into_inner);
            aim.see(frame.clone(), &sight, Instant::now())
        };
        self.sight = Some(sight);
        self.hint = advice.matter.map(|matter| matter.spoken().to_string());
        if let Some(hint) = advice.hint {
            told(Sighting::Hint(hint.spoken().to_string(), frame.at));
        }
        if let Some(best) = advice.capture {
            told(Sighting::Capture(best.picture));
        }
        true
    }
}
