//! `sightread window`, and `sightread` alone: the window.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use clap::Args;

use super::ModelArgs;
use crate::assistant::Screen;
use crate::camera::Source;
use crate::files;
use crate::session::{Keeper, Options, Request, Session, View};
use crate::settings::{Settings, Store};
use crate::ui::{self, Host};

#[derive(Debug, Default, Args)]
pub(super) struct WindowArgs {
    /// Where pictures come from this time: auto, none, camera:NAME, file:PATH, folder:PATH or an http address of MJPEG.
    #[arg(long)]
    camera: Option<Source>,
    /// A picture that is read at once.
    #[arg(long)]
    picture: Option<PathBuf>,
    /// The screen it opens with.
    #[arg(long, value_enum)]
    screen: Option<Screen>,
    /// Covers the whole screen this time.
    #[arg(long)]
    full_screen: bool,
    /// Writes what was measured since the start into this file, again and again.
    #[arg(long, hide = true)]
    figures: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
}

/// Between two looks at the figures.
const FIGURES_EVERY: Duration = Duration::from_millis(50);

pub(super) fn run(args: WindowArgs) -> anyhow::Result<()> {
    let (store, settings, messages) = Store::open();
    let first = !settings.set_up;
    let screen = args.screen.unwrap_or(if first { Screen::SetUp } else { Screen::Reader });
    let kept_camera = settings.camera.clone();
    let settings = Settings { camera: args.camera.clone().unwrap_or(kept_camera.clone()), ..settings };
    let options = Options {
        keep: keeper(store, args.camera.map(|asked_for| (asked_for, kept_camera))),
        greeting: greeting(messages, first && screen == Screen::SetUp),
        screen,
        model_dir: args.model.model_dir.clone(),
        backend: args.model.backend(),
        told: Box::new(|_| {}),
        settings,
    };
    let begin = ui::Options { picture: args.picture, full_screen: args.full_screen };
    ui::run(begin, |wake| {
        let session = Arc::new(Session::start(options, move || wake())?);
        if let Some(path) = args.figures {
            write_figures(Arc::downgrade(&session), path);
        }
        Ok(session)
    })?;
    Ok(())
}

impl Host for Arc<Session> {
    fn view(&self) -> Arc<View> {
        Session::view(self)
    }

    fn send(&self, request: Request) {
        Session::send(self, request);
    }
}

/// What is said at the start: what to do, and what happened to the settings.
fn greeting(messages: Vec<String>, first: bool) -> Vec<String> {
    let hello = if first {
        "Welcome to Sightread. I check camera, microphone, loudspeaker, voice and models now. Press Space at any time to \
         read what the camera sees."
    } else {
        "Sightread. Press Space to read, hold it to ask. F1 helps."
    };
    [hello.to_string()].into_iter().chain(messages).collect()
}

/// Keeps settings in the store. A camera that was named on the command line is for this time only.
fn keeper(mut store: Store, camera: Option<(Source, Source)>) -> Keeper {
    Box::new(move |settings| {
        let mut settings = settings.clone();
        if let Some((asked_for, kept)) = &camera
            && settings.camera == *asked_for
        {
            settings.camera = kept.clone();
        }
        store.save(&settings).map_err(|error| error.to_string())
    })
}

/// Writes the figures of a session for whoever measures it, as long as it lasts.
fn write_figures(session: Weak<Session>, path: PathBuf) {
    std::thread::spawn(move || {
        let mut written = String::new();
        while let Some(view) = session.upgrade().map(|session| Session::view(&session)) {
            let figures = serde_json::to_string(&view.figures).unwrap_or_default();
            if figures != written && files::replace(&path, figures.as_bytes()).is_ok() {
                written = figures;
            }
            std::thread::sleep(FIGURES_EVERY);
        }
    });
}
