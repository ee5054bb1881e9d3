//! Models that a caregiver brings in answer instead of the one that comes with the program: as commands, on tiny models with
//! random weights, whose words mean nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

struct Library(tempfile::TempDir);

impl Library {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn sightread(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sightread"));
        command.args(arguments).env("SIGHTREAD_LIBRARY", self.0.path().join("models")).output().unwrap()
    }

    /// What a command prints that works.
    fn prints(&self, arguments: &[&str]) -> String {
        let done = self.sightread(arguments);
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// What a command says that fails.
    fn refuses(&self, arguments: &[&str]) -> String {
        let done = self.sightread(arguments);
        assert!(!done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stdout));
        String::from_utf8(done.stderr).unwrap()
    }
}

#[test]
fn a_model_that_sees_describes_and_answers_beside_the_reader() {
    let library = Library::new();
    let smolvlm = in_repository("tests/fixtures/idefics3/smolvlm");
    let receipt = in_repository("assets/samples/receipt.jpg");
    let (smolvlm, receipt) = (smolvlm.to_str().unwrap(), receipt.to_str().unwrap());
    library.prints(&["models", "import", smolvlm, "--backend", "cpu"]);
    let listed = library.prints(&["models"]);
    assert!(listed.contains("smolvlm: describes pictures, answers questions about pictures"), "{listed}");

    let read = library.prints(&["read", receipt, "--model", "smolvlm", "--backend", "cpu"]);
    assert!(read.contains("GREENFIELD MARKET") && read.contains("\n\nI am not sure: "), "{read}");

    // Amounts are quoted from the text as ever; what the model says of its own is never sure.
    let questions = ["What is the total?", "What is on the table?", "When does it expire?"];
    let ask = [&["ask", receipt], &questions[..], &["--json", "--with-text", "--model", "smolvlm", "--backend", "cpu"]];
    let answers = library.prints(&ask.concat());
    let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&answers[0]["text"], &answers[0]["source"]), (&"£20.62".into(), &"extractor".into()));
    assert_eq!((&answers[1]["source"], &answers[1]["sure"]), (&"picture_model".into(), &false.into()));
    assert_eq!(answers[2]["text"], "I can't see that here.", "no date is made up");

    // A picture without text is no end.
    let oranges = in_repository("assets/samples/no_text.jpg");
    let oranges = oranges.to_str().unwrap();
    let ask = ["ask", oranges, "What is in the bowl?", "--json", "--model", "smolvlm", "--backend", "cpu"];
    let answer: Value = serde_json::from_str(&library.prints(&ask)).unwrap();
    assert_eq!(answer["source"], "picture_model");
    assert_eq!(library.prints(&["ask", oranges, "What is in the bowl?", "--backend", "cpu"]).trim(), "I see no text.");
}

#[test]
fn what_cannot_answer_says_why() {
    let library = Library::new();
    let receipt = in_repository("assets/samples/receipt.jpg");
    let receipt = receipt.to_str().unwrap();
    let said = library.refuses(&["ask", receipt, "Who?", "--model", "nobody"]);
    assert!(said.contains("there is no model called nobody"), "{said}");

    // One that knows text only.
    let gguf = in_repository("tests/parity/gguf/llama-llama3.gguf");
    library.prints(&["models", "import", gguf.to_str().unwrap(), "--backend", "cpu"]);
    let said = library.refuses(&["read", receipt, "--model", "llama-llama3", "--backend", "cpu"]);
    assert!(said.contains("llama-llama3 sees no pictures"), "{said}");
}
