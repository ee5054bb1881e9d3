//! What was asked: a command of the program, or a question about the picture.
//!
//! Spoken commands are heard wrongly now and then, so that near misses count ("slow were" is "slower"). A false match is
//! worse than none: words that could be a question are a question, and a command that differs is only taken where
//! nothing else is near.

use strsim::damerau_levenshtein;

use super::Screen;

/// What the user wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Take a new picture and read it.
    Look,
    /// Read everything from the top.
    Read,
    /// Say the last thing again.
    Again,
    /// Speak slower from now on.
    Slower,
    /// Speak faster from now on.
    Faster,
    /// Speak louder from now on.
    Louder,
    /// Speak quieter from now on.
    Quieter,
    /// Spell the last thing.
    Spell,
    /// Read the next line.
    NextLine,
    /// Read the line before.
    PreviousLine,
    /// Be silent.
    Stop,
    /// Name the colour in the middle of the picture.
    Colour,
    /// Tell how light it is.
    Light,
    /// Switch the camera's lamp on or off.
    Torch(bool),
    /// Put the text into the clipboard.
    Copy,
    /// Save the text as a file.
    Save,
    /// Open a screen.
    Open(Screen),
    /// Tell what can be asked.
    Help,
    /// End the program.
    Quit,
    /// A question for the language model.
    Ask(String),
    /// Nothing that could be understood.
    Unclear,
}

/// Ways to say each command.
const PHRASES: [(Command, &[&str]); 25] = [
    (
        Command::Read,
        &[
            "read it",
            "read this",
            "read that",
            "read",
            // What a recogniser makes of "read it".
            "reddit",
            "read it out",
            "read it to me",
            "read it again from the top",
            "read everything",
            "read the text",
            "read all",
            "read aloud",
            "start reading",
            "what does it say",
            "what does this say",
            "read the page",
            "read from the top",
        ],
    ),
    (
        Command::Again,
        &[
            "again",
            "once more",
            "repeat",
            "repeat that",
            "repeat it",
            "say that again",
            "say it again",
            "pardon",
            "one more time",
            "what did you say",
            "come again",
        ],
    ),
    (
        Command::Slower,
        &["slower", "speak slower", "slow down", "read slower", "more slowly", "too fast", "a bit slower"],
    ),
    (Command::Faster, &["faster", "speak faster", "speed up", "read faster", "too slow", "a bit faster"]),
    (Command::Louder, &["louder", "speak louder", "speak up", "volume up", "too quiet", "a bit louder"]),
    (
        Command::Quieter,
        &["quieter", "speak quieter", "volume down", "softer", "too loud", "not so loud", "a bit quieter"],
    ),
    (
        Command::Spell,
        &[
            "spell that",
            "spell it",
            "spell",
            "spell this",
            "spell it out",
            "how is that spelled",
            "how do you spell that",
        ],
    ),
    (
        Command::NextLine,
        &["next line", "next", "go on", "continue", "the next line", "line down", "read the next line"],
    ),
    (
        Command::PreviousLine,
        &[
            "previous line",
            "previous",
            "last line",
            "back",
            "go back",
            "the line before",
            "line up",
            "the previous line",
            "one line back",
            "read the previous line",
        ],
    ),
    (
        Command::Stop,
        &["stop", "stop it", "stop that", "be quiet", "quiet", "silence", "shut up", "enough", "stop reading"],
    ),
    (
        Command::Colour,
        &[
            "what colour is it",
            "what color is it",
            "what colour is this",
            "what color is this",
            "which colour is it",
            "which color is it",
            "what colour",
            "what color",
            "tell me the colour",
            "tell me the color",
            "colour",
            "color",
            "what colour is that",
            "what color is that",
            "what is the colour",
            "what is the color",
        ],
    ),
    (
        Command::Light,
        &[
            "is the light on",
            "is the light off",
            "are the lights on",
            "are the lights off",
            "is it light",
            "is it dark",
            "how bright is it",
            "how light is it",
            "how dark is it",
            "is there light",
            "is the lamp on",
            "is it bright",
            "is there any light",
        ],
    ),
    (
        Command::Look,
        &[
            "look",
            "look at this",
            "take a picture",
            "take the picture",
            "new picture",
            "capture",
            "what is in front of me",
        ],
    ),
    (
        Command::Torch(true),
        &["lamp on", "torch on", "flashlight on", "turn on the lamp", "switch on the lamp", "turn the lamp on"],
    ),
    (
        Command::Torch(false),
        &["lamp off", "torch off", "flashlight off", "turn off the lamp", "switch off the lamp", "turn the lamp off"],
    ),
    (Command::Copy, &["copy", "copy it", "copy that", "copy the text"]),
    (Command::Save, &["save", "save it", "save that", "save the text"]),
    (Command::Open(Screen::Reader), &["open reader", "back to reading", "open camera", "open the reader"]),
    (Command::Open(Screen::History), &["open history", "history", "open the history", "show history"]),
    (Command::Open(Screen::Models), &["open models", "models", "open the models", "show models"]),
    (Command::Open(Screen::Settings), &["open settings", "settings", "open the settings", "show settings"]),
    (Command::Open(Screen::SetUp), &["open set up", "set up", "setup", "open setup", "check everything"]),
    (Command::Open(Screen::Help), &["open help", "show keys", "open the help"]),
    (Command::Help, &["help", "help me", "what can i say", "what can you do", "what can i ask", "how does this work"]),
    (
        Command::Quit,
        &["quit", "exit", "goodbye", "good bye", "stop listening", "close the program", "end the program", "bye"],
    ),
];

