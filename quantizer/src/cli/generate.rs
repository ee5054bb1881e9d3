//! `rpiq generate MODEL PROMPT`

use std::path::PathBuf;
use std::time::Duration;

use sightread_models::checkpoint::Checkpoint;
use sightread_models::device::Backend;
use sightread_models::int4::Precision;
use sightread_models::nn::Sampling;
use sightread_models::text::generate::{GenerateOptions, generate};
use sightread_models::text::{LoadOptions, TextError, TextModel, chat};

use super::BackendArg;
use super::printed::Printed;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder or .gguf file of the model
    model: PathBuf,
    /// What to continue, or with --chat, to answer
    prompt: String,
    /// Ask as a user would: the prompt goes through the model's chat template
    #[arg(long)]
    chat: bool,
    /// Tokens to make at most
    #[arg(long, default_value_t = 128)]
    max_new_tokens: usize,
    /// 0 takes the most probable token each time, 1 draws from the model's own probabilities
    #[arg(long, default_value_t = 0.0, value_parser = not_negative)]
    temperature: f32,
    /// Draw from so many most probable tokens only; 0 for all
    #[arg(long, default_value_t = 0)]
    top_k: usize,
    /// Draw from the most probable tokens that together have this probability
    #[arg(long, default_value_t = 1.0, value_parser = not_negative)]
    top_p: f32,
    /// Above 1 makes tokens less probable that were there before
    #[arg(long, default_value_t = 1.0, value_parser = positive)]
    repetition_penalty: f32,
    /// The same seed draws the same tokens
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Round embedding and output head to 8 bit
    #[arg(long)]
    int8_embedding: bool,
    /// Read the input of packed layers as it is, not rounded to 8 bit: slower (CPU only)
    #[arg(long)]
    exact_activations: bool,
    /// Where to compute
    #[arg(long, value_enum, default_value_t)]
    backend: BackendArg,
}

fn not_negative(text: &str) -> Result<f32, String> {
    let value = text.parse::<f32>().map_err(|e| e.to_string())?;
    if value.is_finite() && value >= 0.0 { Ok(value) } else { Err("must be a number that is not negative".into()) }
}

fn positive(text: &str) -> Result<f32, String> {
    not_negative(text).and_then(|v| if v > 0.0 { Ok(v) } else { Err("must be above zero".into()) })
}

/// Prints the text as it is made; speed goes to standard error.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let device = Backend::from(args.backend).open()?;
    let checkpoint = Checkpoint::open(&args.model)?;
    let tokenizer = checkpoint.tokenizer.as_ref().ok_or(TextError::NoTokenizer)?;
    let (text, special_tokens) =
        if args.chat { (ask(&checkpoint, &args.prompt)?, false) } else { (args.prompt.clone(), true) };
    let prompt = tokenizer.encode(text, special_tokens).map_err(|e| TextError::Tokenizer(e.to_string()))?;
    let prompt = prompt.get_ids();
    let precision = if args.exact_activations { Precision::F32 } else { Precision::Int8 };
    let load = LoadOptions { int8_embedding: args.int8_embedding, precision };
    let model = TextModel::load_with(&checkpoint, load, &device)?;
    let options = GenerateOptions {
        max_new_tokens: args.max_new_tokens,
        eos_token_ids: checkpoint.eos_token_ids()?,
        sampling: Sampling {
            temperature: args.temperature,
            top_k: args.top_k,
            top_p: args.top_p,
            repetition_penalty: args.repetition_penalty,
            seed: args.seed,
        },
    };

    let mut printed = Printed::new();
    let generated =
        generate(&model, tokenizer, prompt, &mut model.cache(), &options, None, |piece| printed.piece(piece))?;
    printed.end()?;
    let mib = model.bytes() as f64 / f64::from(1 << 20);
    eprintln!("weights {mib:.1} MiB; {}", speed("prompt", prompt.len(), generated.prefill));
    // The first token comes out of the prompt's logits: so many passes through the model were made after it.
    eprintln!("{}", speed("answer", generated.passes, generated.decode));
    Ok(())
}

/// The chat prompt for one question.
fn ask(checkpoint: &Checkpoint, question: &str) -> anyhow::Result<String> {
    let template = checkpoint.chat_template.as_ref().ok_or(TextError::NoChatTemplate)?;
    let token = |name| checkpoint.special_token(name).map(Option::unwrap_or_default);
    Ok(chat::render(template, &[chat::Message::user(question)], &token("bos_token")?, &token("eos_token")?)?)
}

fn speed(what: &str, tokens: usize, time: Duration) -> String {
    let seconds = time.as_secs_f64();
    format!("{what}: {tokens} tokens in {seconds:.2} s, {:.1} tokens/s", tokens as f64 / seconds.max(1e-9))
}
