"""Setting the scene of a row: which skeleton, which topic, who is in it."""

from __future__ import annotations

from functools import lru_cache

from rubricbench.builders.verifiable.scene import Scene, plan_size
from rubricbench.builders.verifiable.texts import (
    Skeleton,
    Topic,
    pools,
    skeletons,
    topics,
    translations,
)
from rubricbench.checks.language import language_name
from rubricbench.draws import Draws
from rubricbench.errors import InputError


def most_rows() -> int:
    """Return how many rows there can be, both splits together.

    Every pair of skeleton and topic is used at most once; the skeletons in other languages have
    the fewest topics.
    """
    return len(skeletons()) * len(_eligible(translated=True))


def check_counts(counts: dict[str, int]) -> None:
    """Raise InputError unless so many rows of each split can be made without a repeated pair."""
    per_round = len(skeletons())
    rounds = sum(-(-count // per_round) for count in counts.values())
    if any(count < 1 for count in counts.values()) or rounds * per_round > most_rows():
        wanted = " and ".join(f"{count:,} rows of {name}" for name, count in counts.items())
        raise InputError(
            f"cannot build {wanted}",
            hint=f"at least 1 each, and at most {most_rows() - per_round:,} together",
        )


def assigned(seed: int, split: str, number: int) -> tuple[Skeleton, Topic]:
    """Return skeleton and topic of one row.

    The rows of a split come in rounds in which every skeleton occurs once, in an order of the
    round's own. Each skeleton has its own order of the topics; train takes it from the front, test
    from the back, so that no pair of skeleton and topic is in both.
    """
    round_, position = divmod(number, len(skeletons()))
    order = Draws(seed, "skeletons", f"{split}-{round_}").shuffled(skeletons())
    skeleton = order[position]
    ranked = _ranked(seed, skeleton.id, skeleton.layout == "foreign")
    return skeleton, ranked[round_] if split == "train" else ranked[-1 - round_]


@lru_cache(maxsize=256)
def _ranked(seed: int, skeleton_id: str, translated: bool) -> tuple[Topic, ...]:
    return tuple(Draws(seed, "topics", skeleton_id).shuffled(_eligible(translated)))


def _eligible(translated: bool) -> list[Topic]:
    """Return the topics, or those of which there are words in other languages."""
    return [topic for topic in topics() if not translated or topic.name in translations()]


def scene_of(seed: int, split: str, number: int, draw: int = 0) -> Scene:
    """Set the scene of one row; another ``draw`` is another scene for the same pair."""
    skeleton, topic = assigned(seed, split, number)
    row = f"{split}-{number}-{draw}"
    draws = Draws(seed, "scene", row)
    language = draws.pick(sorted(translations()[topic.name])) if _foreign(skeleton) else "en"
    people = _people(skeleton, topic, draws)
    people["language"] = language_name(language)
    terms = translations()[topic.name][language][1:] if _foreign(skeleton) else topic.terms
    given = " ".join(people.get(key, "") for key in ("headers", "headings", "keys", "question"))
    return Scene(
        seed=seed,
        row=row,
        skeleton=skeleton,
        topic=topic,
        people=people,
        size=plan_size(skeleton, draws),
        language=language,
        terms=draws.shuffled([term for term in terms if term not in given.lower()]),
    )


def _foreign(skeleton: Skeleton) -> bool:
    return skeleton.layout == "foreign"


def _people(skeleton: Skeleton, topic: Topic, draws: Draws) -> dict[str, str]:
    """Fill the slots of the task sentences."""
    name, other = draws.sample(pools()["name"], 2)
    audience = draws.pick(pools()["audience"])
    term_a, term_b = draws.sample(topic.terms, 2)
    slots = {
        "topic": topic.name,
        "name": name,
        "other": other,
        "audience": audience,
        "audience_cap": audience[0].upper() + audience[1:],
        "place": draws.pick(pools()["place"]),
        "term_a": term_a,
        "term_b": term_b,
    }
    for key, values in skeleton.slots.items():
        slots[key] = draws.pick(values).format(**slots)
    for key in ("headings", "headers", "record", "keys"):
        if sets := getattr(skeleton, key):
            slots[key] = "|".join(draws.pick(sets))
    if skeleton.languages:
        slots["code"] = draws.pick(skeleton.languages)
    if skeleton.layout == "sum":
        slots |= _sum(skeleton, draws)
    return slots


def _sum(skeleton: Skeleton, draws: Draws) -> dict[str, str]:
    """Draw a sum whose total the answer must state."""
    units = ("minutes", "hours") if skeleton.id == "time_plan" else ("euros", "places")
    chosen = draws.pick([one for one in pools()["sums"] if one["unit"] in units])
    a, b, c = (draws.between(*chosen[key]) for key in "abc")
    return {
        "arithmetic": chosen["text"].format(a=a, b=b, c=c),
        "total": str(a * b + (c if chosen["plus"] else -c)),
        "unit": chosen["unit"],
    }
