"""Placeholder until the repro files land."""
