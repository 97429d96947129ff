"""The only place that works around the stack.

Every work-around names the upstream issue it answers and acts only where the
problem exists, so that a fixed upstream release is left alone.
"""
import importlib.util
import os
import subprocess
import sys
import types
import warnings
from pathlib import Path


def stub_missing_drn() -> None:
    """Make ``import mmaction.models`` work with the mmaction2 1.2.0 wheel.

    The wheel lacks the folder ``mmaction/models/localizers/drn``
    (open-mmlab/mmaction2#2714). Where it is missing, modules of that name
    that hold an unusable ``DRN`` are registered before the first import.
    """
    spec = importlib.util.find_spec('mmaction')
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            'devias_mm needs MMAction2, which is not installed: run `make setup`, or '
            '`pip install -e . -c constraints.txt`.')
    package = 'mmaction.models.localizers.drn'
    folder = Path(spec.submodule_search_locations[0]) / 'models' / 'localizers' / 'drn'
    if folder.is_dir() or package in sys.modules:
        return

    class DRN:
        """Stands for MMAction2's DRN localizer, absent from the installed wheel."""

        def __init__(self, *args, **kwargs):
            raise ImportError('DRN is missing from the installed mmaction2 wheel '
                              '(open-mmlab/mmaction2#2714): install MMAction2 from source.')

    outer, inner = types.ModuleType(package), types.ModuleType(f'{package}.drn')
    outer.__path__ = []
    outer.drn, inner.DRN = inner, DRN
    sys.modules[package], sys.modules[inner.__name__] = outer, inner


def skip_multimodal_without_timm() -> None:
    """Make ``import mmaction.models`` work with `transformers` but without `timm`.

    MMAction2 1.2.0 decides by `transformers` alone whether to import its
    vision-language models, which need `timm` as well. Their placeholders are
    registered instead, as MMAction2 does where `transformers` is missing.
    """
    if importlib.util.find_spec('transformers') and not importlib.util.find_spec('timm'):
        from mmaction.utils import dependency
        dependency.WITH_MULTIMODAL = False


def _history_statistic(owner: type, name: str):
    """Stand for ``getattr`` in checkpoints, where it may name four functions only."""
    from mmengine.logging import HistoryBuffer
    if owner is not HistoryBuffer or name not in ('min', 'max', 'current', 'mean'):
        raise ValueError(f'a checkpoint asks for the attribute {name!r} of {owner!r}, which is '
                         'not allowed')
    return getattr(HistoryBuffer, name)


def allow_runner_checkpoints() -> None:
    """Let ``torch.load(weights_only=True)`` read MMEngine's own checkpoints.

    Since torch 2.6 that is the default, and resume or test of a runner's own
    checkpoint fails on the ``HistoryBuffer`` and numpy objects in its message
    hub (open-mmlab/mmengine#1655). Those classes, which run no code when
    rebuilt, are allow-listed; the protection stays on. The buffer pickles its
    statistics as calls of ``getattr``: allowing that would open the door to
    anything, so a stand-in that knows those four alone answers to the name.
    """
    import numpy as np
    import torch
    from mmengine.logging.history_buffer import HistoryBuffer

    numpy_core = np._core if hasattr(np, '_core') else np.core
    reconstruct = numpy_core.multiarray._reconstruct
    scalar = numpy_core.multiarray.scalar
    dtypes = {type(np.dtype(name)) for name in
              ('bool', 'int32', 'int64', 'uint8', 'float16', 'float32', 'float64')}
    torch.serialization.add_safe_globals([
        HistoryBuffer, np.ndarray, np.dtype, *dtypes,
        # the same functions under the names of numpy 1 and numpy 2 pickles
        reconstruct, (reconstruct, 'numpy.core.multiarray._reconstruct'),
        scalar, (scalar, 'numpy.core.multiarray.scalar'),
        (_history_statistic, 'builtins.getattr'),
    ])


def restrict_checkpoint_loading() -> None:
    """Let every checkpoint that MMEngine or MMAction2 loads go through our reader.

    MMEngine's loaders call ``torch.load`` or ``torch.hub`` themselves, and of a URL they
    unpickle whatever it holds. All of them are replaced: ``load_from``, ``init_cfg``,
    ``pretrained`` and ``load_checkpoint`` look their loader up in this table.
    """
    from mmengine.runner import CheckpointLoader

    # MMEngine logs the name without its first ten letters
    def load_from_restricted_reader(filename, map_location=None):
        from devias_mm.weights.reading import load_checkpoint_file
        return load_checkpoint_file(filename, map_location or 'cpu')

    for prefix in list(CheckpointLoader._schemes):
        CheckpointLoader.register_scheme(prefix, load_from_restricted_reader, force=True)


def prepare_cpu_distributed(cfg) -> None:
    """Let MMEngine's ``pytorch`` and ``slurm`` launchers run on the CPU with gloo.

    MMEngine 0.10 calls ``torch.cuda.set_device`` in ``init_dist`` and wraps the
    model with ``device_ids=[LOCAL_RANK]`` even on a CPU build
    (open-mmlab/mmengine#1013). Without a GPU the process group is
    initialised here, before the Runner, which then leaves it alone; and a
    model wrapper without device ids is set.

    Args:
        cfg (Config): the runner's config, changed in place. Nothing happens
            where a GPU is present or ``cfg.launcher`` is ``'none'``.
    """
    import torch
    import torch.distributed as torch_dist

    if torch.cuda.is_available() or cfg.get('launcher', 'none') == 'none':
        return
    if cfg.launcher == 'slurm':
        os.environ.setdefault('RANK', os.environ['SLURM_PROCID'])
        os.environ.setdefault('WORLD_SIZE', os.environ['SLURM_NTASKS'])
        os.environ.setdefault('LOCAL_RANK', os.environ['SLURM_LOCALID'])
        os.environ.setdefault('MASTER_PORT', '29500')
        if 'MASTER_ADDR' not in os.environ:  # the first machine, as MMEngine does
            os.environ['MASTER_ADDR'] = subprocess.check_output(
                ('scontrol', 'show', 'hostnames', os.environ['SLURM_NODELIST']),
                text=True).split()[0]
    if not torch_dist.is_initialized():
        torch_dist.init_process_group('gloo')
    wrapper = dict(
        type='MMDistributedDataParallel',
        # said here, because the Runner adds the local rank where nothing is said
        device_ids=None,
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False))
    cfg.merge_from_dict(dict(
        env_cfg=dict(dist_cfg=dict(backend='gloo')),
        model_wrapper_cfg={**wrapper, **(cfg.get('model_wrapper_cfg') or {})}))


def forget_earlier_runners() -> None:
    """Give the next Runner of this process a logger and a visualizer of its own.

    MMEngine 0.10 names them by the config's name and the time in seconds and
    hands out the one that has that name already: two runners within one
    second would write into the first one's folder, which may be gone.
    """
    from mmengine.logging import MessageHub, MMLogger
    from mmengine.visualization import Visualizer

    for owner in (MMLogger, MessageHub, Visualizer, *Visualizer.__subclasses__()):
        owner._instance_dict.clear()


def apply() -> None:
    """Apply the work-arounds that an import needs."""
    # mmcv-lite warns of operators that nothing here uses
    warnings.filterwarnings('ignore', message='Fail to import')
    stub_missing_drn()
    skip_multimodal_without_timm()
    allow_runner_checkpoints()
    restrict_checkpoint_loading()
