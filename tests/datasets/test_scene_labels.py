"""Cached scene labels: the file, and what the dataset makes of it."""
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from tiny_runs import write_clip
from torch import nn

from devias_mm.augments import DebiasDataPreprocessor
from devias_mm.datasets.scene_labels import (
    SceneLabelError,
    read_scene_labels,
    weights_sha256,
    write_scene_labels,
)

TEACHER = '0123456789abcdef' * 4
IDS = ['v0', 'v1', 'sub/v2']
SCORES = np.random.default_rng(0).dirichlet(np.ones(5), 3).astype(np.float32)


def write(path, ids=IDS, scores=SCORES, teacher=TEACHER, **metadata):
    write_scene_labels(path, ids, list(scores), teacher, **metadata)
    return path


def build(root, file='labels.parquet', names=IDS, **kwargs):
    init_default_scope('mmaction')
    for i, name in enumerate(names):
        if not (root / f'{name}.mp4').is_file():
            write_clip(root / f'{name}.mp4', 60 * i)
    lines = [f'{name}.mp4 {i}' for i, name in enumerate(names)]
    (root / 'list.txt').write_text('\n'.join(lines))
    kwargs.setdefault('num_scene_classes', 5)
    test_mode = kwargs.pop('test_mode', False)
    return DATASETS.build(dict(
        type='ActionSceneDataset', ann_file='list.txt', data_root=str(root), num_classes=9,
        scene_label_file=file, test_mode=test_mode, **kwargs, pipeline=[
            dict(type='ReadClip', backend='opencv', sampler=dict(
                type='SampleFrames', clip_len=4, frame_interval=2, test_mode=test_mode)),
            dict(type='Resize', scale=(16, 16), keep_ratio=False),
            dict(type='FormatShape', input_format='NCTHW'),
            dict(type='PackActionInputs', meta_keys=('video_id', ),
                 algorithm_keys=('scene_label', 'background_label'))]))


def test_round_trip(tmp_path):
    scores = [SCORES[0], None, SCORES[2]]
    labels = read_scene_labels(write(tmp_path / 'a.parquet', scores=scores, split='train'), 5,
                               TEACHER[:8])
    assert labels.rows == {'v0': 0, 'v1': 1, 'sub/v2': 2}
    assert labels.probabilities.dtype == np.float16
    np.testing.assert_array_equal(labels.probabilities[[0, 2]], SCORES[[0, 2]].astype(np.float16))
    assert np.isnan(labels.probabilities[1]).all()
    assert labels.metadata == dict(teacher_sha256=TEACHER, num_scene_classes=5, split='train')
    assert pq.read_schema(tmp_path / 'a.parquet').field('probabilities').type \
        == pa.list_(pa.float16())


def test_training_gets_probabilities_in_the_order_of_the_list(tmp_path):
    write(tmp_path / 'labels.parquet', IDS[::-1], SCORES[::-1])
    data = build(tmp_path)
    for i in range(3):
        label = data[i]['data_samples'].scene_label
        assert label.dtype == torch.float32 and label.sum() == pytest.approx(1, abs=1e-6)
        np.testing.assert_allclose(label, SCORES[i], atol=1e-3)
    part = build(tmp_path, indices=[2])
    np.testing.assert_allclose(part[0]['data_samples'].scene_label, SCORES[2], atol=1e-3)


def test_tests_get_the_most_probable_class(tmp_path):
    write(tmp_path / 'labels.parquet')
    data = build(tmp_path, test_mode=True)
    assert [data[i]['data_samples'].scene_label for i in range(3)] == SCORES.argmax(1).tolist()
    assert all(type(data[i]['data_samples'].scene_label) is int for i in range(3))


def test_videos_that_the_teacher_could_not_read(tmp_path):
    write(tmp_path / 'labels.parquet', scores=[SCORES[0], None, SCORES[2]])
    assert build(tmp_path, test_mode=True)[1]['data_samples'].scene_label == -1
    data = build(tmp_path)
    assert data.prepare_data(1) is None  # another takes its place
    assert data[1]['data_samples'].video_id in ('v0', 'sub/v2')
    assert data._reported.tolist() == [False, True, False]


def test_after_mixing_the_label_is_that_of_the_background(tmp_path):
    write(tmp_path / 'labels.parquet')
    data = build(tmp_path)
    batch = pseudo_collate([data[i] for i in range(3)])
    preprocessor = DebiasDataPreprocessor(augments=[dict(type='NoForeground'),
                                                    dict(type='SceneMix', ratio=1.)])
    soft = torch.stack([sample.scene_label for sample in batch['data_samples']])
    grey = torch.stack([clip.float().median() for clip in batch['inputs']])
    torch.manual_seed(2)
    result = preprocessor(batch, training=True)
    seen = result['inputs'].flatten(1).median(1).values
    source = (seen[:, None] - grey).abs().argmin(1)  # the clip whose pixels these are
    assert source.tolist() != [0, 1, 2]
    torch.testing.assert_close(result['targets'].scene, soft[source])
    assert result['targets'].action.tolist() == [0, 1, 2]


