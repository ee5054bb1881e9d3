//! The frame around the drawing: the system's window, and the session behind it.

use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use eframe::egui::{Context, IconData, Ui, ViewportBuilder, ViewportCommand, Visuals};
use eframe::{CreationContext, NativeOptions, Renderer};

use super::{UiState, draw};
use crate::assistant::Screen;
use crate::session::{Request, View};

/// Frames that changes behind the window ask for are at least that far apart. A camera makes more pictures than that;
/// keys and the mouse are answered at once.
const FRAME: Duration = Duration::from_millis(100);

/// Whom the window shows and tells: a session, or what stands in for one.
pub trait Host {
    /// What is to be shown now.
    fn view(&self) -> Arc<View>;
    /// Takes a wish of the user; does not wait for it.
    fn send(&self, request: Request);
}

/// To be called whenever the view changed, from any thread.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Why there is no window, in a sentence fit to be spoken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// No display, no OpenGL, or the system refuses.
    #[error(
        "the window cannot be opened: {0}. Without a display, use the command line: \"sightread read PHOTO\" reads a \
         picture, \"sightread listen\" speaks and listens"
    )]
    NoDisplay(String),
    /// What is behind the window did not start.
    #[error("{0}")]
    Start(Box<dyn Error + Send + Sync>),
}

/// How the window begins.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A picture that is read at once.
    pub picture: Option<PathBuf>,
    /// Covers the whole screen this time.
    pub full_screen: bool,
}

/// Opens the window, starts what is behind it, and returns when the window is closed.
///
/// # Errors
/// [`WindowError::NoDisplay`] where no window can be shown; then nothing was started. [`WindowError::Start`] with what
/// `start` answers.
pub fn run<H: Host + 'static>(
    options: Options,
    start: impl FnOnce(Wake) -> Result<H, Box<dyn Error + Send + Sync>>,
) -> Result<(), WindowError> {
    let viewport = ViewportBuilder::default()
        .with_title("Sightread")
        .with_app_id("sightread")
        .with_icon(icon())
        .with_inner_size([1100.0, 800.0])
        .with_min_inner_size([320.0, 240.0])
        .with_fullscreen(options.full_screen);
    let native =
        NativeOptions { viewport, renderer: Renderer::Glow, persist_window: false, ..NativeOptions::default() };
    let creator = |cc: &CreationContext<'_>| {
        set_up(&cc.egui_ctx);
        let host = start(waker(cc.egui_ctx.clone()))?;
        first_requests(&options, &host.view()).into_iter().for_each(|request| host.send(request));
        let app: Box<dyn eframe::App> = Box::new(App::new(host));
        Ok(app)
    };
    eframe::run_native("sightread", native, Box::new(creator)).map_err(|error| match error {
        eframe::Error::AppCreation(error) => WindowError::Start(error),
        other => WindowError::NoDisplay(sentence(&other.to_string())),
    })
}

/// Keys that egui has meanings of its own for are ours.
fn set_up(ctx: &Context) {
    ctx.options_mut(|options| {
        options.zoom_with_keyboard = false;
        options.quit_shortcuts.clear();
    });
}

/// A message of the system as a part of a sentence.
fn sentence(message: &str) -> String {
    let line = message.lines().find(|line| !line.trim().is_empty()).unwrap_or("the system does not say why");
    // winit tells first where in its source it noticed: "os error at …/mod.rs:765: ".
    let reason = line.split_once(".rs:").and_then(|(_, at)| at.split_once(": ")).map_or(line, |(_, reason)| reason);
    reason.trim().trim_end_matches('.').into()
}

/// What is to be done once the window is there.
fn first_requests(options: &Options, view: &View) -> Vec<Request> {
    let check = view.screen == Screen::SetUp && !view.settings.set_up;
    check.then_some(Request::Check).into_iter().chain(options.picture.clone().map(Request::OpenPicture)).collect()
}

/// Asks for a frame, but not for more than ten a second.
fn waker(ctx: Context) -> Wake {
    let asked_for: Mutex<Option<Instant>> = Mutex::new(None);
    Arc::new(move || {
        let mut asked_for = asked_for.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait) = next_frame(&mut asked_for, Instant::now()) {
            ctx.request_repaint_after(wait);
        }
    })
}

