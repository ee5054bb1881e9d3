//! speech-dispatcher, the speech service of Linux, through its own library.
//!
//! The crate `tts` could do this too, but it asks for all voices (thousands, for seconds) whenever one is chosen, and ends the
//! program if the service tells something after the connection was given up.

use speech_dispatcher::{Connection, Error, Mode, Priority, Voice};

use super::backend::{Scale, Settings};
use super::choice::{VoiceChoice, VoiceInfo};
use super::engine::{Engine, Key, News};

const NAME: &str = "sightread";
/// A module that only says that there is no other.
const DUMMY: &str = "dummy";
/// Between the name of a module that is not the service's first and the name of its voice.
const MODULE_END: &str = ": ";
/// Unsets the name of a voice.
const NO_VOICE: &str = "NULL";
const RATE: Scale = Scale { min: -100.0, normal: 0.0, max: 100.0 };
const VOLUME: Scale = Scale { min: -100.0, normal: 100.0, max: 100.0 };

/// A connection to speech-dispatcher.
pub(super) struct SpeechDispatcher {
    connection: Connection,
    /// What the service speaks with if nothing is chosen.
    own: Own,
}

/// What a service uses by itself; empty if it does not tell.
#[derive(Debug, Clone, Default)]
struct Own {
    language: String,
    module: String,
    /// All of its modules: each brings voices of its own.
    modules: Vec<String>,
}

impl Own {
    fn of(connection: &Connection) -> Self {
        let get = |what: &str| first_field(&ask(connection, &format!("GET {what}")));
        Self {
            language: get("LANGUAGE"),
            module: get("OUTPUT_MODULE"),
            modules: rows(&ask(connection, "LIST OUTPUT_MODULES")).map(str::to_string).collect(),
        }
    }

    /// Module and name of a voice, of what [`named_with_module`] made.
    fn split<'a>(&'a self, name: &'a str) -> (&'a str, &'a str) {
        let parts = name.split_once(MODULE_END);
        parts.filter(|(module, _)| self.modules.iter().any(|m| m == module)).unwrap_or((&self.module, name))
    }
}

impl Engine for SpeechDispatcher {
    fn connect(news: impl Fn(News, Key) + Clone + Send + 'static) -> Result<Self, String> {
        let connection = Connection::open(NAME, "voice", NAME, Mode::Threaded).map_err(explain)?;
        let letter = |what: News| {
            let news = news.clone();
            Some(Box::new(move |message: usize, _| news(what, message.to_string())) as Box<dyn FnMut(usize, usize)>)
        };
        connection.on_begin(letter(News::Began));
        connection.on_end(letter(News::Ended));
        connection.on_cancel(letter(News::Stopped));
        let own = Own::of(&connection);
        Ok(Self { connection, own })
    }

    fn speak(&mut self, text: &str) -> Result<Option<Key>, String> {
        match self.connection.say(Priority::Important, text) {
            Some(message) => Ok(Some(message.to_string())),
            None => Err("the speech service broke off".into()),
        }
    }

    fn stop(&mut self) -> Result<(), String> {
        self.connection.cancel().map_err(explain)
    }

    fn configure(&mut self, settings: Settings) -> Result<(), String> {
        self.connection.set_voice_rate(settings.rate_between(RATE) as i32).map_err(explain)?;
        self.connection.set_volume(settings.volume_between(VOLUME) as i32).map_err(explain)
    }

    fn choose(&mut self, choice: &VoiceChoice) -> Result<(), String> {
        let own = &self.own;
        let (module, name) = own.split(choice.name());
        let set_module = |module: &str| match module {
            "" => Ok(()),
            module => self.connection.set_output_module(module),
        };
        // In this order: the service may change the module with the language, and forgets the voice with the module.
        set_module(&own.module).map_err(explain)?;
        let language = if choice.language().is_empty() { &own.language } else { choice.language() };
        if !language.is_empty() {
            self.connection.set_language(language).map_err(explain)?;
        }
        if !name.is_empty() {
            set_module(module).map_err(explain)?;
        }
        let name = if name.is_empty() { NO_VOICE } else { name };
        let voice = Voice { name: name.into(), language: String::new(), variant: None };
        self.connection.set_synthesis_voice(&voice).map_err(explain)
    }

