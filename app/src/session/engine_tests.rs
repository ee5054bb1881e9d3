//! Sessions without a camera, a microphone, a voice or a network: what is wished for is written down.

use std::sync::Arc;

use image::RgbImage;

use super::brain::{Job, Picture};
use super::engine::Engine;
use super::input::{Input, ReadPicture, Sighting, Thought};
use super::outlets::Outlets;
use super::view::{CameraState, EarState, Page, PageRow, Preview, Work};
use super::{Request, View};
use crate::answer::{Answer, Document, Source as AnswerSource};
use crate::assistant::{Command, Scene, Screen};
use crate::camera::{CameraError, Source};
use crate::library::ImportSource;
use crate::settings::{Output, Settings};
use crate::speech::listen::{Event as Heard, Level, Mode};
use crate::speech::voice::{Notice, Utterance};

/// Writes down what is wished for.
#[derive(Default)]
struct Paper {
    said: Vec<String>,
    jobs: Vec<Job>,
    silences: usize,
    modes: Vec<Mode>,
    cameras: Vec<Source>,
    torch: Vec<bool>,
    kept: Vec<Settings>,
    keeping_fails: bool,
    aiming: bool,
    frame: Option<Arc<RgbImage>>,
}

impl Outlets for Paper {
    fn say(&mut self, utterance: Utterance) {
        self.said.push(utterance.text);
    }
    fn silence(&mut self) {
        self.silences += 1;
    }
    fn configure_voice(&mut self, _: &Settings) {}
    fn list_voices(&mut self) {}
    fn listen(&mut self, mode: Mode) {
        self.modes.push(mode);
    }
    fn think(&mut self, job: Job) {
        self.jobs.push(job);
    }
    fn forget(&mut self, _: u64) {}
    fn open_camera(&mut self, source: &Source) {
        self.cameras.push(source.clone());
    }
    fn set_torch(&mut self, on: bool) {
        self.torch.push(on);
    }
    fn best_frame(&mut self) -> Option<Arc<RgbImage>> {
        self.frame.clone()
    }
    fn aim(&mut self, on: bool) {
        self.aiming = on;
    }
    fn keep(&mut self, settings: &Settings) -> Result<(), String> {
        self.kept.push(settings.clone());
        if self.keeping_fails { Err("The disk is full.".into()) } else { Ok(()) }
    }
    fn check(&mut self, _: &Settings) {}
    fn find_cameras(&mut self) {}
    fn find_models(&mut self) {}
    fn import(&mut self, _: ImportSource, _: Option<std::path::PathBuf>) {}
    fn stop_import(&mut self) {}
}

struct Talk(Engine<Paper>);

impl Talk {
    /// A session whose networks are loaded and whose microphone is open.
    fn new() -> Self {
        let mut talk = Self(Engine::new(Paper::default(), Settings::default(), Box::new(|_| {})));
        talk.take(Input::Brain(Thought::CanRead));
        talk.take(Input::Brain(Thought::CanHear(Ok(()))));
        talk.take(Input::Ear(Heard::Ready));
        talk
    }

    fn with_camera() -> Self {
        let mut talk = Self::new();
        talk.0.out.frame = Some(Arc::new(RgbImage::new(8, 8)));
        talk.take(Input::Eye(Sighting::Opened { name: "Webcam".into(), torch: None }));
        talk
    }

    fn take(&mut self, input: Input) {
        self.0.take(input);
    }

    fn ask_for(&mut self, command: Command) {
        self.take(Input::Request(Request::Do(command)));
    }

    fn view(&self) -> &View {
        &self.0.view
    }

    /// What was said since the last call.
    fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.0.out.said)
    }

    fn newest_job(&self) -> u64 {
        match self.0.out.jobs.last() {
            Some(Job::Read(job, _) | Job::Ask(job, _)) => *job,
            other => panic!("no numbered job: {other:?}"),
        }
    }

    /// The newest picture turns out to hold these rows.
    fn reads(&mut self, rows: &[&str]) {
        let job = self.newest_job();
        self.take(Input::Brain(Thought::Read { job, result: Ok(picture(rows)) }));
    }

    fn quiet(&mut self) {
        self.take(Input::Voice(Notice::Quiet { said: u64::MAX }));
    }
}

fn picture(rows: &[&str]) -> Box<ReadPicture> {
    let page_row = |text: &&str| PageRow { text: (*text).into(), sure: true, quads: vec![] };
    Box::new(ReadPicture {
        scene: Scene { rows: rows.iter().map(ToString::to_string).collect(), ..Scene::default() },
        page: Arc::new(Page {
            picture: Arc::new(RgbImage::new(4, 4)),
            rows: rows.iter().map(page_row).collect(),
            warnings: vec![],
        }),
        document: Document::default(),
    })
}

