"""Files: determinism, resumption, readers, manifest, command line."""
import hashlib
import json
import shutil

import cv2
import decord
import numpy as np
import pytest
from run_tool import run

from devias_mm.builders.puppets import (
    ACTIONS,
    PRESETS,
    SCENES,
    PuppetsWriter,
    plan_lists,
    read_masks,
    read_video,
    render_clips,
)
from devias_mm.builders.puppets.preview import draw_preview
from devias_mm.errors import UserError

TINY = PRESETS['tiny']


@pytest.fixture(scope='module')
def rendered(tmp_path_factory):
    """Output folder with the tiny data set of seed 0, which no test may change."""
    out = tmp_path_factory.mktemp('puppets')
    PuppetsWriter(TINY, out).run()
    return out


@pytest.fixture
def copied(rendered, tmp_path):
    """A copy that a test may damage."""
    shutil.copytree(rendered, tmp_path / 'out')
    return tmp_path / 'out'


def _snapshot(out):
    """Content of every file below the data set's folder."""
    root = out / 'tiny'
    return {str(file.relative_to(root)): file.read_bytes()
            for file in root.rglob('*') if file.is_file()}


def _assert_same(out, expected):
    actual, expected = _snapshot(out), _snapshot(expected)
    assert actual.keys() == expected.keys()
    assert [file for file in actual if actual[file] != expected[file]] == []


def test_files_do_not_depend_on_the_number_of_workers(rendered, tmp_path):
    PuppetsWriter(TINY, tmp_path).run(workers=2)
    _assert_same(tmp_path, rendered)


def test_another_seed_gives_other_pixels_of_the_same_clips(rendered, tmp_path):
    clip = plan_lists(TINY, 0)['seen'][0]
    pixels = [render_clips([clip], TINY, seed)[0].frames for seed in (0, 0, 1)]
    np.testing.assert_array_equal(pixels[0], pixels[1])
    assert (pixels[0] != pixels[2]).mean() > .5


def test_deleted_corrupt_and_partial_files_are_rendered_again(copied, rendered):
    root = copied / 'tiny'
    videos = sorted((root / 'videos').rglob('*.mp4'))
    videos[0].unlink()
    videos[40].write_bytes(videos[40].read_bytes()[:100])
    mask = next((root / 'masks' / 'unseen').iterdir())
    mask.write_bytes(b'\0' + mask.read_bytes()[1:])
    (root / 'annotations' / 'val.txt').write_text('nonsense\n')
    (videos[1].parent / '.partial-1-left-over.mp4').write_bytes(b'x')
    writer = PuppetsWriter(TINY, copied)
    assert not writer.complete and len(writer.pending) == 3
    writer.run()
    assert PuppetsWriter(TINY, copied).complete
    _assert_same(copied, rendered)


def test_interrupted_run_continues(rendered, tmp_path, monkeypatch):
    class Killed(Exception):
        pass

    started = []

    def kill(clips, preset, seed):
        started.append(clips)
        if len(started) == 51:
            raise Killed
        return render_clips(clips, preset, seed)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr('devias_mm.builders.puppets.writer.render_clips', kill)
        PuppetsWriter(TINY, tmp_path).run()
    assert not (tmp_path / 'tiny' / 'manifest.json').exists()
    with (tmp_path / 'tiny' / 'journal.jsonl').open('a') as journal:
        journal.write('["clips: train/0000')  # a torn line
    again = PuppetsWriter(TINY, tmp_path)
    assert not again.complete and len(again.pending) == 144 - 50
    again.run()
    _assert_same(tmp_path, rendered)


def test_a_data_set_without_a_journal_is_kept(copied):
    """Earlier versions wrote ``checksums.txt`` alone."""
    (copied / 'tiny' / 'journal.jsonl').unlink()
    before = {file: file.stat().st_mtime_ns for file in (copied / 'tiny' / 'videos').rglob('*')}
    video = sorted((copied / 'tiny' / 'videos' / 'seen').iterdir())[0]
    assert PuppetsWriter(TINY, copied).complete
    (copied / 'tiny' / 'journal.jsonl').unlink()
    video.unlink()
    again = PuppetsWriter(TINY, copied)
    assert [job.name for job in again.pending] == ['seen/000000']
    again.run()
    after = {file: file.stat().st_mtime_ns for file in (copied / 'tiny' / 'videos').rglob('*')}
    changed = {file for file in before if before[file] != after[file]}
    assert changed == {video, video.parent}


