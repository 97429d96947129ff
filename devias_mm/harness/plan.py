"""From a suite to its jobs: one training and one test for each method, variant and seed."""
import copy
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, List, Mapping, Optional, Sequence, Tuple

from devias_mm.errors import SuiteError
from devias_mm.harness.recipes import Change, apply_change, files_read
from devias_mm.harness.rows import resolve
from devias_mm.harness.runs import Run, seeds_of
from devias_mm.harness.suite import Method, Suite
from devias_mm.store.identity import config_identity, data_checksum
from devias_mm.store.index import IndexEntry, checksums, update_index
from devias_mm.store.run_folder import RunFolder

if TYPE_CHECKING:  # MMEngine imports torch, which a table does not need
    from mmengine.config import Config


@dataclass(frozen=True)
class Job(Run):
    """A run that can be started.

    Attributes:
        cfg: the resolved config.
        weights: released weights, which make a training unnecessary; ``''``: none.
        start: the pre-training whose last checkpoint the training starts from.
        tool: or else the tool that makes what the training takes from there.
        sources: files that the recipe was read from.
    """
    cfg: 'Config' = field(default=None, compare=False, repr=False)
    weights: str = ''
    start: Optional['Job'] = None
    tool: str = ''
    sources: Tuple[Path, ...] = field(default=(), compare=False, repr=False)

    @property
    def identity(self) -> str:
        """Hash of the resolved config."""
        return self.folder.identity

    @property
    def epochs(self) -> int:
        """Length of the training; 0 where the config does not say."""
        return self.folder.epochs

    @property
    def trained(self) -> bool:
        """Whether there are weights to test."""
        return bool(self.weights) or self.folder.trained

    @property
    def checkpoint(self) -> str:
        """The weights to test; before the training the file that it will leave."""
        return self.weights or str(self.folder.checkpoint() or self.folder.final_checkpoint)


@dataclass(frozen=True)
class Recipe:
    """A resolved config, the recipe of the run that it starts from, and the files behind both."""
    method: Method
    cfg: 'Config'
    start: Optional['Recipe']
    sources: Tuple[Path, ...]


class Planner:
    """Plans the runs of a suite, and the pre-trainings that they start from.

    A run folder is ``<out>/runs/<config>/seed<k>-<hash>``, the hash being the first 8 digits of
    the identity. Rows that resolve to the same config share it, in whichever suite they are; a
    changed config gets another folder and never overwrites finished results.

    Args:
        suite: what to run.
        root: the repository's root, which configs and data are relative to.
        out: folder of all results.
        options: further changes to every config, such as those of a smoke run.
        processes: GPUs (or CPU processes) of a training; several multiply the batch, which
            makes another recipe.
    """

    def __init__(self, suite: Suite, root: Path, out: Path, options: Change = (),
                 processes: int = 1):
        self.suite = suite
        self.root = Path(root)
        self.out = Path(out)
        self.options = options
        self.processes = processes

    def plan(self, name: str, method: Method, variant: str, seed: int) -> Job:
        """Plan one run of a method."""
        return self.job(name, self.recipe(method, variant), variant, seed)

    def recipe(self, method: Method, variant: str) -> Recipe:
        """Resolve the config of a method, and that of its pre-training."""
        start = None
        if method.pretrain is not None:
            start = self.recipe(method.pretrain, variant)
        first_file = len(files_read)
        cfg = resolve(self.suite, method, variant, self.options, self.root)
        sources = dict.fromkeys(files_read[first_file:])
        if start is not None:
            sources.update(dict.fromkeys(start.sources))
        return Recipe(method, cfg, start, tuple(sources))

    def job(self, name: str, recipe: Recipe, variant: str, seed: int) -> Job:
        """Plan the run of a recipe with a seed."""
        method, cfg = recipe.method, copy.deepcopy(recipe.cfg)
        start, tool = None, ''
        if recipe.start is not None:
            stem = Path(recipe.start.method.config).stem
            start = self.job(stem, recipe.start, variant, seed)
            tool = self._start_from(cfg, method, start.folder)
        apply_change(cfg, dict(randomness=dict(seed=seed)))
        self._describe_data(cfg)
        if self.processes > 1:
            cfg.processes = self.processes
        folder = self._folder(cfg, Path(method.config).stem, seed)
        cfg.work_dir = str(folder.path)
        splits = tuple(self.suite.splits)
        return Job(name, variant, seed, splits, folder, cfg, self._weights(method), start, tool,
                   recipe.sources)

    def _start_from(self, cfg: 'Config', method: Method, start: RunFolder) -> str:
        """Name in a config what its training takes from another one; return the tool for it."""
        if not method.derived:
            cfg.load_from = str(start.final_checkpoint)
            return ''
        entry, tool = method.derived
        apply_change(cfg, {entry: str(start.derived(tool))})
        return tool

    def _describe_data(self, cfg: 'Config') -> None:
        """Note the checksum of the data set: other data make another run."""
        if self.suite.data.manifest is None:
            return
        manifest = self.root / self.suite.data.manifest
        if manifest.is_file():
            cfg.data_sha256 = data_checksum(manifest)

    def _folder(self, cfg: 'Config', stem: str, seed: int) -> RunFolder:
        identity = config_identity(cfg, self.root)
        epochs = int((cfg.get('train_cfg') or {}).get('max_epochs', 0))
        return RunFolder(self.out / 'runs' / stem / f'seed{seed}-{identity[:8]}', identity, epochs)

    def _weights(self, method: Method) -> str:
        """Return the released weights of a method: a file of their name here, or their URL."""
        if not method.checkpoint:
            return ''
        here = self.root / 'checkpoints' / Path(method.checkpoint).name
        return str(here) if here.is_file() else method.checkpoint


