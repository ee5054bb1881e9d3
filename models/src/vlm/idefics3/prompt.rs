//! The prompt: a chat turn with a picture and a question, the picture spelled out as the tokens whose places it takes.

use serde::Serialize;
use tokenizers::Tokenizer;

use super::TiledPicture;
use crate::checkpoint::Checkpoint;
use crate::text::{TextError, chat};
use crate::vlm::VlmError;
use crate::vlm::plain_text::plain_text;

/// Stands for a picture in a rendered chat, and for one position of it in a prompt.
pub(super) const IMAGE: &str = "<image>";
const AROUND_IMAGE: &str = "<fake_token_around_image>";
const GLOBAL_IMAGE: &str = "<global-img>";
/// Ends a turn of a chat.
pub(super) const END_OF_UTTERANCE: &str = "<end_of_utterance>";

/// Makes prompts of pictures and questions.
#[derive(Debug)]
pub struct PromptBuilder {
    tokenizer: Tokenizer,
    template: String,
    bos_token: String,
    eos_token: String,
    /// Positions of one tile.
    image_seq_len: usize,
    /// What the tokenizer takes for more than text.
    special: Vec<String>,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'static str,
    content: [Content<'a>; 2],
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Content<'a> {
    Image,
    Text { text: &'a str },
}

impl PromptBuilder {
    /// Takes tokenizer and chat template of a checkpoint.
    ///
    /// # Errors
    /// [`VlmError`] if they are not there, or not those of a model with pictures whose image token is `image_token_id`.
    pub fn from_checkpoint(
        checkpoint: &Checkpoint,
        image_token_id: u32,
        image_seq_len: usize,
    ) -> Result<Self, VlmError> {
        let tokenizer = checkpoint.tokenizer.clone().ok_or(TextError::NoTokenizer)?;
        tokenizer.token_to_id(AROUND_IMAGE).ok_or(VlmError::MissingToken(AROUND_IMAGE))?;
        let found = tokenizer.token_to_id(IMAGE).ok_or(VlmError::MissingToken(IMAGE))?;
        if found != image_token_id {
            return Err(VlmError::ForeignToken { token: IMAGE, found, expected: image_token_id });
        }
        let token = |name| checkpoint.special_token(name).map(Option::unwrap_or_default);
        let special = tokenizer.get_added_tokens_decoder().into_values().map(|token| token.content);
        let prompts = Self {
            template: checkpoint.chat_template.clone().ok_or(TextError::NoChatTemplate)?,
            bos_token: token("bos_token")?,
            eos_token: token("eos_token")?,
            image_seq_len,
            special: special.collect(),
            tokenizer,
        };
        prompts.render("?")?;
        Ok(prompts)
    }

    /// The tokenizer of the prompts and their answers.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Tokens of the prompt up to the end of the picture: the same whatever is asked.
    ///
    /// # Errors
    /// [`VlmError`] if template or tokenizer fail.
    pub fn picture(&self, picture: &TiledPicture) -> Result<Vec<u32>, VlmError> {
        let [before, _] = self.render("?")?;
        self.tokens(&(before + &picture_text(picture.rows, picture.cols, self.image_seq_len)))
    }

    /// Tokens of the prompt behind the picture, up to where the answer begins.
    ///
    /// # Errors
    /// [`VlmError`] if template or tokenizer fail.
    pub fn question(&self, question: &str) -> Result<Vec<u32>, VlmError> {
        let [_, behind] = self.render(&plain_text(question, &self.special))?;
        self.tokens(&behind)
    }

    /// Tokens of an answer behind its question, and of the end of its turn.
    ///
    /// # Errors
    /// [`VlmError`] if the tokenizer fails.
    pub fn answer(&self, answer: &str) -> Result<Vec<u32>, VlmError> {
        self.tokens(&format!(" {}{END_OF_UTTERANCE}", plain_text(answer, &self.special)))
    }

    /// The chat before and behind the picture.
    fn render(&self, question: &str) -> Result<[String; 2], VlmError> {
        let content = [Content::Image, Content::Text { text: question }];
        let turn = Turn { role: "user", content };
        let chat = chat::render(&self.template, &[turn], &self.bos_token, &self.eos_token)?;
        let (before, behind) = chat.split_once(IMAGE).ok_or(VlmError::NoPictureInTemplate)?;
        Ok([before.into(), behind.into()])
    }

    /// Cut at a special token, which the picture's text ends with, so that its parts have the tokens of the whole.
    fn tokens(&self, text: &str) -> Result<Vec<u32>, VlmError> {
        let encoding = self.tokenizer.encode(text, false).map_err(|e| TextError::Tokenizer(e.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }
}

/// What takes the place of `<image>`: every tile's positions behind its row and column, the whole picture's last.
fn picture_text(rows: usize, cols: usize, image_seq_len: usize) -> String {
    let positions = IMAGE.repeat(image_seq_len);
    let mut text = String::new();
    for row in 1..=rows {
        for col in 1..=cols {
            text += &format!("{AROUND_IMAGE}<row_{row}_col_{col}>{positions}");
        }
        text += "\n";
    }
    if rows > 0 {
        text += "\n";
    }
    text + &format!("{AROUND_IMAGE}{GLOBAL_IMAGE}{positions}{AROUND_IMAGE}")
}
