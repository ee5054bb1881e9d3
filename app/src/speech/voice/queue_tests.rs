//! The queue with a backend that obeys, dies, hangs and is interrupted, on a clock of its own.

use std::sync::Arc;

use super::*;
use crate::speech::voice::VoiceInfo;

#[derive(Debug, PartialEq)]
enum Call {
    Open,
    Speak(u64, String),
    Stop,
    Ping,
    Configure(Settings),
    Choose(VoiceChoice),
    ListVoices,
    SetSilent(bool),
}

#[derive(Default)]
struct Fake(Vec<Call>);

impl Backend for Fake {
    fn open(&mut self) {
        self.0.push(Call::Open);
    }
    fn speak(&mut self, id: u64, text: &str) {
        assert!(!text.contains('\0'), "NUL reaches no backend");
        self.0.push(Call::Speak(id, text.into()));
    }
    fn stop(&mut self) {
        self.0.push(Call::Stop);
    }
    fn ping(&mut self) {
        self.0.push(Call::Ping);
    }
    fn configure(&mut self, settings: Settings) {
        self.0.push(Call::Configure(settings));
    }
    fn choose(&mut self, choice: &VoiceChoice) {
        self.0.push(Call::Choose(choice.clone()));
    }
    fn list_voices(&mut self) {
        self.0.push(Call::ListVoices);
    }
    fn set_silent(&mut self, silent: bool) {
        self.0.push(Call::SetSilent(silent));
    }
}

/// A queue, its clock and all its notices.
struct Rig {
    queue: Queue<Fake>,
    now: Duration,
    notices: Vec<Notice>,
}

impl Rig {
    fn new() -> Self {
        Self { queue: Queue::new(Fake::default(), Duration::ZERO), now: Duration::ZERO, notices: vec![] }
    }

    /// With an open voice.
    fn open() -> Self {
        let mut rig = Self::new();
        rig.event(Event::Opened);
        rig.calls();
        rig
    }

    fn event(&mut self, event: Event) {
        self.queue.event(event, self.now);
        self.notices.extend(self.queue.notices());
    }

    fn say(&mut self, priority: Priority, text: &str) {
        self.queue.say(Utterance::new(priority, text), self.now);
        self.notices.extend(self.queue.notices());
    }

    fn answer(&mut self, text: &str) {
        self.say(Priority::Answer, text);
    }

    /// Lets the clock run to the next deadline that is more than a ping.
    fn wait(&mut self) {
        loop {
            self.now = self.queue.deadline().expect("something must be awaited");
            self.queue.tick(self.now);
            self.notices.extend(self.queue.notices());
            match self.queue.backend().0.last() {
                Some(Call::Ping) => drop(self.queue.backend().0.pop()),
                _ => return,
            }
        }
    }

    fn calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.queue.backend().0)
    }

    /// Number and text of the last thing given to the backend.
    fn speaking(&mut self) -> (u64, String) {
        let mut speaks = self.calls().into_iter().filter_map(|call| match call {
            Call::Speak(id, text) => Some((id, text)),
            _ => None,
        });
        speaks.next_back().expect("something must be spoken")
    }

    /// Speaks what is next to its end; its text.
    fn hear(&mut self) -> String {
        let (id, text) = self.speaking();
        self.event(Event::Began(id));
        self.event(Event::Ended(id));
        text
    }

    fn unspoken(&self) -> Vec<&str> {
        let text = |notice: &'_ Notice| matches!(notice, Notice::Unspoken(_));
        self.notices
            .iter()
            .filter(|n| text(n))
            .filter_map(|n| if let Notice::Unspoken(u) = n { Some(u.text.as_str()) } else { None })
            .collect()
    }

    fn count(&self, wanted: impl Fn(&Notice) -> bool) -> usize {
        self.notices.iter().filter(|notice| wanted(notice)).count()
    }
}

