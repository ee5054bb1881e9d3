//! A connection with a service that only writes down what it is asked.

use std::sync::Mutex;

use super::*;

type Calls = Arc<Mutex<Vec<String>>>;

struct Fake {
    calls: Calls,
    voices: Vec<VoiceInfo>,
}

impl Fake {
    fn called(&self, what: String) -> Result<(), String> {
        self.calls.lock().unwrap().push(what);
        Ok(())
    }
}

impl Engine for Fake {
    fn connect(_: impl Fn(News, Key) + Clone + Send + 'static) -> Result<Self, String> {
        Err("never asked".into())
    }
    fn speak(&mut self, text: &str) -> Result<Option<Key>, String> {
        match text {
            "broken" => Err("it broke".into()),
            "untold" => Ok(None),
            text => Ok(Some(format!("key of {text}"))),
        }
    }
    fn stop(&mut self) -> Result<(), String> {
        self.called("stop".into())
    }
    fn configure(&mut self, settings: Settings) -> Result<(), String> {
        self.called(format!("rate {}", settings.rate()))
    }
    fn choose(&mut self, choice: &VoiceChoice) -> Result<(), String> {
        self.called(format!("choose {:?} {:?}", choice.language(), choice.name()))
    }
    fn list(&mut self, give: impl FnOnce(Vec<VoiceInfo>) + Send + 'static) {
        let _ = self.called("list".into());
        give(self.voices.clone());
    }
}

/// A connection, what is sent to it from other threads, and what comes of it.
struct Rig {
    connection: Connection<Fake>,
    inbox: Receiver<Work>,
    events: Receiver<Event>,
    calls: Calls,
}

impl Rig {
    fn new(voices: &[(&str, &str)]) -> Self {
        let (orders, inbox) = channel();
        let (send, events) = channel();
        let calls = Calls::default();
        let voices =
            voices.iter().map(|(name, language)| VoiceInfo { name: (*name).into(), language: (*language).into() });
        let engine = Fake { calls: calls.clone(), voices: voices.collect() };
        let report: Report = Box::new(move |event| drop(send.send(event)));
        Self { connection: Connection::new(engine, orders, report), inbox, events, calls }
    }

    /// Takes an order, and all that comes of it; what was asked of the service and what was reported.
    fn take(&mut self, work: Work) -> (Vec<String>, Vec<Event>) {
        self.connection.take(work).unwrap();
        while let Ok(work) = self.inbox.try_recv() {
            self.connection.take(work).unwrap();
        }
        (std::mem::take(&mut *self.calls.lock().unwrap()), self.events.try_iter().collect())
    }

    fn choose(&mut self, language: &str, name: &str) -> (Vec<String>, Vec<Event>) {
        self.take(Work::Choose(VoiceChoice::new(language, name)))
    }
}

const VOICES: [(&str, &str); 2] = [("Brian", "en-GB"), ("Anna", "de")];

#[test]
fn a_chosen_voice_is_used_at_once_and_checked_when_it_is_heard() {
    let mut rig = Rig::new(&VOICES);
    assert_eq!(rig.choose("", "Anna").0, ["choose \"\" \"Anna\""]);
    assert_eq!(rig.take(Work::Speak(1, "hello".into())).0, [] as [String; 0]);
    let (calls, events) = rig.take(Work::News(News::Began, "key of hello".into()));
    // Checked, it has its language too.
    assert_eq!(calls, ["list", "choose \"de\" \"Anna\""]);
    assert_eq!(events, [Event::Began(1)]);
    assert_eq!(rig.choose("", "Anna").0, [] as [String; 0], "chosen already");
    assert_eq!(rig.choose("", "").0, ["choose \"\" \"\""], "the system's own needs no list");
}

#[test]
fn a_missing_voice_is_told_and_replaced() {
    let mut rig = Rig::new(&VOICES);
    assert_eq!(rig.choose("en", "Zoe").0, ["choose \"en\" \"Zoe\""]);
    let (calls, events) = rig.take(Work::Speak(1, "untold".into()));
    assert_eq!(calls, ["list", "choose \"en\" \"\""]);
    assert_eq!(events[2..], [Event::NoSuchVoice("There is no voice called Zoe. I use a voice for en.".into())]);
    let (calls, events) = rig.choose("fr", "");
    assert_eq!(calls, ["choose \"fr\" \"\"", "choose \"\" \"\""], "listed once");
    assert_eq!(events, [Event::NoSuchVoice("There is no voice for fr. I use the system's own voice.".into())]);
}

#[test]
fn a_service_that_cannot_list_its_voices_is_taken_at_its_word() {
    let mut rig = Rig::new(&[]);
    rig.choose("", "Anna");
    assert_eq!(rig.take(Work::List).1, [Event::Voices(Arc::default())], "whoever waits is told");
    assert_eq!(rig.take(Work::Speak(1, "untold".into())).0, [] as [String; 0], "and it is not asked again");
}

#[test]
fn voices_are_listed_once_and_given_to_everybody_who_asks() {
    let mut rig = Rig::new(&VOICES);
    for calls in [vec!["list".to_string()], vec![]] {
        let (called, events) = rig.take(Work::List);
        assert_eq!(called, calls);
        let [Event::Voices(voices)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(voices.len(), 2);
    }
    // Listed for a check, they are given to nobody.
    let mut rig = Rig::new(&VOICES);
    rig.choose("", "Anna");
    assert_eq!(rig.take(Work::Speak(1, "untold".into())).1, [Event::Began(1), Event::Ended(1)]);
}

#[test]
fn utterances_are_followed_by_their_keys() {
    let mut rig = Rig::new(&VOICES);
    rig.take(Work::Speak(1, "hello".into()));
    let news = |what| Work::News(what, "key of hello".into());
    assert_eq!(rig.take(news(News::Began)).1, [Event::Began(1)]);
    assert_eq!(rig.take(news(News::Ended)).1, [Event::Ended(1)]);
    assert_eq!(rig.take(news(News::Ended)).1, [], "once");
    rig.take(Work::Speak(2, "hello".into()));
    assert_eq!(rig.take(news(News::Stopped)).1, [Event::Stopped(2)]);
    rig.take(Work::Speak(3, "hello".into()));
    assert_eq!(rig.take(Work::Stop).0, ["stop"]);
    assert_eq!(rig.take(news(News::Ended)).1, [], "of what was stopped nobody wants to hear");
    assert_eq!(rig.take(Work::Speak(4, "untold".into())).1, [Event::Began(4), Event::Ended(4)]);
    assert_eq!(rig.connection.take(Work::Speak(5, "broken".into())), Err("it broke".into()));
}

#[test]
fn a_ping_sets_again_what_is_set() {
    let mut rig = Rig::new(&VOICES);
    assert_eq!(rig.take(Work::Configure(Settings::new(30, 100))).0, ["rate 30"]);
    assert_eq!(rig.take(Work::Ping).0, ["rate 30"]);
    assert_eq!(rig.take(Work::Resume).1, [Event::Opened]);
}
