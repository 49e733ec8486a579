"""Trainers that compare rubric rewards with Bradley-Terry reward models (the baselines)."""
