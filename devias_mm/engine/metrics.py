"""Accuracies while training."""
from typing import Dict, List, Optional, Sequence

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
            unreadable = 'error' in sample
            hits = {}
            for kind, key in self.scores.items():
                if unreadable or key in sample:
                    hits[kind] = self._hit(sample, kind)
            self.results.append(dict(hits=hits, unreadable=unreadable))

    def _hit(self, sample: dict, kind: str) -> Optional[bool]:
        """Return whether a prediction is right; ``None`` where there is no label."""
        label = int(sample['gt_label'] if kind == 'action' else sample.get('scene_label', -1))
        if label < 0:
            return None
        return 'error' not in sample and int(sample[self.scores[kind]].argmax()) == label

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """Average the hits."""
        metrics = {}
        for kind in self.scores:
            predicted = any(kind in row['hits'] for row in results if not row['unreadable'])
            hits = [row['hits'].get(kind) for row in results]
            hits = [hit for hit in hits if hit is not None]
            if predicted and hits:
                metrics[f'{kind}_top1'] = 100 * sum(hits) / len(hits)
        return metrics
