"""Rubrics and responses as long as real ones are, made of fixed sentences."""

from __future__ import annotations

from rubricbench.judging import Item
from rubricbench.schema import Criterion, Prompt, Rubric

_CASES = (
    ("a burn on the hand", "cool running water", "ice on the skin", "a doctor"),
    ("a leaking kitchen tap", "closing the shut-off valve", "forcing the nut", "a plumber"),
    ("a late tax return", "filing as soon as possible", "ignoring the letter", "an accountant"),
    ("a dog that ate chocolate", "noting how much it ate", "waiting for a day", "a vet"),
    ("a laptop that got wet", "switching it off at once", "drying it in an oven", "a repair shop"),
)
_OPENINGS = ("First of all", "To begin with", "In a case like this", "Before anything else")
_CLOSINGS = (
    "Write down what happened and when, since you may be asked about it later.",
    "Most people wait too long here, so do not put it off until tomorrow.",
    "If you are unsure about any of these steps, it is better to ask than to guess.",
    "None of this needs special equipment, and all of it can be done in ten minutes.",
)


def rubric(i: int) -> Rubric:
    """Return the rubric of a case: six criteria, one of them a penalty."""
    topic, right, wrong, expert = _CASES[i % len(_CASES)]
    statements = (
        (f"Recommends {right} as the first thing to do about {topic}", 3),
        (f"Says when {expert} should be called, with at least one sign to look out for", 3),
        ("Gives the steps in an order in which they can be carried out", 2),
        (f"Explains why {right} helps, rather than only stating that it does", 2),
        (f"Recommends {wrong}, or leaves open whether it would be a good idea", -3),
        ("Is written for somebody without prior knowledge, in short and plain sentences", 1),
    )
    question = (
        f"I have to deal with {topic} and I do not know where to begin. I have never done this "
        "before, I have nobody to ask right now, and I would rather not make it worse. What should "
        "I do in the next hour, what should I leave alone, and how do I know that I need help?"
    )
    criteria = tuple(Criterion(criterion=text, weight=weight) for text, weight in statements)
    return Rubric(prompt=Prompt.from_text(question), criteria=criteria)


def response(i: int, j: int) -> str:
    """Return the j-th response to a case; some give good advice, some bad, some both."""
    topic, right, wrong, expert = _CASES[i % len(_CASES)]
    good, bad = j % 3 != 1, j % 3 != 0
    sentences = [f"{_OPENINGS[j % 4]}, take a moment, because {topic} looks worse than it is."]
    if good:
        sentences.append(f"Start with {right}, since that stops the harm from going on.")
        sentences.append(f"Call {expert} if it does not get better within the hour.")
    if bad:
        sentences.append(f"Some recommend {wrong}, and it is worth a try.")
    sentences += [_CLOSINGS[(j + k) % 4] for k in range(1 + j % 4)]
    return " ".join(sentences) + f" That is all I would do about it, in {j + 2} steps."


def items(rubrics: int, responses: int) -> list[Item]:
    """Return the responses to some cases, rubric by rubric."""
    made = [rubric(i) for i in range(rubrics)]
    return [Item(made[i], response(i, j), (i, j)) for i in range(rubrics) for j in range(responses)]
