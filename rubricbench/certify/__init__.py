"""Certification: how far a judge can be trusted, with figures and intervals."""
