"""Damaged input: whatever is read from outside is read, or refused in words.

Files of every kind are changed at random. Each change must end in a value, a
:class:`~devias_mm.errors.UserError` or, of one video, a ``VideoReadError``; in time, and without
a file outside of the test's folder. ``DEVIAS_FUZZ=2000`` makes 2,000 changes of each kind.
"""
import contextlib
import os
import pickle
import random
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.registry import init_default_scope

from devias_mm.datasets.class_names import read_class_names
from devias_mm.datasets.hat.layout import read_swap_pairs
from devias_mm.datasets.lists import read_list
from devias_mm.datasets.scene_labels import read_scene_labels, write_scene_labels
from devias_mm.datasets.transforms import LoadMasks, VideoReadError
from devias_mm.errors import UserError
from devias_mm.store.predictions import read_predictions, write_predictions

CASES = int(os.environ.get('DEVIAS_FUZZ', 60))
SECONDS = 20  # of a case; nothing takes one
CLASSES = {'jump': 0, 'play chess': 1}
# what may turn up in a name: scripts, blanks, controls, ways out, half a surrogate, markup
PIECES = ['..', '/', '\\', ' ', '\t', '\0', '\x1b', '\u3042', '\u00fc', '\u00a0', '\u2028',
          '\ufeff', '%', '{', '}', '~', '$HOME', '\r', '\n', ',', '-', '9' * 40, '1e9', 'nan', '-1',
          '\u0661', '"', "'", '<b>', '\\write18']
LISTS = {
    'video': (('filename', 'label'), None, 'train/a b.mp4 1\nc.mp4 0\n'),
    'hvu': (('filename', 'label', 'scene_label'), None, 'x_0_10 1 0\ny 0 -1\n'),
    'frames': (('filename', 'total_frames', 'label'), None, 'jump/a 10 0\nb 7 1\n'),
    'segments': (('filename', 'start', 'end', 'duration', 'label'), None,
                 'a 1.5 2 9 0\nb 0 3 9 1\n'),
    'images': (('filename', 'label'), ',', 'a.jpg,0\r\nb c.jpg,1\r\n')}


@contextlib.contextmanager
def limit(seconds):
    """Raise ``TimeoutError`` where the block takes longer."""
    def stop(number, frame):
        raise TimeoutError(f'a case took more than {seconds} s')
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def change_bytes(content, rng):
    """Flip, cut, double, insert or delete bytes."""
    content = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 8])):
        position = rng.randrange(len(content) + 1)
        end = min(len(content), position + rng.choice([1, 2, 40]))
        kind = rng.choice(['flip', 'cut', 'double', 'insert', 'delete'])
        if kind == 'flip' and position < len(content):
            content[position] ^= 1 << rng.randrange(8)
        elif kind == 'cut' and rng.random() < 0.3:
            del content[position:]
        elif kind == 'double':
            content[position:position] = content[position:end]
        elif kind == 'insert':
            content[position:position] = rng.randbytes(rng.choice([1, 4]))
        elif kind == 'delete':
            del content[position:end]
    return bytes(content)


def change_text(text, rng):
    """Insert odd pieces, or change bytes."""
    for _ in range(rng.choice([0, 1, 3])):
        position = rng.randrange(len(text) + 1)
        text = text[:position] + rng.choice(PIECES) + text[position:]
    content = text.encode('utf-8', 'surrogatepass')
    if rng.random() < 0.5:
        content = change_bytes(content, rng)
    return content


def accepts(read, seed, *arguments):
    """Read in time; return the value, or ``None`` where it is refused in words."""
    try:
        with limit(SECONDS):
            return read(*arguments)
    except (UserError, VideoReadError) as error:
        text = str(error)
        assert text.strip(), f'case {seed} is refused without a word'
        return None
    except Exception as error:
        raise AssertionError(f'case {seed} ends in {type(error).__name__}: {error}') from error


@pytest.fixture(autouse=True)
def nothing_outside(tmp_path, monkeypatch):
    """Fail where a test leaves files outside of its folder."""
    work = tmp_path / 'deep' / 'work'
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    before = set(tmp_path.rglob('*'))
    yield
    outside = [path for path in tmp_path.rglob('*')
               if path not in before and not path.is_relative_to(work)]
    assert not outside


