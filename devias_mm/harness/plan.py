"""From a suite to its jobs: one training and one test per method, variant and seed."""
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from mmengine.config import Config, DictAction

from devias_mm.errors import SuiteError
from devias_mm.files import read_json, write_json
from devias_mm.harness.suite import Method, Suite
from devias_mm.store.identity import config_identity


@dataclass(frozen=True)
class Job:
    """One method trained with one seed (in one variant) and tested on all splits.

    Attributes:
        method: name of the method in its suite.
        variant: name of the variant; ``''`` in a suite without.
        seed: seed of the training.
        config: config file, relative to the repository's root.
        options: all changes to the config (method, variant, smoke options).
        identity: hash of the resolved config, 64 hexadecimal digits.
        work_dir: run folder.
        splits: test splits.
        epochs: length of the training; 0 where the config does not say.
        suite: name of the suite.
        weights: released weights, which make a training unnecessary; ``''``: none.
        start: the pre-training whose last checkpoint the training starts from.
        derived: or else what it takes from there, see :class:`Method`.
    """
    method: str
    variant: str
    seed: int
    config: str
    options: Dict[str, Any] = field(hash=False)
    identity: str
    work_dir: Path
    splits: Tuple[str, ...]
    epochs: int = 0
    suite: str = ''
    weights: str = ''
    start: Optional['Job'] = None
    derived: Tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people: ``fame rho0.90 seed 0``."""
        return ' '.join(filter(None, (self.method, self.variant, f'seed {self.seed}')))

    @property
    def trained(self) -> bool:
        """Whether the training is complete and its checkpoint is there."""
        if self.weights:
            return True
        marker = self._marker('train')
        return marker is not None and self.checkpoint() is not None

    @property
    def derived_folder(self) -> Path:
        """Where the tool of ``derived`` writes."""
        return self.work_dir / Path(self.derived[1]).stem

    @property
    def derivation_done(self) -> bool:
        """Whether the tool of ``derived`` has run, or there is none."""
        return not self.derived or self._marker('derive') is not None

    @property
    def tested(self) -> bool:
        """Whether the prediction tables of all splits are complete."""
        marker = self._marker('test')
        return (marker is not None and set(self.splits) <= set(marker['splits'])
                and all(self.predictions(split).is_file() for split in self.splits))

    def mark(self, step: str, **content: Any) -> None:
        """Record that a step (derive, train, test) is complete; the last thing that it does."""
        write_json(self.work_dir / f'{step}.done',
                   dict(content, config_hash=self.identity, seed=self.seed,
                        finished=time.strftime('%Y-%m-%dT%H:%M:%S%z')))

    def predictions(self, split: str) -> Path:
        """The prediction table of a split."""
        return self.work_dir / 'predictions' / f'{split}.parquet'

    @property
    def final_checkpoint(self) -> Path:
        """Where the training leaves the checkpoint of its last epoch."""
        return self.work_dir / f'epoch_{self.epochs}.pth'

    def checkpoint(self) -> Optional[Path]:
        """The checkpoint of the last epoch, or else what MMEngine's ``last_checkpoint`` names.

        After a kill the pointer may lag behind the files, or be empty. A run folder
        may have been moved: then the file of the name in it.
        """
        if self.weights:
            return Path(self.weights)
        if self.final_checkpoint.is_file():
            return self.final_checkpoint
        pointer = self.work_dir / 'last_checkpoint'
        if not pointer.is_file():
            return None
        named = Path(pointer.read_text().strip())
        here = self.work_dir / named.name
        return next((path for path in (here, named) if path.is_file()), None)

    def _marker(self, step: str) -> Optional[Dict[str, Any]]:
        marker = read_json(self.work_dir / f'{step}.done')
        # a marker copied here from another run does not count
        return marker if marker and marker.get('config_hash') == self.identity else None


def plan_jobs(suite: Suite, root: Path, out: Path, methods: Optional[Sequence[str]] = None,
              seeds: Optional[Sequence[int]] = None,
              options: Optional[Dict[str, Any]] = None, processes: int = 1) -> List[Job]:
    """List the jobs of a suite: all methods of the first seed, then of the next.

    A run folder is ``<out>/<suite>/<method>[/<variant>]/seed<k>-<hash>``, the
    hash being the first 8 digits of the identity: a changed config gets
    another folder and never overwrites finished results.

    Args:
        suite: what to run.
        root: the repository's root, which configs and data are relative to.
        out: folder of all results.
        methods: names of methods; all by default.
        seeds: the suite's by default.
        options: further changes to every config (smoke options).
        processes: GPUs (or CPU processes) of a training.

    Raises:
        ValueError: unknown method, missing data or config.
    """
    root, out = Path(root), Path(out)
    manifest = require_data(suite, root)
    variants = {name: v.overrides for name, v in suite.variants.items()} or {'': {}}
    jobs = []
    seeds = list(dict.fromkeys(suite.seeds if seeds is None else seeds))
    for name, method in suite.select(methods).items():
        for variant, overrides in variants.items():
            changes = {**method.overrides, **overrides, **(options or {})}
            make = partial(_make_job, root, manifest, processes, method=name, variant=variant,
                           options=changes, suite=suite.name)
            cfg = _resolve_method(suite, method, root, changes)
            start = resolve_config(root / method.pretrain, changes) if method.pretrain else None
            for seed in seeds[:1] if method.checkpoint else seeds:
                first = None
                if start is not None:
                    first = make(_pretraining_folder(suite, method, out) / variant, start,
                                 seed=seed, config=method.pretrain, splits=())
                    cfg.load_from = first.identity  # another pre-training is another job
                    if method.derived:
                        cfg.merge_from_dict(dict([method.derived]))
                jobs.append(make(out / suite.name / name / variant, cfg, seed=seed,
                                 config=method.config, splits=tuple(suite.splits),
                                 weights=_weights(method, root), start=first,
                                 derived=method.derived))
    return sorted(jobs, key=lambda job: seeds.index(job.seed))


def _pretraining_folder(suite: Suite, method: Method, out: Path) -> Path:
    """The folder of the row that this pre-training is, or else one that suites share."""
    row = next((name for name, other in suite.methods.items()
                if (other.config, other.overrides) == (method.pretrain, method.overrides)), None)
    return out / suite.name / row if row else out / 'pretraining' / Path(method.pretrain).stem


def _make_job(root: Path, manifest: Optional[Path], processes: int, folder: Path,
              cfg: Config, seed: int, **fields: Any) -> Job:
    identity = config_identity(cfg, root, manifest, processes)
    return Job(seed=seed, identity=identity, work_dir=folder / f'seed{seed}-{identity[:8]}',
               epochs=int(cfg.get('train_cfg', {}).get('max_epochs', 0)), **fields)


def _resolve_method(suite: Suite, method: Method, root: Path, changes: Dict[str, Any]) -> Config:
    if not method.checkpoint:
        return resolve_config(root / method.config, changes)
    from devias_mm.engine.any_model import adapt_config, find_config  # imports the models
    path = method.config if '::' in method.config else root / method.config
    cfg = adapt_config(Config.fromfile(str(find_config(path))),
                       Config.fromfile(str(root / suite.data_config)))
    cfg.merge_from_dict(dict(changes, load_from=Path(method.checkpoint).name))
    return cfg


def _weights(method: Method, root: Path) -> str:
    """The released weights of a method: a file of that name here, or where they are."""
    here = root / 'checkpoints' / Path(method.checkpoint).name
    return str(here) if here.is_file() else method.checkpoint


def require_data(suite: Suite, root: Path) -> Optional[Path]:
    """The data manifest of a suite, relative to ``root``; an error says how to make it."""
    if suite.data_manifest is None:
        return None
    if not (Path(root) / suite.data_manifest).is_file():
        remedy = f'; make it with:\n    {suite.data_command}' if suite.data_command else ''
        raise SuiteError(f'the data of suite {suite.name!r} is missing: there is no '
                         f'{suite.data_manifest}{remedy}')
    return Path(suite.data_manifest)


def resolve_config(path: Path, options: Dict[str, Any]) -> Config:
    """Read a config and apply overrides as ``--cfg-options`` does."""
    if not path.is_file():
        raise ValueError(f'config not found: {path}; the suite names a config that does not '
                         'exist in this repository')
    cfg = Config.fromfile(str(path), import_custom_modules=False)
    cfg.merge_from_dict(dict(options))
    return cfg


def cfg_options(options: Dict[str, Any]) -> List[str]:
    """Format overrides as arguments of ``--cfg-options``.

    Raises:
        ValueError: a value would be read back as something else.
    """
    arguments = []
    for key, value in options.items():
        text = _option_text(value)
        if DictAction._parse_iterable(text) != value:
            raise ValueError(f'{key}={value!r} cannot be written as a --cfg-options argument: '
                             'put it into a config file of its own')
        arguments.append(f'{key}={text}')
    return arguments


def _option_text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        inner = ','.join(map(_option_text, value))
        return f'[{inner}]' if isinstance(value, list) else f'({inner})'
    return str(value)