fn capture() -> Input {
    Input::Eye(Sighting::Capture(Arc::new(RgbImage::new(8, 8))))
}

#[test]
fn read_now_takes_the_best_picture_and_reads_it_aloud() {
    let mut talk = Talk::with_camera();
    talk.ask_for(Command::Look);
    assert!(matches!(talk.0.out.jobs[..], [Job::Read(_, Picture::Pixels(_))]));
    assert_eq!(talk.view().work, Some(Work::Reading));
    assert!(!talk.0.out.aiming, "the processor is needed for reading");
    talk.reads(&["EXIT A1", "Mind the gap"]);
    assert_eq!(talk.said(), ["EXIT A1", "Mind the gap"]);
    assert_eq!((talk.view().work, talk.view().history.len()), (None, 1));
    assert!(talk.0.out.aiming);
    talk.take(Input::Voice(Notice::Began(Utterance { mark: Some(1), ..utterance("Mind the gap") })));
    assert_eq!((talk.view().row, talk.view().speaking.as_deref()), (Some(1), Some("Mind the gap")));
}

fn utterance(text: &str) -> Utterance {
    Utterance::new(crate::speech::voice::Priority::Answer, text)
}

#[test]
fn silence_forgets_the_picture_that_is_being_read() {
    let mut talk = Talk::with_camera();
    talk.ask_for(Command::Look);
    let job = talk.newest_job();
    talk.ask_for(Command::Stop);
    talk.take(Input::Brain(Thought::Read { job, result: Ok(picture(&["too late"])) }));
    assert!(talk.said().is_empty() && talk.view().page.is_none() && talk.view().work.is_none());
}

#[test]
fn a_question_before_any_picture_takes_one_and_is_answered_instead_of_reading_it_out() {
    let mut talk = Talk::with_camera();
    talk.ask_for(Command::Ask("What is the total?".into()));
    talk.reads(&["TOTAL 3.50"]);
    assert!(talk.said().is_empty(), "not read out");
    let Some(Job::Ask(job, question)) = talk.0.out.jobs.last() else { panic!("not asked") };
    let (job, question) = (*job, question.clone());
    assert_eq!((question.as_str(), talk.view().work), ("What is the total?", Some(Work::Answering)));
    talk.take(Input::Brain(Thought::Piece { job, text: "3.50".into() }));
    let answer =
        Answer { text: "3.50".into(), sure: true, lines: vec![0], source: AnswerSource::Extractor, confidence: 1.0 };
    talk.take(Input::Brain(Thought::Answered { job, result: Ok(answer) }));
    assert_eq!(talk.said(), ["3.50"]);
    let dialogue: Vec<(bool, &str)> = talk.view().dialogue.iter().map(|turn| (turn.user, turn.text.as_str())).collect();
    assert_eq!(dialogue, [(true, "What is the total?"), (false, "3.50")]);
}

#[test]
fn what_is_captured_while_it_speaks_is_read_when_it_is_silent() {
    let mut talk = Talk::with_camera();
    talk.take(capture());
    talk.reads(&["first"]);
    talk.take(capture());
    assert_eq!(talk.0.out.jobs.len(), 1);
    talk.quiet();
    assert_eq!(talk.0.out.jobs.len(), 2);
    talk.reads(&["second"]);
    assert_eq!(talk.said(), ["first", "second"]);
}

#[test]
fn nothing_is_captured_by_itself_on_another_screen_or_where_it_is_switched_off() {
    let mut talk = Talk::with_camera();
    talk.ask_for(Command::Open(Screen::History));
    talk.quiet();
    talk.take(capture());
    talk.ask_for(Command::Open(Screen::Reader));
    talk.quiet();
    let settings = Settings { auto_capture: false, ..Settings::default() };
    talk.take(Input::Request(Request::Change(Box::new(settings))));
    talk.take(capture());
    assert!(talk.0.out.jobs.is_empty());
}

