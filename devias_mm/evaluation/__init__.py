"""Metrics: pure functions of arrays and prediction tables (no torch, no model)."""
from devias_mm.evaluation.accuracy import (
    mean_class_accuracy,
    predicted_classes,
    topk_accuracy,
    topk_correct,
)
from devias_mm.evaluation.contrasted import contrasted_accuracy
from devias_mm.evaluation.harmonic_mean import harmonic_mean
from devias_mm.evaluation.hat import (
    background_only_ratio,
    human_only_ratio,
    mean_std,
    swap_background_error,
    swap_human_accuracy,
)
from devias_mm.evaluation.knn import knn_accuracy, knn_votes
from devias_mm.evaluation.multiview import merge_views
from devias_mm.evaluation.paired import Comparison, compare_paired
from devias_mm.evaluation.retrieval import retrieval_recall
from devias_mm.evaluation.scene_bias import SceneBias, scene_representation_bias
from devias_mm.evaluation.tables import correctness
from devias_mm.evaluation.uncertainty import Interval, bootstrap, bootstrap_accuracy
from devias_mm.store.predictions import read_predictions

__all__ = [
    'Comparison', 'Interval', 'SceneBias', 'background_only_ratio', 'bootstrap',
    'bootstrap_accuracy', 'compare_paired', 'contrasted_accuracy', 'correctness',
    'harmonic_mean', 'human_only_ratio',
    'knn_accuracy', 'knn_votes', 'mean_class_accuracy', 'mean_std', 'merge_views',
    'predicted_classes', 'read_predictions', 'retrieval_recall', 'scene_representation_bias',
    'swap_background_error', 'swap_human_accuracy', 'topk_accuracy', 'topk_correct'
]
