"""Changes that rows of several suites make in their recipes; a suite's own are in its file."""
from dataclasses import replace
from typing import TYPE_CHECKING, Callable, Iterable

from devias_mm.harness.recipes import fragment
from devias_mm.harness.suite import Method

if TYPE_CHECKING:  # MMEngine imports torch, which a table does not need
    from mmengine.config import Config

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
# what a fragment of `configs/_base_/datasets` says of its data beside the loaders
DATASET_FIELDS = ('data_root', 'num_classes', 'num_scene_classes', 'test_splits', 'test_cfg')


def put_augments(cfg: 'Config', augments: Iterable[dict]) -> None:
    """Give a recipe these batch augmentations instead of its own."""
    cfg.model.data_preprocessor.augments = list(augments)


def erase_and_mix(cfg: 'Config') -> None:
    """Add random erasing, and mixup and CutMix in turns: "w/ Aug" (DEVIAS Table 17)."""
    mixing = dict(fragment('augments/mixing.py').mixing, num_classes=cfg.num_classes)
    put_augments(cfg, [dict(type='RandomErasing', prob=0.25), mixing])


def background_erasing(cfg: 'Config') -> None:
    """Add BE's augmentation (DEVIAS Table 19)."""
    put_augments(cfg, fragment('augments/be.py').be)


def still_frames(cfg: 'Config') -> None:
    """Repeat one frame throughout each clip.

    What such a network knows of an action, it knows without motion: StillMix's reference network.
    """
    for name in LOADERS:
        sampler = cfg[name].dataset.pipeline[0].sampler
        sampler.frame_interval = 0
        sampler.pop('num_clips', None)


def single_frames(cfg: 'Config') -> None:
    """Classify single frames by a ResNet-50 of ImageNet: StillMix's published reference network.

    The published rate and epochs; the schedule between is ours. Ranked are whole frames.
    """
    still_frames(cfg)
    whole = dict(type='Resize', scale=(224, 224), keep_ratio=False)
    for name in LOADERS:
        cfg[name].dataset.pipeline[0].sampler.clip_len = 1
    reader, _, _, *rest = cfg.val_dataloader.dataset.pipeline
    cfg.val_dataloader.dataset.pipeline = [reader, whole, *rest]
    cfg.load_from = None
    cfg.model.pop('pool_norm')  # of VideoMAE's fine-tuning
    cfg.model.backbone = fragment('models/image-r50.py').backbone
    cfg.model.init_scale = None
    schedule = fragment('schedules/still_mix_reference_50e.py')
    for key in ('train_cfg', 'optim_wrapper', 'param_scheduler', 'auto_scale_lr'):
        cfg[key] = schedule[key]


def on_dataset(path: str) -> Callable[['Config'], None]:
    """Return a change that moves a recipe for actions to another data set.

    The recipe keeps its clips, its batches and its schedule.

    Args:
        path: a fragment such as ``datasets/hmdb51.py``.

    Example::

        >>> Method('configs/dsm/scratch_c3d_..._ucf101-rgb.py', 'C3D', predicts=('action', ),
        ...        change=on_dataset('datasets/hmdb51.py'))
    """
    def change(cfg: 'Config') -> None:
        data = fragment(path)
        for name in LOADERS:
            pipeline = cfg[name].dataset.pipeline
            cfg[name].dataset = data[name].dataset
            cfg[name].dataset.pipeline = pipeline
        for name in DATASET_FIELDS:
            cfg.pop(name, None)
            if name in data:
                cfg[name] = data[name]
        cfg.model.num_classes = data.num_classes

    return change


