//! The vision tower of the starter model: text detector, line classifier, text recogniser.
