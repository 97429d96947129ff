"""Human boxes: detecting, storing, finding and drawing them."""
import argparse
import importlib.util
import json
import random

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from tiny_runs import ROOT, write_clip

from devias_mm.builders.human_detector import HumanDetector, detect_video
from devias_mm.datasets.human_boxes import (
    COLUMNS,
    HumanBoxes,
    LoadHumanBoxes,
    boxes_to_mask,
    write_boxes,
)
from devias_mm.errors import ListFileError, UserError

NAN = float('nan')


def row(video_id='a', frame=0, x1=0., y1=0., x2=1., y2=1., score=.9):
    return dict(video_id=video_id, frame=frame, x1=x1, y1=y1, x2=x2, y2=y2, score=score)


def nobody(video_id='a', frame=0):
    return row(video_id, frame, NAN, NAN, NAN, NAN, NAN)


@pytest.fixture
def stored(tmp_path):
    """Two files: video a at frames 0, 4, 8 (two boxes, none, one), video b without humans."""
    folder = tmp_path / 'boxes'
    write_boxes(folder / '1.parquet', [
        row(frame=8, x1=8), row(frame=0, x1=1, x2=3), row(frame=0, x1=2, x2=4, score=.4),
        nobody(frame=4)])
    write_boxes(folder / '2.parquet', [nobody('b', 0), nobody('b', 4)])
    return folder


def test_boxes_of_the_nearest_frame(stored):
    (stored / '1.parquet').rename(stored / '3.parquet')  # order of the files is no matter
    write_boxes(stored / '3.parquet', [
        {**r, 'x2': max(r['x1'], r['x2']) + 1} if r['score'] == r['score'] else r for r in
        pd.read_parquet(stored / '3.parquet').to_dict('records')])
    boxes = HumanBoxes(str(stored))
    assert len(boxes) == 2 and 'a' in boxes and 'c' not in boxes
    found = boxes.find('a', [0, 1, 2, 3, 4, 6, 7, 8, 300])
    assert [len(part) for part in found] == [2, 2, 2, 0, 0, 0, 1, 1, 1]  # 2 and 6: the earlier
    assert found[0][:, 0].tolist() == [1., 2.] and found[-1][0].tolist() == [8, 0, 9, 1]
    assert [part.shape for part in boxes.find('b', [0, 9])] == [(0, 4)] * 2
    low = HumanBoxes(str(stored), min_score=.5).find('a', [0, 8])
    assert [len(part) for part in low] == [1, 1] and low[0][0, 0] == 1


def test_a_single_frame_and_a_single_file(tmp_path):
    write_boxes(tmp_path / 'one.parquet', [row('x/y z', 5)])
    boxes = HumanBoxes(str(tmp_path / 'one.parquet'))
    assert [len(part) for part in boxes.find('x/y z', [0, 5, 9])] == [1, 1, 1]


@pytest.mark.parametrize('make, message', [
    (lambda p: None, 'human boxes not found.*detect_humans'),
    (lambda p: p.mkdir(), 'folder without Parquet'),
    (lambda p: p.write_text('x1,x2'), 'cannot be read as Parquet.*Delete'),
    (lambda p: pd.DataFrame(dict(video_id=['a'], frame=[0])).to_parquet(p), r"lacks.*'x1', 'y1'"),
    (lambda p: write_boxes(p, [row(), row('bad', 7, x1=5.)]), r"1 row\(s\).*'bad', frame 7"),
    (lambda p: write_boxes(p, [row('bad', 7, y2=NAN)]), "'bad', frame 7"),
    (lambda p: write_boxes(p, [row('bad', 7, score=NAN)]), "'bad', frame 7")])
def test_files_that_cannot_be_used(tmp_path, make, message):
    make(tmp_path / 'boxes.parquet')
    with pytest.raises(ListFileError, match=message):
        HumanBoxes(str(tmp_path / 'boxes.parquet'))


def test_half_written_files_of_other_processes_are_left_alone(stored):
    write_boxes(stored / '1.parquet', [row()])
    (stored / '.half.parquet').write_bytes(b'PAR1')  # a name as atomic_path gives
    assert len(HumanBoxes(str(stored))) == 2
    for path in stored.glob('[12].parquet'):
        path.unlink()
    with pytest.raises(ListFileError, match='folder without Parquet'):
        HumanBoxes(str(stored))


