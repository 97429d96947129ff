"""Metrics: pure functions of arrays and prediction tables (no torch, no model)."""
from devias_mm.evaluation.accuracy import topk_accuracy, topk_correct
from devias_mm.evaluation.metrics import Metric

__all__ = ['Metric', 'topk_accuracy', 'topk_correct']
