"""Checks a second on one core, over all families on responses of 200 words; ratio to the target."""

from __future__ import annotations

import random
import time

from rubricbench import checks
from rubricbench.schema import Check

TARGET_CHECKS_PER_SECOND = 20_000
WORDS = 200
RESPONSES = 64

SENTENCES = [
    "The old harbour smelled of tar, salt and coffee.",
    "Nobody had told Dr. Marsh that the meeting was moved to 5 p.m. on Friday.",
    "It costs about $1,250.50, which is 12% more than last year.",
    "In short, you don't need a new machine: clean the filter first!",
    "**Important:** always switch off the mains before you open the lid.",
    "Why would anyone plant olives so far north?",
    "She wrote, “We’ll be back before the snow melts.”",
    "Use `sort --unique` to drop the lines that occur twice.",
    "The committee (founded in 1987) has *three* rules, e.g. no phones at dinner.",
    "See [the manual](https://example.org/manual) for the full list of parts.",
    "Bread needs flour, water, salt, yeast and, above all, time.",
    "Rain fell on the tin roof all night long and the gutters sang.",
    "I think we should wait for the results of the second trial.",
    "NASA and ESA agreed on a common format for the data in 2003.",
    "Dear [Name], thank you for your order of 24 March.",
    "Some people call it naïve; others call it a café philosophy.",
]
BREAKS = [
    "\n\n",
    "\n\n",
    "\n- ",
    "\n* ",
    "\n1. ",
    "\n\n## A heading\n\n",
    "\n\n```python\nx = [1]\n```\n\n",
]


def responses() -> list[str]:
    """Return texts of 200 words: sentences of our own, with lists, headings and code between."""
    draw = random.Random("bench")
    texts = []
    for _ in range(RESPONSES):
        text = ""
        while len(text.split()) < WORDS:
            text += draw.choice(SENTENCES) + (draw.choice(BREAKS) if draw.random() < 0.25 else " ")
        texts.append(" ".join(text.split(" ")[: WORDS + 20]).strip())
    return texts


def seconds(batch: list[Check], texts: list[str]) -> float:
    start = time.process_time()
    for text in texts:
        for check in batch:
            checks.run(check, text)
    return time.process_time() - start


def test_all_families_together_reach_the_target_on_one_core(benchmark, capsys):
    texts = responses()
    batch = [Check(name=n, params=f.passes[0][0]) for n, f in checks.registered().items()]
    seconds(batch, texts)  # models and patterns are loaded once per process
    benchmark.pedantic(seconds, args=(batch, texts), rounds=5)
    together = min(seconds(batch, texts) for _ in range(5))
    rate = len(batch) * len(texts) / together
    alone = {check.name: len(texts) / seconds([check], texts) for check in batch}
    with capsys.disabled():
        print(
            f"\nchecks: {rate:,.0f} checks/s/core over {len(batch)} families, "
            f"{rate / TARGET_CHECKS_PER_SECOND:.2f}x the target; each family by itself, per second:"
        )
        for name, value in sorted(alone.items(), key=lambda pair: pair[1]):
            print(f"  {name:26}{value:>10,.0f}{value / TARGET_CHECKS_PER_SECOND:>8.2f}x")
