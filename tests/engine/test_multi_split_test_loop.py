"""The test loop: one row a video, in list order, whatever the batches and the processes."""
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from tiny_runs import make_config, write_clip

from devias_mm.engine import WholeBatchSampler, samplers
from devias_mm.engine.loops import _in_list_order
from devias_mm.errors import ListFileError
from devias_mm.store.predictions import read_predictions


@pytest.fixture
def lists(tmp_path, tiny_data):
    """The tiny data with a list of its own that holds an unreadable video."""
    root = tmp_path / 'data'
    (root / 'annotations').mkdir(parents=True)
    (root / 'videos').symlink_to(tiny_data / 'videos')
    for path in (tiny_data / 'annotations').iterdir():
        (root / 'annotations' / path.name).write_text(path.read_text())
    return root


def run(folder, data_root, **overrides):
    folder.mkdir(exist_ok=True)
    cfg = make_config(folder, data_root, **overrides)
    torch.manual_seed(0)
    runner = Runner.from_cfg(cfg)
    runner._has_loaded = True
    metrics = runner.test()
    return metrics, {split: read_predictions(f'{cfg.work_dir}/predictions/{split}.parquet')
                     for split in runner.test_loop.selected}


def test_tables_follow_the_lists(tmp_path, tiny_data):
    metrics, tables = run(tmp_path / 'a', tiny_data)
    assert set(metrics) == {'seen/action_top1', 'unseen/action_top1'}
    for split, table in tables.items():
        lines = (tiny_data / 'annotations' / f'{split}.txt').read_text().split('\n')[:-1]
        assert [f'{r.video_id}.mp4 {r.action_label} {r.scene_label} {r.background_label}'
                for r in table.itertuples()] == lines
        scores = np.stack(table['action_scores'])
        assert scores.shape == (len(lines), 8) and scores.dtype == np.float32
        np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)
        assert table['scene_scores'].isna().all() and table['error'].isna().all()
        top1 = 100 * np.mean(scores.argmax(1) == table['action_label'])
        assert metrics[f'{split}/action_top1'] == pytest.approx(top1)
    # one by one, the scores are the same: they belong to their rows
    _, single = run(tmp_path / 'b', tiny_data, **{'test_dataloader.batch_size': 1})
    for split, table in tables.items():
        np.testing.assert_allclose(np.stack(single[split]['action_scores']),
                                   np.stack(table['action_scores']), atol=1e-5)


def test_selected_split_and_unknown_split(tmp_path, tiny_data):
    metrics, _ = run(tmp_path / 'a', tiny_data, **{'test_cfg.selected': ['unseen']})
    assert set(metrics) == {'unseen/action_top1'}
    with pytest.raises(ValueError, match=r"\['no'\]; accepted: \['seen', 'unseen'\]"):
        run(tmp_path / 'b', tiny_data, **{'test_cfg.selected': ['no']})


def test_patterns_of_splits_and_a_split_without_data(tmp_path, lists):
    metrics, _ = run(tmp_path / 'a', lists, **{'test_cfg.selected': ['un*', 'unseen']})
    assert set(metrics) == {'unseen/action_top1'}
    (lists / 'annotations' / 'unseen.txt').unlink()
    with pytest.raises(ListFileError, match="split 'unseen': list file not found.*--splits"):
        run(tmp_path / 'b', lists)
    assert not list((tmp_path / 'b').rglob('*.parquet'))  # found before the others are tested


def test_unreadable_video_has_a_row_and_counts_as_wrong(tmp_path, lists):
    (lists / 'videos').unlink()
    (lists / 'videos').mkdir()
    names = [f'{i}.mp4' for i in range(4)]
    for name in names:
        write_clip(lists / 'videos' / name, 40)
    (lists / 'videos' / '1.mp4').write_bytes(b'')
    (lists / 'videos' / '3.mp4').write_bytes(b'')
    lines = [f'{name} 0 0 0' for name in names]
    for name in ('seen', 'unseen', 'val'):
        (lists / 'annotations' / f'{name}.txt').write_text('\n'.join(lines) + '\n')
    metrics, tables = run(tmp_path / 'a', lists)
    table = tables['seen']
    assert list(table['video_id']) == ['0', '1', '2', '3']
    assert list(table['error'].notna()) == [False, True, False, True]
    assert list(table['action_scores'].isna()) == [False, True, False, True]
    right = int(np.argmax(table['action_scores'][0]))
    lines = [f'{name} {right} 0 0' for name in names]
    for name in ('seen', 'val'):
        (lists / 'annotations' / f'{name}.txt').write_text('\n'.join(lines) + '\n')
    metrics, _ = run(tmp_path / 'b', lists)
    assert metrics['seen/action_top1'] == 50.0  # both readable videos are alike, and right
    metrics, tables = run(tmp_path / 'c', lists, **{'test_cfg.on_error': 'skip'})
    assert metrics['seen/action_top1'] == 100.0 and len(tables['seen']) == 4
    with pytest.raises(ValueError, match=r"video '1' cannot be read: .*--on-error count-wrong"):
        run(tmp_path / 'd', lists, **{'test_cfg.on_error': 'fail'})
    cfg = make_config(tmp_path / 'b', lists)
    torch.manual_seed(0)
    runner = Runner.from_cfg(cfg)
    assert runner.val()['action_top1'] == 50.0