def test_an_unknown_video(stored, tmp_path):
    write_boxes(stored / '1.parquet', [row()])
    with pytest.raises(ListFileError, match="no rows of video 'c'.*detect_humans.py"):
        HumanBoxes(str(stored)).find('c', [0])


def test_drawing():
    mask = boxes_to_mask(np.array([[1, 2, 3, 5], [4.4, 0, 5.2, 1], [-3, 3.5, 1, 99]]), (6, 8))
    expected = np.zeros((6, 8), np.uint8)
    expected[2:5, 1:3] = 255
    expected[0, 4:6] = 255
    expected[3:, 0] = 255
    assert np.array_equal(mask, expected)
    assert not boxes_to_mask(np.zeros((0, 4)), (6, 8)).any()
    assert not boxes_to_mask(np.array([[-5, 0, -1, 3], [9, 0, 12, 3]]), (6, 8)).any()


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('flip', [0., 1.])
@pytest.mark.parametrize('crop', [
    [], [dict(type='RandomResizedCrop', area_range=(.3, .5))],
    [dict(type='Resize', scale=(-1, 48)), dict(type='CenterCrop', crop_size=40)]])
def test_boxes_follow_crop_and_flip(tmp_path, crop, flip, seed):
    """A bright square walks over dark frames; its box has to cover it and nothing else."""
    frames, rows = [], []
    for t in range(6):
        frame = np.full((60, 80, 3), 20, np.uint8)
        x, y = 24 + 4 * t, 16 + 2 * t
        frame[y:y + 16, x:x + 20] = 220
        frames.append(frame)
        rows.append(row('clip', 2 * t, x, y, x + 20, y + 16))
    write_boxes(tmp_path / 'boxes.parquet', rows)
    with DefaultScope.overwrite_default_scope('mmaction'):
        pipeline = Compose([
            LoadHumanBoxes('boxes.parquet', data_root=str(tmp_path), geometry=[
                *crop, dict(type='Resize', scale=(32, 32), keep_ratio=False),
                dict(type='Flip', flip_ratio=flip)]),
            dict(type='FormatShape', input_format='NCTHW'),
            dict(type='PackActionInputs', algorithm_keys=('masks', ), meta_keys=('video_id', ))])
        random.seed(seed)  # MMAction2's crops draw from both
        np.random.seed(seed)
        packed = pipeline(dict(
            imgs=[frame.copy() for frame in frames], frame_inds=np.arange(0, 12, 2),
            video_id='clip', clip_len=6, num_clips=1, label=0, original_shape=(60, 80),
            img_shape=(60, 80), modality='RGB', start_index=0))
    masks = packed['data_samples'].masks
    assert masks.shape == (1, 6, 32, 32) and masks.dtype == torch.uint8
    bright = packed['inputs'][:, 0] > 120
    assert bright.any()
    for t in range(6):
        assert ((masks[0, t] > 127) == bright[0, t]).float().mean() > .985, t
    if not crop:  # and the flip is no accident of a square in the middle
        columns = masks[0, 0].float().mean(0)
        assert (columns[:16].sum() > columns[16:].sum()) == (flip == 0)


def save_detector(folder, kind: str) -> str:
    """A detector of random weights that is sure of a class: a person."""
    from transformers import YolosConfig, YolosForObjectDetection
    labels = {0: 'N/A', 1: 'person', 2: 'dog'}
    common = dict(num_labels=3, id2label=labels, label2id={v: k for k, v in labels.items()})
    torch.manual_seed(0)
    model = YolosForObjectDetection(YolosConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        image_size=[32, 48], patch_size=16, num_detection_tokens=3, **common))
    with torch.no_grad():
        last = model.class_labels_classifier.layers[-1]
        assert last.bias.shape == (4, )  # with a class "nothing"
        last.weight.zero_()
        last.bias.copy_(torch.tensor([0., dict(person=3., dog=-9.)[kind], 2., 2.]))
        box = model.bbox_predictor.layers[-1]
        box.weight.zero_()  # centre (0.25, 0.75), extent (0.5, 0.25) of the frame
        box.bias.copy_(torch.tensor([.25, .75, .5, .25]).logit())
    model.save_pretrained(folder)
    (folder / 'preprocessor_config.json').write_text(json.dumps(dict(
        size=dict(shortest_edge=32, longest_edge=48), image_mean=[.5] * 3, image_std=[.5] * 3)))
    return str(folder)