def plan_jobs(suite: Suite, root: Path, out: Path, methods: Optional[Sequence[str]] = None,
              seeds: Optional[Sequence[int]] = None, options: Optional[Mapping] = None,
              processes: int = 1) -> List[Job]:
    """List the jobs of a suite: all methods of the first seed, then of the next.

    Args:
        suite: what to run.
        root: the repository's root.
        out: folder of all results.
        methods: names of methods; all by default.
        seeds: the suite's by default.
        options: further changes to every config (smoke options).
        processes: GPUs (or CPU processes) of a training.

    Raises:
        SuiteError: unknown method, missing data or config.
    """
    require_data(suite, root)
    planner = Planner(suite, root, out, options or {}, processes)
    seeds = list(dict.fromkeys(suite.seeds if seeds is None else seeds))
    jobs = []
    for name, method in suite.select(methods).items():
        for variant in suite.variants or ('', ):
            recipe = planner.recipe(method, variant)
            for seed in seeds_of(method, seeds):
                jobs.append(planner.job(name, recipe, variant, seed))
    return sorted(jobs, key=lambda job: seeds.index(job.seed))


def require_data(suite: Suite, root: Path) -> Optional[Path]:
    """Return the data manifest of a suite, relative to ``root``; an error says how to make it."""
    if suite.data.manifest is None:
        return None
    if not (Path(root) / suite.data.manifest).is_file():
        remedy = f'; make it with:\n    {suite.data.command}' if suite.data.command else ''
        raise SuiteError(f'the data of suite {suite.name!r} is missing: there is no '
                         f'{suite.data.manifest}{remedy}')
    return Path(suite.data.manifest)


def write_index(folder: Path, jobs: Sequence[Job], suite_files: Sequence[Path], root: Path
                ) -> None:
    """Note in a suite's folder which run folders its jobs have.

    Args:
        folder: the suite's folder of results.
        jobs: from :func:`plan_jobs`.
        suite_files: the suite file and those that it loads.
        root: the repository's root.
    """
    entries = []
    for job in jobs:
        relative = os.path.relpath(job.work_dir, folder)
        sources = checksums([*suite_files, *job.sources], root)
        entries.append(IndexEntry(job.method, job.variant, job.seed, job.identity, relative,
                                  sources))
    update_index(folder, entries)
