"""The columns of a leaderboard: each metric says what it is, once.

A protocol lists its metrics; tables, figures and notes read the names, directions, digits and
headings that are declared here. The functions that make groups of metrics
(:func:`seen_unseen`, :func:`per_split`, ...) return tuples, to be joined in a suite file.
"""
from dataclasses import dataclass, replace
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from devias_mm.evaluation.harmonic_mean import harmonic_mean

MAIN = ''
COMPREHENSIVE = 'Comprehensive protocol'
ACTIONS = 'Action accuracy per split'
SCENES = 'Scene accuracy per split'
HAT = ('Action-swap and ratio metrics (HAT): SBErr in percent and BOR, lower is better; SHAcc and '
       'HOR, higher is better')
CONTRASTED = ('Contrasted accuracy (StillMix): SCUBA clips that are right while one frame of them, '
              'repeated, is wrong')


class Accuracy(NamedTuple):
    """What was right on a split, in percent, each ``(seeds, ...)``.

    Attributes:
        action: the action, or NaN where it is not predicted or not labelled.
        scene: the scene, likewise.
        background: how often the action that the *background* belongs to was predicted.
    """
    action: np.ndarray
    scene: np.ndarray
    background: np.ndarray


class Contrast(NamedTuple):
    """A pair of splits that a metric takes like one split: SCUBA clips and their still twins.

    A clip counts as right where it is right and its twin is wrong.
    """
    moving: str
    still: str


Split = Union[str, Contrast]
Accuracies = Mapping[Split, Accuracy]


@dataclass(frozen=True)
class Metric:
    """A column of a leaderboard.

    Attributes:
        name: of the column, such as ``'action_unseen'``.
        function: takes ``{split: Accuracy}`` of the metric's splits, in their order, and returns
            the value of each seed. It must broadcast: under resampling the arrays have one more,
            last axis.
        splits: splits, sets of draws (which count as one split: the mean of the draws) or
            :class:`Contrast` pairs that it needs.
        higher_is_better: whether the largest value is the best one.
        digits: decimals in tables for people.
        heading: of the column in tables for people; the name by default.
        section: heading of the table that shows it; ``None``: it is in the CSV file only.
        of_tested: where only some of its splits were tested, it is computed of these.
        over_draws: the spread that tables show is that over the draws of its set (HAT prints
            this one), not that over the seeds.

    Example::

        def worst_action(accuracies):
            return np.min([split.action for split in accuracies.values()], axis=0)

        Metric('worst_unseen', worst_action, ('unseen', 'unseen-texture'), heading='Worst unseen')
    """
    name: str
    function: Callable[[Accuracies], np.ndarray]
    splits: Tuple[Split, ...]
    higher_is_better: bool = True
    digits: int = 1
    heading: str = ''
    section: Optional[str] = MAIN
    of_tested: bool = False
    over_draws: bool = False

    def __post_init__(self):
        if not self.heading:
            object.__setattr__(self, 'heading', self.name)

    def value(self, accuracies: Accuracies) -> np.ndarray:
        """Return the value of each seed.

        Args:
            accuracies: of at least the metric's splits, or of some where it is ``of_tested``.
        """
        own = {split: accuracies[split] for split in self.splits if split in accuracies}
        return self.function(own)


@dataclass(frozen=True)
class HarmonicMean:
    """The function of a metric that is the harmonic mean of others, see :func:`harmonic`."""
    parts: Tuple[Metric, ...]

    def __call__(self, accuracies: Accuracies) -> np.ndarray:
        """Return the harmonic mean for each seed."""
        return harmonic_mean(*(part.value(accuracies) for part in self.parts))


def action_accuracy(accuracies: Accuracies) -> np.ndarray:
    """Return the mean action accuracy of the splits; SHAcc on action-swap sets."""
    return _mean([split.action for split in accuracies.values()])


def scene_accuracy(accuracies: Accuracies) -> np.ndarray:
    """Return the mean scene accuracy of the splits."""
    return _mean([split.scene for split in accuracies.values()])


def background_error(accuracies: Accuracies) -> np.ndarray:
    """Return how often the background's action was predicted, mean of the splits (SBErr)."""
    return _mean([split.background for split in accuracies.values()])


