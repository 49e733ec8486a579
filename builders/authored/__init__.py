"""Prompts and rubrics written for this project: the YAML beside this file, and its reader."""