def test_errors_of_the_file(tmp_path):
    with pytest.raises(SceneLabelError, match=r"2 videos are labelled twice: 'a', 'b'"):
        write(tmp_path / 'a.parquet', ['a', 'b', 'a', 'b'], SCORES[[0, 1, 0, 1]])
    for scores in ([SCORES[0], SCORES[1], SCORES[2][:4]], [None] * 3, SCORES[:2]):
        with pytest.raises(SceneLabelError, match='one row a video'):
            write(tmp_path / 'a.parquet', scores=scores)
    assert not (tmp_path / 'a.parquet').exists()
    with pytest.raises(SceneLabelError, match=r'not found.*a\.parquet.*pseudo_label_scenes\.py'):
        read_scene_labels(tmp_path / 'a.parquet')
    path = write(tmp_path / 'a.parquet')
    with pytest.raises(SceneLabelError, match='has 5 scene classes.*is 6'):
        read_scene_labels(path, 6)
    for other in ('0123456789abcdee', '0123456'):
        with pytest.raises(SceneLabelError, match=f"another teacher: {TEACHER[:16]}.*'{other}'"):
            read_scene_labels(path, 5, other)
    (tmp_path / 'b.parquet').write_bytes(path.read_bytes()[:-40])
    with pytest.raises(SceneLabelError, match='or truncated'):
        read_scene_labels(tmp_path / 'b.parquet')
    other = pa.table(dict(video_id=['a'], probabilities=[[1., 0.]]))
    pq.write_table(other, tmp_path / 'c.parquet')
    with pytest.raises(SceneLabelError, match='no file of scene labels'):
        read_scene_labels(tmp_path / 'c.parquet')
    table = pq.read_table(path)
    twice = pa.concat_tables([table, table.slice(0, 1)])
    pq.write_table(twice.replace_schema_metadata(table.schema.metadata), tmp_path / 'd.parquet')
    with pytest.raises(SceneLabelError, match=r"labels 1 videos twice: 'v0'"):
        read_scene_labels(tmp_path / 'd.parquet')


def test_a_test_without_the_file_has_no_scene_labels(tmp_path):
    data = build(tmp_path, test_mode=True)
    assert [data[i]['data_samples'].scene_label for i in range(3)] == [-1] * 3
    with pytest.raises(SceneLabelError, match='not found'):
        build(tmp_path)


def test_errors_of_the_dataset(tmp_path):
    write(tmp_path / 'labels.parquet', IDS[:1], SCORES[:1])
    with pytest.raises(SceneLabelError, match=r"no label for 2 of the 3 listed.*'v1', 'sub/v2'"):
        build(tmp_path)
    write(tmp_path / 'labels.parquet')
    with pytest.raises(SceneLabelError, match='5 scene classes'):
        build(tmp_path, num_scene_classes=365)
    with pytest.raises(SceneLabelError, match='another teacher'):
        build(tmp_path, scene_teacher_sha256='f' * 16)
    assert len(build(tmp_path, scene_teacher_sha256=TEACHER[:12])) == 3
    (tmp_path / 'own.txt').write_text('v0.mp4 0 3\nv1.mp4 1 -1\n')
    with pytest.raises(SceneLabelError, match="scene labels of its own, as 'v0'"):
        DATASETS.build(dict(
            type='ActionSceneDataset', ann_file='own.txt', data_root=str(tmp_path),
            columns=('filename', 'label', 'scene_label'), num_classes=9, num_scene_classes=5,
            scene_label_file='labels.parquet', pipeline=[]))


def test_checksum_of_weights():
    torch.manual_seed(0)
    layer = nn.Linear(3, 2).to(torch.bfloat16)
    state = layer.state_dict()
    first = weights_sha256(state)
    assert weights_sha256(dict(reversed(list(state.items())))) == first
    with torch.no_grad():
        layer.bias[1] += 1
    assert weights_sha256(layer.state_dict()) != first
    assert weights_sha256({'a': torch.zeros(2, 3)}) != weights_sha256({'a': torch.zeros(3, 2)})


@pytest.fixture(autouse=True, scope='module')
def no_foreground():
    """A mask source that finds nobody, so that a mixed clip is its partner's scene alone."""
    from dataclasses import replace

    from mmaction.registry import MODELS

    @MODELS.register_module(name='NoForeground', force=True)
    class NoForeground(nn.Module):
        def forward(self, clips, targets):
            nothing = torch.zeros_like(clips[:, 0])
            return clips, replace(targets, masks=nothing, clip_mask=nothing[:, 0])

    yield
    MODELS.module_dict.pop('NoForeground')
