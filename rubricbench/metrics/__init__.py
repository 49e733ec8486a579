"""Over-optimization measured: estimators with intervals that cover, on anyone's scores.

Everything starts from `Samples` (many scored responses a prompt) or a `Trajectory` (a training run
at checkpoints) and ends in `Result`: estimate, interval, n, method, warnings.
"""

from rubricbench.metrics.resample import Bootstrap, Replicates
from rubricbench.metrics.result import CAUTIONS, Caution, Method, Result, caution, frame, walk
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.trajectory import Trajectory

__all__ = [
    "CAUTIONS",
    "Bootstrap",
    "Caution",
    "Method",
    "Replicates",
    "Result",
    "Samples",
    "Trajectory",
    "caution",
    "frame",
    "walk",
]
