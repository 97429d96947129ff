"""Any MMAction2 recognizer on the test splits of a suite, by its own test pipeline."""
import copy
from pathlib import Path
from typing import Any, List, Optional, Tuple, Union

import mmaction
from mmengine.config import Config

from devias_mm.engine.config import dicts_in
from devias_mm.errors import UsageError

ZOO = 'mmaction::'
WHERE = f'a config file, or {ZOO}recognition/<model>/<name>.py of the installed MMAction2'
# the labels that a prediction table needs
PACK = dict(type='PackActionInputs', algorithm_keys=('scene_label', 'background_label'),
            meta_keys=('video_id', ))


def find_config(name: Union[str, Path]) -> Path:
    """Return the file of a config.

    Args:
        name: a path, or ``mmaction::recognition/tsn/<name>.py``: a config that ships with the
            installed MMAction2.

    Raises:
        UsageError: there is no such file.
    """
    path = Path(name)
    if str(name).startswith(ZOO):
        folder = Path(mmaction.__file__).parent
        configs = folder / '.mim' / 'configs'
        if not configs.is_dir():  # installed from its repository
            configs = folder.parent / 'configs'
        path = configs / str(name)[len(ZOO):]
    if not path.is_file():
        raise UsageError(f'config not found: {name}; give {WHERE}.')
    return path


def adapt_config(model_cfg: Config, data_cfg: Config, random_weights: bool = False,
                 single_view: bool = False) -> Config:
    """Put a recognizer in front of the test splits of a suite.

    Sampling, resizing, crops and normalisation stay the model's own: of its
    test pipeline, the reading of files alone is replaced (by ``ReadClip``, which knows
    composites and frame folders, too), and the labels that are packed.

    Args:
        model_cfg: an MMAction2 1.x config of a recognizer.
        data_cfg: defines ``test_dataloader`` and ``test_cfg`` (``MultiSplitTestLoop``)
            with the splits, and ``num_classes``.
        random_weights: no checkpoint will be loaded: the head gets the suite's
            number of classes.
        single_view: one clip and the centre crop instead of the model's own views.

    Returns:
        Config: what ``tools/test.py`` would be given.

    Example::

        model_cfg = Config.fromfile(find_config('mmaction::recognition/tsn/NAME.py'))
        adapt_config(model_cfg, Config.fromfile('configs/_base_/datasets/puppets.py'))

    Raises:
        UsageError: the model's test pipeline or its number of classes does not
            fit.
    """
    model = copy.deepcopy(model_cfg.model)
    _without_downloads(model)
    _adapt_classes(model, data_cfg.num_classes, random_weights)
    head = model.get('cls_head') or {}
    if head and not head.get('average_clips'):
        head.average_clips = 'prob'  # one prediction a video, as the papers average views
    backbone = model.get('backbone') or {}
    # the subclasses of a ResNet shift features between frames
    if backbone.get('type') == 'ResNet' and len(backbone.get('out_indices', (3, ))) == 1:
        backbone.type = 'ResNetOfDistinctImages'
    loader = copy.deepcopy(data_cfg.test_dataloader)
    template = loader.dataset.pipeline[0]
    pipeline = adapt_pipeline(_test_pipeline(model_cfg), template.get('backend', 'decord'))
    if single_view:
        pipeline = _single_view(pipeline)
    splits = copy.deepcopy(data_cfg.test_cfg.get('splits') or dict(test={}))
    loader.dataset.pipeline = pipeline
    for changes in splits.values():
        if 'pipeline' in changes:
            changes['pipeline'] = pipeline
    own_loader = model_cfg.get('test_dataloader') or {}
    loader.batch_size = own_loader.get('batch_size', 1)
    return Config(dict(
        default_scope='mmaction',
        custom_imports=_imports(model_cfg),
        model=model,
        test_dataloader=loader,
        test_cfg=dict(type='MultiSplitTestLoop', splits=splits),
        test_evaluator=[],
        log_level='INFO',
        env_cfg=model_cfg.get('env_cfg', dict(dist_cfg=dict(backend='nccl'))),
    ), filename=model_cfg.filename)


