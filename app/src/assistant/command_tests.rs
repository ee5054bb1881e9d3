//! What people say, what a recogniser makes of it, and what must not be taken for a command.

use super::*;

#[test]
fn every_phrase_is_understood_as_it_stands_and_in_polite_words() {
    for (command, phrases) in PHRASES {
        for phrase in phrases {
            assert_eq!(understand(phrase), command, "{phrase}");
            assert_eq!(understand(&format!("{}!", phrase.to_uppercase())), command, "{phrase}");
            assert_eq!(understand(&format!("Okay, {phrase}, please.")), command, "{phrase}");
        }
    }
}

#[test]
fn no_phrase_belongs_to_two_commands() {
    let mut all: Vec<&str> = PHRASES.iter().flat_map(|(_, phrases)| phrases.iter().copied()).collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn mishearings_are_understood() {
    let cases = [
        ("Slow were.", Command::Slower),
        ("Slower!", Command::Slower),
        ("Sloer", Command::Slower),
        ("Fasta.", Command::Unclear), // also food
        ("Fastser", Command::Faster),
        ("Spel that.", Command::Spell),
        ("Spell dat", Command::Spell),
        ("Smell that.", Command::Spell),
        ("Necks line.", Command::NextLine),
        ("Nextline", Command::NextLine),
        ("Next lime", Command::NextLine),
        ("Previous lion", Command::PreviousLine),
        ("Privious line.", Command::PreviousLine),
        ("What color is that?", Command::Colour),
        ("What caller is it?", Command::Colour),
        ("What colour is it, please?", Command::Colour),
        ("Is the light on?", Command::Light),
        ("Is a light on?", Command::Light),
        ("Is the lite on?", Command::Light),
        ("Repeet that", Command::Again),
        ("Quiter", Command::Quieter),
        ("Lauder.", Command::Louder),
        ("Read at.", Command::Read),
        ("Reed it out.", Command::Read),
        ("Stop reeding", Command::Stop),
        ("Goodbye", Command::Quit),
        ("Good buy", Command::Unclear), // never leave by a slip of the ear
    ];
    for (heard, expected) in cases {
        let understood = understand(heard);
        let asks = matches!(understood, Command::Ask(_)) && expected == Command::Unclear;
        assert!(understood == expected || asks, "{heard}: {understood:?}");
    }
}

#[test]
fn questions_stay_questions() {
    let questions = [
        "What is the total?",
        "How much is the soup?",
        "When does it expire?",
        "What colour is the train line to Wexbridge?",
        "Is the light version cheaper?",
        "Is the line on time?",
        "Who is the doctor?",
        "What does the sign say about dogs?",
        "Where do I stop?",
        "What is the next train?",
        "What is on the last line?",
        "How do I stop the pain?",
        "Read me the price of the soup.",
        "Which line goes next to the station?",
        "total amount",
        "Does it contain milk?",
        "How many tablets may I take?",
        "What is the quieter room?",
        "Is this the faster train?",
        "What help is there for the elderly?",
        "How does this work on a full stomach?",
    ];
    for question in questions {
        assert_eq!(understand(question), Command::Ask(question.into()));
    }
}

#[test]
fn noise_is_no_command_and_no_question() {
    for heard in
        ["", "  ", "...", "[BLANK_AUDIO]", "(music)", "You", "Thank you.", "Hmm.", "Uh", "The", "♪", "\0", "a b"]
    {
        assert_eq!(understand(heard), Command::Unclear, "{heard:?}");
    }
}

#[test]
fn one_word_that_is_a_question_is_asked() {
    assert_eq!(understand("Total?"), Command::Ask("Total?".into()));
}

#[test]
fn endless_input_is_no_trouble() {
    assert!(matches!(understand(&"word ".repeat(10_000)), Command::Ask(_)));
    let _ = understand(&"[".repeat(100_000));
}
