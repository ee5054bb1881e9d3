//! Where the program keeps what belongs to the user.

use std::path::PathBuf;

use directories::{ProjectDirs, UserDirs};

/// Environment variable that names the folder of the settings.
pub const CONFIG_VARIABLE: &str = "SIGHTREAD_CONFIG";
/// Environment variable that names the folder of the models that were brought in.
pub const LIBRARY_VARIABLE: &str = "SIGHTREAD_LIBRARY";

/// The folder of the settings; `None` for a user without a home.
pub fn config() -> Option<PathBuf> {
    from_environment(CONFIG_VARIABLE).or_else(|| Some(project()?.config_dir().into()))
}

/// The folder of the models that were brought in; `None` for a user without a home.
pub fn library() -> Option<PathBuf> {
    from_environment(LIBRARY_VARIABLE).or_else(|| Some(project()?.data_dir().join("models")))
}

/// The folder of the user's documents, or else the home.
pub fn documents() -> Option<PathBuf> {
    let user = UserDirs::new()?;
    Some(user.document_dir().unwrap_or(user.home_dir()).into())
}

fn from_environment(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "Sightread")
}
