"""Does a policy learn to break its judge? The same training under two rules for unknown verdicts.

The rubric rewards words: the more of them a response says, the better. The judge's context holds
`CONTEXT` words; on a longer response it breaks, with an error that is the response's own doing
(``overflow``) or a crash of the server (``500``). A policy that is rewarded for saying more comes
to that edge by itself, and what happens beyond it is the rule's doing:

* ``by_cause``, ours: the low bound of the score;
* ``drop_everything``: no reward, and the row is left out of the loss.

    python tests/reward/breaking.py --seeds 3 --steps 60
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # as a test, pytest has seen to the path
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from reward_samples import WordServer, column, config
from tiny_policy import KEYWORDS, PROMPT, arguments, make_policy

from rubricbench.reward import RubricReward, Standing, rubric_reward
from rubricbench.schema import Criterion, Prompt, Rubric

CONTEXT = 10
RULES = ("by_cause", "drop_everything")


def word_rubric() -> Rubric:
    """Weight 1 for each of seven words, -2 for the word drab: low bound -2/7."""
    return Rubric(
        prompt=Prompt.from_text(PROMPT),
        criteria=tuple(
            Criterion(criterion=f"Says {word}", weight=-2 if word == "drab" else 1)
            for word in KEYWORDS
        ),
    )


def breaks(response: str) -> bool:
    return len(response.split()) > CONTEXT


class Ruled:
    """A reward under a rule, which notes what its completions did.

    Args:
        reward: the reward.
        rule: one of `RULES`.
    """

    def __init__(self, reward: RubricReward, rule: str) -> None:
        self._reward = reward
        self._rule = rule
        self.__name__ = rule
        self.broken: list[float] = []  # share of a batch's completions that break the judge
        self.told: list[dict[str, float]] = []

    async def __call__(self, completions: list[str], **given: Any) -> list[float | None]:
        columns: dict[str, list[Any]] = {}
        told: dict[str, float] = {}
        given["log_extra"] = columns.__setitem__
        given["log_metric"] = told.__setitem__
        rewards = await self._reward(completions=completions, **given)
        self.broken.append(sum(map(breaks, completions)) / len(completions))
        self.told.append(told)
        if self._rule == "by_cause":
            return rewards
        low = Standing.LOW_BOUND
        standings = columns["rubric_standing"]
        return [None if s == low else r for r, s in zip(rewards, standings, strict=True)]


def train(rule: str, fault: str, seed: int, steps: int, folder: Path) -> Ruled:
    """Train a policy under a rule; return what its completions did, step by step."""
    from datasets import Dataset
    from trl import GRPOTrainer

    model, tokenizer = make_policy(seed, mean_length=4.0)
    rows = [{"prompt": PROMPT, "rubric": column(word_rubric())}] * 64
    with WordServer({}, fault_of=lambda text: fault if breaks(text) else "", keep=False) as server:
        reward = rubric_reward(config(server), store=folder / f"{rule}-{fault}-{seed}.sqlite")
        ruled = Ruled(reward, rule)
        trainer = GRPOTrainer(
            model=model,
            processing_class=tokenizer,
            reward_funcs=ruled,
            args=arguments(folder, max_steps=steps, seed=seed, logging_steps=steps),
            train_dataset=Dataset.from_list(rows),
        )
        trainer.train()
        assert trainer.state.global_step == steps
        reward.close()
    return ruled


def table(found: dict[tuple[str, str], list[Ruled]], columns: int = 6) -> str:
    """Return the mean share of judge-breaking completions, by parts of the training."""
    steps = len(next(iter(found.values()))[0].broken)
    parts = [range(i * steps // columns, (i + 1) * steps // columns) for i in range(columns)]
    heads = [f"{part.start}-{part.stop - 1}" for part in parts]
    lines = [f"{'rule':16}{'fault':10}" + "".join(f"{head:>8}" for head in heads) + "   seeds"]
    for (rule, fault), runs in found.items():
        cells = [share(runs, part) for part in parts]
        told = "".join(f"{cell:>8.1%}" for cell in cells)
        lines.append(f"{rule:16}{fault:10}{told}{len(runs):>8}")
    return "\n".join(lines)


def share(runs: list[Ruled], part: range) -> float:
    """Return the mean share of judge-breaking completions in a part of the training."""
    return sum(run.broken[i] for run in runs for i in part) / (len(runs) * len(part))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--fault", action="append", default=[])
    options = parser.parse_args()
    found: dict[tuple[str, str], list[Ruled]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for fault in options.fault or ["overflow", "500"]:
            for rule in RULES:
                found[rule, fault] = [
                    train(rule, fault, seed, options.steps, Path(folder))
                    for seed in range(options.seeds)
                ]
    print(table(found))


if __name__ == "__main__":
    main()
