#!/bin/sh
# mypy --strict over the package as it installs: rubricbench with builders, tasks and baselines
# inside it. The checkout keeps them beside it, so a tree of links shows mypy the installed layout.
# Usage: .ci/typecheck.sh PYTHON
set -eu
root=$(pwd)
case $1 in /*) python=$1 ;; *) python=$root/$1 ;; esac
tree=build/typecheck
rm -rf "$tree"
mkdir -p "$tree/rubricbench"
for entry in rubricbench/*; do ln -s "$root/$entry" "$tree/$entry"; done
for room in builders tasks baselines; do ln -s "$root/$room" "$tree/rubricbench/$room"; done
cd "$tree"
exec "$python" -m mypy --config-file "$root/pyproject.toml" --cache-dir "$root/.mypy_cache" -p rubricbench
