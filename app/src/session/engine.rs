//! The session's one state machine: inputs in, wishes to the [`Outlets`] and a [`View`] out. It never waits for anything.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use image::RgbImage;

use super::brain::{Job, Picture};
use super::input::{Input, ReadPicture, Thought};
use super::outlets::Outlets;
use super::view::{CameraState, Clip, EarState, View, Work};
use super::{Request, Told};
use crate::assistant::{Assistant, Command, Event, Screen};
use crate::camera::Source;
use crate::colour::{Light, colour_spoken};
use crate::history::{History, Turn};
use crate::settings::Settings;
use crate::speech::listen;
use crate::speech::route::Kind;
use crate::speech::voice;

/// Readings that can be gone back to with their picture; older ones keep their words only.
const PAGES_KEPT: usize = 20;

/// The state of a session.
pub(super) struct Engine<O> {
    pub(super) out: O,
    pub(super) view: View,
    pub(super) assistant: Assistant,
    pub(super) history: History,
    pub(super) pages: VecDeque<(u64, ReadPicture)>,
    /// The reading that is shown.
    pub(super) entry: Option<u64>,
    pub(super) told: Box<dyn FnMut(Told) + Send>,
    pub(super) started: Instant,
    /// Number of the newest job of the networks; results of older ones are dropped.
    job: u64,
    /// Asked before there was a picture to ask about.
    waiting_question: Option<String>,
    /// Wanted before the camera gave its first picture.
    pub(super) look_due: bool,
    /// A hint that nobody could hear, since something else was being said.
    pub(super) waiting_hint: Option<String>,
    /// Captured while something else was going on.
    waiting_picture: Option<Arc<RgbImage>>,
    /// Whether the voice has something to say, and how many utterances it was given.
    pub(super) speaking: bool,
    pub(super) said: u64,
    /// Why pictures cannot be read.
    cannot_read: Option<String>,
    pub(super) can_hear: Option<Result<(), String>>,
    /// Whether the microphone is open, and whether the user was told.
    pub(super) ear_open: bool,
    pub(super) cue_due: bool,
    /// The key for asking is held, or what was said meanwhile is being understood.
    pub(super) holding: bool,
    pub(super) held: bool,
    pub(super) quitting: bool,
}

impl<O: Outlets> Engine<O> {
    /// A session that begins now.
    pub(super) fn new(out: O, settings: Settings, told: Box<dyn FnMut(Told) + Send>) -> Self {
        let mut engine = Self {
            out,
            assistant: Assistant::new(voice::Settings::new(settings.rate, settings.volume)),
            view: View { settings: Arc::new(settings), work: Some(Work::Starting), ..View::default() },
            history: History::default(),
            pages: VecDeque::new(),
            entry: None,
            told,
            started: Instant::now(),
            job: 0,
            waiting_question: None,
            look_due: false,
            waiting_hint: None,
            waiting_picture: None,
            speaking: false,
            said: 0,
            cannot_read: None,
            can_hear: None,
            ear_open: false,
            cue_due: false,
            holding: false,
            held: false,
            quitting: false,
        };
        let settings = engine.view.settings.clone();
        engine.out.configure_voice(&settings);
        engine.open_camera(&settings.camera);
        engine
    }

    /// Takes what happened.
    pub(super) fn take(&mut self, input: Input) {
        let level = matches!(input, Input::Ear(listen::Event::Level(_))).then_some(self.view.level);
        match input {
            Input::Close => {}
            Input::Request(request) => self.request(request),
            Input::Voice(notice) => self.voice(notice),
            Input::Ear(event) => self.ear(event),
            Input::Eye(sighting) => self.eye(sighting),
            Input::Brain(thought) => self.thought(thought),
            Input::Checked(check) => self.checked(check),
            Input::Cameras(cameras) => self.view.cameras = cameras,
            Input::Models(models) => self.view.models = Arc::new(models),
            Input::Import(state) => self.import(state),
            Input::ScreenReader(on) => self.view.screen_reader = on,
        }
        // The microphone tells ten times a second how loud it is, and mostly that changes nothing.
        if level != Some(self.view.level) {
            self.view.version += 1;
        }
    }

