//! What a model is called when it is imported.

use std::path::{Component, Path};

use rpiq::pipeline::PARTS_ENDING;

use super::super::ImportSource;

/// Names are no longer than this.
const LONGEST: usize = 80;

/// The name for what is imported from `from`: that of the repository, folder or file, with plain characters only. Empty if there is
/// none.
pub(super) fn name_of(from: &ImportSource) -> String {
    match from {
        ImportSource::Repository(repository) => plain(repository.rsplit('/').next().unwrap_or_default()),
        // "." and ".." stand for a folder with a name.
        ImportSource::Folder(path) if path.file_name().is_none() => {
            of_path(&std::fs::canonicalize(path).unwrap_or_else(|_| path.clone()))
        }
        ImportSource::Folder(path) => of_path(path),
    }
}

fn of_path(path: &Path) -> String {
    let mut parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    // A snapshot in the cache of Hugging Face's own programs: `models--owner--name/snapshots/0123…`.
    let cached = parts.clone().find_map(|part| part.strip_prefix("models--")?.split_once("--"));
    let name = match cached {
        Some((_, name)) => name,
        None => {
            let last = parts.next_back().unwrap_or_default();
            let is_file = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"));
            if is_file { last.rsplit_once('.').map_or(last, |(stem, _)| stem) } else { last }
        }
    };
    plain(name)
}

fn plain(name: &str) -> String {
    let name = name.strip_suffix(PARTS_ENDING).unwrap_or(name);
    let keep = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let name: String = name.trim().chars().map(keep).take(LONGEST).collect();
    name.trim_matches(['.', '-']).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        let folder = |path: &str| name_of(&ImportSource::Folder(path.into()));
        assert_eq!(folder("/no/such/SmolLM2-135M"), "SmolLM2-135M");
        assert_eq!(folder("/no/such/My Model (new)/"), "My-Model--new");
        assert_eq!(folder("/no/such/model.Q4_1.gguf"), "model.Q4_1");
        assert_eq!(folder("/no/such/model-1.5b"), "model-1.5b");
        assert_eq!(folder("/no/hub/models--owner--Name-1B/snapshots/0123abcd"), "Name-1B");
        assert_eq!(folder("/no/such/.hidden"), "hidden");
        assert_eq!(folder("/no/such/x.rpiq-parts"), "x");
        assert_eq!(folder("/"), "");
        assert_eq!(folder("/no/such/Модель"), "Модель");
        let repository = |name: &str| name_of(&ImportSource::Repository(name.into()));
        assert_eq!(repository("HuggingFaceTB/SmolLM2-135M-Instruct"), "SmolLM2-135M-Instruct");
        assert_eq!(repository("owner/.."), "");
        assert_eq!(repository(&format!("owner/{}", "x".repeat(300))).len(), LONGEST);
    }
}