def test_a_missing_video_is_unreadable(tmp_path, lists):
    (lists / 'videos').unlink()
    for name in ('0.mp4', '2.mp4'):
        write_clip(lists / 'videos' / name, 40)
    for name in ('seen', 'unseen'):
        (lists / 'annotations' / f'{name}.txt').write_text('0.mp4 0 0 0\n1.mp4 1 0 0\n2.mp4 0 0 0')
    options = {'test_cfg.selected': ['seen']}
    _, tables = run(tmp_path / 'a', lists, **options)
    assert list(tables['seen']['error'].notna()) == [False, True, False]
    right = int(np.argmax(tables['seen']['action_scores'][0]))
    (lists / 'annotations' / 'seen.txt').write_text(
        '\n'.join(f'{i}.mp4 {right} 0 0' for i in range(3)))
    metrics, _ = run(tmp_path / 'b', lists, **options)
    assert metrics['seen/action_top1'] == pytest.approx(200 / 3)
    with pytest.raises(ValueError, match=r"'seen': 1 files or folders .* e\.g\. .*1\.mp4"):
        run(tmp_path / 'c', lists, **options, **{'test_cfg.on_error': 'fail'})
    for name in ('0.mp4', '2.mp4'):
        (lists / 'videos' / name).unlink()
    with pytest.raises(FileNotFoundError, match=r"split 'seen': 3 of the 3 videos"):
        run(tmp_path / 'd', lists)
    assert not list((tmp_path / 'd').rglob('*.parquet'))


def test_a_batch_of_unreadable_videos_only(tmp_path, lists):
    (lists / 'videos').unlink()
    (lists / 'videos').mkdir()
    (lists / 'videos' / '0.mp4').write_bytes(b'')
    for name in ('seen', 'unseen'):
        (lists / 'annotations' / f'{name}.txt').write_text('0.mp4 0 0 0\n')
    metrics, tables = run(tmp_path / 'a', lists)
    assert metrics == {} and tables['seen']['error'][0]


class _Listed:
    def __init__(self, ids):
        self.ids = ids

    def __len__(self):
        return len(self.ids)

    def get_data_info(self, i):
        return dict(video_id=self.ids[i])


def test_lost_or_doubled_videos_are_named():
    rows = [dict(video_id=name) for name in 'ca']
    assert [row['video_id'] for row in _in_list_order(rows, _Listed('ac'), 's')] == ['a', 'c']
    with pytest.raises(RuntimeError, match=r"'s': 2 predictions for 3 videos; 1 missing: \['b'\]"):
        _in_list_order(rows, _Listed('abc'), 's')
    with pytest.raises(RuntimeError, match='3 predictions for 2'):
        _in_list_order(rows + rows[:1], _Listed('ac'), 's')


@pytest.mark.parametrize('world', [1, 2, 3, 5])
def test_batches_do_not_depend_on_the_number_of_processes(monkeypatch, world):
    class Sampler:
        dataset = range(10)

    dealt = []
    for rank in range(world):
        monkeypatch.setattr(samplers, 'get_dist_info', lambda rank=rank: (rank, world))
        sampler = WholeBatchSampler(Sampler(), 4)
        batches = list(sampler)
        assert len(batches) == len(sampler)
        dealt += batches
    assert sorted(dealt) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_an_unreadable_video_is_wrong_for_any_metric_of_validation(tmp_path, lists):
    """MMAction2's ``AccMetric`` sees the scores alone, whatever the label is."""
    (lists / 'videos').unlink()
    (lists / 'videos').mkdir()
    for i in range(8):
        (lists / 'videos' / f'{i}.mp4').write_bytes(b'')
    lines = [f'{i}.mp4 {i} 0 0' for i in range(8)]
    (lists / 'annotations' / 'val.txt').write_text('\n'.join(lines) + '\n')
    (tmp_path / 'a').mkdir()
    cfg = make_config(tmp_path / 'a', lists)
    cfg.val_evaluator = dict(type='AccMetric')
    torch.manual_seed(0)
    assert Runner.from_cfg(cfg).val()['acc/top1'] == 0