def test_complete_data_set_is_left_alone(copied):
    before = {file: file.stat().st_mtime_ns for file in copied.rglob('*')}
    writer = PuppetsWriter(TINY, copied)
    assert writer.complete
    assert writer.run() == json.loads((copied / 'tiny' / 'manifest.json').read_text())
    assert {file: file.stat().st_mtime_ns for file in copied.rglob('*')} == before


def test_other_parameters_are_refused(rendered):
    with pytest.raises(ValueError, match=r'seed \(there: 0, asked: 1\).*remove the folder'):
        PuppetsWriter(TINY, rendered, seed=1)
    changed = type(TINY)(**{**vars(TINY), 'rhos': (0.8, ), 'scene_jitter': 2.})
    with pytest.raises(ValueError, match=r'rhos \(there: \[0.9\], asked: \[0.8\]\), scene_jitter'):
        PuppetsWriter(changed, rendered)


def test_foreign_folder_and_bad_numbers_are_refused(tmp_path):
    (tmp_path / 'tiny').mkdir()
    (tmp_path / 'tiny' / 'thesis.txt').write_text('precious')
    with pytest.raises(ValueError, match='no parameters.json'):
        PuppetsWriter(TINY, tmp_path)
    with pytest.raises(ValueError, match='--seed -1'):
        PuppetsWriter(TINY, tmp_path / 'other', seed=-1)
    with pytest.raises(ValueError, match='--workers 0'):
        PuppetsWriter(TINY, tmp_path / 'other').run(workers=0)


def test_lists_name_the_files_in_order(rendered):
    root = rendered / 'tiny'
    for name, clips in plan_lists(TINY, 0).items():
        lines = (root / 'annotations' / f'{name}.txt').read_text().splitlines()
        assert lines == [clip.line for clip in clips]
        assert all((root / 'videos' / line.split()[0]).is_file() for line in lines)
    assert (root / 'annotations' / 'action_classes.txt').read_text().split() == list(ACTIONS)
    assert (root / 'annotations' / 'scene_classes.txt').read_text().split() == list(SCENES)


@pytest.mark.parametrize('split', ['train', 'val', 'seen', 'unseen', 'unseen-texture',
                                   'scene-only', 'human-only'])
def test_decord_and_opencv_read_what_was_rendered(rendered, split):
    # the codec keeps little of fine, saturated stripes
    bound = 20 if split == 'unseen-texture' else 8
    for clip in plan_lists(TINY, 0)[split][:4]:
        pixels, = render_clips([clip], TINY, 0)
        path = str(rendered / 'tiny' / 'videos' / f'{clip.name}.mp4')
        by_decord = decord.VideoReader(path)
        assert len(by_decord) == 16
        by_decord = by_decord.get_batch(range(16)).asnumpy()
        by_opencv = read_video(path)
        for frames in (by_decord, by_opencv):
            assert frames.shape == (16, 64, 64, 3)
            assert np.abs(frames.astype(float) - pixels.frames).mean() < bound
        assert cv2.VideoCapture(path).get(cv2.CAP_PROP_FPS) == TINY.fps


@pytest.mark.parametrize('split', ['train', 'unseen', 'unseen-texture', 'scene-only'])
def test_clean_background_is_the_video_outside_the_mask(rendered, split):
    root = rendered / 'tiny'
    for clip in plan_lists(TINY, 0)[split]:
        frames = read_video(root / 'videos' / f'{clip.name}.mp4').astype(float)
        background = read_video(root / 'backgrounds' / f'{clip.name}.mp4').astype(float)
        masks = read_masks(root / 'masks' / f'{clip.name}.npz')
        assert masks.shape == (16, 64, 64) and masks.dtype == np.uint8
        near = np.stack([cv2.dilate(mask, np.ones((5, 5), np.uint8)) for mask in masks])
        difference = np.abs(frames - background).mean(-1)
        assert difference[near == 0].mean() < 6
        if split == 'scene-only':
            assert masks.max() == 0
        else:
            assert masks.max() == 1 and difference[masks == 1].mean() > 25


