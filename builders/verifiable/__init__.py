"""Builds the ``verifiable`` dataset: prompts whose rubrics a program checks exactly, no judge.

A row starts from a *skeleton* (what kind of answer is asked for, `skeletons/`) and a *topic*
(`topics/`). The kind of answer decides which check families make sense (`layouts.yaml`); each
chosen family draws its parameters around one hidden plan of the answer (`scene.Size`), so that
the criteria of a row can be met together, and words them for the prompt (`phrases.yaml`). A share
of the rows are conversations whose last turn changes or adds conditions.

Everything drawn is keyed by (seed, purpose, row), so a row depends on nothing but its own key, and
the same seed gives the same rows on every platform.
"""

VERSION = "1.0.0"
