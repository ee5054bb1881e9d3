//! The speech service of Windows and macOS, through the crate `tts`.

use tts::{Tts, UtteranceId, Voice};

use super::backend::{Scale, Settings};
use super::choice::{VoiceChoice, VoiceInfo};
use super::engine::{Engine, Key, News};

/// A connection to the system's speech service.
pub(super) struct Portable {
    // Never dropped: the crate takes its callbacks away with it, and a late event of the service would then find none
    // and end the whole program. One connection is lost with every death of the service, which is a few kilobytes.
    tts: std::mem::ManuallyDrop<Tts>,
    /// What it speaks with if nothing is chosen, where it tells.
    own: Option<Voice>,
}

impl Engine for Portable {
    fn connect(news: impl Fn(News, Key) + Clone + Send + 'static) -> Result<Self, String> {
        let tts = Tts::default().map_err(explain)?;
        let letter = |what: News| {
            let news = news.clone();
            Some(Box::new(move |id: UtteranceId| news(what, key(&id))) as Box<dyn FnMut(UtteranceId)>)
        };
        let features = tts.supported_features();
        if features.utterance_callbacks {
            tts.on_utterance_begin(letter(News::Began)).map_err(explain)?;
            tts.on_utterance_end(letter(News::Ended)).map_err(explain)?;
            tts.on_utterance_stop(letter(News::Stopped)).map_err(explain)?;
        }
        let own = if features.get_voice { tts.voice().ok().flatten() } else { None };
        Ok(Self { tts: std::mem::ManuallyDrop::new(tts), own })
    }

    fn speak(&mut self, text: &str) -> Result<Option<Key>, String> {
        let utterance = self.tts.speak(text, false).map_err(explain)?;
        Ok(utterance.filter(|_| self.tts.supported_features().utterance_callbacks).map(|id| key(&id)))
    }

    fn stop(&mut self) -> Result<(), String> {
        self.tts.stop().map(drop).map_err(explain)
    }

    fn configure(&mut self, settings: Settings) -> Result<(), String> {
        let features = self.tts.supported_features();
        let tts = &mut self.tts;
        if features.rate {
            let scale = Scale { min: tts.min_rate(), normal: tts.normal_rate(), max: tts.max_rate() };
            tts.set_rate(settings.rate_between(scale)).map_err(explain)?;
        }
        if features.volume {
            let scale = Scale { min: tts.min_volume(), normal: tts.normal_volume(), max: tts.max_volume() };
            tts.set_volume(settings.volume_between(scale)).map_err(explain)?;
        }
        Ok(())
    }

    fn choose(&mut self, choice: &VoiceChoice) -> Result<(), String> {
        let voices = self.voices();
        let chosen = voices.iter().find(|voice| {
            let info = info(voice);
            if choice.name().is_empty() { info.speaks(choice.language()) } else { info.name == choice.name() }
        });
        match chosen.or(self.own.as_ref()).cloned() {
            Some(voice) => self.tts.set_voice(&voice).map(drop).map_err(explain),
            // It keeps the voice that it has.
            None => Ok(()),
        }
    }

    fn list(&mut self, give: impl FnOnce(Vec<VoiceInfo>) + Send + 'static) {
        give(self.voices().iter().map(info).collect());
    }
}

impl Portable {
    fn voices(&self) -> Vec<Voice> {
        self.tts.voices().unwrap_or_default()
    }
}

fn info(voice: &Voice) -> VoiceInfo {
    VoiceInfo { name: voice.name(), language: voice.language().to_string() }
}

/// Identifiers of utterances differ from system to system; as text they can all be compared.
fn key(id: &UtteranceId) -> Key {
    format!("{id:?}")
}

fn explain(error: tts::Error) -> String {
    match error {
        tts::Error::NoneError => "the speech service broke off".into(),
        other => other.to_string(),
    }
}