def test_human_only_has_masks_and_no_background(rendered):
    root = rendered / 'tiny'
    assert not (root / 'backgrounds' / 'human-only').exists()
    for file in (root / 'videos' / 'human-only').iterdir():
        masks = read_masks(root / 'masks' / 'human-only' / f'{file.stem}.npz')
        frames = read_video(file).astype(float)
        assert np.abs(frames - 128).max(-1)[masks == 1].mean() > 40


def test_manifest_and_checksums(rendered):
    root = rendered / 'tiny'
    manifest = json.loads((root / 'manifest.json').read_text())
    lines = (root / 'checksums.txt').read_text().splitlines()
    files = dict(reversed(line.split('  ')) for line in lines)
    assert set(_snapshot(rendered)) - files.keys() == {
        'manifest.json', 'checksums.txt', 'parameters.json', 'journal.jsonl'}
    for file, checksum in files.items():
        assert hashlib.sha256((root / file).read_bytes()).hexdigest() == checksum
    assert manifest['seed'] == 0 and manifest['preset']['rhos'] == [0.9]
    assert manifest['lists']['val'] == dict(
        clips=32, sha256=files['annotations/val.txt'])
    assert {split: entry['clips'] for split, entry in manifest['splits'].items()} == {
        'train': 32, 'val-seen': 16, 'val-unseen': 16, 'seen': 16, 'unseen': 16,
        'unseen-texture': 16, 'human-only': 16, 'scene-only': 16}
    own = ''.join(f'{line}\n' for line in lines if line.split('/')[1] == 'seen')
    assert manifest['splits']['seen']['sha256'] == hashlib.sha256(own.encode()).hexdigest()


def test_ladder_renders_only_the_versions_that_a_list_names(tmp_path):
    preset = type(TINY)('two', num_train=32, num_val=8, num_test=8, num_scene_only=8,
                        rhos=(0.3, 0.7))
    PuppetsWriter(preset, tmp_path).run()
    named = {line.split()[0] for rho in ('0.30', '0.70') for line in
             (tmp_path / 'two' / 'annotations' / f'train-rho{rho}.txt').read_text().splitlines()}
    there = {f'train/{file.name}' for file in (tmp_path / 'two' / 'videos' / 'train').iterdir()}
    assert named == there and 32 < len(there) < 64
    assert not (tmp_path / 'two' / 'annotations' / 'train.txt').exists()


def test_preview_fits_a_readme(rendered, tmp_path):
    draw_preview(rendered / 'tiny', tmp_path / 'sheet.png')
    assert (tmp_path / 'sheet.png').stat().st_size < 400_000
    sheet = cv2.imread(str(tmp_path / 'sheet.png'))
    assert sheet.shape[1] > sheet.shape[0] > 8 * 128


def test_command_line(rendered, tmp_path, capsys):
    def call(*arguments):
        run('data/make_puppets', *arguments)
        return capsys.readouterr().out

    out = ['--out', rendered, '--preset', 'tiny']
    assert 'nothing to render' in call(*out)
    with pytest.raises(UserError, match=r'seed \(there: 0, asked: 5\)'):
        call(*out, '--seed', '5')
    with pytest.raises(UserError, match='no such field: rho. Accepted: name'):
        call(*out, '--options', 'rho=0.8')
    small = ['name=small', 'rhos=0.5', 'num_train=8', 'num_val=8', 'num_test=8',
             'num_scene_only=8']
    printed = call('--out', tmp_path, '--preset', 'tiny', '--options', *small)
    assert 'rendering 64 of 64 clips' in printed
    assert (tmp_path / 'small' / 'annotations' / 'train-rho0.50.txt').is_file()
