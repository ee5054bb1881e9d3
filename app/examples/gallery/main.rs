//! The window with made-up data, to look at every state of it without a camera, a voice or a model:
//! `cargo run --example gallery -- read --theme high_contrast --scale 2`.

mod fixtures;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;
use sightread::assistant::Command;
use sightread::session::{EarState, Request, Status, View};
use sightread::settings::{Settings, Theme};
use sightread::ui::{Host, Options, Wake, run};

#[derive(Debug, Parser)]
struct Args {
    /// Which view; without it, their names are listed.
    view: Option<String>,
    /// system, light, dark or high_contrast.
    #[arg(long, default_value = "system")]
    theme: String,
    /// 1 to 3.
    #[arg(long, default_value_t = 1.0)]
    scale: f32,
    /// Changes the camera's picture that many times a second.
    #[arg(long, default_value_t = 0.0)]
    film: f64,
}

/// Stands in for a session: opens screens, keeps settings, and tells what it was asked for.
struct Stage {
    view: Mutex<Arc<View>>,
    wake: Wake,
}

impl Stage {
    fn change(&self, change: impl FnOnce(&mut View)) {
        let mut shown = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        let mut view = View::clone(&shown);
        change(&mut view);
        view.version += 1;
        *shown = Arc::new(view);
        drop(shown);
        (self.wake)();
    }
}

struct Shared(Arc<Stage>);

impl Host for Shared {
    fn view(&self) -> Arc<View> {
        self.0.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn send(&self, request: Request) {
        let told = match &request {
            Request::TakePicture(bytes) => format!("TakePicture({} bytes)", bytes.len()),
            other => format!("{other:?}"),
        };
        println!("{told}");
        self.0.change(|view| {
            let number = view.status.number + 1;
            view.status = Status { number, text: told, urgent: false, announce: true };
            match request {
                Request::Do(Command::Open(screen)) => view.screen = screen,
                Request::Change(settings) => view.settings = Arc::new(*settings),
                Request::HoldToAsk(on) => view.ear = if on { EarState::Listening } else { EarState::Off },
                Request::Do(Command::NextLine) => view.row = Some(view.row.map_or(0, |row| row + 1)),
                Request::Do(Command::PreviousLine) => view.row = view.row.and_then(|row| row.checked_sub(1)),
                Request::Do(Command::Quit) | Request::Quit => view.quit = true,
                _ => {}
            }
        });
    }
}

/// A camera whose picture changes.
fn film(stage: Arc<Stage>, rate: f64) {
    std::thread::spawn(move || {
        for at in 0_u32.. {
            std::thread::sleep(Duration::from_secs_f64(1.0 / rate));
            stage.change(|view| {
                if let Some(preview) = &mut view.preview {
                    let mut picture = (*preview.picture).clone();
                    let (width, height) = picture.dimensions();
                    for y in 0..height {
                        picture.put_pixel(at % width, y, image::Rgb([255, 0, 0]));
                    }
                    preview.picture = Arc::new(picture);
                }
            });
        }
    });
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let views = fixtures::all();
    let Some((_, view)) = views.iter().find(|(name, _)| Some(*name) == args.view.as_deref()) else {
        views.iter().for_each(|(name, _)| println!("{name}"));
        return Ok(());
    };
    let theme: Theme = serde_json::from_value(args.theme.into())?;
    let settings = Settings { theme, scale: args.scale, ..Settings::clone(&view.settings) };
    let view = View { settings: settings.into(), ..view.clone() };
    run(Options::default(), |wake| {
        let stage = Arc::new(Stage { view: Mutex::new(Arc::new(view)), wake });
        if args.film > 0.0 {
            film(stage.clone(), args.film);
        }
        Ok(Shared(stage))
    })?;
    Ok(())
}
