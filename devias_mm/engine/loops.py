"""Validation and test loops that know about unreadable videos and named splits."""
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple, Union

import torch
from mmaction.registry import LOOPS
from mmengine.dist import all_gather_object, is_main_process
from mmengine.runner import BaseLoop, ValLoop
from mmengine.runner.amp import autocast
from torch.utils.data import DataLoader

from devias_mm.engine.splits import split_dataset
from devias_mm.errors import ListFileError, UsageError
from devias_mm.splits import choose_splits
from devias_mm.store.predictions import ON_ERROR, SLOT_COLUMNS, write_predictions
from devias_mm.store.run_folder import RunFolder


def split_unreadable(data_batch: dict) -> Tuple[dict, list]:
    """Take the samples with the metainfo ``error`` out of a batch.

    Returns:
        tuple: the batch of the others (maybe empty) and the data samples of
        those that were taken out.
    """
    samples = data_batch['data_samples']
    unreadable = [sample for sample in samples if 'error' in sample]
    readable = {}
    for key, values in data_batch.items():
        readable[key] = [value for value, sample in zip(values, samples) if 'error' not in sample]
    return readable, unreadable


@LOOPS.register_module()
class ActionValLoop(ValLoop):
    """MMEngine's ``ValLoop``, where an unreadable video counts as wrong.

    Its data sample gets a ``pred_score`` that is 0 for every class and -1 for
    the label.
    """

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: dict) -> None:
        """Predict the readable videos of a batch and pass all to the evaluator."""
        hook_args = dict(batch_idx=idx, data_batch=data_batch)
        self.runner.call_hook('before_val_iter', **hook_args)
        readable, unreadable = split_unreadable(data_batch)
        outputs = []
        if readable['data_samples']:
            with autocast(enabled=self.fp16):
                outputs = list(self.runner.model.val_step(readable))
        for sample in unreadable:
            score = torch.zeros(self.dataloader.dataset.num_classes)
            score[sample.gt_label] = -1
            outputs.append(sample.set_pred_score(score))
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook('after_val_iter', outputs=outputs, **hook_args)


