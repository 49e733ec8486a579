"""Who answers the prompts: the model, and three responders that bracket it."""

from __future__ import annotations

from rubricbench.report import Kind, Responder

# Key of a responder in file and stage names, whatever the model is called.
MODEL = "model"
BRACKETS = {
    "empty": Responder("empty", Kind.FLOOR, "answers nothing"),
    "echo": Responder("echo", Kind.FLOOR, "repeats the prompt"),
    "solver": Responder("solver", Kind.CEILING, "meets every criterion by construction"),
}


def contestants(model_name: str) -> dict[str, Responder]:
    """Return the responders by key, the model first."""
    name = f"{model_name} (model)" if model_name in BRACKETS else model_name
    return {MODEL: Responder(name), **BRACKETS}
