"""The reward over HTTP, for trainers that ask a server: ``rubricbench serve-reward``."""