def _adapt_classes(model: dict, num_classes: int, random_weights: bool) -> None:
    """Give a head with random weights the suite's classes; check those of a trained one."""
    head = model.get('cls_head') or {}
    # OmniSource's head has classes of images, too
    option = 'video_classes' if 'video_classes' in head else 'num_classes'
    classes = head.get(option, model.get('num_classes'))
    if random_weights and head:
        head[option] = num_classes
    elif classes is not None and classes != num_classes:
        raise UsageError(f'the model predicts {classes} classes, the suite has {num_classes}: '
                         'choose the suite of the data that the model was trained on, or the '
                         'checkpoint `none`.')


def adapt_pipeline(pipeline: List[dict], backend: str) -> List[dict]:
    """Replace opening, decoding and packing in a test pipeline of MMAction2.

    Args:
        pipeline: ``[*Init,] sampler, *Decode, ..., PackActionInputs``, or one that
            begins with ``ReadClip``.
        backend: of ``ReadClip`` for video files.

    Raises:
        UsageError: the pipeline is of another form.
    """
    names = [step['type'] for step in pipeline]
    sampler, rest = _split_pipeline(pipeline)
    if sampler is None or 'PackActionInputs' not in names:
        raise UsageError('the test pipeline of the model must be a frame sampler, a decoder, '
                         f'transforms and PackActionInputs; it is {", ".join(names)}.')
    transforms = [step for step in rest if step['type'] != 'PackActionInputs']
    return [dict(type='ReadClip', sampler=sampler, backend=backend), *transforms, PACK]


def _single_view(pipeline: List[dict]) -> List[dict]:
    """Sample one clip and, in place of three or ten crops, take the centre one of their size."""
    sampler = dict(pipeline[0]['sampler'])
    if sampler.get('clip_len', 1) > 1:  # the single frames of a 2D network are one clip already
        sampler['num_clips'] = 1
    steps = [dict(pipeline[0], sampler=sampler)]
    for step in pipeline[1:]:
        if step['type'] in ('ThreeCrop', 'TenCrop'):
            step = dict(type='CenterCrop', crop_size=step['crop_size'])
        steps.append(step)
    return steps


def _split_pipeline(pipeline: List[dict]) -> Tuple[Optional[dict], List[dict]]:
    """Return the frame sampler, and the steps after the frames are decoded."""
    names = [step['type'] for step in pipeline]
    if names[:1] == ['ReadClip']:
        return pipeline[0]['sampler'], pipeline[1:]
    decoders = [i for i, name in enumerate(names) if name.endswith('Decode')]
    if len(decoders) != 1:
        return None, []
    [decoder] = decoders
    samplers = [step for step in pipeline[:decoder] if not step['type'].endswith('Init')]
    if len(samplers) != 1:
        return None, []
    return samplers[0], pipeline[decoder + 1:]


def _test_pipeline(cfg: Config) -> List[dict]:
    try:
        steps = cfg.test_dataloader.dataset.pipeline
    except AttributeError:
        raise UsageError(f'{cfg.filename} defines no test_dataloader.dataset.pipeline: give the '
                         'config of a recognizer that can be tested.') from None
    return [dict(step) for step in steps]


def _imports(cfg: Config) -> dict:
    """Return ``custom_imports`` of the model's config, and this package."""
    own = cfg.get('custom_imports') or {}
    imports = own.get('imports', [])
    if isinstance(imports, str):
        imports = [imports]
    return dict(imports=[*imports, 'devias_mm.register'], allow_failed_imports=False)


def _without_downloads(model: Any) -> None:
    """Drop the weights that a model starts its *training* from."""
    for node in dicts_in(model):
        if node.get('pretrained'):
            node['pretrained'] = None
        if node.get('pretrained2d'):
            node['pretrained2d'] = False
        init = node.get('init_cfg')
        if isinstance(init, dict) and init.get('type') == 'Pretrained':
            node['init_cfg'] = None
