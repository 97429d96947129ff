"""Suites, job plan, launching, leaderboard."""
from devias_mm.harness.protocol import Data, Ladder, Protocol, Variant
from devias_mm.harness.suite import Method, Suite, load_suite

__all__ = ['Data', 'Ladder', 'Method', 'Protocol', 'Suite', 'Variant', 'load_suite']
