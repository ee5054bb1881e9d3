//! Conversations with a mind that answers from a list.

use super::*;
use crate::answer::Source;

/// Answers every question with these pieces.
struct Fixed {
    pieces: Vec<&'static str>,
    sure: bool,
}

impl Fixed {
    fn answer(&self, question: &str, assistant: &mut Assistant, emit: &mut dyn FnMut(Event)) {
        if question.contains("fail") {
            return assistant.answered(Err("the model is missing".into()), emit);
        }
        self.pieces.iter().for_each(|piece| assistant.piece(piece, emit));
        let text = self.pieces.concat().trim().to_string();
        let answer = Answer { text, sure: self.sure, confidence: 1.0, lines: vec![], source: Source::LanguageModel };
        assistant.answered(Ok(&answer), emit);
    }
}

struct Talk {
    assistant: Assistant,
    mind: Fixed,
}

impl Talk {
    fn new() -> Self {
        let mut assistant = Assistant::default();
        assistant.show(Scene {
            rows: ["EXIT A1", "Mind the gap", "No smoking"].map(Into::into).to_vec(),
            warnings: vec!["The picture is blurred.".into()],
            colour: "It is red.".into(),
            light: "It is bright.".into(),
        });
        Self { assistant, mind: Fixed { pieces: vec!["Ten pounds"], sure: true } }
    }

    fn events(&mut self, heard: &str) -> Vec<Event> {
        let mut events = vec![];
        self.assistant.handle(understand(heard), &mut |event| events.push(event));
        if let Some(Event::Think(question)) = events.last().cloned() {
            self.mind.answer(&question, &mut self.assistant, &mut |event| events.push(event));
        }
        assert_eq!(events.first(), Some(&Event::Silence), "what was being said gives way");
        events
    }

    /// What is said to `heard`.
    fn said(&mut self, heard: &str) -> Vec<String> {
        let text = |event| if let Event::Say(utterance) = event { Some(utterance.text) } else { None };
        self.events(heard).into_iter().filter_map(text).collect()
    }
}

#[test]
fn everything_is_read_with_the_faults_of_the_photo_first() {
    let mut talk = Talk::new();
    assert_eq!(talk.said("read it"), ["The picture is blurred.", "EXIT A1", "Mind the gap", "No smoking"]);
    assert_eq!(talk.said("again"), ["EXIT A1", "Mind the gap", "No smoking"]);
}

#[test]
fn lines_are_walked_up_and_down_and_have_an_end() {
    let mut talk = Talk::new();
    assert_eq!(talk.said("next line"), ["EXIT A1"]);
    assert_eq!(talk.said("next"), ["Mind the gap"]);
    assert_eq!(talk.said("next"), ["No smoking"]);
    assert_eq!(talk.said("next"), ["That was the last line."]);
    assert_eq!(talk.said("previous line"), ["Mind the gap"]);
    assert_eq!(talk.said("back"), ["EXIT A1"]);
    assert_eq!(talk.said("back"), ["This is the first line."]);
    assert_eq!(talk.said("again"), ["EXIT A1"]);
    assert_eq!(talk.said("spell that"), ["E, X, I, T, space, A, 1"]);
}

#[test]
fn after_a_stop_the_next_line_is_the_one_behind_the_last_that_was_heard() {
    let mut talk = Talk::new();
    talk.said("read it");
    talk.assistant.began(None); // the warning
    talk.assistant.began(Some(0));
    talk.assistant.began(Some(1));
    assert_eq!(talk.events("stop"), [Event::Silence]);
    assert_eq!(talk.said("spell that"), ["capital M, I, N, D, space, T, H, E, space, G, A, P"]);
    assert_eq!(talk.said("next line"), ["No smoking"]);
}

#[test]
fn a_change_of_pace_goes_on_with_the_reading() {
    let mut talk = Talk::new();
    talk.said("read it");
    talk.assistant.began(Some(1));
    let events = talk.events("slower");
    assert_eq!(events[1], Event::Configure(Settings::new(-RATE_STEP, 100)));
    assert_eq!(talk.assistant.settings().rate(), -RATE_STEP);
    assert_eq!(events.len(), 5, "slower, and the two rows that are left");
    talk.assistant.quiet();
    assert_eq!(talk.said("faster"), ["Faster."]);
}

