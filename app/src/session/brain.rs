//! The networks' thread: reads pictures, understands speech, answers questions, one after the other.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, OnceLock};

use image::RgbImage;
use sightread_models::device::Backend;
use sightread_models::text::generate::Flow;

use super::input::{ReadPicture, Thought};
use super::view::{Page, PageRow};
use crate::answer::{Conversation, Document};
use crate::assistant::Scene;
use crate::library::{AnsweringModel, answering};
use crate::picture;
use crate::reading::{Line, Point, ReadError, Reading, fit, read};
use crate::speech::transcribe::{Expected, Transcriber};
use crate::starter::{self, Starter};

/// Longest side of a page as it is shown.
const PAGE_SIDE: u32 = 1280;

/// A picture to read.
#[derive(Debug, Clone)]
pub(super) enum Picture {
    /// From the camera.
    Pixels(Arc<RgbImage>),
    /// A file.
    File(PathBuf),
    /// The bytes of a file.
    Bytes(Vec<u8>),
}

/// Something to think about.
#[derive(Debug)]
pub(super) enum Job {
    /// Read a picture; questions are about it from then on.
    Read(u64, Picture),
    /// Questions are about this text, and this picture, from now on.
    Recall(Document, Arc<RgbImage>),
    /// Answer with the language model of that name from now on; the empty name is the one that comes with the program.
    UseModel(String),
    /// Answer a question.
    Ask(u64, String),
    /// Understand a recording of 16 kHz.
    Understand(Vec<f32>),
}

/// A handle to the thread; it ends with the handle, after the job that it is at.
pub(super) struct Brain {
    jobs: Sender<Job>,
    /// The job whose result is still wanted: an older one may stop.
    wanted: Arc<AtomicU64>,
}

/// The reading model, once it is loaded: the camera looks for text with it too.
pub(super) type SharedStarter = Arc<OnceLock<Arc<Starter>>>;

impl Brain {
    /// Starts to load the networks; `on_thought` hears when they are there, and all that comes of jobs.
    pub(super) fn start(
        model_dir: Option<PathBuf>,
        backend: Backend,
        shared: SharedStarter,
        on_thought: impl Fn(Thought) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (jobs, inbox) = channel();
        let wanted = Arc::new(AtomicU64::new(0));
        let newest = wanted.clone();
        std::thread::Builder::new().name("networks".into()).spawn(move || {
            let opened = starter::find(model_dir.as_deref()).and_then(|folder| Starter::open(&folder, backend));
            let starter = match opened {
                Ok(starter) => shared.get_or_init(|| Arc::new(starter)).clone(),
                Err(error) => return on_thought(Thought::CannotRead(error.to_string())),
            };
            on_thought(Thought::CanRead);
            let thinker = Thinker {
                starter,
                backend,
                chosen: None,
                transcriber: None,
                conversation: None,
                newest,
                told: Box::new(on_thought),
            };
            thinker.think(&inbox);
        })?;
        Ok(Self { jobs, wanted })
    }

    /// Takes a job; results of reading and answering that are older than it are not wanted any more.
    pub(super) fn take(&self, job: Job) {
        if let Job::Read(number, _) | Job::Ask(number, _) = &job {
            self.wanted.store(*number, Ordering::Relaxed);
        }
        // Without the thread there is no network, which was told.
        let _ = self.jobs.send(job);
    }

    /// The answer under way is not wanted any more.
    pub(super) fn forget(&self, newest: u64) {
        self.wanted.store(newest, Ordering::Relaxed);
    }
}

struct Thinker {
    starter: Arc<Starter>,
    backend: Backend,
    /// The model that was chosen instead of the starter's own.
    chosen: Option<AnsweringModel>,
    transcriber: Option<Transcriber>,
    conversation: Option<Conversation>,
    newest: Arc<AtomicU64>,
    told: Box<dyn Fn(Thought) + Send>,
}

impl Thinker {
    /// Does jobs; what is not needed for reading is loaded while there is none.
    fn think(mut self, inbox: &Receiver<Job>) {
        let mut to_load = [Self::load_speech, Self::load_language].into_iter();
        loop {
            match inbox.try_recv() {
                Ok(job) => self.do_job(job),
                Err(TryRecvError::Disconnected) => return,
                Err(TryRecvError::Empty) => match to_load.next() {
                    Some(load) => load(&mut self),
                    None => match inbox.recv() {
                        Ok(job) => self.do_job(job),
                        Err(_) => return,
                    },
                },
            }
        }
    }

