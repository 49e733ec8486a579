"""Start-up cost above a bare interpreter, as ratios to the targets, measured in one run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

TARGETS = {
    "import rubricbench": (["-c", "import rubricbench"], 0.3),
    "rubricbench --help": (["-m", "rubricbench", "--help"], 0.5),
}


def _seconds(arguments: list[str], repeats: int = 7) -> float:
    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - start

    return statistics.median(once() for _ in range(repeats))


def test_import_and_help_stay_light(benchmark, capsys):
    bare = _seconds(["-c", "pass"])
    benchmark.pedantic(_seconds, args=(["-c", "import rubricbench"], 1), rounds=3)
    with capsys.disabled():
        print(f"\nstart-up above a bare interpreter ({bare * 1000:.0f} ms):")
        for name, (arguments, target) in TARGETS.items():
            cost = _seconds(arguments) - bare
            print(f"  {name}: {cost * 1000:.0f} ms, {cost / target:.2f} of the {target:g} s target")
