"""The prompt, in three parts that are tokenised separately (see PROMPT.md; the app builds the same)."""

import dataclasses

START = "<|im_start|>user\n"
TAIL = "<|im_end|>\n<|im_start|>assistant\n"
END_ID = 2  # <|im_end|>


@dataclasses.dataclass
class Packed:
    """One document and all its questions as branches. All lists have one entry per token."""

    ids: list
    positions: list
    branch: list  # 0 document, i the i-th question
    labels: list  # the token to predict, -100 where nothing is learned
    questions: int


class Prompt:
    def __init__(self, tokenizer_path):
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(tokenizer_path))

    def encode(self, text):
        return self.tokenizer.encode(text).ids

    def decode(self, ids):
        return self.tokenizer.decode(ids).strip()

    def prefix(self, lines):
        """Ids of the document: every line by itself with its line feed, then an empty line."""
        ids = self.encode(START)
        for line in lines:
            ids += self.encode(line + "\n")
        return ids + self.encode("\n")

    def question(self, text):
        return self.encode(text) + self.encode(TAIL)

    @staticmethod
    def text(lines, question):
        """The prompt as one string, up to where the answer begins."""
        return START + "".join(line + "\n" for line in lines) + "\n" + question + TAIL

    def pack(self, lines, questions):
        """questions: (question, answer) pairs -> Packed."""
        ids = self.prefix(lines)
        n = len(ids)
        positions, branch, labels = list(range(n)), [0] * n, [-100] * n
        for i, (question, answer) in enumerate(questions, 1):
            asked, answered = self.question(question), self.encode(answer) + [END_ID]
            length = len(asked) + len(answered) - 1
            ids += asked + answered[:-1]
            positions += range(n, n + length)
            branch += [i] * length
            labels += [-100] * (len(asked) - 1) + answered
        return Packed(ids, positions, branch, labels, len(questions))
