"""``run.json``: where a set of predictions comes from."""
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Sequence

from devias_mm.files import file_sha256, read_json, write_json
from devias_mm.store.identity import ROOT
from devias_mm.store.run_folder import RunFolder

if TYPE_CHECKING:  # MMEngine imports torch, which a table does not need
    from mmengine.config import Config

PACKAGES = ('torch', 'mmengine', 'mmcv', 'mmcv-lite', 'mmaction2', 'numpy')


def git_state() -> Optional[dict]:
    """Return commit and dirty flag of the repository; ``None`` outside one."""
    if not (ROOT / '.git').exists():  # not a repository that an installation happens to be in
        return None
    try:
        commit = _git('rev-parse', 'HEAD')
        changes = _git('status', '--porcelain', '--untracked-files=no')
    except (OSError, subprocess.CalledProcessError):
        return None
    return dict(commit=commit, dirty=bool(changes))


def _git(*args: str) -> str:
    command = ('git', '-C', str(ROOT), *args)
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout.strip()


def package_versions() -> dict:
    """Return the versions of the packages that numbers depend on; ``None`` where not installed."""
    import devias_mm
    versions = dict(python=platform.python_version(), devias_mm=devias_mm.__version__)
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    if versions['mmcv'] is None:  # mmcv-lite is the same package in fewer parts
        versions['mmcv'] = versions['mmcv-lite']
    return versions


def environment() -> dict:
    """Return MMEngine's report of the machine, and the CPU, cores and threads that it lacks."""
    import torch
    from mmengine.utils.dl_utils import collect_env
    report = {key: str(value) for key, value in collect_env().items()}
    # changes with every draw, and is no property of the machine
    report.pop('numpy_random_seed', None)
    return dict(report, cpu=_cpu_model(), cores=os.cpu_count(), threads=torch.get_num_threads())


def _cpu_model() -> str:
    cpuinfo = Path('/proc/cpuinfo')
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    return platform.processor() or platform.machine()


def selection_rule(checkpoint_path: str, checkpoint: dict, cfg: 'Config') -> str:
    """Tell how the checkpoint was chosen.

    Returns:
        str: ``'best on val'`` for MMEngine's ``best_*.pth``; ``'last'`` for the end of
        the training and for weights that carry no epoch; otherwise ``'epoch 3 of 20'``.
    """
    if os.path.basename(checkpoint_path).startswith('best_'):
        return 'best on val'
    epoch = checkpoint.get('meta', {}).get('epoch')
    epochs = (cfg.get('train_cfg') or {}).get('max_epochs')
    if epoch is None or epochs is None or epoch >= epochs:
        return 'last'
    return f'epoch {epoch} of {epochs}'


def run_record(cfg: 'Config', identity: str, checkpoint_path: str, checkpoint: dict, seed: int,
               wall_clock_s: float, splits: Sequence[str]) -> dict:
    """Gather the content of ``run.json`` (see docs/architecture.md).

    ``load_from_sha256`` is the checksum of the file that the training started from; ``None``
    where it started from scratch or the checkpoint does not tell.

    Args:
        cfg: the resolved config.
        identity: its hash (:func:`devias_mm.store.identity.config_identity`), before the options
            of a test were merged into it.
        checkpoint_path: the file, or a URL.
        checkpoint: its content.
        seed: seed of the test, taken where the checkpoint does not know that of its training.
        wall_clock_s: seconds that the test took.
        splits: names of the tested splits.
    """
    checkpoint_sha256 = None
    if os.path.isfile(checkpoint_path):
        checkpoint_sha256 = file_sha256(checkpoint_path)
    runtime_info = checkpoint.get('message_hub', {}).get('runtime_info', {})
    return dict(
        config=cfg.pretty_text,
        config_hash=identity,
        checkpoint=checkpoint_path,
        checkpoint_sha256=checkpoint_sha256,
        load_from_sha256=runtime_info.get('load_from_sha256'),
        git=git_state(),
        versions=package_versions(),
        environment=environment(),
        seed=checkpoint.get('meta', {}).get('seed', seed),
        wall_clock_s=round(wall_clock_s, 3),
        selection=selection_rule(checkpoint_path, checkpoint, cfg),
        splits=list(splits))


def write_run_record(folder: RunFolder, record: dict) -> None:
    """Write ``run.json``; splits that the same checkpoint was tested on before stay listed."""
    earlier = read_json(folder.record) or {}
    same = all(earlier.get(key) == record[key] for key in ('config_hash', 'checkpoint_sha256'))
    if same and record['checkpoint_sha256'] is not None:
        splits = dict.fromkeys([*earlier.get('splits', ()), *record['splits']])
        record = dict(record, splits=list(splits))
    write_json(folder.record, record)
