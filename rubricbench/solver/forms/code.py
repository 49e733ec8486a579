"""A code block with the topic's words in it, and an explanation below."""

from __future__ import annotations

import json

from rubricbench.solver.carriers import carriers
from rubricbench.solver.document import Fixed, Slot
from rubricbench.solver.forms.placing import place
from rubricbench.solver.forms.text import pools_of
from rubricbench.solver.plan import aimed_words
from rubricbench.solver.writer import Writer

Parts = list[Fixed | Slot]


def code_answer(writer: Writer) -> Parts:
    """Return the code blocks asked for and a paragraph that explains them."""
    wishes = writer.wishes
    words = [term for term in writer.vocabulary if writer.accepts(term, frozenset())]
    blocks = [
        Fixed(f"```{language}\n{_body(language, writer.material.topic, words)}\n```")
        for language, count in wishes.code
        for _ in range(count)
    ]
    text = Slot(pools=pools_of(writer))
    place(carriers(writer, max(2, aimed_words(wishes, 50) // 12)), [text])
    return [*blocks, text]


def _body(language: str, topic: str, words: list[str]) -> str:
    """Return a few lines of code; plain lines for a language that is not known here."""
    terms = words or ["basics"]
    listed = ",\n    ".join(json.dumps(term, ensure_ascii=False) for term in terms)
    rows = ",\n  ".join(f"('{term}')" for term in terms)
    bodies = {
        "python": f"words = [\n    {listed},\n]\nfor word in words:\n    print(word)",
        "javascript": f"const words = [\n    {listed},\n];\nwords.forEach(console.log);",
        "bash": "\n".join(f"echo {json.dumps(term, ensure_ascii=False)}" for term in terms),
        "sql": f"CREATE TABLE words (word TEXT);\nINSERT INTO words VALUES\n  {rows};",
        "yaml": "\n".join([f"subject: {topic}", "words:", *(f"  - {term}" for term in terms)]),
        "json": json.dumps({"subject": topic, "words": terms}, indent=2, ensure_ascii=False),
        "toml": f'subject = "{topic}"\nwords = [\n    {listed},\n]',
    }
    return bodies.get(language.lower(), "\n".join(terms))
