"""How the series of a chart are told apart: a shape, a dash pattern and a colour for each number.

Shapes and dashes alone are enough: a chart printed in grey is read like one in colour. The numbers
of shapes, dashes and colours share no factor, so 280 styles differ.
"""

from __future__ import annotations

from dataclasses import dataclass

# Keys of `rubricbench.report.charts.markers.SHAPES`, neighbours as unlike as can be.
SHAPES = ("circle", "square", "wedge", "diamond", "cross", "triangle", "hexagon")
# On and off in pixels; none is a solid line. The style sheet holds the same patterns.
DASHES: tuple[tuple[float, ...], ...] = ((), (7, 4), (2, 3), (10, 3, 2, 3), (14, 3))
# On white paper; figures.css has those of dark pages beside them.
COLOURS = (
    "#0b5fa5",
    "#ad4600",
    "#00694b",
    "#7b3f98",
    "#7d5a00",
    "#a8285f",
    "#006d74",
    "#5b5b5b",
)


@dataclass(frozen=True)
class Look:
    """What one style number looks like.

    Args:
        shape: of its markers.
        dash: number of its dash pattern in `DASHES`.
        hue: number of its colour in `COLOURS`.
    """

    shape: str
    dash: int
    hue: int

    @property
    def classes(self) -> str:
        """CSS classes that set its colour and its dashes."""
        return f"hue-{self.hue} dash-{self.dash}"


def look(style: int) -> Look:
    """Return the look of a style number, any integer."""
    return Look(SHAPES[style % len(SHAPES)], style % len(DASHES), style % len(COLOURS))
