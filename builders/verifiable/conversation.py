"""Conversations: a first request, an answer, and a last turn that changes or adds conditions.

Two kinds: *revisions* keep the form and change the conditions; *conversions* begin with a plain
question and end with a request for another form (a table, a checklist, a JSON record). Some
revisions take two steps.
"""

from __future__ import annotations

from collections.abc import Sequence

from rubricbench.builders.verifiable.constraint import Constraint
from rubricbench.builders.verifiable.scene import Scene
from rubricbench.builders.verifiable.wording import (
    conditions,
    join,
    material,
    request,
    task,
)
from rubricbench.draws import Draws
from rubricbench.schema import Message

_REVISABLE = ("prose", "letter", "social", "quoted", "cited", "template")
_SHARE = {"revision": 35, "conversion": 30}  # percent of the skeletons that allow it
_LASTING = ("style", "penalty")  # conditions that a first, plain request can already make


def messages(scene: Scene, constraints: Sequence[Constraint]) -> tuple[Message, ...]:
    """Return the turns of a row, most often one."""
    draws = scene.draws("conversation")
    skeleton = scene.skeleton
    if skeleton.layout in _REVISABLE and draws.chance(_SHARE["revision"]):
        return _revision(scene, constraints, draws)
    if skeleton.follow and draws.chance(_SHARE["conversion"]):
        return _conversion(scene, constraints, draws)
    return (Message("user", request(scene, constraints)),)


def _revision(scene: Scene, constraints: Sequence[Constraint], draws: Draws) -> tuple[Message, ...]:
    changed = [one for one in constraints if one.earlier][:1]
    others = [one for one in constraints if one not in changed]
    asked = [one for one in others if one.kind != "penalty"]
    new = (asked or others)[-draws.between(1, 2) :]
    kept = [one for one in others if one not in new]
    first = [one.earlier for one in changed] + [one.phrase for one in kept]
    turns = [Message("user", _first(scene, first)), Message("assistant", draft(scene, "1"))]
    steps = [changed, new] if changed and draws.chance(30) else [[*changed, *new]]
    for i, step in enumerate(steps):
        last = i == len(steps) - 1
        turns.append(Message("user", _change(scene, step, changed, kept, last, f"change-{i}")))
        if not last:
            turns.append(Message("assistant", draft(scene, "2")))
    return tuple(turns)


def _first(scene: Scene, phrases: Sequence[str]) -> str:
    draws = scene.draws("wording")
    asked = task(scene, draws, scene.skeleton.tasks)
    return join(asked, material(scene, draws), conditions(scene, draws, phrases) if phrases else "")


def _change(
    scene: Scene,
    step: Sequence[Constraint],
    changed: Sequence[Constraint],
    kept: Sequence[Constraint],
    last: bool,
    purpose: str,
) -> str:
    draws = scene.draws(purpose)
    phrases = [f"Instead of what I said before: {_lower(one.phrase)}" if one in changed
               else one.phrase for one in step]  # fmt: skip
    stays = [draws.pick(scene.pool("keep"))] if last and (kept or len(changed) > len(step)) else []
    return join(draws.pick(scene.pool("revise")), conditions(scene, draws, phrases), *stays)


def _conversion(
    scene: Scene, constraints: Sequence[Constraint], draws: Draws
) -> tuple[Message, ...]:
    lasting = [one for one in constraints if one.kind in _LASTING][: draws.between(0, 2)]
    rest = [one for one in constraints if one not in lasting]
    opening = draws.pick(scene.pool("first_request")).format(**scene.people)
    wording = scene.draws("wording")
    first = join(opening, conditions(scene, wording, [one.phrase for one in lasting])
                 if lasting else "", material(scene, wording))  # fmt: skip
    asked = task(scene, wording, scene.skeleton.follow)
    stays = [wording.pick(scene.pool("keep"))] if lasting else []
    last = join(
        asked, conditions(scene, scene.draws("change"), [one.phrase for one in rest]), *stays
    )
    return (
        Message("user", first),
        Message("assistant", draft(scene, "1")),
        Message("user", last),
    )


def draft(scene: Scene, version: str) -> str:
    """Return an answer as an assistant might have given it before the last turn."""
    draws = scene.draws(f"draft-{version}")
    facts = draws.sample(scene.topic.facts, draws.between(2, 3))
    opening = draws.pick(scene.pool("draft_open")).format(**scene.people)
    closing = draws.pick(scene.pool("draft_close"))
    body = " ".join(facts)
    if scene.skeleton.layout in ("letter", "template"):
        return f"Dear {scene.people['other']},\n\n{body}\n\nBest wishes\n{scene.people['name']}"
    return f"{opening} {body} {closing}"


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
