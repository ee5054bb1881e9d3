//! Answers to questions about a picture's text.
//!
//! What has an exact form is quoted by an extractor; the rest goes to the language model, which may only copy what was
//! read ([`CopiesOf`]). A dose, a strength or an expiry date is always a quoted line, and an answer that rests on
//! doubtful characters says so. Another model that sees the picture may be asked what the text does not tell; its answers
//! are never sure.

mod copy_rule;
mod document;
mod extract;
mod intent;
mod picture;

use std::sync::Arc;

use image::RgbImage;
use serde::Serialize;
use sightread_models::text::TextError;
use sightread_models::text::generate::Flow;
use sightread_models::vision::RgbView;
use sightread_models::vlm::{EncodedPicture, EncodedText, PictureOptions, StarterLanguage, VisionLanguage, VlmError};

pub use copy_rule::{CopiesOf, REFUSAL};
pub use document::{Document, Row};
pub(crate) use extract::pattern;
use extract::speaks_of_a_dose;
pub use extract::{Found, Kind, extract};
pub use intent::{Intent, intent};

/// Below this the language model's own answer counts as a guess. On labelled photos four of five answers from here on were
/// right, and half of those below.
const SURE_CONFIDENCE: f32 = 0.95;
/// What is said of a picture without text.
pub const NO_TEXT: &str = "I see no text.";

/// Who found the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The text as a whole; nothing had to be found.
    Reading,
    /// An exact extractor.
    Extractor,
    /// The language model.
    LanguageModel,
    /// A model that saw the picture.
    PictureModel,
}

