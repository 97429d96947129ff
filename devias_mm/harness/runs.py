"""The runs of a suite, as its index names them: what tables and figures are made from."""
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

from devias_mm.harness.suite import Method, Suite
from devias_mm.store.index import read_index, run_folder
from devias_mm.store.run_folder import RunFolder


@dataclass(frozen=True)
class Run:
    """One method with one seed (in one variant), tested on the splits of a suite.

    Attributes:
        method: name of the method in its suite.
        variant: name of the variant; ``''`` in a suite without.
        seed: seed of the training.
        splits: test splits of the suite.
        folder: where the run is; ``None`` for one that was never planned.
    """
    method: str
    variant: str
    seed: int
    splits: Tuple[str, ...]
    folder: Optional[RunFolder] = None

    @property
    def name(self) -> str:
        """The run for people: ``fame rho0.90 seed 0``."""
        words = [self.method, self.variant, f'seed {self.seed}']
        return ' '.join(word for word in words if word)

    @property
    def tested(self) -> bool:
        """Whether the prediction tables of all splits are complete."""
        return self.folder is not None and self.folder.tested(self.splits)

    @property
    def work_dir(self) -> Path:
        """The run folder."""
        return self.folder.path

    def predictions(self, split: str) -> Path:
        """Return the file of the prediction table of a split."""
        return self.folder.predictions(split)


def seeds_of(method: Method, seeds: Sequence[int]) -> Sequence[int]:
    """Return the seeds that a method is run with: one for released weights, which have no seed."""
    return seeds[:1] if method.checkpoint else seeds


def indexed_runs(suite: Suite, folder: Path, methods: Optional[Sequence[str]] = None,
                 seeds: Optional[Sequence[int]] = None) -> List[Run]:
    """List the runs of a suite by its index; nothing is planned, and no config is read.

    Args:
        suite: whose runs.
        folder: the suite's folder of results, with its index.
        methods: names of methods; all by default.
        seeds: the suite's by default.

    Returns:
        list[Run]: each method, variant and seed that is asked for, also those that the index
        does not name.
    """
    folders = {}
    for entry in read_index(folder):
        folders[entry.method, entry.variant, entry.seed] = run_folder(folder, entry)
    runs = []
    for name, method in suite.select(methods).items():
        for variant in suite.variants or ('', ):
            for seed in seeds_of(method, suite.seeds if seeds is None else seeds):
                found = folders.get((name, variant, seed))
                runs.append(Run(name, variant, seed, tuple(suite.splits), found))
    return runs
