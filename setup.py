"""The list of packages: found, not written out, so that a new folder cannot be forgotten.

Everything else is in pyproject.toml. builders, tasks and baselines stand beside the library in the
checkout and install inside it (`rubricbench.tasks`, …).
"""

from setuptools import find_namespace_packages, setup

ROOMS = ("builders", "tasks", "baselines")


def with_subfolders(name: str) -> list[str]:
    """Return a package and the folders below it; folders of plain data count as packages too."""
    return find_namespace_packages(include=[name, f"{name}.*"])


setup(
    packages=[
        *with_subfolders("rubricbench"),
        *(f"rubricbench.{package}" for room in ROOMS for package in with_subfolders(room)),
    ]
)