/// The model that answers what is not quoted.
#[derive(Debug, Clone, Copy)]
pub enum Model<'m> {
    /// It knows the text only, and may only copy from it.
    Text(&'m StarterLanguage),
    /// It sees the picture.
    Picture(&'m VisionLanguage),
}

impl<'m> From<&'m StarterLanguage> for Model<'m> {
    fn from(model: &'m StarterLanguage) -> Self {
        Self::Text(model)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The language model could not be loaded or failed.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The model that sees pictures failed.
    #[error(transparent)]
    Picture(#[from] VlmError),
    /// The pixels are no picture.
    #[error(transparent)]
    Pixels(#[from] sightread_models::vision::VisionError),
}

/// An answer and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The answer itself.
    pub text: String,
    /// Whether everything it rests on was read surely and it was found surely.
    pub sure: bool,
    /// Indices of the reading's lines that it rests on.
    pub lines: Vec<usize>,
    /// Who found it.
    pub source: Source,
    /// How probable the language model found its words, 0 to 1; 1 for everything else.
    pub confidence: f32,
}

impl Answer {
    /// The answer as it is spoken: an unsure one says so first.
    pub fn spoken(&self) -> String {
        if self.sure { self.text.clone() } else { format!("I am not sure: {}", self.text) }
    }

    fn of_rows(text: String, document: &Document, rows: &[usize], source: Source) -> Self {
        let rows: Vec<&Row> = rows.iter().filter_map(|&at| document.rows.get(at)).collect();
        let sure = rows.iter().all(|row| row.sure);
        let lines = rows.iter().flat_map(|row| row.lines.iter().copied()).collect();
        Self { text, sure, lines, source, confidence: 1.0 }
    }
}

/// A picture's text, ready for questions. A model reads it, or looks at the picture, once: at the first question that
/// needs it.
pub struct Conversation {
    document: Document,
    picture: Option<Picture>,
    /// What the model made of the text, or of the picture: the beginning that all questions share.
    read: Option<EncodedText>,
    seen: Option<EncodedPicture>,
}

/// A picture for a model that sees it.
struct Picture {
    pixels: Arc<RgbImage>,
    /// Whether the model is told the text too.
    tells_text: bool,
}

impl Conversation {
    /// A conversation about `document`.
    pub fn new(document: Document) -> Self {
        Self { document, picture: None, read: None, seen: None }
    }

    /// The same with the picture, for a model that sees it; `tells_text`: it is told the text too, so that it need not spell.
    #[must_use]
    pub fn with_picture(self, pixels: Arc<RgbImage>, tells_text: bool) -> Self {
        Self { picture: Some(Picture { pixels, tells_text }), ..self }
    }

    /// The same for another model, to which what this one made of it is nothing.
    #[must_use]
    pub fn anew(self) -> Self {
        Self { read: None, seen: None, ..self }
    }

    /// Answers `question`; `model` gives the model when it is needed. `on_text` gets the answer piece by piece.
    ///
    /// # Errors
    /// [`AnswerError`] if the model could not be loaded or failed.
    pub fn ask<'m, M: Into<Model<'m>>, E: Into<AnswerError>>(
        &mut self,
        question: &str,
        model: impl FnOnce() -> Result<M, E>,
        mut on_text: impl FnMut(&str) -> Flow,
    ) -> Result<Answer, AnswerError> {
        let quoted = self.without_model(question);
        if let Some(answer) = quoted {
            on_text(&answer.text);
            return Ok(answer);
        }
        let has_text = !self.document.rows.is_empty();
        let model = if has_text || self.picture.is_some() { Some(model().map_err(Into::into)?.into()) } else { None };
        match model {
            Some(Model::Picture(model)) => self.look(question, model, on_text),
            Some(Model::Text(model)) if has_text => Ok(self.copy(question, model, on_text)?),
            _ => {
                on_text(NO_TEXT);
                Ok(Answer::of_rows(NO_TEXT.into(), &self.document, &[], Source::Reading))
            }
        }
    }

    /// What the language model copies from the text.
    fn copy(
        &mut self,
        question: &str,
        model: &StarterLanguage,
        mut on_text: impl FnMut(&str) -> Flow,
    ) -> Result<Answer, TextError> {
        let quoting = is_about_exact_words(question);
        let encoded = match &mut self.read {
            Some(encoded) => encoded,
            none => none.insert(model.encode(&self.document.prompt_lines())?),
        };
        let rule = CopiesOf(&self.document);
        let heard =
            model.answer(encoded, question, &rule, |piece| if quoting { Flow::Continue } else { on_text(piece) })?;
        let mut text = heard.text;
        let rows = self.document.rows_of(text.trim_end_matches('.'));
        if text.is_empty() {
            text = format!("{REFUSAL} that here.");
            on_text(&text);
        }
        if quoting && !rows.is_empty() {
            // The whole line is quoted, and no extractor vouches for it.
            text = rows.iter().map(|&at| self.document.rows[at].text.as_str()).collect::<Vec<_>>().join(", ");
        }
        if quoting {
            on_text(&text);
        }
        let mut answer = Answer::of_rows(text, &self.document, &rows, Source::LanguageModel);
        let refusal = answer.text.starts_with(REFUSAL);
        // Whatever was asked: where a dose comes out, the language model's choice of it is not to be relied on.
        let careful = quoting || speaks_of_a_dose(&answer.text);
        answer.confidence = heard.confidence;
        answer.sure &= refusal || !careful && heard.confidence >= SURE_CONFIDENCE;
        Ok(answer)
    }

    /// What a model says that sees the picture.
    fn look(
        &mut self,
        question: &str,
        model: &VisionLanguage,
        mut on_text: impl FnMut(&str) -> Flow,
    ) -> Result<Answer, AnswerError> {
        let Some(picture) = self.picture.as_ref().filter(|_| !is_about_exact_words(question)) else {
            // It would have to spell, or there is nothing to see any more.
            let text = format!("{REFUSAL} that here.");
            on_text(&text);
            return Ok(Answer::of_rows(text, &self.document, &[], Source::PictureModel));
        };
        let seen = match &mut self.seen {
            Some(seen) => seen,
            none => {
                let pixels = &picture.pixels;
                let view = RgbView::new(pixels.as_raw(), pixels.width() as usize, pixels.height() as usize)?;
                none.insert(model.encode(view, &PictureOptions::default())?)
            }
        };
        let (text, confidence) = picture::answer(model, seen, question, &self.document, picture.tells_text, on_text)?;
        Ok(Answer { text, sure: false, lines: vec![], source: Source::PictureModel, confidence })
    }

    /// The answer, if it can be given without the language model.
    fn without_model(&self, question: &str) -> Option<Answer> {
        let document = &self.document;
        let all: Vec<usize> = (0..document.rows.len()).collect();
        match intent(question) {
            Intent::Free => None,
            _ if document.rows.is_empty() => Some(Answer::of_rows(NO_TEXT.into(), document, &[], Source::Reading)),
            Intent::ReadAll => {
                let text = document.rows.iter().map(|row| row.text.replace(" | ", ", ")).collect::<Vec<_>>().join("\n");
                Some(Answer::of_rows(text, document, &all, Source::Reading))
            }
            Intent::CountLines => {
                Some(Answer::of_rows(format!("{} lines.", all.len()), document, &[], Source::Reading))
            }
            Intent::Extract(kind @ (Kind::Dose | Kind::Strength)) => self.quote_rows(kind),
            Intent::Extract(kind) => self.one_value(kind),
        }
    }

    /// The one value of a kind, however often it is printed; `None` if there is none or several differ.
    fn one_value(&self, kind: Kind) -> Option<Answer> {
        let found = extract(&self.document, kind);
        let first = found.first()?;
        let several_are_an_answer = matches!(kind, Kind::Phone | Kind::Email | Kind::Website) && found.len() <= 3;
        if !several_are_an_answer && found.iter().any(|other| other.text != first.text) {
            return None;
        }
        let mut texts: Vec<&str> = found.iter().map(|f| f.text.as_str()).collect();
        texts.dedup();
        let rows: Vec<usize> = found.iter().map(|f| f.row).collect();
        Some(Answer::of_rows(texts.join(", "), &self.document, &rows, Source::Extractor))
    }

    /// At most three rows about a dose or a strength, quoted whole.
    fn quote_rows(&self, kind: Kind) -> Option<Answer> {
        let rows = extract(&self.document, kind);
        if rows.is_empty() || rows.len() > 3 {
            return None;
        }
        let text = rows.iter().map(|f| f.text.as_str()).collect::<Vec<_>>().join(", ");
        let rows: Vec<usize> = rows.iter().map(|f| f.row).collect();
        Some(Answer::of_rows(text, &self.document, &rows, Source::Extractor))
    }
}

/// Whether a wrong word in the answer could do harm: a dose, a strength, a date until which something is good.
fn is_about_exact_words(question: &str) -> bool {
    matches!(intent(question), Intent::Extract(Kind::Dose | Kind::Strength | Kind::Expiry))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(lines: &[&str], question: &str) -> Option<Answer> {
        Conversation::new(Document::from_lines(lines.iter().copied())).without_model(question)
    }

    #[test]
    fn nothing_to_read_is_said_and_never_invented() {
        assert_eq!(ask(&[], "What is the total?").unwrap().text, NO_TEXT);
        assert_eq!(ask(&["", " "], "Read it").unwrap().text, NO_TEXT);
        let no_model = || -> Result<&StarterLanguage, TextError> { unreachable!("there is nothing to ask about") };
        let mut conversation = Conversation::new(Document::default());
        assert_eq!(conversation.ask("Who makes it?", no_model, |_| Flow::Continue).unwrap().text, NO_TEXT);
    }

    #[test]
    fn reading_counting_and_quoting_need_no_model() {
        let label = ["Ibuprofen 400 mg", "Take one tablet every 6 hours", "EXP 03/2027"];
        assert_eq!(ask(&label, "Read it").unwrap().text, label.join("\n"));
        assert_eq!(ask(&label, "How many lines are there?").unwrap().text, "3 lines.");
        let dose = ask(&label, "How much should I take?").unwrap();
        assert_eq!((dose.text.as_str(), &dose.lines[..]), (label[1], &[1][..]));
        assert_eq!(ask(&label, "How strong are they?").unwrap().text, label[0]);
        assert_eq!(ask(&label, "When does it expire?").unwrap().text, "03/2027");
        assert_eq!(ask(&label, "Who makes it?"), None);
    }

    #[test]
    fn an_answer_from_a_doubtful_line_says_so() {
        let row = Row { text: "EXP 03/2027".into(), sure: false, ..Row::default() };
        let answer = Conversation::new(Document::new(vec![row])).without_model("When does it expire?").unwrap();
        assert_eq!(answer.spoken(), "I am not sure: 03/2027");
    }

    #[test]
    fn two_different_dates_are_left_to_the_model() {
        assert_eq!(ask(&["From 1 May 2024", "to 3 June 2024"], "What is the date?"), None);
    }
}
