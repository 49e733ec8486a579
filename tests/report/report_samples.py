"""A small evaluation made with the real checks and the real scoring: what a run hands a report."""

from __future__ import annotations

import random
from dataclasses import replace

from rubricbench import checks
from rubricbench.report import Kind, ReportData, Responder, SampleView, sample_view
from rubricbench.schema import Cause, Check, Criterion, Message, Prompt, Rubric, unknown

TOPICS = (
    "tidal power", "sourdough bread", "bicycle gears", "bee keeping", "map projections",
    "violin making", "rainwater harvesting", "night buses", "sign language", "glaciers",
    "compost", "lighthouses", "public libraries", "crop rotation", "radio waves", "ferries",
)  # fmt: skip
AUDIENCES = ("a new volunteer", "a curious neighbour", "a school class", "a busy manager")
FORMS = ("an explanation", "a short guide", "a letter", "a briefing note", "a list of advice")
OPENINGS = (
    "Most people meet {topic} without noticing it.",
    "There is more to {topic} than there seems.",
    "Let me begin with what {topic} needs.",
)
MIDDLES = (
    "It takes patience, and a plan that can change.",
    "The first step is to look closely, then to write down what you see.",
    "Costs vary, but the tools are simple and last for years.",
    "Ask someone nearby who has done it before.",
    "Weather, time and habit all play a part, so start small.",
    "A common mistake is to do everything at once.",
    "What works in one town may fail in the next.",
)
CHECKS: tuple[tuple[Check, int], ...] = (
    (Check("word_count", {"minimum": 60}), 3),
    (Check("word_count", {"maximum": 120}), 2),
    (Check("no_commas"), 1),
    (Check("paragraph_count", {"minimum": 3, "separator": "blank_line"}), 2),
    (Check("bullet_count", {"minimum": 3}), 2),
    (Check("keywords_include", {"keywords": ["patience", "tools"]}), 3),
    (Check("keywords_exclude", {"keywords": ["everything"]}), 1),
    (Check("end_phrase", {"phrase": "Is there anything else?"}), 2),
    (Check("title"), 1),
    (Check("quotation"), 1),
    (Check("postscript", {"marker": "P.S."}), 2),
    (Check("all_lowercase"), 1),
    (Check("highlight_count", {"minimum": 2}), 2),
    (Check("letter_frequency", {"letter": "z", "minimum": 2}), 1),
    (Check("sentence_count", {"minimum": 6}), 2),
    (Check("json_format"), 3),
    (Check("keyword_frequency", {"keyword": "plan", "minimum": 2}), 2),
)
PENALTY = Check("keyword_frequency", {"keyword": "step", "minimum": 1})


def rubric_for(index: int, rng: random.Random) -> Rubric:
    """Return one rubric of 4-7 criteria, every third one with a penalty, some multi-turn."""
    topic, audience = TOPICS[index % len(TOPICS)], AUDIENCES[index % len(AUDIENCES)]
    chosen = rng.sample(CHECKS, rng.randint(4, 7))
    criteria = [Criterion(criterion=checks.describe(c), weight=w, check=c) for c, w in chosen]
    if index % 3 == 0:
        text = "The response uses the word “step”."
        criteria.append(Criterion(criterion=text, weight=-1, check=PENALTY, tags=("style",)))
    asked = f"Write {FORMS[index % len(FORMS)]} about {topic} for {audience} (no. {index + 1})."
    wishes = " ".join(c.criterion for c in criteria if c.weight > 0)
    messages = [Message("user", f"{asked}\n\nPlease note: {wishes}")]
    if index % 5 == 4:
        messages[:0] = [
            Message("system", "You are a patient writer."),
            Message("user", f"What do people ask about {topic}?"),
            Message("assistant", "Mostly how to begin and what it costs."),
        ]
    return Rubric(prompt=Prompt(messages=tuple(messages)), criteria=tuple(criteria))


def answer(rubric: Rubric, index: int, rng: random.Random, skill: float) -> str:
    """Write a plain answer that does what it is asked with the probability ``skill``."""
    topic = TOPICS[index % len(TOPICS)]
    count = max(1, int(rng.gauss(9, 4)))
    sentences = [rng.choice(OPENINGS).format(topic=topic)]
    sentences += [rng.choice(MIDDLES) for _ in range(count)]
    third = max(1, len(sentences) // 3)
    blocks = [" ".join(sentences[i : i + third]) for i in range(0, len(sentences), third)]
    text = ("\n\n" if rng.random() < skill else " ").join(blocks)
    families = {c.check.name for c in rubric.criteria if c.check}
    if "bullet_count" in families and rng.random() < skill:
        text += "\n\n- look first\n- begin small\n- write it down"
    if "highlight_count" in families and rng.random() < skill:
        text += "\n\n*Take your time.* *Keep notes.*"
    if "title" in families and rng.random() < skill:
        text = f"<<On {topic}>>\n\n{text}"
    if "postscript" in families and rng.random() < skill:
        text += "\n\nP.S. Your tools deserve patience too."
    if "end_phrase" in families and rng.random() < skill:
        text += "\n\nIs there anything else?"
    return text


def sample(
    rubric: Rubric, text: str, responder: str, *, lost: bool = False, finish: str = "stop"
) -> SampleView:
    """Score one response; ``lost`` makes its first verdict unknown."""
    verdicts = checks.check_response(rubric, text)
    if lost:
        verdicts[0] = unknown(verdicts[0].criterion_id, Cause.TIMEOUT)
    return sample_view(rubric, text, responder, verdicts, finish_reason=finish)


def report_data(prompts: int = 40, *, unknowns: bool = False, seed: int = 0) -> ReportData:
    """Return a report of a middling writer between an empty response, an echo and a better one."""
    rng = random.Random(seed)
    samples = []
    for i in range(prompts):
        rubric = rubric_for(i, rng)
        finish = "length" if rng.random() < 0.1 else "stop"
        text = answer(rubric, i, rng, 0.5)
        lost = unknowns and i % 7 == 0
        samples += [
            sample(rubric, text, "middling-135M", lost=lost, finish=finish),
            sample(rubric, "", "empty"),
            sample(rubric, rubric.prompt.text, "echo"),
            sample(rubric, answer(rubric, i, rng, 1.0), "careful"),
        ]
    return ReportData(
        title="middling-135M on made-up prompts",
        created="2025-01-31 12:00 UTC",
        dataset="rubrics made for this test",
        responders=(
            Responder("middling-135M"),
            Responder("empty", Kind.FLOOR, "says nothing"),
            Responder("echo", Kind.FLOOR, "repeats the prompt"),
            Responder("careful", Kind.CEILING, "does most of what it is asked"),
        ),
        samples=tuple(samples),
        configuration={
            "task": "rubricbench_verifiable",
            "limit": prompts,
            "model": {"name": "middling-135M", "dtype": "float32", "api_key": "do-not-print"},
            "generation": {"max_gen_toks": 512, "do_sample": False, "until": []},
        },
        versions={"rubricbench": "0.1.0", "lm_eval": "0.4.13", "torch": "2.13.0"},
        command="rubricbench quickstart --limit 40",
        canary="canary of the test",
        seed=seed,
    )


def without(data: ReportData, *names: str) -> ReportData:
    """Return the report without some of its responders."""
    return replace(
        data,
        responders=tuple(r for r in data.responders if r.name not in names),
        samples=tuple(s for s in data.samples if s.responder not in names),
    )
