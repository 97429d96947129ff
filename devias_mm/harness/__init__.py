"""Suites, job plan, launching, leaderboard."""
from devias_mm.harness.suite import Method, Suite, Variant, load_suite

__all__ = ['Method', 'Suite', 'Variant', 'load_suite']