@pytest.mark.parametrize('form', LISTS)
def test_lists(form):
    columns, delimiter, text = LISTS[form]
    readable = 0
    for seed in range(CASES):
        rng = random.Random(f'{form} {seed}')
        Path('list.txt').write_bytes(change_text(text, rng))
        items = accepts(lambda: read_list(
            'list.txt', columns, 2, 1, filename_suffix='.mp4' * (form == 'hvu'),
            delimiter=delimiter, allow_no_action=True), seed)
        readable += items is not None
        for item in items or ():
            inside = os.path.normpath(os.path.join('/data', item['filename']))
            assert inside.startswith('/data/') and '\0' not in inside
            assert -1 <= item['label'] < 2
    assert 0 < readable < CASES


def test_swap_pickles():
    pairs = {'jump/a': ['play chess/b', 10, 1], 'play chess/b': ['jump/a', '12', '0']}
    readable = 0
    for seed in range(2 * CASES):
        rng = random.Random(seed)
        content = pickle.dumps(pairs, protocol=rng.choice([0, 2, 4]))
        Path('swap.pickle').write_bytes(change_bytes(content, rng))
        items = accepts(read_swap_pairs, seed, 'swap.pickle', CLASSES, 2)
        readable += items is not None
        for item in items or ():
            for name in (item['video'], item['background']):
                assert not os.path.normpath(name).startswith(('..', '/'))
    assert 0 < readable < 2 * CASES


def test_a_pickle_that_reserves_memory_is_refused():
    # memo number 2**32 - 1: the unpickler would reserve 64 GB
    Path('swap.pickle').write_bytes(b'\x80\x04}r\xff\xff\xff\xff.')
    assert accepts(read_swap_pairs, 'memo', 'swap.pickle', CLASSES, 2) is None
    nested = b'\x80\x04}\x8c\x06jump/a' + b']' * 20000 + b'a' * 19999 + b's.'
    Path('swap.pickle').write_bytes(nested)
    assert accepts(read_swap_pairs, 'nested', 'swap.pickle', CLASSES, 2) is None


def test_class_names():
    for seed in range(CASES):
        rng = random.Random(seed)
        text = rng.choice(['0,jump\n1,play chess\n', 'jump\nplay chess\n'])
        Path('labels.csv').write_bytes(change_text(text, rng))
        names = accepts(read_class_names, seed, 'labels.csv', 2)
        assert names is None or set(names.values()) <= {0, 1}


def test_scene_labels():
    probabilities = [np.array([0.25, 0.75]), None, np.array([1.0, 0.0])]
    write_scene_labels('labels.parquet', ['a', 'b', 'c'], probabilities, 'f' * 64)
    content = Path('labels.parquet').read_bytes()
    for seed in range(CASES):
        Path('changed.parquet').write_bytes(change_bytes(content, random.Random(seed)))
        labels = accepts(read_scene_labels, seed, 'changed.parquet', 2)
        for row in range(len(labels.rows) if labels else 0):
            soft = labels.of(row, hard=False)
            assert isinstance(soft, int) or abs(float(soft.sum()) - 1) < 1e-3


def test_masks():
    np.savez_compressed('a.npz', masks=np.ones((4, 8, 8), bool))
    content = Path('a.npz').read_bytes()
    load = LoadMasks('{name}.npz', geometry=[])
    for seed in range(CASES):
        Path('changed.npz').write_bytes(change_bytes(content, random.Random(seed)))
        masks = accepts(load.read, seed, 'changed', np.array([0, 3]))
        assert masks is None or len(masks) == 2


