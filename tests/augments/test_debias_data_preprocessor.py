"""The data preprocessor: normalisation, labels, augmentations, MMAction2's recognizers."""
import pytest
import torch
from mmaction.models.data_preprocessors import ActionDataPreprocessor
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import DefaultScope

from devias_mm.augments import DebiasDataPreprocessor

STATISTICS = dict(mean=[120., 110., 100.], std=[60., 55., 50.])
FAME = [dict(type='FAMEMasks', tau=0.3), dict(type='SceneMix', ratio=1.)]


def sample(action: int, scene=-1, name: str = 'clip') -> ActionDataSample:
    result = ActionDataSample(metainfo=dict(video_id=name))
    result.set_gt_label(action)
    result.set_field(scene, 'scene_label')
    return result


def batch(views: int = 1, size: int = 3, scenes=None) -> dict:
    scenes = scenes or range(size)
    return dict(
        inputs=[torch.randint(256, (views, 3, 4, 16, 16), dtype=torch.uint8)
                for _ in range(size)],
        data_samples=[sample(i, scene, f'clip{i}') for i, scene in enumerate(scenes)])


def test_equals_mmactions_normalisation():
    data = batch(views=2)
    ours = DebiasDataPreprocessor(**STATISTICS)
    theirs = ActionDataPreprocessor(**STATISTICS, format_shape='NCTHW')
    expected = theirs(dict(data), training=False)['inputs']
    for training in (False, True):
        result = ours(data, training=training)
        assert result['inputs'].dtype == torch.float32
        assert result['inputs'].shape == (3, 2, 3, 4, 16, 16)
        torch.testing.assert_close(result['inputs'], expected)
        assert result['data_samples'] is data['data_samples']
    assert all(clip.dtype == torch.uint8 for clip in data['inputs'])


def test_without_statistics_the_pixels_stay():
    data = batch()
    result = DebiasDataPreprocessor(augments=[dict(type='BackgroundErasing', ratio=0.)])(
        data, training=True)
    torch.testing.assert_close(result['inputs'], torch.stack(data['inputs']).float())


def test_targets_only_in_training_and_repeated_for_views():
    data = batch(views=2)
    preprocessor = DebiasDataPreprocessor(**STATISTICS)
    assert 'targets' not in preprocessor(data, training=False)
    targets = preprocessor(data, training=True)['targets']
    assert targets.action.tolist() == [0, 0, 1, 1, 2, 2]
    assert targets.scene.tolist() == [0, 0, 1, 1, 2, 2]
    assert targets.action.dtype == targets.scene.dtype == torch.int64


def test_views_and_their_rows_belong_together():
    """A black view of clip 1 is row 3 of the masks and of the batch."""
    data = batch(views=2)
    data['inputs'][1][1] = 0
    preprocessor = DebiasDataPreprocessor(augments=[dict(type='FAMEMasks')])
    result = preprocessor(data, training=True)
    still = result['targets'].clip_mask[3]
    assert result['inputs'].flatten(0, 1)[3].abs().max() == 0
    alone = preprocessor(dict(inputs=[torch.zeros(1, 3, 4, 16, 16, dtype=torch.uint8)],
                              data_samples=data['data_samples'][:1]), training=True)
    assert torch.equal(alone['targets'].clip_mask[0], still)


def test_scene_labels_none_soft_partial():
    preprocessor = DebiasDataPreprocessor()
    assert preprocessor(batch(scenes=[-1] * 3), training=True)['targets'].scene is None
    soft = [torch.tensor([0.2, 0.8]), torch.tensor([0.5, 0.5]), torch.tensor([1., 0.])]
    targets = preprocessor(batch(scenes=soft, views=2), training=True)['targets']
    torch.testing.assert_close(targets.scene, torch.stack(soft).repeat_interleave(2, 0))
    with pytest.raises(ValueError, match="'clip1' has no scene label.*scene column"):
        preprocessor(batch(scenes=[0, -1, 2]), training=True)


def test_clips_of_different_shape():
    data = batch()
    data['inputs'][1] = data['inputs'][1][..., :8]
    with pytest.raises(ValueError, match=r'differ in shape.*16, 16.*Resize'):
        DebiasDataPreprocessor()(data)


def test_augmentation_only_in_training():
    data = batch()
    preprocessor = DebiasDataPreprocessor(**STATISTICS, augments=FAME)
    plain = DebiasDataPreprocessor(**STATISTICS)(data)['inputs']
    torch.testing.assert_close(preprocessor(data, training=False)['inputs'], plain)
    torch.manual_seed(1)
    augmented = preprocessor(data, training=True)
    assert not torch.allclose(augmented['inputs'], plain)
    assert augmented['targets'].masks.shape == (3, 2, 16, 16)
    # augmented before normalisation: every pixel is still a pixel of some clip of the batch
    assert (augmented['inputs'] - plain).abs().amin() == 0
    torch.testing.assert_close(augmented['inputs'].amax(), plain.amax())


def test_augmentations_run_in_full_precision():
    """MMEngine calls the preprocessor inside autocast, where histograms stop at 256 pixels."""
    data = batch()
    data['inputs'] = [clip.repeat(1, 1, 1, 3, 3) for clip in data['inputs']]
    preprocessor = DebiasDataPreprocessor(augments=[dict(type='FAMEMasks')])
    expected = preprocessor(data, training=True)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        result = preprocessor(data, training=True)
    assert torch.equal(result['targets'].masks, expected['targets'].masks)
    assert torch.equal(result['inputs'], expected['inputs'])


@pytest.mark.parametrize('options', [
    dict(format_shape='NCHW'), dict(blending=dict(type='MixupBlending', num_classes=3)),
    dict(to_rgb=True)])
def test_options_that_are_refused(options):
    with pytest.raises((ValueError, TypeError), match=next(iter(options))):
        DebiasDataPreprocessor(**options)


@pytest.mark.parametrize('augments', [
    [], FAME, [dict(type='BackgroundErasing')], [*FAME, dict(type='BackgroundErasing')]])
def test_works_with_an_unmodified_recognizer(augments):
    with DefaultScope.overwrite_default_scope('mmaction'):  # as configs set it
        model = MODELS.build(dict(
            type='Recognizer3D',
            backbone=dict(type='TinyBackbone'),
            cls_head=dict(type='I3DHead', num_classes=3, in_channels=4, dropout_ratio=0.,
                          average_clips='prob'),
            data_preprocessor=dict(
                type='DebiasDataPreprocessor', **STATISTICS, augments=augments)))
    data = model.data_preprocessor(batch(), training=True)
    losses = model(**data, mode='loss')
    assert torch.isfinite(losses['loss_cls'])
    losses['loss_cls'].backward()
    model.eval()
    predictions = model.test_step(batch(views=2))
    assert [len(p.pred_score) for p in predictions] == [3, 3, 3]


@MODELS.register_module()
class TinyBackbone(torch.nn.Module):
    """One convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv3d(3, 4, 2, 2)

    def init_weights(self) -> None:
        """Nothing to do."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


def test_samples_without_a_scene_field_have_no_scene():
    samples = [ActionDataSample().set_gt_label(i) for i in range(2)]
    data = dict(inputs=batch(size=2)['inputs'], data_samples=samples)
    targets = DebiasDataPreprocessor(**STATISTICS)(data, training=True)['targets']
    assert targets.scene is None and targets.action.tolist() == [0, 1]