#[test]
fn sentences_are_spoken_in_order_and_the_end_is_told_once() {
    let mut rig = Rig::open();
    rig.answer("one");
    rig.answer("two");
    assert_eq!((rig.hear(), rig.hear()), ("one".into(), "two".into()));
    assert_eq!(rig.count(|n| matches!(n, Notice::Quiet { .. })), 1);
    assert_eq!(rig.notices.last(), Some(&Notice::Quiet { said: 2 }));
    assert_eq!(rig.queue.deadline(), None, "nothing to do, nothing to wake for");
}

#[test]
fn what_is_said_before_the_voice_is_open_waits_for_it() {
    let mut rig = Rig::new();
    rig.answer("hello");
    assert_eq!(rig.calls(), [Call::Open]);
    rig.event(Event::Opened);
    assert_eq!(rig.calls(), [Call::Configure(Settings::default()), Call::Speak(1, "hello".into())]);
}

#[test]
fn an_alert_comes_first_and_the_answer_is_begun_again() {
    let mut rig = Rig::open();
    rig.answer("one");
    rig.answer("two");
    let (first, _) = rig.speaking();
    rig.event(Event::Began(first));
    rig.say(Priority::Alert, "careful");
    assert_eq!(rig.calls(), [Call::Stop, Call::Speak(2, "careful".into())]);
    rig.event(Event::Stopped(first)); // late, of the interrupted one: changes nothing
    rig.event(Event::Ended(2));
    assert_eq!((rig.hear(), rig.hear()), ("one".into(), "two".into()));
}

#[test]
fn guidance_gives_way_and_only_the_newest_is_kept() {
    let mut rig = Rig::open();
    rig.say(Priority::Guidance, "move left");
    rig.say(Priority::Guidance, "move right");
    rig.say(Priority::Guidance, "hold still");
    assert_eq!((rig.hear(), rig.hear()), ("move left".into(), "hold still".into()));
    rig.say(Priority::Guidance, "move up");
    rig.answer("the text");
    rig.say(Priority::Guidance, "move down");
    assert_eq!(rig.hear(), "the text");
    assert_eq!(rig.calls(), [], "guidance that was interrupted or came during an answer is gone");
}

#[test]
fn silence_stops_at_once_and_forgets_the_rest() {
    let mut rig = Rig::open();
    rig.answer("one");
    rig.answer("two");
    rig.calls();
    rig.queue.silence(rig.now);
    rig.notices.extend(rig.queue.notices());
    assert_eq!(rig.calls(), [Call::Stop]);
    assert_eq!(rig.notices.last(), Some(&Notice::Quiet { said: 2 }));
    rig.answer("three");
    assert_eq!(rig.hear(), "three");
}

#[test]
fn without_a_service_everything_is_shown_and_the_loss_is_told_once() {
    let mut rig = Rig::new();
    rig.answer("one");
    rig.event(Event::Failed("no service".into()));
    rig.answer("two");
    assert_eq!(rig.unspoken(), ["one", "two"]);
    assert_eq!(rig.count(|n| *n == Notice::Lost("no service".into())), 1);
    assert_eq!(rig.notices.last(), Some(&Notice::Quiet { said: 2 }), "a command that says something may end");
    for _ in 0..20 {
        rig.wait();
        rig.event(Event::Failed("no service".into()));
    }
    assert_eq!(rig.unspoken(), ["one", "two"]);
    assert_eq!(rig.count(|n| matches!(n, Notice::Lost(_))), 1);
    assert!(rig.now > Duration::from_secs(30), "attempts become rare");
    rig.wait();
    rig.event(Event::Opened);
    assert_eq!(rig.hear(), BACK, "what is older than a minute is not wanted any more");
}

#[test]
fn a_service_that_dies_in_mid_sentence_comes_back_with_that_sentence() {
    let mut rig = Rig::open();
    rig.answer("one");
    rig.answer("two");
    let (id, _) = rig.speaking();
    rig.event(Event::Began(id));
    rig.event(Event::Failed("broken pipe".into()));
    rig.wait();
    assert_eq!(rig.calls(), [Call::Open]);
    rig.event(Event::Opened);
    assert_eq!((rig.hear(), rig.hear(), rig.hear()), (BACK.into(), "one".into(), "two".into()));
    assert_eq!(rig.count(|n| *n == Notice::Back), 1);
    assert_eq!(rig.count(|n| matches!(n, Notice::Lost(_))), 1);
}