/// How long the next frame is to wait; `None` if one is on its way.
fn next_frame(asked_for: &mut Option<Instant>, now: Instant) -> Option<Duration> {
    let due = match *asked_for {
        Some(at) if at > now => return None,
        Some(at) => now.max(at + FRAME),
        None => now,
    };
    *asked_for = Some(due);
    Some(due - now)
}

struct App<H> {
    host: H,
    state: UiState,
    /// As the settings had it last.
    full_screen: bool,
    closing: bool,
}

impl<H: Host> App<H> {
    fn new(host: H) -> Self {
        Self { host, state: UiState::default(), full_screen: false, closing: false }
    }
}

impl<H: Host> eframe::App for App<H> {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        let view = self.host.view();
        if view.quit && !self.closing {
            self.closing = true;
            ctx.send_viewport_cmd(ViewportCommand::Close);
        } else if ctx.input(|input| input.viewport().close_requested()) && !self.closing {
            self.closing = true;
            self.host.send(Request::Quit);
        }
        if view.settings.full_screen != self.full_screen {
            self.full_screen = view.settings.full_screen;
            ctx.send_viewport_cmd(ViewportCommand::Fullscreen(self.full_screen));
        }
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        let mut requests = vec![];
        draw(ui, &self.host.view(), &mut self.state, &mut requests);
        requests.into_iter().for_each(|request| self.host.send(request));
    }

    fn clear_color(&self, visuals: &Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

/// Three lines of text, the middle one marked.
fn icon() -> IconData {
    const SIDE: u32 = 64;
    let pixel = |x: u32, y: u32| -> [u8; 4] {
        let line = (y / 12).checked_sub(1).filter(|line| *line < 3 && y % 12 >= 4 && (12..52).contains(&x));
        match line {
            Some(1) => [0xFF, 0xD9, 0x5E, 0xFF],
            Some(_) => [0xFF, 0xFF, 0xFF, 0xFF],
            None => [0x14, 0x17, 0x1C, 0xFF],
        }
    };
    let rgba = (0..SIDE * SIDE).flat_map(|at| pixel(at % SIDE, at / SIDE)).collect();
    IconData { rgba, width: SIDE, height: SIDE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn the_first_start_checks_everything_and_later_ones_do_not() {
        let view = |set_up, screen| {
            let settings = Settings { set_up, ..Settings::default() };
            View { settings: settings.into(), screen, ..View::default() }
        };
        assert_eq!(first_requests(&Options::default(), &view(false, Screen::SetUp)), [Request::Check]);
        assert_eq!(first_requests(&Options::default(), &view(true, Screen::SetUp)), []);
        assert_eq!(first_requests(&Options::default(), &view(false, Screen::Reader)), []);
        let options = Options { picture: Some("a.jpg".into()), full_screen: false };
        let wanted = [Request::OpenPicture("a.jpg".into())];
        assert_eq!(first_requests(&options, &view(true, Screen::Help)), wanted);
    }

    #[test]
    fn changes_ask_for_ten_frames_a_second_at_most_and_for_the_first_at_once() {
        let start = Instant::now();
        let mut asked_for = None;
        let mut frames = vec![];
        for millisecond in 0..1000 {
            let now = start + Duration::from_millis(millisecond);
            frames.extend(next_frame(&mut asked_for, now).map(|wait| now + wait - start));
        }
        assert_eq!(frames.first(), Some(&Duration::ZERO));
        assert!((9..=11).contains(&frames.len()), "{} frames", frames.len());
        let rested = start + Duration::from_secs(9);
        assert_eq!(next_frame(&mut asked_for, rested), Some(Duration::ZERO));
    }

    #[test]
    fn the_error_names_the_command_line() {
        let told = "winit EventLoopError: os error at /a/b.rs:765: neither DISPLAY nor WAYLAND_DISPLAY is set.";
        assert_eq!(sentence(told), "neither DISPLAY nor WAYLAND_DISPLAY is set");
        let error = WindowError::NoDisplay(sentence("\nneither WAYLAND_DISPLAY nor DISPLAY is set.\n")).to_string();
        assert!(error.contains("nor DISPLAY is set. Without a display"), "{error}");
        assert!(error.contains("sightread read PHOTO"));
    }
}
