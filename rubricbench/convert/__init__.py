"""Datasets in the forms other tools read: rubrics as rubrics, graded responses as training data."""

from rubricbench.convert.forms import GRADED_FORMS, RUBRIC_FORMS
from rubricbench.convert.run import convert

__all__ = ["GRADED_FORMS", "RUBRIC_FORMS", "convert"]