#[test]
fn a_service_that_never_ends_a_sentence_is_opened_anew() {
    let mut rig = Rig::open();
    rig.answer("a sentence");
    let (id, _) = rig.speaking();
    rig.event(Event::Began(id));
    rig.wait();
    assert!(rig.now > END_LIMIT && rig.now < Duration::from_secs(10));
    assert_eq!(rig.calls(), [Call::Stop]);
    rig.wait();
    rig.event(Event::Opened);
    // It is still mute: the proof does not end either.
    let (proof, text) = rig.speaking();
    assert_eq!(text, BACK);
    rig.event(Event::Began(proof));
    rig.wait();
    rig.wait();
    rig.event(Event::Opened);
    assert_eq!((rig.hear(), rig.hear()), (BACK.into(), "a sentence".into()));
    assert_eq!(rig.unspoken(), ["a sentence"], "shown once in the meantime");
}

#[test]
fn a_service_that_never_answers_is_opened_anew() {
    let mut rig = Rig::new();
    rig.answer("hello");
    rig.wait(); // opening took too long
    assert_eq!(rig.unspoken(), ["hello"]);
    rig.wait();
    assert_eq!(rig.calls(), [Call::Open, Call::Open]);
    rig.event(Event::Opened);
    rig.calls();
    rig.wait(); // the proof never begins
    assert_eq!(rig.calls(), [Call::Stop]);
}

#[test]
fn a_sentence_that_breaks_the_voice_every_time_is_given_up() {
    let mut rig = Rig::open();
    rig.answer("poison");
    rig.answer("good");
    for _ in 0..TRIES {
        rig.event(Event::Failed("died".into()));
        rig.wait();
        rig.event(Event::Opened);
        assert_eq!(rig.hear(), BACK);
    }
    assert_eq!(rig.hear(), "good");
}

#[test]
fn text_is_cleaned_and_nothing_is_not_spoken() {
    let mut rig = Rig::open();
    rig.answer("\0 \n");
    assert_eq!(rig.calls(), []);
    assert_eq!(rig.notices, [Notice::Quiet { said: 1 }], "whoever waits for the end waits for nothing");
    rig.answer("a\0b\u{7}c");
    assert_eq!(rig.hear(), "a b c");
}

#[test]
fn settings_are_kept_over_a_new_connection() {
    let mut rig = Rig::open();
    rig.queue.configure(Settings::new(40, 70));
    rig.event(Event::Failed("died".into()));
    rig.wait();
    rig.calls();
    rig.event(Event::Opened);
    assert_eq!(rig.calls()[0], Call::Configure(Settings::new(40, 70)));
}

#[test]
fn silence_is_kept_by_a_voice_that_just_came_back() {
    let mut rig = Rig::new();
    rig.event(Event::Failed("no service".into()));
    rig.wait();
    rig.event(Event::Opened);
    rig.calls();
    rig.queue.silence(rig.now);
    assert_eq!(rig.calls(), [Call::Stop]);
}

#[test]
fn a_service_that_speaks_is_asked_whether_it_lives() {
    let mut rig = Rig::open();
    rig.answer("a sentence");
    rig.calls();
    for _ in 0..3 {
        rig.now += PING;
        rig.queue.tick(rig.now);
    }
    assert_eq!(rig.calls(), [Call::Ping, Call::Ping, Call::Ping]);
    rig.event(Event::Failed("died".into()));
    assert_eq!(rig.unspoken(), ["a sentence"]);
}