#[test]
fn a_held_key_listens_and_what_was_said_is_done() {
    let mut talk = Talk::with_camera();
    talk.take(Input::Request(Request::HoldToAsk(true)));
    assert_eq!((talk.0.out.modes.last(), &talk.view().ear), (Some(&Mode::Hold), &EarState::Listening));
    talk.take(Input::Request(Request::HoldToAsk(false)));
    assert_eq!(talk.0.out.modes.last(), Some(&Mode::Off));
    talk.take(Input::Ear(Heard::Speech { samples: vec![0.0; 9], cut: false }));
    assert!(matches!(talk.0.out.jobs.last(), Some(Job::Understand(_))));
    talk.take(Input::Brain(Thought::Understood(Ok("Read it.".into()))));
    assert_eq!(talk.view().work, Some(Work::Reading));
    talk.take(Input::Request(Request::HoldToAsk(true)));
    talk.take(Input::Request(Request::HoldToAsk(false)));
    talk.take(Input::Ear(Heard::Nothing));
    assert_eq!(talk.said(), ["Hold the key as long as you speak."]);
}

#[test]
fn hands_free_it_listens_only_while_nothing_is_said() {
    let settings = Settings { hands_free: true, ..Settings::default() };
    let mut talk = Talk(Engine::new(Paper::default(), settings, Box::new(|_| {})));
    talk.take(Input::Brain(Thought::CanRead));
    talk.take(Input::Ear(Heard::Ready));
    talk.take(Input::Brain(Thought::CanHear(Ok(()))));
    assert_eq!(talk.said(), ["Listening."]);
    talk.quiet();
    assert_eq!(talk.0.out.modes.last(), Some(&Mode::HandsFree));
    talk.ask_for(Command::Help);
    assert_eq!(talk.0.out.modes.last(), Some(&Mode::Off));
}

#[test]
fn a_lost_camera_is_told_and_so_is_its_return() {
    let mut talk = Talk::with_camera();
    talk.take(Input::Eye(Sighting::Lost(CameraError::Stalled)));
    assert!(talk.said()[0].starts_with("I see nothing: "));
    assert!(matches!(talk.view().camera, CameraState::Lost(_)));
    talk.ask_for(Command::Look);
    assert!(talk.said()[0].starts_with("I see nothing: "), "and again when it is asked for");
    talk.take(Input::Eye(Sighting::Opened { name: "Webcam".into(), torch: Some(false) }));
    assert_eq!(talk.said(), ["The camera is back."]);
    talk.ask_for(Command::Torch(true));
    assert_eq!(talk.0.out.torch, [true]);
}

#[test]
fn the_same_pace_whoever_changed_it_and_it_is_kept() {
    let mut talk = Talk::new();
    talk.ask_for(Command::Faster);
    assert_eq!(talk.view().settings.rate, 20);
    assert_eq!(talk.0.out.kept.last().map(|kept| kept.rate), Some(20));
    let settings = Settings { rate: -40, camera: Source::None, ..Settings::default() };
    talk.take(Input::Request(Request::Change(Box::new(settings))));
    talk.ask_for(Command::Faster);
    assert_eq!(talk.view().settings.rate, -20);
    assert_eq!(talk.0.out.cameras, [Source::Auto, Source::None]);
    talk.said();
    talk.0.out.keeping_fails = true;
    talk.ask_for(Command::Slower);
    assert_eq!(talk.said(), ["The disk is full.", "Slower."]);
}

#[test]
fn hints_are_spoken_on_the_reader_screen_only_and_their_delay_is_measured() {
    let mut talk = Talk::with_camera();
    let hint = || Input::Eye(Sighting::Hint("Come closer.".into(), std::time::Instant::now()));
    talk.take(hint());
    assert_eq!(talk.said(), ["Come closer."]);
    assert_eq!(talk.view().figures.hint_latency.len(), 1);
    talk.ask_for(Command::Open(Screen::Models));
    talk.said();
    talk.take(hint());
    assert!(talk.said().is_empty());
}

#[test]
fn an_earlier_reading_comes_back_with_its_questions() {
    let mut talk = Talk::with_camera();
    for row in ["first", "second"] {
        talk.ask_for(Command::Look);
        talk.reads(&[row]);
    }
    let first = talk.view().history.last().map(|entry| entry.id).expect("two entries");
    talk.said();
    talk.take(Input::Request(Request::Recall(first)));
    assert_eq!(talk.said(), ["first"]);
    assert!(matches!(talk.0.out.jobs.last(), Some(Job::Recall(..))));
    assert_eq!(talk.view().page.as_ref().map(|page| page.rows[0].text.as_str()), Some("first"));
}

#[test]
fn copying_and_quitting_work_by_command() {
    let mut talk = Talk::with_camera();
    talk.ask_for(Command::Look);
    talk.reads(&["one", "two"]);
    talk.ask_for(Command::Copy);
    assert_eq!(talk.view().clipboard.as_ref().map(|clip| clip.text.as_str()), Some("one\ntwo"));
    talk.ask_for(Command::Quit);
    assert!(!talk.view().quit, "it says goodbye first");
    talk.quiet();
    assert!(talk.view().quit);
}