    fn list(&mut self, give: impl FnOnce(Vec<VoiceInfo>) + Send + 'static) {
        // On a connection of its own, so that speaking does not wait for it. The crate opens none without a thread.
        let own = self.own.clone();
        let list = move || {
            let connection = Connection::open(NAME, "voices", NAME, Mode::Threaded);
            give(connection.map(|connection| list_voices(&connection, &own)).unwrap_or_default());
        };
        // Without a thread nobody is told; then there are other worries.
        let _ = std::thread::Builder::new().name("voice list".into()).spawn(list);
    }
}

/// Voices of all modules, those of the service's own first and by their bare names.
fn list_voices(connection: &Connection, own: &Own) -> Vec<VoiceInfo> {
    const LIST: &str = "LIST SYNTHESIS_VOICES";
    // The crate's own call takes seconds to read the answer, thousands of lines long.
    let mut voices = parse(&ask(connection, LIST));
    for module in own.modules.iter().filter(|module| **module != own.module && *module != DUMMY) {
        if connection.set_output_module(module.as_str()).is_ok() {
            let others = parse(&ask(connection, LIST)).into_iter();
            voices.extend(others.map(|voice| VoiceInfo { name: named_with_module(module, &voice.name), ..voice }));
        }
    }
    voices
}

fn named_with_module(module: &str, name: &str) -> String {
    format!("{module}{MODULE_END}{name}")
}

/// The answer to a command of the service's protocol. The crate never frees it: not for what is asked often.
fn ask(connection: &Connection, command: &str) -> String {
    connection.send_data(format!("{command}\r\n"), true).unwrap_or_default()
}

/// The rows of an answer, `249-row` each, without the line that ends it, `249 OK …`.
fn rows(answer: &str) -> impl Iterator<Item = &str> {
    answer
        .lines()
        .filter_map(|line| line.split_at_checked(4))
        .filter(|(code, _)| code.ends_with('-'))
        .map(|(_, row)| row)
}

fn first_field(answer: &str) -> String {
    rows(answer).next().unwrap_or_default().trim().to_string()
}

/// Voices of rows `name TAB language TAB variant`. espeak-ng has a hundred times as many as it has languages, each of them
/// changed a little, `English+Adam`: nobody finds anything among them.
fn parse(answer: &str) -> Vec<VoiceInfo> {
    let voice = |row: &str| {
        let mut fields = row.split('\t').map(str::trim);
        let (name, language) = (fields.next()?, fields.next()?);
        let good = !name.is_empty() && !name.contains('+') && !language.is_empty();
        good.then(|| VoiceInfo { name: name.into(), language: language.into() })
    };
    rows(answer).filter_map(voice).collect()
}

fn explain(_: Error) -> String {
    "the speech service speech-dispatcher does not answer".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voices_are_read_from_the_answer_of_the_service() {
        let answer = "249-Afrikaans\taf\tnone\r\n249-Afrikaans+Adam\taf\tAdam\r\n249-English (Scotland)\ten-GB-SCOTLAND\tnone\r\n\
            249-\ten\tnone\r\n249-broken\r\n2\r\n249 OK VOICE LIST SENT\r\n";
        let voices = parse(answer);
        let names: Vec<_> = voices.iter().map(|v| (v.name.as_str(), v.language.as_str())).collect();
        assert_eq!(names, [("Afrikaans", "af"), ("English (Scotland)", "en-GB-SCOTLAND")]);
        assert_eq!(parse("514 ERR PARAMETER INVALID\r\n"), []);
        assert_eq!(first_field("251-en-US\r\n251 OK GET RETURNED\r\n"), "en-US");
        assert_eq!(first_field(""), "");
    }

    #[test]
    fn a_voice_of_another_module_brings_its_module() {
        let modules = ["espeak-ng", "rhvoice"].map(String::from).into();
        let own = Own { module: "espeak-ng".into(), modules, ..Own::default() };
        assert_eq!(own.split(&named_with_module("rhvoice", "Anna")), ("rhvoice", "Anna"));
        assert_eq!(own.split("Anna"), ("espeak-ng", "Anna"));
        assert_eq!(own.split("Odd: name"), ("espeak-ng", "Odd: name"));
    }
}
