"""``python -m rubricbench``: the command line."""

from rubricbench.cli import main

if __name__ == "__main__":
    main()
