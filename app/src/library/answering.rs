//! A model of the library answers instead of the starter's own.

use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Device;
use sightread_models::text::{LoadOptions, TextError};
use sightread_models::vlm::{StarterLanguage, VisionLanguage};

use super::{Architecture, Senses, installed};
use crate::answer::Model;
use crate::starter::Starter;

/// A model that answers questions.
#[derive(Debug)]
pub enum AnsweringModel {
    /// It knows a picture's text.
    Text(Box<StarterLanguage>),
    /// It sees the picture.
    Picture(Box<VisionLanguage>),
}

impl AnsweringModel {
    /// Opens the model of that name, which was brought in.
    ///
    /// # Errors
    /// A reason fit to be spoken: there is none of that name, it does not answer questions, a file of it is damaged, or it was
    /// not made for conversations.
    pub fn open(name: &str, device: &Device) -> Result<Self, String> {
        let entry = installed().into_iter().find(|entry| entry.name == name && !entry.built_in);
        let entry = entry.ok_or_else(|| format!("there is no model called {name}; sightread models lists them"))?;
        if let Some(problem) = entry.problem {
            return Err(problem);
        }
        let checkpoint = Checkpoint::open(&entry.folder).map_err(|error| error.to_string())?;
        match Architecture::of(&checkpoint.config).answers() {
            Some(Senses::Text) => {
                let model = StarterLanguage::from_checkpoint(checkpoint, device).map_err(|error| error.to_string())?;
                Ok(Self::Text(Box::new(model)))
            }
            Some(Senses::Picture) => {
                let options = LoadOptions { int8_embedding: true, ..LoadOptions::default() };
                let model = VisionLanguage::from_checkpoint(&checkpoint, options, device);
                let model = model.map_err(|error| error.to_string())?;
                Ok(Self::Picture(Box::new(model)))
            }
            None => Err(format!("{name} answers no questions")),
        }
    }

    /// Whether it sees pictures.
    pub fn sees(&self) -> bool {
        matches!(self, Self::Picture(_))
    }
}

/// The model that answers: the one that was chosen, else that of `starter`.
///
/// # Errors
/// [`TextError`] if the starter's cannot be loaded.
pub fn answering<'m>(chosen: Option<&'m AnsweringModel>, starter: &'m Starter) -> Result<Model<'m>, TextError> {
    match chosen {
        Some(chosen) => Ok(chosen.into()),
        None => starter.language().map(Model::from),
    }
}

impl<'m> From<&'m AnsweringModel> for Model<'m> {
    fn from(model: &'m AnsweringModel) -> Self {
        match model {
            AnsweringModel::Text(model) => Self::Text(model),
            AnsweringModel::Picture(model) => Self::Picture(model),
        }
    }
}
