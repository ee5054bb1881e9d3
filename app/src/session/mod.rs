//! The running program behind every surface: requests in, a [`View`] out. Window, terminal and tests all hold a session.
//!
//! One thread owns the [`engine`](engine::Engine), which never waits. Voice, microphone, camera, networks and imports have
//! threads of their own and report to it.

mod brain;
mod desk;
mod engine;
mod eyes;
mod hearing;
mod housekeeping;
mod input;
mod outlets;
mod request;
mod saying;
mod view;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use sightread_models::device::Backend;

pub use request::Request;
pub use view::{CameraState, Clip, EarState, Figures, Page, PageRow, Preview, Status, View, Work};

use crate::assistant::Screen;
use crate::settings::Settings;
use crate::speech::voice::Notice;
use desk::Desk;
use engine::Engine;
use input::Input;

/// What a terminal shows line by line; everything else is in the [`View`].
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// What the user was understood to say.
    Heard(String),
    /// What the voice does.
    Voice(Notice),
}

/// Keeps settings that were changed.
pub type Keeper = Box<dyn FnMut(&Settings) -> Result<(), String> + Send>;

/// How a session begins.
pub struct Options {
    /// What the user has chosen.
    pub settings: Settings,
    /// Keeps settings that are changed later.
    pub keep: Keeper,
    /// Said at once, before anything is loaded.
    pub greeting: Vec<String>,
    /// The screen to begin with.
    pub screen: Screen,
    /// Folder of the starter model, instead of the one that comes with the program.
    pub model_dir: Option<PathBuf>,
    /// Where networks run.
    pub backend: Backend,
    /// Hears what is said and understood, as it happens.
    pub told: Box<dyn FnMut(Told) + Send>,
}

/// A running session; it ends with the handle.
pub struct Session {
    inputs: Sender<Input>,
    view: Arc<Mutex<Arc<View>>>,
    /// Closed when the session's thread has ended.
    ended: Mutex<Receiver<()>>,
}

impl Session {
    /// Starts a session. `wake` is called whenever there is a new view.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(options: Options, wake: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let (inputs, inbox) = channel();
        let (ends, ended) = channel::<()>();
        let view = Arc::new(Mutex::new(Arc::new(View {
            settings: Arc::new(options.settings.clone()),
            screen: options.screen,
            work: Some(Work::Starting),
            ..View::default()
        })));
        let (shown, letters) = (view.clone(), inputs.clone());
        std::thread::Builder::new().name("session".into()).spawn(move || {
            // Closed with the thread.
            let _ends = ends;
            run(options, letters, &inbox, |view| {
                *shown.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
                wake();
            });
        })?;
        Ok(Self { inputs, view, ended: Mutex::new(ended) })
    }

    /// What is to be shown now.
    pub fn view(&self) -> Arc<View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for something; what comes of it shows in the view.
    pub fn send(&self, request: Request) {
        // A session that has ended wants nothing any more.
        let _ = self.inputs.send(Input::Request(request));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.inputs.send(Input::Close);
        if let Ok(ended) = self.ended.lock() {
            // The voice falls silent, the camera is closed; a driver that hangs is not waited for.
            let _ = ended.recv_timeout(std::time::Duration::from_secs(3));
        }
    }
}

/// The session's thread.
fn run(options: Options, letters: Sender<Input>, inbox: &Receiver<Input>, mut publish: impl FnMut(View)) {
    let Options { settings, keep, greeting, screen, model_dir, backend, told } = options;
    let desk = match Desk::open(letters, keep, model_dir, backend) {
        Ok(desk) => desk,
        Err(error) => {
            let mut view = View { settings: Arc::new(settings), screen, ..View::default() };
            view.status.text = format!("The program cannot start: {error}. Close other programs and try again.");
            view.status.urgent = true;
            return publish(view);
        }
    };
    let mut engine = Engine::new(desk, settings, told);
    engine.enter(screen);
    greeting.iter().for_each(|sentence| engine.answer(sentence));
    publish(engine.view.clone());
    let mut published = engine.view.version;
    while let Ok(input) = inbox.recv() {
        // What has piled up meanwhile is shown once.
        for input in std::iter::once(input).chain(inbox.try_iter()) {
            match input {
                Input::Close => return,
                input => engine.take(input),
            }
        }
        if engine.view.version != published {
            published = engine.view.version;
            publish(engine.view.clone());
        }
        if engine.view.quit {
            return;
        }
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
