"""One maker for each check family: draws its parameters for a row and words them.

A maker returns None where the family does not fit the row after all (no terms left, for instance).
Importing this package registers all makers.
"""

from rubricbench.builders.verifiable.families import (  # noqa: F401
    content,
    form,
    length,
    penalties,
    records,
    style,
)
from rubricbench.builders.verifiable.families.registry import MAKERS

__all__ = ["MAKERS"]
