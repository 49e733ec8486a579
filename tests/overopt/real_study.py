"""A study on real responses: fourteen strong models as one policy, scored by exact checks.

    python tests/overopt/real_study.py RESPONSES.parquet OUT
    rubricbench overopt report OUT/samples.parquet --proxy half_rubric --proxy noisy_rubric \
        --proxy length --proxy structure --out OUT/report

Gold is a rubric of twelve weighted checks, the same for every prompt: short, plain, readable prose.
The proxies are what one might have in its place: half of the rubric; the whole of it by a verifier
that errs (10% of the unmet counted as met, 7% of the met as unmet); the length of the response; and
its structure (lists, headings, bold). Scores, not texts, are written.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from rubricbench.checks import verify
from rubricbench.draws import generator
from rubricbench.schema import Check, Criterion, Message, Prompt, Rubric, Status
from rubricbench.scoring import score_matrix

CHECKS: tuple[tuple[int, str, dict[str, object]], ...] = (
    (3, "word_count", {"maximum": 250}),
    (3, "word_count", {"minimum": 60}),
    (3, "reading_grade", {"maximum": 12.0}),
    (2, "no_repetition", {"words": 5}),
    (2, "distinct_words_ratio", {"minimum": 0.6}),
    (2, "first_word_variety", {"maximum_repeats": 3}),
    (2, "sentence_word_limit", {"maximum": 35}),
    (2, "bullet_count", {"maximum": 6}),
    (1, "heading_count", {"maximum": 1}),
    (1, "no_first_person", {}),
    (1, "question_count", {"maximum": 1}),
    (1, "no_markdown", {}),
)
HALF = (0, 2, 4, 6, 8, 10)  # the criteria that the half rubric has
FALSE_MET, FALSE_UNMET = 0.10, 0.07
STRUCTURE = ("bullet_count", "heading_count", "numbered_list")


def rubric(at: tuple[int, ...] = tuple(range(len(CHECKS)))) -> Rubric:
    """Return the gold rubric, or the part of it that these criteria make."""
    criteria = tuple(
        Criterion(
            criterion=f"{CHECKS[i][1]} {CHECKS[i][2]}",
            weight=CHECKS[i][0],
            check=Check(name=CHECKS[i][1], params=CHECKS[i][2]),
        )
        for i in at
    )
    return Rubric(prompt=Prompt(messages=(Message(role="user", content="any"),)), criteria=criteria)


def credits(texts: list[str], of: Rubric) -> np.ndarray:
    """Return 1 met, 0 unmet, NaN unknown (too long to check), shape ``(texts, criteria)``."""
    value = {Status.MET: 1.0, Status.UNMET: 0.0}
    found = [[verify(c, text).status for c in of.criteria] for text in texts]
    return np.array([[value.get(status, np.nan) for status in row] for row in found])


def scored(responses: pd.DataFrame) -> pd.DataFrame:
    """Return the samples table: one row a response, no text."""
    texts = responses.response.tolist()
    met = credits(texts, rubric())
    rng = generator(0, "a verifier that errs", responses.response_id.tolist())
    chance = rng.random(met.shape)
    erring = np.where(met == 1, chance >= FALSE_UNMET, chance < FALSE_MET).astype(float)
    erring[np.isnan(met)] = np.nan
    lists = Rubric(
        prompt=rubric().prompt,
        criteria=tuple(
            Criterion(criterion=name, weight=1, check=Check(name=name, params={"minimum": 1}))
            for name in STRUCTURE
        ),
    )
    return pd.DataFrame(
        {
            "prompt_id": responses.prompt_id,
            "response_id": responses.response_id,
            "gold": score_matrix(rubric(), met).value,
            "half_rubric": score_matrix(rubric(HALF), met[:, HALF]).value,
            "noisy_rubric": score_matrix(rubric(), erring).value,
            "length": responses.response.str.len(),
            "structure": score_matrix(lists, credits(texts, lists)).value,
        }
    )


def strong(path: Path, prompts: int | None = None) -> pd.DataFrame:
    """Return the responses of the strong models, with ids, to the first so many prompts."""
    frame = pd.read_parquet(path)
    frame = frame[frame.tier == "strong"].copy()
    code, _ = pd.factorize(frame.prompt)
    frame["prompt_id"] = [f"p{c:04d}" for c in code]
    frame["response_id"] = frame.prompt_id + "/" + frame.generator
    return frame if prompts is None else frame[code < prompts]


def main() -> None:
    """Score the responses and write OUT/samples.parquet."""
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    frame = scored(strong(source))
    frame.to_parquet(out / "samples.parquet", index=False)
    print(f"{len(frame):,} responses of {frame.prompt_id.nunique():,} prompts")


if __name__ == "__main__":
    main()
