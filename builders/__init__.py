"""How the rubric datasets are made."""