    fn request(&mut self, request: Request) {
        match request {
            Request::Do(command) => self.command(command),
            Request::HoldToAsk(down) => self.hold(down),
            Request::OpenPicture(path) => self.read(Picture::File(path)),
            Request::TakePicture(bytes) => self.read(Picture::Bytes(bytes)),
            Request::Torch(on) => self.out.set_torch(on),
            Request::Change(settings) => self.change(*settings),
            Request::Recall(id) => self.recall(id),
            Request::Save { id, to } => self.save(id, to),
            Request::ForgetHistory => {
                self.history.forget();
                self.pages.clear();
                self.view.history = self.history.entries();
                self.tell("All readings are forgotten.");
            }
            Request::Check => self.check(),
            Request::FindCameras => self.out.find_cameras(),
            Request::FindModels => self.out.find_models(),
            Request::UseModel(name) => self.use_model(name),
            Request::Import { from, calibration } => self.out.import(from, calibration),
            Request::StopImport => self.out.stop_import(),
            Request::Quit => self.command(Command::Quit),
        }
    }

    /// Does what was asked, whatever way it was asked.
    pub(super) fn command(&mut self, command: Command) {
        self.waiting_question = None;
        self.waiting_picture = None;
        self.look_due = false;
        match command {
            Command::Read if !self.assistant.has_picture() && self.camera_is_wanted() => self.look(),
            Command::Ask(question) if !self.assistant.has_picture() && self.camera_is_wanted() => {
                self.look();
                self.waiting_question = Some(question);
            }
            command => {
                if matches!(command, Command::Colour | Command::Light)
                    && let Some(preview) = self.view.preview.as_ref().filter(|_| self.camera_is_on())
                {
                    let picture = &preview.picture;
                    self.assistant.glance(colour_spoken(picture), Light::of(picture).spoken().into());
                }
                self.follow(|assistant, emit| assistant.handle(command, emit));
            }
        }
        self.update_ear();
    }

    pub(super) fn carry_out(&mut self, event: Event) {
        match event {
            Event::Say(utterance) => {
                let kind = if utterance.mark.is_some() { Kind::Reading } else { Kind::Answer };
                self.say(kind, utterance);
            }
            Event::Silence => self.silence(),
            Event::Configure(voice) => {
                let mut settings = Settings::clone(&self.view.settings);
                (settings.rate, settings.volume) = (voice.rate(), voice.volume());
                self.take_settings(settings);
            }
            Event::Think(question) => {
                self.job += 1;
                self.view.work = Some(Work::Answering);
                self.turn(Turn { user: true, text: question.clone() });
                self.out.think(Job::Ask(self.job, question));
            }
            Event::Look => self.look(),
            Event::Torch(on) => self.torch(on),
            Event::Copy(text) => {
                let number = self.view.clipboard.as_ref().map_or(0, |clip| clip.number) + 1;
                self.view.clipboard = Some(Arc::new(Clip { number, text }));
                self.answer("Copied.");
            }
            Event::Save => {
                if let Some(id) = self.entry {
                    self.save(id, None);
                }
            }
            Event::Open(screen) => self.open(screen),
            Event::Quit => self.quitting = true,
        }
    }

    /// Takes the best picture of the camera and reads it; without a camera, reads the picture that is there again.
    pub(super) fn look(&mut self) {
        self.silence();
        let reason = match &self.view.camera {
            CameraState::On { .. } | CameraState::Opening => match self.out.best_frame() {
                Some(picture) => return self.read(Picture::Pixels(picture)),
                None => {
                    self.look_due = true;
                    return self.set_status("Waiting for the camera", false);
                }
            },
            _ if self.assistant.has_picture() => return self.command(Command::Read),
            CameraState::Lost(reason) => format!("I see nothing: {reason}."),
            CameraState::Off => "There is no picture. Open one with Control and O, or choose a camera.".to_string(),
        };
        self.alert(&reason);
    }

    pub(super) fn read(&mut self, picture: Picture) {
        if let Some(reason) = &self.cannot_read {
            return self.alert(&format!("I cannot read: {reason}."));
        }
        self.silence();
        self.view.work = Some(Work::Reading);
        self.set_status("Reading", false);
        self.out.aim(false);
        self.out.think(Job::Read(self.job, picture));
    }

