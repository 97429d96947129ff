"""Reading the stored predictions of a suite's runs into per-video correctness."""
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import numpy as np
import pandas as pd

from devias_mm.errors import SuiteError
from devias_mm.evaluation.contrasted import contrasted
from devias_mm.evaluation.hits import SplitHits, read_hits
from devias_mm.evaluation.metrics import Contrast, Split
from devias_mm.harness.runs import Run
from devias_mm.harness.suite import Suite

# rows of a hits array, in this order
TASKS = ('action', 'scene', 'background')


@dataclass
class MethodResults:
    """Per-video results of one method (in one variant) over its finished seeds.

    Attributes:
        method, variant: names in the suite.
        seeds: seeds that are finished.
        missing_seeds: seeds that were asked for and are not finished.
        videos: per split the ``video_id`` of the columns of ``hits``.
        hits: per split float64 ``(seeds, 3, videos)``: action correct, scene
            correct, predicted as the background's action; NaN = not labelled or
            not predicted by this method.
        unreadable: per split the videos that could not be read.
        on_error: what they did to the score, one of ``ON_ERROR``.
    """
    method: str
    variant: str
    seeds: Tuple[int, ...]
    missing_seeds: Tuple[int, ...]
    videos: Dict[str, pd.Index] = field(default_factory=dict)
    hits: Dict[Split, np.ndarray] = field(default_factory=dict)
    unreadable: Dict[str, List[str]] = field(default_factory=dict)
    on_error: str = 'count-wrong'

    def per_video(self, split: str, task: str = 'action') -> pd.Series:
        """Return the correctness of each video, averaged over the seeds."""
        values = self.hits[split][:, TASKS.index(task)]
        return pd.Series(values.mean(axis=0), index=self.videos[split])

    def hits_of(self, split: Split) -> np.ndarray:
        """Return the hits of a split, or of a pair of splits."""
        if split not in self.hits:
            self.hits[split] = self._contrast(split)
        return self.hits[split]

    def _contrast(self, pair: Contrast) -> np.ndarray:
        """Return the hits of a pair; there are no scenes and backgrounds in it."""
        hits = np.full_like(self.hits[pair.moving], np.nan)
        unreadable = self.videos[pair.still].isin(self.unreadable[pair.still])
        for seed in range(len(self.seeds)):
            right = pd.Series(self.hits[pair.moving][seed, 0], index=self.videos[pair.moving])
            twin = pd.Series(self.hits[pair.still][seed, 0], index=self.videos[pair.still])
            # a wrong twin is good: one that could not be read must not be
            twin[twin.notna() & unreadable] = 1.0
            hits[seed, 0] = contrasted(right, twin)
        return hits


def collect(suite: Suite, runs: Sequence[Run], command: str,
            on_error: str = 'count-wrong') -> List[MethodResults]:
    """Read the finished ones among the runs of a suite, one result per method and variant.

    Args:
        suite: whose runs they are.
        runs: from :func:`devias_mm.harness.runs.indexed_runs`, or planned jobs.
        command: command that finishes them, for error messages.
        on_error: whether an unreadable video counts as wrong (the default), is
            skipped (left out of the means) or is an error.

    Returns:
        list[MethodResults]: in the order of the suite; methods without any
        finished run are left out (see :func:`without_results`).

    Raises:
        SuiteError: no run is finished, a table of a finished run is gone, runs of one row have
            different configs or were tested on different videos, or a video was unreadable
            and ``on_error='fail'``.
    """
    for run in runs:
        _require_tables(run, command)
    results = []
    for method in suite.methods:
        for variant in suite.variants or ('', ):
            group = [run for run in runs if (run.method, run.variant) == (method, variant)]
            done = [run for run in group if run.tested]
            _require_one_recipe(done)
            if done:
                results.append(_read_method(suite, done, group, on_error))
    if not results:
        raise SuiteError(f'suite {suite.name!r} has no finished run{_looked_for(runs)}; make them '
                         f'with:\n    {command}')
    _require_same_videos(results)
    return results


def _require_tables(run: Run, command: str) -> None:
    """Check that what a run's marker says was tested has its prediction tables."""
    marker = run.folder.marker('test') if run.folder is not None else None
    if marker is None:
        return
    gone = [split for split in run.splits
            if split in marker['splits'] and not run.predictions(split).is_file()]
    if gone:
        raise SuiteError(f'{run.work_dir} was tested, but its prediction table(s) of '
                         f'{", ".join(gone)} are missing; make them again with:\n'
                         f'    {command}')


