//! Questions to the operator in a terminal.

use std::io::{BufRead, Write};

use anyhow::{Context, ensure};

/// A terminal: an operator who reads questions and types answers.
pub(super) struct Terminal<'t> {
    pub(super) answers: &'t mut dyn BufRead,
    pub(super) questions: &'t mut dyn Write,
}

impl Terminal<'_> {
    /// Tells the operator something.
    ///
    /// # Errors
    ///
    /// If the terminal fails.
    pub(super) fn say(&mut self, text: &str) -> anyhow::Result<()> {
        writeln!(self.questions, "{text}").context("cannot write to the terminal")
    }

    /// Asks until `read` understands the answer.
    ///
    /// # Errors
    ///
    /// If the input ends, or the terminal fails.
    pub(super) fn ask<T>(&mut self, question: &str, read: impl Fn(&str) -> anyhow::Result<T>) -> anyhow::Result<T> {
        loop {
            write!(self.questions, "{question}: ").and_then(|()| self.questions.flush())?;
            let mut answer = String::new();
            let length = self.answers.read_line(&mut answer).context("cannot read the answer")?;
            ensure!(length > 0, "the input ended before the answer to: {question}");
            match read(answer.trim()) {
                Ok(understood) => return Ok(understood),
                Err(why) => writeln!(self.questions, "{why:#}")?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn it_asks_until_the_answer_is_understood() {
        let (mut answers, mut questions) = (&b"two\n 3 \n"[..], Vec::new());
        let mut terminal = Terminal { answers: &mut answers, questions: &mut questions };
        let number = |text: &str| text.parse::<u8>().map_err(|_| anyhow!("`{text}` is no number"));
        assert_eq!(terminal.ask("How many", number).unwrap(), 3);
        let ended = terminal.ask("How many", number).unwrap_err().to_string();
        assert_eq!(ended, "the input ended before the answer to: How many");
        assert_eq!(String::from_utf8(questions).unwrap(), "How many: `two` is no number\nHow many: How many: ");
    }
}