/// Words that change nothing at the beginning or end of a command.
const FILLERS: [&str; 20] = [
    "please", "now", "thanks", "thank", "you", "hey", "ok", "okay", "um", "uh", "er", "well", "so", "just", "and",
    "can", "could", "would", "computer", "then",
];
/// What a speech recogniser makes of a breath or of noise.
const NOISES: [&str; 9] =
    ["you", "thank you", "thanks", "bye bye", "thanks for watching", "thank you for watching", "the", "so", "oh"];
/// A word that begins a question: what differs from a command is then a question.
const QUESTION_WORDS: [&str; 27] = [
    "what", "whats", "when", "where", "who", "whose", "which", "why", "how", "is", "are", "was", "were", "does", "do",
    "did", "can", "could", "should", "must", "may", "has", "have", "will", "tell", "find", "look",
];

/// Understands what was heard or typed.
pub fn understand(heard: &str) -> Command {
    let words = words(heard);
    let all = words.join(" ");
    if words.is_empty() || NOISES.contains(&all.as_str()) {
        return Command::Unclear;
    }
    let core = without_fillers(&words);
    let said = if core.is_empty() { all.clone() } else { core.join(" ") };
    if let Some(command) = exact(&all).or_else(|| exact(&said)).or_else(|| near(&said)) {
        return command;
    }
    let asks = core.first().is_some_and(|word| QUESTION_WORDS.contains(word));
    // One stray word is no question ("Hmm."); two may be one ("total amount").
    if asks && core.len() >= 2 || core.len() >= 2 && core.iter().any(|word| word.len() > 3) {
        return Command::Ask(heard.trim().to_string());
    }
    if core.len() == 1 && core.iter().all(|word| word.len() >= 4) && heard.trim().ends_with('?') {
        return Command::Ask(heard.trim().to_string());
    }
    Command::Unclear
}

/// Lower case, letters and digits only; what stands in brackets is a recogniser's note, not speech: "[music]".
fn words(heard: &str) -> Vec<String> {
    let mut depth = 0_u32;
    let mut plain = String::new();
    for c in heard.to_lowercase().chars() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '\'' | '’' => {} // "what's" is "whats"
            c if c.is_alphanumeric() => plain.push(c),
            _ => plain.push(' '),
        }
    }
    plain.split_whitespace().map(Into::into).collect()
}

fn without_fillers(words: &[String]) -> Vec<&str> {
    let filler = |word: &&String| FILLERS.contains(&word.as_str());
    let start = words.iter().take_while(filler).count();
    let end = words.iter().rev().take_while(filler).count();
    words.iter().skip(start).take(words.len().saturating_sub(start + end)).map(String::as_str).collect()
}

fn exact(said: &str) -> Option<Command> {
    let (command, _) = PHRASES.iter().find(|(_, phrases)| phrases.contains(&said))?;
    Some(command.clone())
}

/// The one command that `said` is nearest to, if it is near enough and no other command is about as near.
fn near(said: &str) -> Option<Command> {
    let said = joined(said);
    let mut nearest: Vec<(f64, &Command)> = PHRASES
        .iter()
        .filter_map(|(command, phrases)| {
            let distance = phrases.iter().filter_map(|phrase| mishearing(&joined(phrase), &said)).reduce(f64::min)?;
            Some((distance, command))
        })
        .collect();
    nearest.sort_by(|a, b| a.0.total_cmp(&b.0));
    match nearest.as_slice() {
        [(distance, _), (other, _), ..] if other - distance < 0.1 => None,
        // Ending the program by a slip of the ear would leave the user alone.
        [(_, Command::Quit), ..] => None,
        [(_, command), ..] => Some((*command).clone()),
        [] => None,
    }
}

/// How far `said` is from `phrase`, as a share of its length; `None` where it is no mishearing of it.
///
/// Both are compared without spaces, since those are heard most wrongly: "next line" and "necks line". One letter in
/// four may differ, in short words fewer: among them another word is too near ("next", "text").
fn mishearing(phrase: &str, said: &str) -> Option<f64> {
    let length = phrase.chars().count();
    if length < 6 || length.abs_diff(said.chars().count()) > length / 3 {
        return None;
    }
    let distance = damerau_levenshtein(&sounds(phrase), &sounds(said)) as f64;
    let allowed = (length as f64 / 4.0).floor().min(3.0);
    (distance <= allowed).then_some(distance / length as f64)
}

fn joined(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Letters that sound alike made the same.
fn sounds(text: &str) -> String {
    let mut out = text.to_string();
    for (from, to) in
        [("colour", "color"), ("ck", "k"), ("ph", "f"), ("x", "ks"), ("wh", "w"), ("ee", "i"), ("ea", "i"), ("y", "i")]
    {
        out = out.replace(from, to);
    }
    let mut chars: Vec<char> = out.chars().collect();
    chars.dedup();
    chars.into_iter().collect()
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