def _require_one_recipe(runs: Sequence[Run]) -> None:
    """Check that the seeds of a row are runs of one resolved config."""
    for run in runs[1:]:
        if run.folder.identity != runs[0].folder.identity:
            raise SuiteError(f'{runs[0].name} and {run.name} are runs of different configs '
                             f'({runs[0].work_dir}, {run.work_dir}): run all seeds of the row '
                             'again with `tools/benchmark.py run`')


def _looked_for(runs: Sequence[Run]) -> str:
    """Tell where runs were looked for, and of finished runs of other configs beside them."""
    planned = [run for run in runs if run.folder is not None]
    if not planned:
        return ': no run of it was ever started'
    others: List[Path] = []
    for run in planned:
        others += [path.parent for path in run.work_dir.parent.glob('seed*/test.done')]
    text = f'; looked for e.g. {planned[0].work_dir}'
    if others:
        text = (' of the configs and data that it was last run with (there are finished runs of '
                f'others, e.g. {others[0]}){text}')
    return text


def without_results(jobs: Sequence[Run], results: Sequence[MethodResults]) -> List[str]:
    """Return the names (method, or ``method variant``) of what has no finished run."""
    finished = {(result.method, result.variant) for result in results}
    return list(dict.fromkeys(f'{job.method} {job.variant}'.strip() for job in jobs
                              if (job.method, job.variant) not in finished))


def _read_method(suite: Suite, done: Sequence[Run], group: Sequence[Run], on_error: str
                 ) -> MethodResults:
    """Read all splits and seeds of one method."""
    missing = tuple(job.seed for job in group if job not in done)
    result = MethodResults(done[0].method, done[0].variant, tuple(job.seed for job in done),
                           missing, on_error=on_error)
    for split in suite.splits:
        tables = [_read_split(suite, job, split, on_error) for job in done]
        videos = tables[0].videos
        hits = []
        for job, table in zip(done, tables):
            order = _order(done[0], job, split, videos, table.videos)
            hits.append(table.values[:, order])
        unreadable = {video for table in tables for video in table.errors.index}
        result.videos[split] = videos
        result.hits[split] = np.stack(hits)
        result.unreadable[split] = sorted(unreadable)
    return result


def _read_split(suite: Suite, job: Run, split: str, on_error: str) -> SplitHits:
    """Read the hits of a run on a split; what is unreadable counts as asked."""
    path = job.predictions(split)
    predicts = suite.methods[job.method].predicts
    table = read_hits(path, {task: suite.protocol.topk.get(task, 1) for task in predicts})
    for task, number in table.without_scores.items():
        if number:
            raise SuiteError(f'method {job.method!r} should predict the {task}, but {number} '
                             f'readable video(s) of {path} have no {task}_scores; correct '
                             '`predicts` in the suite, or test the method again')
    if len(table.errors) and on_error == 'fail':
        raise SuiteError(f'{job.name}, {split}: {len(table.errors)} unreadable video(s), e.g. '
                         f'{table.errors.index[0]!r}: {table.errors.iloc[0]}; repair them and '
                         'test again, or choose --on-error count-wrong or skip')
    if len(table.errors) and on_error == 'skip':
        table.values[:, table.videos.isin(table.errors.index)] = np.nan
    return table


def _order(first: Run, job: Run, split: str, videos: pd.Index, own: pd.Index) -> np.ndarray:
    """Return where the videos of the first seed are in the table of another."""
    if own.equals(videos):
        return np.arange(len(videos))
    different = own.symmetric_difference(videos)
    if len(different):
        raise SuiteError(f'seeds {first.seed} and {job.seed} of {job.method!r} were tested on '
                         f'different videos of {split!r}, e.g. {different[0]!r}: delete '
                         f'{job.work_dir / "test.done"} and run the suite again')
    return own.get_indexer(videos)


def _require_same_videos(results: Sequence[MethodResults]) -> None:
    first = results[0]
    for other in results[1:]:
        for split, videos in first.videos.items():
            if videos.equals(other.videos[split]):
                continue
            different = videos.symmetric_difference(other.videos[split])
            if len(different):
                raise SuiteError(
                    f'{first.method!r} and {other.method!r} were tested on different videos of '
                    f'{split!r} ({len(different)} differ, e.g. {different[0]!r}): one of them '
                    'was tested on an older list; test it again')

