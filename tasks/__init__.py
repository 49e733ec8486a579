"""lm-eval tasks that score any model with the rubrics of this package."""
