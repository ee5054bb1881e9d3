//! Chat prompts, rendered by the template that a checkpoint brings along.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, ErrorKind, context};
use serde::Serialize;

use super::TextError;

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// `"system"`, `"user"` or `"assistant"`.
    pub role: String,
    /// What was said.
    pub content: String,
}

impl Message {
    /// A turn of the user.
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: "user".into(), content: content.into() }
    }
}

/// Renders `messages` by the Jinja `template`, up to where the assistant's answer begins.
///
/// `bos_token` and `eos_token` are what the template knows under these names. Templates are written for Python, so its
/// string and list methods and `raise_exception` are there.
///
/// # Errors
/// [`TextError::ChatTemplate`] if the template is not valid or refuses the conversation.
pub fn render(template: &str, messages: &[Message], bos_token: &str, eos_token: &str) -> Result<String, TextError> {
    let failed = |e: minijinja::Error| TextError::ChatTemplate(e.to_string());
    let mut environment = Environment::new();
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(failed)?);
    environment.set_fuel(Some(1_000_000));
    environment.add_function("raise_exception", |reason: String| -> Result<String, minijinja::Error> {
        Err(minijinja::Error::new(ErrorKind::InvalidOperation, reason))
    });
    let template = environment.template_from_str(template).map_err(failed)?;
    template.render(context! { messages => Value::from(Serde(messages)), bos_token, eos_token, add_generation_prompt => true }).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMOLLM2: &str = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    #[test]
    fn smollm2_gets_its_system_turn_and_the_opening_of_the_answer() {
        let prompt = render(SMOLLM2, &[Message::user("Hi")], "", "<|im_end|>").unwrap();
        assert!(prompt.starts_with("<|im_start|>system\nYou are a helpful AI assistant"));
        assert!(prompt.ends_with("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"));
    }

    #[test]
    fn python_methods_work_and_refusals_come_back_as_sentences() {
        let shout = "{{ messages[0].content.strip().upper() }}";
        assert_eq!(render(shout, &[Message::user(" hi ")], "", "").unwrap(), "HI");
        let refuse = "{{ raise_exception('no system turn') }}";
        assert!(render(refuse, &[], "", "").unwrap_err().to_string().contains("no system turn"));
        assert!(render("{% for x in range(1000000) %}{% for y in range(1000000) %}{% endfor %}{% endfor %}", &[], "", "").is_err());
    }
}