    fn load_speech(&mut self) {
        let transcriber = Transcriber::open(Expected::Questions, self.backend);
        (self.told)(Thought::CanHear(transcriber.as_ref().map(|_| ()).map_err(ToString::to_string)));
        self.transcriber = transcriber.ok();
    }

    fn load_language(&mut self) {
        // What is wrong with it is told when it is asked.
        let _ = self.starter.language();
    }

    fn do_job(&mut self, job: Job) {
        match job {
            Job::Read(number, picture) if self.is_wanted(number) => {
                let result = self.read(picture).map(|(read, conversation)| {
                    self.conversation = Some(conversation);
                    Box::new(read)
                });
                (self.told)(Thought::Read { job: number, result });
            }
            Job::Ask(number, question) if self.is_wanted(number) => self.answer(number, &question),
            Job::Read(..) | Job::Ask(..) => {}
            Job::UseModel(name) => self.use_model(&name),
            Job::Recall(document, picture) => self.conversation = Some(conversation(document, picture)),
            Job::Understand(samples) => (self.told)(Thought::Understood(self.understand(&samples))),
        }
    }

    fn is_wanted(&self, job: u64) -> bool {
        self.newest.load(Ordering::Relaxed) == job
    }

    fn read(&self, picture: Picture) -> Result<(ReadPicture, Conversation), String> {
        let pixels = match picture {
            Picture::Pixels(pixels) => pixels,
            Picture::File(path) => Arc::new(picture::open(&path).map_err(|error| error.to_string())?),
            Picture::Bytes(bytes) => Arc::new(picture::decode(&bytes).map_err(|error| error.to_string())?),
        };
        let reading = read(&pixels, &self.starter.text_models()).map_err(|error| error.to_string())?;
        let document = reading.document();
        let page = Arc::new(page(&pixels, &reading).map_err(|error| error.to_string())?);
        let scene = Scene::new(&pixels, &reading);
        let conversation = conversation(document.clone(), page.picture.clone());
        Ok((ReadPicture { scene, page, document }, conversation))
    }

    fn answer(&mut self, job: u64, question: &str) {
        let Some(conversation) = &mut self.conversation else { return };
        let (newest, told) = (&self.newest, &self.told);
        let piece = |text: &str| {
            if newest.load(Ordering::Relaxed) != job {
                return Flow::Stop;
            }
            told(Thought::Piece { job, text: text.into() });
            Flow::Continue
        };
        let model = || answering(self.chosen.as_ref(), &self.starter);
        let result = conversation.ask(question, model, piece).map_err(|error| error.to_string());
        told(Thought::Answered { job, result });
    }

    fn use_model(&mut self, name: &str) {
        let loaded = match name {
            "" => Ok(None),
            name => AnsweringModel::open(name, self.starter.device()).map(Some),
        };
        match loaded {
            Ok(chosen) => {
                self.chosen = chosen;
                self.conversation = self.conversation.take().map(Conversation::anew);
                (self.told)(Thought::Answers(Ok(name.into())));
            }
            Err(reason) => (self.told)(Thought::Answers(Err(reason))),
        }
    }

    fn understand(&self, samples: &[f32]) -> Result<String, String> {
        match &self.transcriber {
            Some(transcriber) => transcriber.transcribe(samples).map_err(|error| error.to_string()),
            None => Ok(String::new()),
        }
    }
}

/// A conversation about a picture and its text; models that see are told the text too, so that digits stay exact.
fn conversation(document: Document, picture: Arc<RgbImage>) -> Conversation {
    Conversation::new(document).with_picture(picture, true)
}

/// A reading as it is shown.
fn page(picture: &RgbImage, reading: &Reading) -> Result<Page, ReadError> {
    let (small, scale) = fit(picture, PAGE_SIDE)?;
    let row = |lines: &[Line]| PageRow {
        text: lines.iter().map(Line::marked).collect::<Vec<_>>().join("  "),
        sure: lines.iter().all(|line| line.sure),
        quads: lines.iter().map(|line| line.quad.map(|p| Point::new(p.x * scale, p.y * scale))).collect(),
    };
    Ok(Page {
        picture: Arc::new(small),
        rows: reading.rows().map(row).collect(),
        warnings: reading.warnings.iter().map(|warning| warning.spoken().into()).collect(),
    })
}
