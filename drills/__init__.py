"""Drills: faults made on purpose, against real parts, and what is left afterwards. `python -m drills` runs them all."""