def write_video(path, size=(64, 64), frames=8, codec='mp4v', fps=10):
    """Write a clip; OpenCV refuses some sizes and rates without a word."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, size)
    for index in range(frames):
        writer.write(np.full((size[1], size[0], 3), 20 * index, np.uint8))
    writer.release()


def reader(backend):
    init_default_scope('mmaction')
    sampler = dict(type='SampleFrames', clip_len=4, frame_interval=2, test_mode=True)
    return TRANSFORMS.build(dict(type='ReadClip', backend=backend, sampler=sampler))


@pytest.mark.parametrize('backend', ['decord', 'opencv'])
def test_video_files(backend):
    write_video('plain.mp4')
    write_video('plain.avi', codec='MJPG')
    read = reader(backend)
    readable = 0
    for seed in range(CASES // 2):
        rng = random.Random(f'{backend} {seed}')
        suffix = rng.choice(['mp4', 'avi'])
        content = Path(f'plain.{suffix}').read_bytes()
        Path(f'changed.{suffix}').write_bytes(change_bytes(content, rng))
        results = accepts(read, seed, dict(filename=f'changed.{suffix}', start_index=0))
        if results is not None:
            readable += 1
            assert len(results['imgs']) == 4 and results['imgs'][0].dtype == np.uint8
    assert readable


def with_rotation(content):
    """Turn a clip by 90 degrees in its header: the matrix of its track."""
    start = content.index(b'tkhd') + 4 + 40
    # (0, 1, 0, -1, 0, 0, width, 0, 1) in fixed point
    numbers = [0, 1 << 16, 0, -1 << 16, 0, 0, 64 << 16, 0, 1 << 30]
    matrix = b''.join(number.to_bytes(4, 'big', signed=True) for number in numbers)
    return content[:start] + matrix + content[start + len(matrix):]


@pytest.mark.parametrize('backend', ['decord', 'opencv'])
def test_odd_video_files(backend):
    read = reader(backend)
    write_video('\u3042 \u00fc  b.mp4')
    write_video('one.mp4', frames=1)
    write_video('odd.mp4', size=(67, 53))
    write_video('wide.mp4', size=(320, 2))
    write_video('plain.mp4', size=(64, 96))
    content = Path('plain.mp4').read_bytes()
    Path('rotated.mp4').write_bytes(with_rotation(content))
    # an audio track in name: nothing of it is video
    Path('audio.mp4').write_bytes(content.replace(b'vide', b'soun').replace(b'vmhd', b'smhd'))
    # a media time scale and frame durations of 0: no frame rate
    Path('still.mp4').write_bytes(content.replace(b'stts', b'sttx'))
    Path('empty.mp4').write_bytes(b'')
    Path('folder.mp4').mkdir()
    names = [path.name for path in Path().iterdir()] + ['missing.mp4', ' ', '']
    results = {name: accepts(read, name, dict(filename=name, start_index=0)) for name in names}
    for name in ('\u3042 \u00fc  b.mp4', 'one.mp4', 'plain.mp4'):
        assert len(results[name]['imgs']) == 4, name
    for name in ('audio.mp4', 'empty.mp4', 'folder.mp4', 'missing.mp4', ' ', ''):
        assert results[name] is None, name
    segment = dict(filename='still.mp4', start_index=0, start=0.0, end=0.2)
    assert accepts(read, 'segment', segment) is None or segment['avg_fps'] > 0


def test_datasets_of_odd_names():
    init_default_scope('mmaction')
    Path('videos').mkdir()
    write_video('outside.mp4')
    write_video('videos/\u3042 \u00fc.mp4')
    options = dict(type='ActionSceneDataset', ann_file='list.txt', num_classes=2, test_mode=True,
                   data_prefix=dict(video='videos'), pipeline=[reader('opencv')])
    for line in ('../outside.mp4 1', f'{Path.cwd()}/outside.mp4 1', 'a/../../outside.mp4 1'):
        Path('list.txt').write_text(f'\u3042 \u00fc.mp4 0\n{line}\n', encoding='utf-8')
        with pytest.raises(UserError, match='line 2: the name'):
            DATASETS.build(options)
        dataset = DATASETS.build(dict(options, allow_outside=True))
        found = os.path.exists(os.path.join('videos', line.rsplit(' ', 1)[0]))
        assert dataset.missing == ([] if found else ['videos/a/../../outside.mp4'])
        assert dataset[0]['imgs']


def test_prediction_tables():
    rows = [dict(video_id=name, action_label=0, scene_label=-1, background_label=-1,
                 action_scores=[0.5, 0.5], scene_scores=None, error=None) for name in 'ab']
    write_predictions(Path('a.parquet'), rows)
    content = Path('a.parquet').read_bytes()
    for seed in range(CASES):
        Path('changed.parquet').write_bytes(change_bytes(content, random.Random(seed)))
        accepts(read_predictions, seed, 'changed.parquet')
