"""Accuracies while training."""
from typing import Dict, List, Sequence

from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric


@METRICS.register_module()
class ActionSceneMetric(BaseMetric):
    """Top-1 of what a recognizer predicts: ``action_top1``, ``scene_top1``, in percent.

    MMAction2's ``AccMetric`` knows actions alone. Videos without a label of a
    kind (-1) do not count for it; unreadable ones (metainfo ``error``) are wrong
    for every kind that the others have.
    """

    scores = dict(action='pred_score', scene='pred_scene_score')

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Collect hits of a batch."""
        for sample in data_samples:
            labels = dict(action=int(sample['gt_label']), scene=sample.get('scene_label', -1))
            unreadable = 'error' in sample
            hits = {kind: None if labels[kind] < 0 else
                    not unreadable and int(sample[key].argmax()) == labels[kind]
                    for kind, key in self.scores.items() if unreadable or key in sample}
            self.results.append(dict(hits=hits, unreadable=unreadable))

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """Average the hits."""
        metrics = {}
        for kind in self.scores:
            predicted = any(kind in row['hits'] for row in results if not row['unreadable'])
            hits = [row['hits'][kind] for row in results if row['hits'].get(kind) is not None]
            if predicted and hits:
                metrics[f'{kind}_top1'] = 100 * sum(hits) / len(hits)
        return metrics