def fine_tuned(encoder: Method, path: str, **options) -> Method:
    """Return the row that fine-tunes a trained model on the actions of another data set.

    The recipe is that of DEVIAS Table 23, for a recognizer with a ViT.

    Args:
        encoder: the training before, of which ``predicts`` says which features are classified.
        path: a fragment such as ``datasets/diving48.py``.
        options: further arguments of ``FeatureClassifier``.

    Example::

        >>> fine_tuned(KINETICS400.methods['devias'], 'datasets/diving48.py', fusion='gap')
    """
    if len(encoder.predicts) == 1:
        options['inputs'] = encoder.predicts

    def change(cfg: 'Config') -> None:
        features = _features(cfg)
        if features['type'] == 'DEVIAS':
            features['losses'] = dict(features.get('losses', {}), mask=None)  # no mask decoder
        preprocessor = _plain_preprocessor(cfg)
        cfg.pop('num_scene_classes', None)
        for part in (fragment(path), fragment('schedules/vit_adamw_50e.py')):
            for key, value in part.items():
                cfg[key] = value
        cfg.optim_wrapper.constructor = 'FeatureClassifierOptimWrapperConstructor'
        cfg.model = dict(
            type='FeatureClassifier',
            encoder=features,
            num_classes=cfg.num_classes,
            data_preprocessor=preprocessor,
            **options)

    return replace(encoder, predicts=('action', ), change=[encoder.change, change],
                   pretrain=encoder, derived=())


def linear_probe(encoder: Method, scene_teacher: bool = False) -> Method:
    """Return the row that reads the other task off a trained model's frozen features.

    Its predictions of its own task stay, so that the row has both.

    Args:
        encoder: a training on one task, action or scene.
        scene_teacher: whether the probe learns the scenes of the Places365 teacher, for a data
            set without scene labels.
    """
    known, = encoder.predicts

    def change(cfg: 'Config') -> None:
        features = _features(cfg)
        features['task'] = known
        features['num_scene_classes'] = cfg.num_scene_classes
        features.pop('dropout', None)  # what is frozen is not regularised
        features['backbone'].pop('drop_path_rate', None)
        model = dict(
            type='FeatureClassifier',
            encoder=features,
            inputs=(known, ),
            frozen=True,
            keep_predictions=True,
            num_classes=cfg.num_classes,
            data_preprocessor=_plain_preprocessor(cfg))
        if known == 'action':
            model.update(task='scene', num_scene_classes=cfg.num_scene_classes)
            if scene_teacher:
                model['scene_teacher'] = fragment('models/places365_teacher.py').scene_teacher
        cfg.model = model
        cfg.optim_wrapper.constructor = 'FeatureClassifierOptimWrapperConstructor'
        cfg.optim_wrapper.paramwise_cfg = dict(decay_rate=1.)

    return replace(encoder, predicts=('action', 'scene'), change=[encoder.change, change],
                   pretrain=encoder, derived=())


def probe_schedule(base_lr: float, batch: int) -> Callable[['Config'], None]:
    """Return a change that sets the schedule of a linear probe of a ViT (DEVIAS Table 21).

    Args:
        base_lr: learning rate of a batch of 256.
        batch: clips of a GPU, of which there are eight.
    """
    def change(cfg: 'Config') -> None:
        schedule = fragment('schedules/vit_adamw_50e.py')
        cfg.train_cfg = schedule.train_cfg
        cfg.param_scheduler = schedule.param_scheduler
        cfg.train_dataloader.batch_size = batch
        cfg.optim_wrapper.optimizer.lr = base_lr * 8 * batch / 256
        cfg.auto_scale_lr.base_batch_size = 8 * batch

    return change


def _features(cfg: 'Config') -> dict:
    """Return the model of a recipe without what only its own training needs."""
    features = cfg.model.to_dict()
    for part in ('data_preprocessor', 'scene_teacher'):
        features.pop(part, None)
    return features


def _plain_preprocessor(cfg: 'Config') -> dict:
    """Return the data preprocessor of a recipe without its augmentations."""
    preprocessor = cfg.model.data_preprocessor.to_dict()
    preprocessor.pop('augments', None)
    return preprocessor
