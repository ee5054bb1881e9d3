//! A language model of the library answers instead of the starter's own.

use sightread_models::device::Device;
use sightread_models::vlm::StarterLanguage;

use super::installed;

/// Opens the language model of that name.
///
/// # Errors
/// A reason fit to be spoken: there is none of that name, a file of it is damaged, or it was not made for conversations.
pub fn open_language(name: &str, device: &Device) -> Result<StarterLanguage, String> {
    let entry = installed().into_iter().find(|entry| entry.name == name);
    let entry = entry.ok_or_else(|| format!("there is no model called {name}"))?;
    match entry.problem {
        Some(problem) => Err(problem),
        None => StarterLanguage::load(&entry.folder, device).map_err(|error| error.to_string()),
    }
}
