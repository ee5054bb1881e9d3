//! A picture is encoded once, then every question about it costs only its own tokens.

use std::fmt;
use std::ops::Range;

use burn::tensor::Tensor;
use tokenizers::Tokenizer;

use super::{PictureAnswer, PictureOptions, VlmError, log_sum_exp};
use crate::text::generate::{Flow, GenerateOptions, StopReason, generate};
use crate::text::{TextCache, TextModel};
use crate::vision::RgbView;

/// Is asked before each step of looking at a picture: how many of how many are done, and whether to go on.
pub type GoOn<'a> = &'a mut dyn FnMut(usize, usize) -> Flow;

/// What differs between vision-language models: how a picture becomes the beginning of a prompt, and a question its end.
pub trait PictureModel: fmt::Debug + Send + Sync {
    /// The language model.
    fn language(&self) -> &TextModel;

    /// The tokenizer of prompts and answers.
    fn tokenizer(&self) -> &Tokenizer;

    /// Tokens that end an answer.
    fn eos_token_ids(&self) -> &[u32];

    /// Looks at `picture`. Steps are its tiles or, where it is looked at as a whole, the blocks of the vision tower.
    ///
    /// # Errors
    /// [`VlmError`] if the tokenizer or the device failed, and [`VlmError::Stopped`].
    fn look(&self, picture: RgbView<'_>, options: &PictureOptions, go_on: GoOn<'_>) -> Result<Beginning, VlmError>;

    /// Tokens of the prompt behind the picture, up to where the answer begins.
    ///
    /// # Errors
    /// [`VlmError`] if the tokenizer failed.
    fn question(&self, question: &str) -> Result<Vec<u32>, VlmError>;

    /// Bytes the weights take in memory, norms left out: vision tower, connector, language model.
    fn bytes(&self) -> [usize; 3];
}

/// A prompt up to the end of its picture, as the language model's first block reads it.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// `[1, t, d]`
    pub embedded: Tensor<3>,
    /// Positions of the picture that the language model treats otherwise than those of text; often none.
    pub picture: Range<usize>,
    /// Tiles that were looked at.
    pub tiles: usize,
}

/// A vision-language model with everything around it: pictures and questions in, text out.
#[derive(Debug)]
pub struct Viewer<M>(pub(super) M);

/// A picture that was looked at: the beginning that all questions about it share.
#[derive(Debug, Clone)]
pub struct EncodedPicture {
    cache: TextCache,
    /// Positions of the beginning.
    len: usize,
    /// Tiles that were looked at.
    pub tiles: usize,
}

impl EncodedPicture {
    /// Positions the picture takes in the language model's context.
    pub fn positions(&self) -> usize {
        self.len
    }
}

impl<M: PictureModel> Viewer<M> {
    /// The language model.
    pub fn language(&self) -> &TextModel {
        self.0.language()
    }

    /// Bytes the weights take in memory, norms left out: vision tower, connector, language model.
    pub fn bytes(&self) -> [usize; 3] {
        self.0.bytes()
    }

    /// Looks at `picture`.
    ///
    /// # Errors
    /// [`VlmError`] if the tokenizer or the device failed, or the picture takes more positions than the model has.
    pub fn encode(&self, picture: RgbView<'_>, options: &PictureOptions) -> Result<EncodedPicture, VlmError> {
        self.encode_while(picture, options, |_, _| Flow::Continue)
    }

    /// The same, asking `go_on` before each step: how many of how many are done.
    ///
    /// # Errors
    /// As [`Viewer::encode`], and [`VlmError::Stopped`].
    pub fn encode_while(
        &self,
        picture: RgbView<'_>,
        options: &PictureOptions,
        mut go_on: impl FnMut(usize, usize) -> Flow,
    ) -> Result<EncodedPicture, VlmError> {
        let Beginning { embedded, picture, tiles } = self.0.look(picture, options, &mut go_on)?;
        let (language, len) = (self.0.language(), embedded.dims()[1]);
        let mut cache = language.cache_with_picture(picture);
        language.forward_embeddings(embedded, &mut cache)?;
        Ok(EncodedPicture { cache, len, tiles })
    }

    /// Answers `question` about `picture` in at most `max_tokens` tokens; `on_text` gets the answer piece by piece.
    ///
    /// # Errors
    /// [`VlmError`] if the question is too long, or the tokenizer or the device failed.
    pub fn answer(
        &self,
        picture: &mut EncodedPicture,
        question: &str,
        max_tokens: usize,
        mut on_text: impl FnMut(&str) -> Flow,
    ) -> Result<PictureAnswer, VlmError> {
        picture.cache.truncate(picture.len);
        let prompt = self.0.question(question)?;
        let options = GenerateOptions {
            max_new_tokens: max_tokens,
            eos_token_ids: self.0.eos_token_ids().to_vec(),
            ..GenerateOptions::default()
        };
        let (mut log_probability, mut chosen) = (0.0, 0);
        // The largest logit is the one that is chosen.
        let mut watch = |_: &[u32], logits: &mut [f32]| {
            log_probability += logits.iter().copied().fold(f32::NEG_INFINITY, f32::max) - log_sum_exp(logits);
            chosen += 1;
        };
        let mut text = String::new();
        let collect = |piece: &str| {
            text += piece;
            on_text(piece)
        };
        let (language, tokenizer) = (self.0.language(), self.0.tokenizer());
        let generated =
            generate(language, tokenizer, &prompt, &mut picture.cache, &options, Some(&mut watch), collect)?;
        Ok(PictureAnswer {
            text: text.trim().to_string(),
            confidence: (log_probability / chosen.max(1) as f32).exp(),
            cancelled: generated.stop == StopReason::Cancelled,
        })
    }
}

impl PictureModel for Box<dyn PictureModel> {
    fn language(&self) -> &TextModel {
        (**self).language()
    }

    fn tokenizer(&self) -> &Tokenizer {
        (**self).tokenizer()
    }

    fn eos_token_ids(&self) -> &[u32] {
        (**self).eos_token_ids()
    }

    fn look(&self, picture: RgbView<'_>, options: &PictureOptions, go_on: GoOn<'_>) -> Result<Beginning, VlmError> {
        (**self).look(picture, options, go_on)
    }

    fn question(&self, question: &str) -> Result<Vec<u32>, VlmError> {
        (**self).question(question)
    }

    fn bytes(&self) -> [usize; 3] {
        (**self).bytes()
    }
}