@LOOPS.register_module()
class MultiSplitTestLoop(BaseLoop):
    """Test a model on named splits and write one prediction table for each.

    Every video is predicted once, for any number of processes, and the scores
    do not depend on that number (see ``WholeBatchSampler``). The tables go to
    ``<work_dir>/predictions/<split>.parquet``.

    Args:
        runner (Runner): the runner.
        dataloader (dict): config of a test dataloader, the template of all.
        evaluator (list): unused; MMEngine wants ``test_evaluator`` set: ``[]``.
        splits (dict[str, dict], optional): what each split changes in the
            template's ``dataset``, such as ``dict(seen=dict(ann_file=...))``.
            Defaults to ``dict(test={})``, the template as it stands.
        selected (Sequence[str], optional): names of the splits to test, or
            patterns of them such as ``'hat-*'``. Defaults to all.
        fp16 (bool): whether to predict under autocast. Defaults to False.
        on_error (str): what an unreadable video does: ``'count-wrong'``,
            ``'skip'`` (it is left out of the returned accuracies) or ``'fail'``,
            which stops the test. The table lists it in either case. One whose file is
            missing is unreadable, too. Defaults to 'count-wrong'.

    Raises:
        UsageError: a selected split is not among ``splits``; or a video is
            unreadable and ``on_error='fail'``.
        ListFileError, FileNotFoundError: a list cannot be used, or none of its videos is
            there; before anything is tested.
    """

    def __init__(self,
                 runner,
                 dataloader: dict,
                 evaluator: Union[dict, list, None] = None,
                 splits: Optional[Dict[str, dict]] = None,
                 selected: Optional[Sequence[str]] = None,
                 fp16: bool = False,
                 on_error: str = 'count-wrong') -> None:
        super().__init__(runner, None)  # the dataloaders are built one by one
        self.template = dataloader
        self.splits = dict(splits or dict(test={}))
        self.selected = choose_splits(self.splits, selected)
        if on_error not in ON_ERROR:
            raise UsageError(f'on_error={on_error!r} is unknown; accepted: {ON_ERROR}.')
        self.evaluator = evaluator
        self.fp16 = fp16
        self.on_error = on_error

    def build_dataloader(self, split: str) -> DataLoader:
        """Build the dataloader of a split: the template with the split's dataset."""
        loader = dict(
            self.template,
            dataset=split_dataset(self.template['dataset'], self.splits[split]),
            sampler=dict(type='DefaultSampler', shuffle=False),
            batch_sampler=dict(type='WholeBatchSampler'))
        loader.pop('drop_last', None)
        return self.runner.build_dataloader(loader, seed=self.runner.seed)

    def run(self) -> Dict[str, float]:
        """Test all selected splits.

        Returns:
            dict[str, float]: accuracies in percent, such as
            ``{'seen/action_top1': 96.5, 'seen/scene_top1': 99.0}``.
        """
        loaders = {split: self._checked_dataloader(split) for split in self.selected}
        self.runner.call_hook('before_test')
        metrics = {}
        for split in self.selected:
            metrics.update(self.run_split(split, loaders.pop(split)))
        self.runner.call_hook('after_test')
        return metrics

    def _checked_dataloader(self, split: str) -> DataLoader:
        """Build the dataloader of a split before anything is tested; errors name the split."""
        try:
            loader = self.build_dataloader(split)
        except (ListFileError, FileNotFoundError) as error:
            raise type(error)(f'split {split!r}: {error} Or name the splits to test '
                              '(`tools/test.py --splits`).') from error
        missing = getattr(loader.dataset, 'missing', [])
        if missing and self.on_error == 'fail':
            raise UsageError(f'split {split!r}: {len(missing)} files or folders are missing, '
                             f'e.g. {missing[0]}; get them, or test with --on-error count-wrong '
                             'or skip.')
        return loader

    def run_split(self, split: str, dataloader: DataLoader) -> Dict[str, float]:
        """Test one split and write its table."""
        self.dataloader = dataloader
        self.runner.call_hook('before_test_epoch')
        self.runner.model.eval()
        rows = []
        for idx, data_batch in enumerate(self.dataloader):
            rows.extend(self.run_iter(idx, data_batch))
        rows = [row for part in all_gather_object(rows) for row in part]
        rows = _in_list_order(rows, self.dataloader.dataset, split)
        if is_main_process():
            write_predictions(RunFolder(Path(self.runner.work_dir)).predictions(split), rows)
        if self.on_error == 'skip':
            rows = [row for row in rows if row['error'] is None]
        metrics = {f'{split}/{key}': value for key, value in _quick_metrics(rows).items()}
        self.runner.call_hook('after_test_epoch', metrics=metrics)
        return metrics

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: dict) -> List[dict]:
        """Predict one batch and return its table rows."""
        hook_args = dict(batch_idx=idx, data_batch=data_batch)
        self.runner.call_hook('before_test_iter', **hook_args)
        readable, outputs = split_unreadable(data_batch)
        if outputs and self.on_error == 'fail':
            raise UsageError(f'video {outputs[0].video_id!r} cannot be read: {outputs[0].error}; '
                             'repair it, or test with --on-error count-wrong or skip.')
        if readable['data_samples']:
            with autocast(enabled=self.fp16):
                outputs = list(self.runner.model.test_step(readable)) + outputs
        self.runner.call_hook('after_test_iter', outputs=outputs, **hook_args)
        return [_table_row(sample) for sample in outputs]


def _table_row(sample) -> dict:
    if 'video_id' not in sample:
        raise KeyError('a test sample has no `video_id`: test with `ActionSceneDataset` and '
                       "name 'video_id' in the meta_keys of `PackActionInputs`.")

    def scores(field: str):
        return sample.get(field).float().cpu().numpy() if field in sample else None

    return dict(
        video_id=sample.video_id,
        action_label=int(sample.gt_label),
        scene_label=int(sample.get('scene_label', -1)),
        background_label=int(sample.get('background_label', -1)),
        action_scores=scores('pred_score'),
        scene_scores=scores('pred_scene_score'),
        error=sample.get('error', None),
        **{name: scores(name) for name in SLOT_COLUMNS})


def _in_list_order(rows: List[dict], dataset, split: str) -> List[dict]:
    """Sort rows as the list file is, after checking that each video has one."""
    order = [dataset.get_data_info(i)['video_id'] for i in range(len(dataset))]
    by_id = {row['video_id']: row for row in rows}
    missing = [video_id for video_id in order if video_id not in by_id]
    if missing or len(rows) != len(order):
        raise RuntimeError(
            f'split {split!r}: {len(rows)} predictions for {len(order)} videos; '
            f'{len(missing)} missing: {missing[:5]}. The table is not written.')
    return [by_id[video_id] for video_id in order]


def _quick_metrics(rows: List[dict]) -> Dict[str, float]:
    """Top-1 accuracies of what was predicted and is labelled, and slot shares, in percent."""
    from devias_mm.evaluation.accuracy import topk_accuracy
    from devias_mm.evaluation.slots import slot_shares
    metrics = {}
    for task in ('action', 'scene'):
        scores = [row[f'{task}_scores'] for row in rows]
        labels = [row[f'{task}_label'] for row in rows]
        if any(score is not None for score in scores) and any(label >= 0 for label in labels):
            metrics[f'{task}_top1'] = float(topk_accuracy(scores, labels))
    metrics.update(slot_shares(rows))
    return metrics