def ratio_to_seen(accuracies: Accuracies) -> np.ndarray:
    """Return the action accuracy of the first split over the mean of the others (BOR, HOR)."""
    part, *whole = accuracies.values()
    # a clip without a person may have no action label: its background's action then
    unlabelled = np.isnan(part.action)
    accuracy = np.where(unlabelled, part.background, part.action)
    seen = _mean([split.action for split in whole])
    known = seen > 0
    divisor = np.where(known, seen, 1.0)
    return np.where(known, accuracy / divisor, np.nan)


def harmonic(name: str, parts: Sequence[Metric], **fields) -> Metric:
    """Make the metric that is the harmonic mean of others.

    Args:
        name: of the column.
        parts: metrics in percent.
        fields: of :class:`Metric`.

    Example, the H.M. of the ablations of DEVIAS (Tables 6, 12 and 14)::

        harmonic('hm_ablation', (
            Metric('action_seen', action_accuracy, ('seen', )),
            Metric('scuba-vqgan', action_accuracy, ('scuba-vqgan', )),
            Metric('scene_seen', scene_accuracy, ('seen', )),
            Metric('hat-scene-only_scene', scene_accuracy, ('hat-scene-only', ))))
    """
    splits: Dict[Split, None] = {}
    for part in parts:
        splits.update(dict.fromkeys(part.splits))
    fields = {'heading': 'H.M.', **fields}
    return Metric(name, HarmonicMean(tuple(parts)), tuple(splits), **fields)


def seen_unseen(action_seen: Sequence[str] = (),
                action_unseen: Sequence[str] = (),
                scene_seen: Sequence[str] = (),
                scene_unseen: Sequence[str] = ()) -> Tuple[Metric, ...]:
    """Make the main columns: accuracies on seen and unseen combinations, and their H.M.

    Args:
        action_seen, action_unseen, scene_seen, scene_unseen: splits and sets whose accuracies
            the column of that name averages. A column without any is left out; ``hm`` needs
            all four.

    Example::

        seen_unseen(action_seen=('seen', ), action_unseen=('scuba-vqgan', 'scuba-sinusoid'))
    """
    columns = (
        ('action_seen', action_accuracy, action_seen, 'Action seen'),
        ('action_unseen', action_accuracy, action_unseen, 'Action unseen'),
        ('scene_seen', scene_accuracy, scene_seen, 'Scene seen'),
        ('scene_unseen', scene_accuracy, scene_unseen, 'Scene unseen'),
    )
    parts: List[Metric] = []
    for name, function, splits, heading in columns:
        if splits:
            metric = Metric(name, function, tuple(splits), heading=heading, of_tested=True)
            parts.append(metric)
    if len(parts) < len(columns):
        return tuple(parts)
    return (*parts, harmonic('hm', parts, of_tested=True))


def comprehensive(action_seen: Sequence[str],
                  action_unseen: Sequence[str],
                  scene_seen: Sequence[str],
                  scene_unseen: Sequence[str]) -> Tuple[Metric, ...]:
    """Make the columns of a second, larger protocol (DEVIAS Tables 7 and 8).

    Args:
        action_seen, scene_seen: those of the main columns.
        action_unseen, scene_unseen: splits and sets of ``action_unseen_all`` and
            ``scene_unseen_all``.
    """
    seen_action = Metric('action_seen', action_accuracy, tuple(action_seen), of_tested=True)
    seen_scene = Metric('scene_seen', scene_accuracy, tuple(scene_seen), of_tested=True)
    unseen_action = Metric(
        'action_unseen_all',
        action_accuracy,
        tuple(action_unseen),
        heading='Action unseen (all)',
        section=COMPREHENSIVE,
        of_tested=True)
    unseen_scene = Metric(
        'scene_unseen_all',
        scene_accuracy,
        tuple(scene_unseen),
        heading='Scene unseen (all)',
        section=COMPREHENSIVE,
        of_tested=True)
    mean = harmonic(
        'hm_all',
        (seen_action, unseen_action, seen_scene, unseen_scene),
        heading='H.M. (all)',
        section=COMPREHENSIVE,
        of_tested=True)
    return unseen_action, unseen_scene, mean


