"""Reading the stored predictions of a suite's runs into per-video correctness."""
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import numpy as np
import pandas as pd

from devias_mm.errors import SuiteError
from devias_mm.evaluation.contrasted import contrasted
from devias_mm.evaluation.tables import background_agreement, correctness, unreadable_videos
from devias_mm.harness.runs import Run
from devias_mm.harness.suite import Suite
from devias_mm.store.predictions import read_predictions

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
            not predicted by this method. Under the name of a contrasted accuracy of the
            suite: its per-video values, as if they were a split's.
        unreadable: per split the videos that could not be read.
        on_error: what they did to the score, one of ``ON_ERROR``.
    """
    method: str
    variant: str
    seeds: Tuple[int, ...]
    missing_seeds: Tuple[int, ...]
    videos: Dict[str, pd.Index] = field(default_factory=dict)
    hits: Dict[str, np.ndarray] = field(default_factory=dict)
    unreadable: Dict[str, List[str]] = field(default_factory=dict)
    on_error: str = 'count-wrong'

    def per_video(self, split: str, task: str = 'action') -> pd.Series:
        """Correctness of each video, averaged over the seeds."""
        return pd.Series(self.hits[split][:, TASKS.index(task)].mean(axis=0),
                         index=self.videos[split])


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
    """Names (method, or ``method variant``) of the jobs' groups that have no finished run."""
    finished = {(result.method, result.variant) for result in results}
    return list(dict.fromkeys(f'{job.method} {job.variant}'.strip() for job in jobs
                              if (job.method, job.variant) not in finished))


def _read_method(suite: Suite, done: Sequence[Run], group: Sequence[Run], on_error: str
                 ) -> MethodResults:
    result = MethodResults(done[0].method, done[0].variant, tuple(job.seed for job in done),
                           tuple(job.seed for job in group if job not in done),
                           on_error=on_error)
    for split in suite.splits:
        tables = [read_predictions(job.predictions(split)) for job in done]
        videos = pd.Index(tables[0]['video_id'])
        hits = []
        for job, table in zip(done, tables):
            if set(table['video_id']) != set(videos):
                different = sorted(set(table['video_id']) ^ set(videos))
                raise ValueError(f'seeds {done[0].seed} and {job.seed} of {job.method!r} were '
                                 f'tested on different videos of {split!r}, e.g. '
                                 f'{different[0]!r}: delete {job.work_dir / "test.done"} '
                                 'and run the suite again')
            bad = unreadable_videos(table)
            if len(bad) and on_error == 'fail':
                raise ValueError(f'{job.name}, {split}: {len(bad)} unreadable video(s), e.g. '
                                 f'{bad.index[0]!r}: {bad.iloc[0]}; repair them and test again, '
                                 'or choose --on-error count-wrong or skip')
            values = _table_hits(suite, job, split, table)
            if on_error == 'skip':
                values.loc[bad.index] = np.nan
            hits.append(values.loc[videos].to_numpy().T)
        result.videos[split] = videos
        result.hits[split] = np.stack(hits)
        result.unreadable[split] = sorted(
            {video for table in tables for video in unreadable_videos(table).index})
    for name, pair in suite.contrasts.items():
        result.videos[name], result.hits[name] = _contrast(result, *pair)
    return result


def _contrast(result: MethodResults, moving: str, still: str) -> Tuple[pd.Index, np.ndarray]:
    """Videos and hits of a contrasted accuracy; there are no scenes and backgrounds in it."""
    videos, twins = result.videos[moving], result.videos[still]
    hits = np.full_like(result.hits[moving], np.nan)
    for row, first, second in zip(hits, result.hits[moving], result.hits[still]):
        right = pd.Series(second[0], index=twins)
        # a wrong twin is good: one that could not be read must not be
        right[right.notna() & twins.isin(result.unreadable[still])] = 1.0
        row[0] = contrasted(pd.Series(first[0], index=videos), right)
    return videos, hits


def _table_hits(suite: Suite, job: Run, split: str, table: pd.DataFrame) -> pd.DataFrame:
    predicts = suite.methods[job.method].predicts
    columns = {task: pd.Series(np.nan, index=table['video_id']) for task in TASKS}
    for task, k in (('action', suite.action_topk), ('scene', suite.scene_topk)):
        if task not in predicts:
            continue
        lacking = table[f'{task}_scores'].isna() & table['error'].isna()
        if lacking.any():
            raise ValueError(f'method {job.method!r} should predict the {task}, but '
                             f'{int(lacking.sum())} readable video(s) of '
                             f'{job.predictions(split)} have no {task}_scores; correct '
                             '`predicts` in the suite, or test the method again')
        columns[task] = correctness(table, task, k)
    if 'action' in predicts:
        columns['background'] = background_agreement(table)
    return pd.DataFrame(columns)[list(TASKS)]


def _require_same_videos(results: Sequence[MethodResults]) -> None:
    first = results[0]
    for other in results[1:]:
        for split, videos in first.videos.items():
            different = videos.symmetric_difference(other.videos[split])
            if len(different):
                raise ValueError(
                    f'{first.method!r} and {other.method!r} were tested on different videos of '
                    f'{split!r} ({len(different)} differ, e.g. {different[0]!r}): one of them '
                    'was tested on an older list; test it again')