    fn thought(&mut self, thought: Thought) {
        match thought {
            Thought::CanRead => {
                self.view.figures.ready = Some(self.started.elapsed().as_secs_f32());
                if self.view.work == Some(Work::Starting) {
                    self.view.work = None;
                }
                if !self.view.settings.model.is_empty() {
                    self.out.think(Job::UseModel(self.view.settings.model.clone()));
                }
            }
            Thought::CannotRead(reason) => {
                self.alert(&format!("I cannot read: {reason}."));
                self.cannot_read = Some(reason);
                self.view.work = None;
            }
            Thought::CanHear(result) => {
                if let Err(reason) = &result {
                    self.view.ear = EarState::Lost(reason.clone());
                    self.alert(&format!("I cannot listen: {reason}. Type your questions instead."));
                }
                self.can_hear = Some(result);
            }
            Thought::Answers(Ok(name)) => self.model_is_used(&name),
            Thought::Answers(Err(reason)) => self.alert(&format!("That model cannot be used: {reason}.")),
            Thought::Read { job, result } if job == self.job => self.was_read(result),
            Thought::Piece { job, text } if job == self.job => {
                self.follow(|assistant, emit| assistant.piece(&text, emit))
            }
            Thought::Answered { job, result } if job == self.job => {
                self.view.work = None;
                let text = match &result {
                    Ok(answer) => answer.spoken(),
                    Err(reason) => format!("That did not work: {reason}."),
                };
                self.turn(Turn { user: false, text });
                self.follow(|assistant, emit| assistant.answered(result.as_ref().map_err(Clone::clone), emit));
            }
            Thought::Understood(result) => self.understood(result),
            // Of a job that nobody waits for any more.
            Thought::Read { .. } | Thought::Piece { .. } | Thought::Answered { .. } => {}
        }
        self.update_ear();
    }

    fn was_read(&mut self, result: Result<Box<ReadPicture>, String>) {
        self.view.work = None;
        self.out.aim(true);
        match result {
            Err(reason) => {
                self.waiting_question = None;
                self.alert(&format!("That did not work: {reason}."));
            }
            Ok(read) => {
                let id = self.history.add(read.page.rows.iter().map(|row| row.text.clone()).collect());
                self.pages.push_front((id, (*read).clone()));
                self.pages.truncate(PAGES_KEPT);
                self.show(id, *read);
                let next = self.waiting_question.take().map_or(Command::Read, Command::Ask);
                self.command(next);
            }
        }
    }

    pub(super) fn show(&mut self, id: u64, read: ReadPicture) {
        self.assistant.show(read.scene);
        self.entry = Some(id);
        self.view.page = Some(read.page);
        self.view.row = None;
        self.view.history = self.history.entries();
        self.view.dialogue = self.history.get(id).map(|entry| entry.dialogue.clone()).unwrap_or_default();
    }

    /// Lets the assistant do something, and carries out what comes of it.
    fn follow(&mut self, does: impl FnOnce(&mut Assistant, &mut dyn FnMut(Event))) {
        let mut events = vec![];
        does(&mut self.assistant, &mut |event| events.push(event));
        events.into_iter().for_each(|event| self.carry_out(event));
    }

    /// A picture was captured by itself.
    pub(super) fn captured(&mut self, picture: Arc<RgbImage>) {
        if self.view.settings.auto_capture && self.view.screen == Screen::Reader {
            self.waiting_picture = Some(picture);
            self.read_what_waits();
        }
    }

    /// Reads what was captured, as soon as nobody is speaking and nothing is being worked on.
    pub(super) fn read_what_waits(&mut self) {
        let busy = self.speaking || self.holding || self.held || self.view.work.is_some();
        if !busy && let Some(picture) = self.waiting_picture.take() {
            self.read(Picture::Pixels(picture));
        }
    }

    fn camera_is_on(&self) -> bool {
        matches!(self.view.camera, CameraState::On { .. })
    }

    /// It gives pictures, or will in a moment.
    fn camera_is_wanted(&self) -> bool {
        self.camera_is_on() || self.view.camera == CameraState::Opening
    }

    pub(super) fn open_camera(&mut self, source: &Source) {
        self.view.preview = None;
        self.waiting_picture = None;
        self.view.camera = if *source == Source::None { CameraState::Off } else { CameraState::Opening };
        self.out.open_camera(source);
    }

    /// Falls silent; whatever was being made to be said is not wanted any more.
    pub(super) fn silence(&mut self) {
        self.job += 1;
        self.out.forget(self.job);
        if matches!(self.view.work, Some(Work::Reading | Work::Answering)) {
            self.view.work = None;
            self.out.aim(true);
        }
        self.out.silence();
        self.speaking = false;
        self.view.speaking = None;
    }

    fn turn(&mut self, turn: Turn) {
        if let Some(id) = self.entry {
            self.history.say(id, turn.clone());
            self.view.history = self.history.entries();
        }
        self.view.dialogue.push(turn);
    }
}
