"""The validation loss, for schedules and checkpoints that follow it."""
import math
from typing import Dict, List, Sequence

from mmaction.registry import METRICS

from devias_mm.engine.metrics import ActionSceneMetric


@METRICS.register_module()
class ActionLossMetric(ActionSceneMetric):
    """The accuracies of :class:`ActionSceneMetric` and the action loss, ``action_nll``.

    It is the mean over the videos of the negative logarithm (in nats) of the probability that
    they get for their action; of several views, that of the mean probability. Unreadable videos and
    those without an action do not count for it.
    """

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Collect hits and losses of a batch."""
        before = len(self.results)
        super().process(data_batch, data_samples)
        for row, sample in zip(self.results[before:], data_samples):
            label = int(sample['gt_label'])
            row['nll'] = None
            if 'error' not in sample and label >= 0:
                probability = float(sample['pred_score'][label])
                row['nll'] = -math.log(max(probability, 1e-12))

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """Average hits and losses."""
        metrics = super().compute_metrics(results)
        losses = [row['nll'] for row in results if row['nll'] is not None]
        if losses:
            metrics['action_nll'] = sum(losses) / len(losses)
        return metrics