def per_split(splits: Sequence[str], sets: Mapping[str, Sequence[str]] = {}
              ) -> Tuple[Metric, ...]:
    """Make the action accuracy and the scene accuracy of each split and set.

    Args:
        splits: names. The draws of a set are in the CSV file only: the set is shown for them.
        sets: sets of draws, name -> splits.

    Example::

        per_split(('seen', 'hat-far/1', 'hat-far/2'), {'hat-far': ('hat-far/1', 'hat-far/2')})
    """
    drawn = set().union(*sets.values())
    actions: List[Metric] = []
    scenes: List[Metric] = []
    for name in (*splits, *sets):
        action = Metric(name, action_accuracy, (name, ), section=ACTIONS)
        scene = Metric(
            f'{name}_scene',
            scene_accuracy,
            (name, ),
            heading=f'{name} (scene)',
            section=SCENES)
        if name in drawn:
            # in the CSV file only
            action = replace(action, section=None)
            scene = replace(scene, section=None)
        actions.append(action)
        scenes.append(scene)
    return (*actions, *scenes)


def swap_metrics(splits: Sequence[str]) -> Tuple[Metric, ...]:
    """Make SHAcc and SBErr of each action-swap split or set (HAT, section 3.3).

    Args:
        splits: names.

    Example::

        swap_metrics(('hat-random', 'hat-close', 'hat-far'))
    """
    metrics: List[Metric] = []
    for name in splits:
        right = Metric(
            f'shacc_{name}',
            action_accuracy,
            (name, ),
            heading=f'SHAcc {name}',
            section=HAT,
            over_draws=True)
        fooled = Metric(
            f'sberr_{name}',
            background_error,
            (name, ),
            higher_is_better=False,
            heading=f'SBErr {name}',
            section=HAT,
            over_draws=True)
        metrics += [right, fooled]
    return tuple(metrics)


def ratios(seen: Sequence[str], background_only: str, human_only: str) -> Tuple[Metric, ...]:
    """Make BOR and HOR: action accuracy without the person and without the background, over
    that on whole videos (HAT, section 3.3).

    Args:
        seen: splits of whole videos.
        background_only, human_only: splits without the person and without the background.

    Example::

        ratios(('seen', ), background_only='hat-scene-only', human_only='hat-human-only')
    """
    bor = Metric(
        'bor',
        ratio_to_seen,
        (background_only, *seen),
        higher_is_better=False,
        digits=2,
        heading='BOR',
        section=HAT)
    hor = Metric(
        'hor',
        ratio_to_seen,
        (human_only, *seen),
        digits=2,
        heading='HOR',
        section=HAT)
    return bor, hor


def contrasted_metrics(pairs: Mapping[str, Tuple[str, str]]) -> Tuple[Metric, ...]:
    """Make the contrasted accuracy of pairs of SCUBA and SCUFO splits (StillMix).

    Args:
        pairs: column -> (SCUBA split, SCUFO split).

    Example::

        contrasted_metrics({'contrasted-vqgan': ('scuba-vqgan', 'scufo-vqgan')})
    """
    metrics: List[Metric] = []
    for name, (moving, still) in pairs.items():
        contrast = Contrast(moving, still)
        metric = Metric(name, action_accuracy, (contrast, ), section=CONTRASTED)
        metrics.append(metric)
    return tuple(metrics)


def split_accuracies(percent: Mapping[Split, np.ndarray],
                     splits: Sequence[Split],
                     sets: Mapping[str, Sequence[str]]) -> Dict[Split, Accuracy]:
    """Return the accuracies that metrics are functions of.

    Args:
        percent: per split ``(seeds, 3, ...)``: action, scene and background.
        splits: splits and sets that are wanted.
        sets: sets of draws, name -> splits.
    """
    accuracies = {}
    for name in splits:
        draws = sets.get(name, (name, ))
        values = np.mean([percent[draw] for draw in draws], axis=0)
        action, scene, background = np.moveaxis(values, 1, 0)
        accuracies[name] = Accuracy(action, scene, background)
    return accuracies


def _mean(accuracies: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean of arrays of one shape; NaN of none."""
    if not accuracies:
        return np.array(np.nan)
    return np.mean(accuracies, axis=0)
