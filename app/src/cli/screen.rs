//! What the terminal shows beside the voice, for those who read it and for braille displays.

use crate::speech::voice::Notice;

/// Shows what the voice says, and what became of the voice itself.
pub(super) fn show(notice: &Notice) {
    match notice {
        Notice::Began(utterance) | Notice::Unspoken(utterance) => println!("{}", utterance.text),
        Notice::Lost(reason) => eprintln!("(I cannot speak: {reason}. I go on in writing and keep trying.)"),
        Notice::Back => eprintln!("(The voice is back.)"),
        Notice::NoSuchVoice(sentence) => eprintln!("({sentence})"),
        Notice::Ended(_) | Notice::Quiet { .. } | Notice::Voices(_) => {}
    }
}