#[test]
fn settings_end_somewhere() {
    let mut talk = Talk::new();
    assert_eq!(talk.said("louder"), ["That is as far as the volume goes."]);
    for _ in 0..20 {
        talk.said("quieter");
    }
    assert!(talk.assistant.settings().volume() > 0, "never silent");
    for _ in 0..20 {
        talk.said("faster");
    }
    assert_eq!(talk.assistant.settings().rate(), 100);
}

#[test]
fn an_answer_is_spoken_sentence_by_sentence() {
    let mut talk = Talk::new();
    talk.mind.pieces = vec!["It costs ", "1.85. And", " the tea", " 2.10."];
    assert_eq!(talk.said("How much is it?"), ["It costs 1.85.", "And the tea 2.10."]);
    assert_eq!(talk.said("again"), ["It costs 1.85.", "And the tea 2.10."]);
}

#[test]
fn doubt_comes_before_the_number_where_it_can() {
    let mut talk = Talk::new();
    talk.mind.sure = false;
    assert_eq!(talk.said("How much is it?"), ["I am not sure: Ten pounds"]);
    talk.mind.pieces = vec!["One pound. ", "Two pounds."];
    assert_eq!(talk.said("How much is it?"), ["One pound.", "Two pounds.", "I am not sure of that."]);
}

#[test]
fn colour_light_help_and_failures_are_said() {
    let mut talk = Talk::new();
    assert_eq!(talk.said("what colour is it"), ["It is red."]);
    assert_eq!(talk.said("is the light on"), ["It is bright."]);
    assert!(talk.said("help")[0].starts_with("Say: look"));
    assert_eq!(talk.said("does it fail"), ["That did not work: the model is missing."]);
    assert_eq!(talk.said("[noise]"), [UNCLEAR]);
    assert!(talk.events("quit").contains(&Event::Quit));
}

#[test]
fn without_a_picture_it_says_so() {
    let mut talk = Talk { assistant: Assistant::default(), ..Talk::new() };
    for asked in ["read it", "next line", "what colour is it", "How much is it?"] {
        assert_eq!(talk.said(asked), [NO_PICTURE]);
    }
    let mut silent = Talk { assistant: Assistant::default(), ..Talk::new() };
    assert_eq!(silent.said("again"), ["I have not said anything yet."]);
}

#[test]
fn a_picture_without_text_has_none() {
    let mut talk = Talk::new();
    talk.assistant.show(Scene::default());
    assert_eq!(talk.said("read it"), [NO_TEXT]);
    assert_eq!(talk.said("next line"), [NO_TEXT]);
}

#[test]
fn an_answer_that_nobody_waits_for_any_more_is_not_said() {
    let mut talk = Talk::new();
    let mut events = vec![];
    talk.assistant.handle(understand("How much is it?"), &mut |event| events.push(event));
    assert_eq!(events, [Event::Silence, Event::Think("How much is it?".into())]);
    talk.events("stop");
    talk.assistant.piece("It costs 1.85. And", &mut |event| events.push(event));
    talk.assistant.answered(Err("late".into()), &mut |event| events.push(event));
    assert_eq!(events.len(), 2);
}

#[test]
fn what_the_camera_sees_now_goes_before_the_picture() {
    let mut talk = Talk::new();
    talk.assistant.glance("It is blue.".into(), "It is dark.".into());
    assert_eq!(talk.said("what colour is it"), ["It is blue."]);
    assert_eq!(talk.said("what colour is it"), ["It is red."]);
}

#[test]
fn what_others_must_do_is_handed_on() {
    let mut talk = Talk::new();
    assert_eq!(talk.events("look")[1..], [Event::Look]);
    assert_eq!(talk.events("lamp on")[1..], [Event::Torch(true)]);
    assert_eq!(talk.events("copy it")[1..], [Event::Copy("EXIT A1\nMind the gap\nNo smoking".into())]);
    assert_eq!(talk.events("save it")[1..], [Event::Save]);
    assert_eq!(talk.events("open settings")[1..], [Event::Open(Screen::Settings)]);
}
