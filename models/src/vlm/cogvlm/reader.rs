//! Everything around the network: pictures are squeezed to squares, prompts are made of them.

use std::path::Path;

use burn::tensor::Device;
use tokenizers::Tokenizer;

use super::{CogVlm, CogVlmConfig, PicturePlace, PictureProcessor, PromptBuilder};
use crate::checkpoint::Checkpoint;
use crate::text::{LoadOptions, TextModel};
use crate::vision::RgbView;
use crate::vlm::{Beginning, GoOn, PictureModel, PictureOptions, Viewer, VlmError};

/// A CogVLM2 with its processor and its prompts.
#[derive(Debug)]
pub struct CogVlmReader {
    model: CogVlm,
    processor: PictureProcessor,
    prompts: PromptBuilder,
    eos_token_ids: Vec<u32>,
}

/// A CogVLM2 that answers questions about pictures.
pub type VisionLanguage = Viewer<CogVlmReader>;

impl CogVlmReader {
    /// Reads a model, packed or in full precision.
    ///
    /// # Errors
    /// [`VlmError`] if a file is missing or damaged, or files belong to different models.
    pub fn load(checkpoint: &Checkpoint, options: LoadOptions, device: &Device) -> Result<Self, VlmError> {
        // What is quickly known to be wrong goes before weights that take long to read.
        let config = CogVlmConfig::from_checkpoint(checkpoint)?;
        let prompts = PromptBuilder::from_checkpoint(checkpoint, &config)?;
        let eos_token_ids = checkpoint.eos_token_ids()?;
        let model = CogVlm::load(checkpoint, options, device)?;
        Ok(Self { processor: PictureProcessor::new(&config), prompts, eos_token_ids, model })
    }
}

impl PictureModel for CogVlmReader {
    fn language(&self) -> &TextModel {
        self.model.language()
    }

    fn tokenizer(&self) -> &Tokenizer {
        self.prompts.tokenizer()
    }

    fn eos_token_ids(&self) -> &[u32] {
        &self.eos_token_ids
    }

    /// There is one way to look at a picture; `options` for tiles mean nothing here.
    fn look(&self, picture: RgbView<'_>, _options: &PictureOptions, go_on: GoOn<'_>) -> Result<Beginning, VlmError> {
        let square = self.processor.process(picture);
        let features = self.model.see(self.processor.patches(&square), go_on)?;
        let embedded = self.model.embed(self.prompts.picture(), features)?;
        let place = PicturePlace::in_prompt(self.model.config().picture_positions());
        Ok(Beginning { embedded, picture: place.places(), tiles: 1 })
    }

    fn question(&self, question: &str) -> Result<Vec<u32>, VlmError> {
        self.prompts.question(question)
    }

    fn bytes(&self) -> [usize; 3] {
        self.model.bytes()
    }
}

impl VisionLanguage {
    /// Reads a model from its Hugging Face folder, packed or in full precision.
    ///
    /// # Errors
    /// [`VlmError`] if a file is missing or damaged, or files belong to different models.
    pub fn load(folder: &Path, options: LoadOptions, device: &Device) -> Result<Self, VlmError> {
        Ok(Self(CogVlmReader::load(&Checkpoint::open(folder)?, options, device)?))
    }

    /// The network.
    pub fn model(&self) -> &CogVlm {
        &self.0.model
    }
}
