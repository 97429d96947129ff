"""Reading the stored predictions of a suite's runs into per-video correctness."""
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Dict, List, Sequence, Tuple

import numpy as np
import pandas as pd

from devias_mm.errors import SuiteError
from devias_mm.evaluation.contrasted import contrasted
from devias_mm.evaluation.hits import SplitHits, read_hits
from devias_mm.evaluation.metrics import Contrast, Split
from devias_mm.harness.suite import Suite

if TYPE_CHECKING:  # MMEngine's configs are not needed to read results
    from devias_mm.harness.plan import Job

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
        videos = self.videos[pair.moving]
        twins = self.videos[pair.still]
        moving = self.hits[pair.moving][:, 0]
        still = self.hits[pair.still][:, 0].copy()
        # a wrong twin is good: one that could not be read must not be
        unreadable = twins.isin(self.unreadable[pair.still])
        still[~np.isnan(still) & unreadable] = 1.0
        hits = np.full_like(self.hits[pair.moving], np.nan)
        for seed, (right, twin) in enumerate(zip(moving, still)):
            right = pd.Series(right, index=videos)
            twin = pd.Series(twin, index=twins)
            hits[seed, 0] = contrasted(right, twin)
        return hits


def collect(suite: Suite, jobs: Sequence['Job'], command: str,
            on_error: str = 'count-wrong') -> List[MethodResults]:
    """Read the finished runs among the jobs, one result per method and variant.

    Args:
        suite: whose runs they are.
        jobs: from :func:`devias_mm.harness.plan.plan_jobs`.
        command: command that finishes them, for error messages.
        on_error: whether an unreadable video counts as wrong (the default), is
            skipped (left out of the means) or is an error.

    Returns:
        list[MethodResults]: in the order of the suite; methods without any
        finished run are left out (see :func:`without_results`).

    Raises:
        SuiteError: no job is finished, a table of a finished run is gone,
            runs were tested on different videos, or a video was unreadable and
            ``on_error='fail'``.
    """
    _require_tables(jobs, command)
    results = []
    for method in suite.methods:
        for variant in suite.variants or ('', ):
            group = [job for job in jobs if (job.method, job.variant) == (method, variant)]
            done = [job for job in group if job.tested]
            if done:
                results.append(_read_method(suite, done, group, on_error))
    if not results:
        raise SuiteError(f'suite {suite.name!r} has no finished run{_other_runs(jobs)}; '
                         f'looked for e.g. {jobs[0].work_dir}; make them with:\n    {command}')
    _require_same_videos(results)
    return results


def without_results(jobs: Sequence['Job'], results: Sequence[MethodResults]) -> List[str]:
    """Return the names (method, or ``method variant``) of what has no finished run."""
    finished = {(result.method, result.variant) for result in results}
    return list(dict.fromkeys(f'{job.method} {job.variant}'.strip() for job in jobs
                              if (job.method, job.variant) not in finished))


def _require_tables(jobs: Sequence['Job'], command: str) -> None:
    """Raise where a finished run has lost a prediction table."""
    for job in jobs:
        gone = [split for split in job.splits if not job.predictions(split).is_file()]
        if gone and (job.work_dir / 'test.done').is_file():
            raise SuiteError(f'{job.work_dir} was tested, but its prediction table(s) of '
                             f'{", ".join(gone)} are missing; make them again with:\n'
                             f'    {command}')


def _read_method(suite: Suite, done: Sequence['Job'], group: Sequence['Job'], on_error: str
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


def _read_split(suite: Suite, job: 'Job', split: str, on_error: str) -> SplitHits:
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


def _order(first: 'Job', job: 'Job', split: str, videos: pd.Index, own: pd.Index) -> np.ndarray:
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


def _other_runs(jobs: Sequence['Job']) -> str:
    """Say so where a method has runs of another config."""
    folders: List[Path] = []
    for job in jobs:
        folders += [path.parent for path in job.work_dir.parent.glob('seed*/test.done')]
    if not folders:
        return ''
    return (' of the present configs and data (there are finished runs of others, e.g. '
            f'{folders[0]})')
