"""``run.json``: where a set of predictions comes from."""
import hashlib
import json
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Optional, Sequence

import torch
from mmengine.config import Config

from devias_mm.files import file_sha256

PACKAGES = ('torch', 'mmengine', 'mmcv', 'mmcv-lite', 'mmaction2', 'numpy')
# what differs between machines and launches, but not between experiments
MACHINE_KEYS = ('work_dir', 'load_from', 'resume', 'launcher', 'log_level', 'data_root',
                'env_cfg', 'visualizer', 'vis_backends', 'selected')


def config_hash(cfg: Config) -> str:
    """SHA-256 of a resolved config without what depends on the machine."""

    def strip(value):
        if isinstance(value, dict):
            return {key: strip(value[key]) for key in sorted(value) if key not in MACHINE_KEYS}
        return [strip(item) for item in value] if isinstance(value, (list, tuple)) else value

    text = json.dumps(strip(cfg.to_dict()), sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def git_state() -> Optional[dict]:
    """Commit and dirty flag of the checkout of ``devias_mm``; ``None`` outside one."""

    def git(*args):
        return subprocess.run(('git', '-C', str(root), *args), check=True, text=True,
                              capture_output=True).stdout.strip()

    root = Path(__file__).resolve().parents[2]
    try:
        if not (root / '.git').exists():  # not the repository that an installation lies in
            return None
        return dict(commit=git('rev-parse', 'HEAD'),
                    dirty=bool(git('status', '--porcelain', '--untracked-files=no')))
    except (OSError, subprocess.CalledProcessError):
        return None


def package_versions() -> dict:
    """Versions of the packages that numbers depend on; ``None`` where not installed."""
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


def hardware() -> dict:
    """CPU model, number of cores, number of threads in use, names of the GPUs."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path('/proc/cpuinfo')
    if cpuinfo.is_file():
        names = [line.split(':', 1)[1].strip() for line in cpuinfo.read_text().splitlines()
                 if line.startswith('model name')]
        model = names[0] if names else model
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return dict(cpu=model, cores=os.cpu_count(), threads=torch.get_num_threads(), gpus=gpus)


def selection_rule(checkpoint_path: str, checkpoint: dict, cfg: Config) -> str:
    """How the checkpoint was chosen.

    Returns:
        str: ``'best on val'`` for MMEngine's ``best_*.pth``; ``'last'`` for the end of
        the training and for weights that carry no epoch; otherwise
        ``'epoch 3 of 20'``.
    """
    if os.path.basename(checkpoint_path).startswith('best_'):
        return 'best on val'
    epoch = checkpoint.get('meta', {}).get('epoch')
    epochs = (cfg.get('train_cfg') or {}).get('max_epochs')
    if epoch is None or epochs is None or epoch >= epochs:
        return 'last'
    return f'epoch {epoch} of {epochs}'


def run_record(cfg: Config, checkpoint_path: str, checkpoint: dict, seed: int,
               wall_clock_s: float, splits: Sequence[str]) -> dict:
    """Gather the content of ``run.json`` (see docs/architecture.md).

    ``load_from_sha256`` is that of the file which the training started from; ``None`` where
    it started from scratch or the checkpoint does not tell.

    Args:
        cfg (Config): the resolved config.
        checkpoint_path (str): the file, or a URL.
        checkpoint (dict): its content.
        seed (int): seed of the *training*, where the checkpoint knows it; of the
            test otherwise.
        wall_clock_s (float): seconds that the test took.
        splits (Sequence[str]): names of the tested splits.
    """
    is_file = os.path.isfile(checkpoint_path)
    hub = checkpoint.get('message_hub', {})
    return dict(
        config=cfg.pretty_text,
        config_hash=config_hash(cfg),
        checkpoint=checkpoint_path,
        checkpoint_sha256=file_sha256(checkpoint_path) if is_file else None,
        load_from_sha256=hub.get('runtime_info', {}).get('load_from_sha256'),
        git=git_state(),
        versions=package_versions(),
        hardware=hardware(),
        seed=checkpoint.get('meta', {}).get('seed', seed),
        wall_clock_s=round(wall_clock_s, 3),
        selection=selection_rule(checkpoint_path, checkpoint, cfg),
        splits=list(splits))