@pytest.fixture
def tool():
    """The module of the command line, and of the detector."""
    spec = importlib.util.spec_from_file_location(
        'detect_humans', ROOT / 'tools/data/detect_humans.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.HumanDetector, module.detect_video = HumanDetector, detect_video
    return module


def call(tool, *args):
    parser = argparse.ArgumentParser()
    tool.add_arguments(parser)
    tool.main(parser.parse_args([str(arg) for arg in args]))


def test_the_tool(tmp_path, tool, monkeypatch, capsys):
    def run(*args):
        call(tool, *args)
        return capsys.readouterr().out

    detector = save_detector(tmp_path / 'detector', 'person')
    for i in range(4):
        write_clip(tmp_path / f'{i}.mp4', 30 * i, frames=7)
    names = [f'{i}.mp4 0' for i in range(4)]
    (tmp_path / 'list.txt').write_text('\n'.join(names[:3]) + '\n')
    args = (str(tmp_path / 'list.txt'), '--videos', str(tmp_path), '--out',
            str(tmp_path / 'out'), '--detector', detector, '--every', '3', '--batch-size', '2')
    assert '3 videos added, 3 of them with humans; 0 were known before' in run(
        *args, '--save-every', '2')
    assert len(list((tmp_path / 'out').glob('*.parquet'))) == 2
    table = pd.concat(map(pd.read_parquet, sorted((tmp_path / 'out').glob('*.parquet'))))
    assert list(table) == list(COLUMNS)
    assert table.video_id.tolist() == [str(i) for i in range(3) for _ in range(9)]
    assert table.frame.tolist() == [0, 0, 0, 3, 3, 3, 6, 6, 6] * 3
    # exp(3) / (1 + exp(3) + 2 exp(2)); the box in pixels of the 64 x 64 frames
    np.testing.assert_allclose(table.score, np.exp(3) / (1 + np.exp(3) + 2 * np.exp(2)), rtol=1e-5)
    np.testing.assert_allclose(table[['x1', 'y1', 'x2', 'y2']], [[0, 40, 32, 56]] * 27, atol=1e-3)
    # a longer list: what is known stays; a broken video has a name
    (tmp_path / 'list.txt').write_text('\n'.join([*names, 'broken.mp4 0']) + '\n')
    (tmp_path / 'broken.mp4').write_bytes(b'no video')
    with pytest.raises(ListFileError, match=r'1 video\(s\) of .*broken.mp4'):
        run(*args)
    assert '1 videos added, 1 of them with humans; 3 were known before' in capsys.readouterr().out
    assert len(HumanBoxes(str(tmp_path / 'out'))) == 4
    for options, message in (
            (('--score', '0.9'), 'made with other parameters: score'),
            (('--label', 'cat'), "no class 'cat'. It knows: N/A, dog, person"),
            (('--detector', str(tmp_path / 'none')), 'cannot load AutoModelForObjectDetection'),
            (('--shard', '2/2'), '0 <= I < N, got 2/2'),
            (('--shard', 'two'), "must be I/N.*'two'"),
            (('--every', '0'), '--every 0: accepted is 1'),
            (('--score', '2'), r'--score must be in \[0, 1\], got 2')):
        with pytest.raises(UserError, match=message):
            run(*args, *options)


def test_shards_are_the_whole(tmp_path, tool, monkeypatch):
    detector = save_detector(tmp_path / 'detector', 'person')
    for i in range(3):
        write_clip(tmp_path / f'{i}.mp4', 30 * i, frames=2)
    (tmp_path / 'list.txt').write_text('0.mp4 0\n1.mp4 0\n2.mp4 0\n')
    for shard, expected in (('0/2', 2), ('1/2', 3)):
        call(tool, str(tmp_path / 'list.txt'), '--videos', str(tmp_path), '--out',
            str(tmp_path / 'out'), '--detector', detector, '--shard', shard)
        assert len(HumanBoxes(str(tmp_path / 'out'))) == expected


def test_low_scores_are_nobody(tool, tmp_path):
    write_clip(tmp_path / 'clip.mp4', 90, frames=4)
    detector = tool.HumanDetector(save_detector(tmp_path / 'detector', 'dog'), 'person', .5, 'cpu')
    rows = list(tool.detect_video(detector, 'v', str(tmp_path / 'clip.mp4'), 2, 8))
    assert [r['frame'] for r in rows] == [0, 2]
    assert all(np.isnan(r['score']) for r in rows)
    write_boxes(tmp_path / 'b.parquet', rows)
    assert [len(b) for b in HumanBoxes(str(tmp_path / 'b.parquet')).find('v', [0, 3])] == [0, 0]
    # whole patches of 16: 240 x 320 would be 32 x 43, of which the model would leave out 11 columns
    assert detector.prepare(np.zeros((1, 240, 320, 3), np.uint8)).shape == (1, 3, 32, 32)
    assert detector.prepare(np.zeros((1, 240, 360, 3), np.uint8)).shape == (1, 3, 32, 48)


def test_detr_without_torchvision_or_timm(tool, tmp_path):
    """A class "nothing" at the end, fixed size, statistics that the file does not name."""
    from transformers import DetrConfig, DetrForObjectDetection, ResNetConfig
    model = DetrForObjectDetection(DetrConfig(
        use_timm_backbone=False, use_pretrained_backbone=False, backbone=None,
        backbone_config=ResNetConfig(depths=[1, 1], hidden_sizes=[8, 16], embedding_size=8,
                                     layer_type='basic', out_features=['stage2']),
        d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, num_queries=5,
        num_labels=2, id2label={0: 'person', 1: 'dog'}, label2id=dict(person=0, dog=1)))
    model.save_pretrained(tmp_path)
    (tmp_path / 'preprocessor_config.json').write_text(json.dumps(dict(
        size=dict(height=64, width=48))))
    detector = tool.HumanDetector(str(tmp_path), 'person', 0., 'cpu')
    frames = np.random.default_rng(0).integers(256, size=(2, 30, 40, 3), dtype=np.uint8)
    prepared = detector.prepare(frames)
    assert prepared.shape == (2, 3, 64, 48)
    colour = cv2.resize(frames[0], (1, 1), interpolation=cv2.INTER_AREA)[0, 0] / 255
    expected = (colour - [.485, .456, .406]) / [.229, .224, .225]
    np.testing.assert_allclose(prepared[0].mean((1, 2)), expected, atol=.05)
    found = detector(frames)
    output = detector.model(pixel_values=prepared)
    torch.testing.assert_close(torch.from_numpy(found[1][:, 4]),
                               output.logits[1].softmax(-1)[:, 0].detach())
    assert (found[0][:, :2] <= found[0][:, 2:4]).all()
    assert found[0][:, 2].max() <= 40 and found[0][:, 3].max() <= 30


def test_the_boxes_of_a_config_reach_the_targets(tmp_path):
    """From the files of Mini-Kinetics-200 to a batch on the device."""
    cfg = Config.fromfile(ROOT / 'configs/scene_adversarial/scene-adversarial_r3d-r18_2xb16-'
                          '16x1x1-100e_mini-kinetics200-rgb.py')
    for i in range(2):
        write_clip(tmp_path / 'videos' / f'{i}.mp4', 40, frames=20)
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations' / 'train.csv').write_text('0.mp4 5\n1.mp4 199\n')
    # a bright square walks to the right (write_clip); the second clip shows nobody
    write_boxes(tmp_path / 'human_boxes' / 'boxes.parquet', [
        *(row('0', t, 2 * t, 24, 2 * t + 16, 40) for t in range(20)), nobody('1')])
    loader = cfg.train_dataloader.dataset
    for node in (loader, loader.pipeline[1]):
        node.data_root = str(tmp_path)
    with DefaultScope.overwrite_default_scope('mmaction'):
        dataset = DATASETS.build(loader)
        preprocessor = MODELS.build(cfg.model.data_preprocessor)
        batch = preprocessor(pseudo_collate([dataset[0], dataset[1]]), training=True)
    assert batch['inputs'].shape == (2, 1, 3, 16, 112, 112)
    masks = batch['targets'].masks
    assert masks.shape == (2, 16, 112, 112) and not masks[1].any()
    bright = batch['inputs'][0, 0, 0] > 0
    assert bright.any() and ((masks[0] > .5) == bright).float().mean() > .97
    loader.ann_file = 'annotations/other.csv'
    (tmp_path / 'annotations' / 'other.csv').write_text('0.mp4 5\n')
    loader.pipeline[1].boxes_file = 'none'
    with DefaultScope.overwrite_default_scope('mmaction'), \
            pytest.raises(ListFileError, match='human boxes not found: .*none'):
        DATASETS.build(loader)
