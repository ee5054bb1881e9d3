//! The button for asking: held like a key, or pressed once to begin and once to end, for those who cannot hold it.

use super::keys::HOLD;
use crate::session::EarState;

/// Whether the button asks.
#[derive(Debug, Default)]
pub struct AskButton {
    asking: bool,
    /// It did listen since the button began to ask.
    heard_of: bool,
    /// When the pointer went down on it.
    down: Option<f64>,
    /// The press that is under way began the asking.
    began: bool,
}

impl AskButton {
    /// Whether it asks.
    pub fn asking(&self) -> bool {
        self.asking
    }

    /// The pointer is down on it, or not; `now` is in seconds. What is to be done: listen, or no longer.
    pub fn pointer(&mut self, down: bool, now: f64) -> Option<bool> {
        match (down, self.down) {
            (true, None) => {
                self.down = Some(now);
                self.began = !self.asking;
                self.begin()
            }
            (false, Some(since)) => {
                self.down = None;
                // A brief press leaves it on; the next one ends it.
                (now - since >= HOLD || !self.began).then(|| self.end()).flatten()
            }
            _ => None,
        }
    }

    /// It was pressed by Enter or by a screen reader.
    pub fn press(&mut self) -> Option<bool> {
        if self.asking { self.end() } else { self.begin() }
    }

    /// Listening ended by itself when the question was over.
    pub fn follow(&mut self, ear: &EarState) {
        let listens = matches!(ear, EarState::Listening | EarState::Hearing);
        if self.asking && self.down.is_none() && self.heard_of && !listens {
            self.asking = false;
        }
        self.heard_of = self.asking && (self.heard_of || listens);
    }

    fn begin(&mut self) -> Option<bool> {
        let before = std::mem::replace(&mut self.asking, true);
        (!before).then_some(true)
    }

    fn end(&mut self) -> Option<bool> {
        std::mem::take(&mut self.asking).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_held() {
        let mut button = AskButton::default();
        assert_eq!(button.pointer(true, 1.0), Some(true));
        assert_eq!(button.pointer(true, 1.5), None);
        assert_eq!(button.pointer(false, 2.0), Some(false));
        assert!(!button.asking());
    }

    #[test]
    fn it_can_be_pressed_twice() {
        let mut button = AskButton::default();
        assert_eq!(button.pointer(true, 1.0), Some(true));
        assert_eq!(button.pointer(false, 1.1), None);
        assert!(button.asking());
        assert_eq!(button.pointer(true, 5.0), None);
        assert_eq!(button.pointer(false, 5.1), Some(false));
        assert_eq!((button.press(), button.press()), (Some(true), Some(false)));
    }

    #[test]
    fn it_comes_up_by_itself_when_the_question_is_over() {
        let mut button = AskButton::default();
        button.press();
        button.follow(&EarState::Off);
        assert!(button.asking(), "listening has not begun yet");
        button.follow(&EarState::Hearing);
        button.follow(&EarState::Off);
        assert!(!button.asking());
        button.press();
        button.follow(&EarState::Off);
        assert!(button.asking(), "and can begin anew");
    }
}
