//! Chat prompts, rendered by the template that a checkpoint brings along.

use std::time::{SystemTime, UNIX_EPOCH};

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
/// A message is a [`Message`], or whatever else the template expects (one with pictures, say).
/// `bos_token` and `eos_token` are what the template knows under these names. Templates are written for Python, so its
/// string and list methods, `raise_exception` and `strftime_now` (in UTC) are there.
///
/// # Errors
/// [`TextError::ChatTemplate`] if the template is not valid or refuses the conversation.
pub fn render(
    template: &str,
    messages: &[impl Serialize],
    bos_token: &str,
    eos_token: &str,
) -> Result<String, TextError> {
    let failed = |e: minijinja::Error| TextError::ChatTemplate(e.to_string());
    let mut environment = Environment::new();
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(failed)?);
    environment.set_fuel(Some(1_000_000));
    environment.add_function("raise_exception", |reason: String| -> Result<String, minijinja::Error> {
        Err(minijinja::Error::new(ErrorKind::InvalidOperation, reason))
    });
    environment.add_function("strftime_now", |format: String| strftime(&format, SystemTime::now()));
    let template = environment.template_from_str(template).map_err(failed)?;
    template
        .render(
            context! { messages => Value::from(Serde(messages)), bos_token, eos_token, add_generation_prompt => true },
        )
        .map_err(failed)
}

/// `time` in UTC by those fields of C's `strftime` that templates use: `%Y %m %d %B %b %A %a %H %M %S %%`.
fn strftime(format: &str, time: SystemTime) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_date(days);
    let month_name = MONTHS[month as usize - 1];
    let weekday = WEEKDAYS[(days % 7) as usize];
    let mut out = String::new();
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match characters.next() {
            Some('Y') => out += &year.to_string(),
            Some('m') => out += &format!("{month:02}"),
            Some('d') => out += &format!("{day:02}"),
            Some('B') => out += month_name,
            Some('b') => out += &month_name[..3],
            Some('A') => out += weekday,
            Some('a') => out += &weekday[..3],
            Some('H') => out += &format!("{:02}", second / 3600),
            Some('M') => out += &format!("{:02}", second / 60 % 60),
            Some('S') => out += &format!("{:02}", second % 60),
            Some('%') => out.push('%'),
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
    }
    out
}

/// Year, month and day of a number of days since 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn civil_date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153; // March is 0
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (400 * era + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &[Message] = &[];

    const SMOLLM2: &str = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    #[test]
    fn smollm2_gets_its_system_turn_and_the_opening_of_the_answer() {
        let prompt = render(SMOLLM2, &[Message::user("Hi")], "", "<|im_end|>").unwrap();
        assert!(prompt.starts_with("<|im_start|>system\nYou are a helpful AI assistant"));
        assert!(prompt.ends_with("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"));
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |seconds| UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        // `date -u -d @SECONDS`
        assert_eq!(strftime("%d %b %Y, %A %H:%M:%S", at(951_782_400)), "29 Feb 2000, Tuesday 00:00:00");
        assert_eq!(strftime("%Y-%m-%d %B %a %H%%", at(1_798_761_599)), "2026-12-31 December Thu 23%");
        assert_eq!(strftime("%Y%m%d%q%", at(0)), "19700101%q%");
        assert!(render("{{ strftime_now('%Y') }}", NONE, "", "").unwrap().parse::<u32>().unwrap() >= 2025);
    }

    #[test]
    fn python_methods_work_and_refusals_come_back_as_sentences() {
        let shout = "{{ messages[0].content.strip().upper() }}";
        assert_eq!(render(shout, &[Message::user(" hi ")], "", "").unwrap(), "HI");
        let refuse = "{{ raise_exception('no system turn') }}";
        assert!(render(refuse, NONE, "", "").unwrap_err().to_string().contains("no system turn"));
        assert!(
            render("{% for x in range(1000000) %}{% for y in range(1000000) %}{% endfor %}{% endfor %}", NONE, "", "")
                .is_err()
        );
    }
}