#[test]
fn with_a_screen_reader_nothing_is_said_twice_and_everything_is_said() {
    let mut talk = Talk::with_camera();
    talk.take(Input::ScreenReader(true));
    talk.ask_for(Command::Look);
    talk.reads(&["one"]);
    assert_eq!(talk.said(), ["one"], "what is read is for the own voice");
    talk.take(Input::Voice(Notice::Began(utterance("one"))));
    assert!(!talk.view().status.announce);
    talk.ask_for(Command::Open(Screen::History));
    assert!(talk.said().is_empty(), "messages are for the screen reader");
    assert_eq!((talk.view().status.text.as_str(), talk.view().status.announce), ("History.", true));

    let settings = Settings { output: Output::ScreenReader, ..Settings::default() };
    talk.take(Input::Request(Request::Change(Box::new(settings))));
    talk.ask_for(Command::Read);
    assert_eq!(talk.said(), ["one"], "a voice without a sound keeps the time");
    talk.take(Input::Voice(Notice::Began(utterance("one"))));
    assert_eq!((talk.view().status.text.as_str(), talk.view().status.announce), ("one", true));
}

#[test]
fn a_wish_to_read_before_the_first_picture_is_kept_for_it() {
    let mut talk = Talk::new();
    talk.ask_for(Command::Look);
    assert!(talk.0.out.jobs.is_empty());
    talk.take(Input::Eye(Sighting::Opened { name: "Webcam".into(), torch: None }));
    talk.0.out.frame = Some(Arc::new(RgbImage::new(8, 8)));
    let preview = || Preview { picture: Arc::new(RgbImage::new(4, 4)), regions: vec![], hint: None, looks: 0 };
    talk.take(Input::Eye(Sighting::Preview(preview())));
    talk.take(Input::Eye(Sighting::Preview(preview())));
    assert_eq!(talk.0.out.jobs.len(), 1, "once");
}

#[test]
fn a_hint_that_came_while_something_else_was_said_is_said_afterwards_if_it_still_holds() {
    for (holds, expected) in [(true, 2), (false, 1)] {
        let mut talk = Talk::with_camera();
        talk.ask_for(Command::Help);
        talk.said();
        let hint = "Come closer.".to_string();
        talk.take(Input::Eye(Sighting::Hint(hint.clone(), std::time::Instant::now())));
        let picture = Arc::new(RgbImage::new(4, 4));
        let preview = Preview { picture, regions: vec![], hint: holds.then_some(hint), looks: 1 };
        talk.take(Input::Eye(Sighting::Preview(preview)));
        talk.quiet();
        assert_eq!(talk.said().len(), expected);
        talk.quiet();
        assert!(talk.said().is_empty(), "once");
    }
}

#[test]
fn a_room_that_stays_as_quiet_as_it_is_changes_nothing() {
    let mut talk = Talk::new();
    talk.ask_for(Command::Open(Screen::SetUp));
    let mut versions = vec![];
    for loudness in [-50.0, -51.0, -49.5, -70.0, -120.0, -61.0] {
        talk.take(Input::Ear(Heard::Level(Level { loudness, clipped: false })));
        versions.push(talk.view().version);
    }
    let changed: Vec<bool> = versions.windows(2).map(|pair| pair[0] != pair[1]).collect();
    assert_eq!(changed, [false, false, true, false, false]);
}

#[test]
fn a_model_that_was_chosen_answers_at_the_next_start_too_and_one_that_cannot_be_used_is_not_kept() {
    let settings = Settings { model: "smolvlm".into(), ..Settings::default() };
    let mut talk = Talk(Engine::new(Paper::default(), settings, Box::new(|_| {})));
    talk.take(Input::Brain(Thought::CanRead));
    assert!(matches!(&talk.0.out.jobs[..], [Job::UseModel(name)] if name == "smolvlm"));
    talk.take(Input::Brain(Thought::Answers(Ok("smolvlm".into()))));
    assert!(talk.0.out.kept.is_empty(), "nothing has changed");

    talk.take(Input::Request(Request::UseModel("broken".into())));
    talk.take(Input::Brain(Thought::Answers(Err("its file config.json is missing".into()))));
    assert_eq!(talk.view().settings.model, "smolvlm");
    talk.take(Input::Request(Request::UseModel(String::new())));
    talk.take(Input::Brain(Thought::Answers(Ok(String::new()))));
    assert_eq!((talk.view().settings.model.as_str(), talk.0.out.kept.len()), ("", 1));
}
