"""Damaged lists, frames and masks: one line of error, and no file outside of the output folder.

`FUZZ_CASES=2000 pytest tests/fuzz` runs more cases than the suite.
"""
import os
import random
import shutil

import numpy as np
import pytest

from devias_mm.builders.boxes import read_video_boxes
from devias_mm.builders.hat import read_classes, read_scene_scores
from devias_mm.builders.hvu import read_clips
from devias_mm.builders.media import read_frames, read_mask_values, write_frames, write_masks
from devias_mm.builders.output_folder import Job, OutputFolder
from devias_mm.builders.videos import list_videos
from devias_mm.errors import UserError

CASES = int(os.environ.get('FUZZ_CASES', 300))
FRAMES = np.random.default_rng(0).integers(0, 255, (3, 16, 20, 3), np.uint8)
TEXT = ['../', '/', '..', '\0', '\n', '\r', ' ', '\t', '\u2028', '\x85', '\ud7ff', 'é', '😀', '-1',
        '999999999999999999999', '0', 'nan', ',', '.mp4', './', 'a' * 300, '\\', '"', '%s', '{}',
        '\x1b[0m', '~', '$HOME', '*', 'v0', 'c/v1']


def mutate(content, rng):
    """Change some bytes of a file."""
    content = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        place = rng.randint(0, len(content))
        kind = rng.randrange(4)
        if kind == 0:
            content[place:place] = rng.choice(TEXT).encode('utf-8', 'surrogatepass')
        elif kind == 1:
            del content[place:place + rng.randint(1, 8)]
        elif kind == 2 and place < len(content):
            content[place] = rng.randrange(256)
        else:
            content[place:] = content[:rng.randint(0, 40)]
    return bytes(content)


@pytest.fixture(scope='module')
def intact(tmp_path_factory):
    root = tmp_path_factory.mktemp('intact')
    for name in ('v0', 'c/v1', 'c/v 2'):
        write_frames(root / 'videos' / name, FRAMES, '{:06d}.png')
        write_masks(root / 'masks' / f'{name}.npz', FRAMES[..., 0] > 100)
    write_frames(root / 'png/v0', FRAMES[..., 0], '{:06d}.png')
    (root / 'list.txt').write_text('v0 0\nc/v1 1\nc/v 2 2\n')
    (root / 'classes.txt').write_text('0,walk\n1,run\n2,jump\n')
    (root / 'hvu.csv').write_text('v0 0 1\nv1 1 0\n')
    return root


@pytest.fixture
def sandbox(tmp_path):
    """A folder whose files are compared before and after; what is made belongs into `out`."""
    (tmp_path / 'work/out').mkdir(parents=True)
    (tmp_path / 'precious.txt').write_text('precious')
    (tmp_path / 'work/precious.txt').write_text('precious')
    return tmp_path


def files_outside(sandbox):
    return {str(file) for file in sandbox.rglob('*') if sandbox / 'work/out' not in file.parents}


def write_for(video, outputs):
    outputs.add_frames(f'seg/{video.name}', FRAMES[..., 0], '{:06d}.png')
    return {}


def test_lists(intact, sandbox):
    text = (intact / 'list.txt').read_bytes()
    listed = sandbox / 'list.txt'
    listed.write_bytes(text)
    before = files_outside(sandbox)
    read = 0
    for case in range(CASES):
        rng = random.Random(case)
        listed.write_bytes(mutate(text, rng))
        out = sandbox / 'work/out' / str(case)
        try:
            videos = list_videos(str(listed), str(intact / 'videos'), ['filename', 'label'],
                                 suffix=rng.choice(['', '', '.mp4']), missing_ok=True,
                                 allow_outside=rng.random() < 0.3)
            folder = OutputFolder(out, {}, 'skip')
            jobs = [Job(video.name, video) for video in videos]
            folder.run('masks', jobs, write_for, quiet=True)
            folder.finish()
            read += 1
        except UserError as error:
            assert str(error)
        assert files_outside(sandbox) == before, case
        shutil.rmtree(out, ignore_errors=True)
    assert CASES < 100 or 0 < read < CASES


@pytest.mark.parametrize('file, read', [
    ('classes.txt', lambda file: read_classes(str(file))),
    ('hvu.csv', lambda file: read_clips(str(file), {})),
    ('list.txt', lambda file: read_scene_scores(str(file))),
    ('list.txt', lambda file: read_video_boxes(str(file))),
    ('videos/v0/000001.png', lambda file: read_frames(file.parent)),
    ('png/v0/000001.png', lambda file: read_mask_values(file.parents[1], 'v0', FRAMES)),
    ('masks/v0.npz', lambda file: read_mask_values(file.parent, 'v0', FRAMES))])
def test_readers(intact, tmp_path, file, read):
    content = (intact / file).read_bytes()
    target = tmp_path / file
    if target.suffix == '.png':
        shutil.copytree((intact / file).parent, target.parent)
    target.parent.mkdir(parents=True, exist_ok=True)
    for case in range(CASES // 4):
        target.write_bytes(mutate(content, random.Random(case)))
        try:
            read(target)
        except UserError as error:
            assert str(error)


def test_journals(tmp_path):
    def job(argument, outputs):
        outputs.add_file(f'{argument}.txt', b'x')
        return {}

    folder = OutputFolder(tmp_path / 'out', dict(a=1))
    folder.run('s', [Job('a', 'a'), Job('b', 'b')], job, quiet=True)
    folder.finish()
    saved = {name: (tmp_path / 'out' / name).read_bytes()
             for name in ('journal.jsonl', 'parameters.json')}
    for case in range(CASES // 2):
        rng = random.Random(case)
        for name, content in saved.items():
            (tmp_path / 'out' / name).write_bytes(content)
        name = rng.choice(list(saved))
        (tmp_path / 'out' / name).write_bytes(mutate(saved[name], rng))
        try:
            again = OutputFolder(tmp_path / 'out', dict(a=1))
            again.run('s', [Job('a', 'a'), Job('b', 'b')], job, quiet=True)
        except UserError as error:
            assert str(error)
        assert [file.name for file in tmp_path.iterdir()] == ['out']