#[test]
fn the_choice_of_a_voice_is_kept_over_a_new_connection() {
    let mut rig = Rig::open();
    let choice = VoiceChoice::new("de", "Anna");
    rig.queue.choose(choice.clone());
    rig.queue.choose(choice.clone());
    assert_eq!(rig.calls(), [Call::Choose(choice.clone())], "what is chosen already is not chosen again");
    rig.event(Event::NoSuchVoice("There is no Anna.".into()));
    rig.event(Event::Failed("died".into()));
    rig.wait();
    rig.calls();
    rig.event(Event::Opened);
    assert_eq!(rig.calls()[..2], [Call::Configure(Settings::default()), Call::Choose(choice.clone())]);
    rig.event(Event::NoSuchVoice("There is no Anna.".into()));
    assert_eq!(rig.count(|n| matches!(n, Notice::NoSuchVoice(_))), 1, "told once");
    rig.queue.choose(VoiceChoice::default());
    rig.queue.choose(choice);
    rig.event(Event::NoSuchVoice("There is no Anna.".into()));
    assert_eq!(rig.count(|n| matches!(n, Notice::NoSuchVoice(_))), 2, "and once more when it is chosen again");
}

#[test]
fn voices_are_asked_for_when_there_is_somebody_to_ask() {
    let mut rig = Rig::new();
    rig.queue.list_voices();
    assert_eq!(rig.calls(), [Call::Open]);
    rig.event(Event::Opened);
    assert_eq!(rig.calls(), [Call::Configure(Settings::default()), Call::ListVoices]);
    rig.event(Event::Failed("died".into()));
    rig.wait();
    rig.event(Event::Opened);
    assert!(rig.calls().contains(&Call::ListVoices), "nobody has answered yet");
    let voices = Arc::new(vec![VoiceInfo { name: "Anna".into(), language: "de".into() }]);
    rig.event(Event::Voices(voices.clone()));
    assert_eq!(rig.count(|n| *n == Notice::Voices(voices.clone())), 1);
    rig.event(Event::Failed("died".into()));
    rig.wait();
    rig.event(Event::Opened);
    assert!(!rig.calls().contains(&Call::ListVoices), "answered");
}

#[test]
fn a_voice_that_falls_silent_begins_its_sentence_again_and_goes_on_by_itself() {
    let mut rig = Rig::open();
    rig.answer("one");
    rig.answer("two");
    let (first, _) = rig.speaking();
    rig.event(Event::Began(first));
    rig.queue.set_silent(true, rig.now);
    rig.queue.set_silent(true, rig.now);
    assert_eq!(rig.calls(), [Call::Stop, Call::SetSilent(true)]);
    rig.event(Event::Ended(first)); // late, of the interrupted one: changes nothing
    rig.event(Event::Opened);
    assert_eq!((rig.hear(), rig.hear()), ("one".into(), "two".into()));
    rig.queue.set_silent(false, rig.now);
    assert_eq!(rig.calls(), [Call::SetSilent(false)]);
    rig.answer("three");
    assert_eq!(rig.calls(), [], "waits until the voice can be heard");
    rig.event(Event::Opened);
    assert_eq!(rig.hear(), "three");
}

#[test]
fn a_voice_that_is_lost_can_be_silent_and_is_told_as_lost_afterwards() {
    let mut rig = Rig::new();
    rig.event(Event::Failed("no service".into()));
    rig.answer("one");
    rig.queue.set_silent(true, rig.now);
    rig.event(Event::Opened);
    assert_eq!(rig.hear(), "one", "without a proof first");
    assert_eq!(rig.count(|n| *n == Notice::Back), 0, "the voice itself is not back");
    rig.queue.set_silent(false, rig.now);
    rig.event(Event::Failed("no service".into()));
    assert_eq!(rig.count(|n| matches!(n, Notice::Lost(_))), 2);
}

#[test]
fn a_proof_that_is_interrupted_by_silence_is_no_sentence() {
    let mut rig = Rig::new();
    rig.event(Event::Failed("no service".into()));
    rig.wait();
    rig.event(Event::Opened);
    assert_eq!(rig.speaking().1, BACK);
    rig.queue.set_silent(true, rig.now);
    rig.event(Event::Opened);
    assert_eq!(rig.calls(), [Call::Stop, Call::SetSilent(true), Call::Configure(Settings::default())]);
}
