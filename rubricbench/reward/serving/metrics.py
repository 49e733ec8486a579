"""The server's counts, in the text form that Prometheus reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from rubricbench.judging.usage import Tally
from rubricbench.reward.batch import Batch

BUCKETS = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 150.0, 300.0, 600.0)


class Counts:
    """What a server has been asked and has answered."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.standings: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()
        self.own_doing = 0
        self._seconds: Counter[float] = Counter()
        self._sum_of_seconds = 0.0
        self._batches = 0

    def request(self, path: str, status: int) -> None:
        """Count a request, answered with a status."""
        self.requests[path, status] += 1

    def batch(self, batch: Batch) -> None:
        """Count a graded batch."""
        self.standings.update(str(ruling.standing) for ruling in batch.rulings)
        self.causes.update(str(ruling.cause) for ruling in batch.rulings if ruling.cause)
        self.own_doing += batch.own_doing
        self._batches += 1
        self._sum_of_seconds += batch.seconds
        self._seconds.update(edge for edge in BUCKETS if batch.seconds <= edge)

    def text(self, tally: Tally, gauges: Mapping[str, float]) -> str:
        """Return all counts.

        Args:
            tally: the judge's counts.
            gauges: name -> present value.
        """
        lines = [
            *_family("requests_total", "Requests answered.", "counter", self._by_path()),
            *_family("rows_total", "Rows graded.", "counter", _by("standing", self.standings)),
            *_family("unknown_total", "Rows unknown.", "counter", _by("cause", self.causes)),
            *_family(
                "own_doing_total",
                "Rows that broke the judge again and again.",
                "counter",
                [("", self.own_doing)],
            ),
            *self._histogram(),
            *_family("judge_calls_total", "Calls to the judge.", "counter", _calls(tally)),
            *_family("judge_tokens_total", "Tokens.", "counter", _by("kind", tally.tokens)),
        ]
        for name, value in gauges.items():
            lines += _family(name, "At present.", "gauge", [("", value)])
        return "\n".join(lines) + "\n"

    def _by_path(self) -> list[tuple[str, float]]:
        return [
            (f'{{path="{path}",status="{status}"}}', count)
            for (path, status), count in sorted(self.requests.items())
        ]

    def _histogram(self) -> list[str]:
        found: list[tuple[str, float]] = [
            (f'_bucket{{le="{edge:g}"}}', self._seconds[edge]) for edge in BUCKETS
        ]
        found += [
            ('_bucket{le="+Inf"}', self._batches),
            ("_sum", self._sum_of_seconds),
            ("_count", self._batches),
        ]
        return list(_family("batch_seconds", "Time a batch took.", "histogram", found))


def _family(name: str, told: str, kind: str, found: Iterable[tuple[str, float]]) -> list[str]:
    name = f"rubricbench_reward_{name}"
    head = [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]
    return [*head, *(f"{name}{labels} {value:g}" for labels, value in found)]


def _by(label: str, counts: Mapping[str, int]) -> list[tuple[str, float]]:
    return [(f'{{{label}="{name}"}}', count) for name, count in sorted(counts.items())]


def _calls(tally: Tally) -> list[tuple[str, float]]:
    names = ("calls", "attempts", "failed", "stored", "shared")
    return _by("outcome", {name: getattr(tally, name) for name in names})
