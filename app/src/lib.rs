//! Sightread's reader: picture → text regions → lines → language model → sentences.

pub mod answer;
