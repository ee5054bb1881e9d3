//! Vision-language models.
