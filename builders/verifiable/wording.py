"""The text of a prompt: the task, the material, the conditions."""

from __future__ import annotations

from collections.abc import Sequence

from rubricbench.builders.verifiable.constraint import Constraint
from rubricbench.builders.verifiable.phrasing import number
from rubricbench.builders.verifiable.scene import Scene
from rubricbench.builders.verifiable.texts import pools
from rubricbench.draws import Draws

_NOTES = {"never": 0, "sometimes": 40, "often": 70, "always": 100}


def task(scene: Scene, draws: Draws, tasks: Sequence[str]) -> str:
    """Return one of the ways to ask, its slots filled."""
    sentence = draws.pick(tasks).format(**scene.people)
    return sentence[0].upper() + sentence[1:]


def material(scene: Scene, draws: Draws) -> str:
    """Return the notes or the text that come with the request, "" where there are none."""
    skeleton = scene.skeleton
    if skeleton.text:
        lead = draws.pick(scene.pool(f"{skeleton.text}_lead"))
        return f"{lead}\n\n{passage(scene, draws)}"
    if not draws.chance(_NOTES[skeleton.notes]):
        return ""
    facts = draws.sample(scene.topic.facts, draws.between(2, 4))
    if draws.chance(40):
        figure = scene.topic.figure
        facts.append(f"The figure for {figure.what} is {number(figure.value)} {figure.unit}.")
    rows = "\n".join(f"- {fact}" for fact in facts)
    return f"{draws.pick(scene.pool('notes_lead'))}\n{rows}"


def passage(scene: Scene, draws: Draws) -> str:
    """Return a short text on the topic, for requests that bring one to work on."""
    opening = draws.pick(scene.pool("passage_open")).format(topic=scene.topic.name)
    closing = draws.pick(scene.pool("passage_close"))
    return " ".join([opening, *draws.shuffled(scene.topic.facts), closing])


def conditions(scene: Scene, draws: Draws, phrases: Sequence[str]) -> str:
    """Set the conditions: in a paragraph, as bullets or numbered."""
    style = draws.pick(("woven", "woven", "bullets", "bullets", "numbered"))
    lead = draws.pick(pools()["framing"][style])
    if style == "woven":
        return " ".join(part for part in (lead, *phrases) if part)
    marks = [f"{i}." if style == "numbered" else "-" for i in range(1, len(phrases) + 1)]
    return "\n".join([lead, *(f"{m} {p}" for m, p in zip(marks, phrases, strict=True))])


def request(scene: Scene, constraints: Sequence[Constraint]) -> str:
    """Return the whole request in one turn."""
    draws = scene.draws("wording")
    asked = task(scene, draws, scene.skeleton.tasks)
    phrases = [constraint.phrase for constraint in constraints]
    given = material(scene, draws)
    stated = conditions(scene, draws, phrases)
    parts = [asked, given, stated] if draws.chance(60) else [asked, stated, given]
    if not given and "\n" not in stated and draws.chance(50):
        parts = [f"{asked} {stated}"]
    return join(*parts, draws.pick(scene.pool("closing")))


def join(*parts: str) -> str:
    """Join the parts that are not empty, with a blank line between them."""
    return "\n\n".join(part for part in parts if part)
