"""List files: every line is checked, and a bad one is named."""
from pathlib import Path

import pytest

from devias_mm.datasets.lists import read_list
from devias_mm.errors import ListFileError

GOLDEN = Path(__file__).resolve().parents[3] / 'shared' / 'golden' / 'filelists'
FOUR = ('filename', 'label', 'scene_label', 'background_label')


def write(tmp_path, text):
    path = tmp_path / 'list.txt'
    path.write_text(text, encoding='utf-8')
    return str(path)


def test_reads_columns_and_identity(tmp_path):
    path = write(tmp_path, 'train/a jack.mp4 1 2 3\n\nb.mp4 0 -1 -1\n')
    items = read_list(path, FOUR, num_classes=4, num_scene_classes=3)
    assert items == [
        dict(filename='train/a jack.mp4', video_id='train/a jack', label=1, scene_label=2,
             background_label=3, line=1),
        dict(filename='b.mp4', video_id='b', label=0, scene_label=-1, background_label=-1, line=3)]


def test_suffix_belongs_to_the_file_and_not_to_the_identity(tmp_path):
    items = read_list(write(tmp_path, 'x.y_0_10 5\n'), ('filename', 'label'),
                      filename_suffix='.mp4')
    assert items[0] == dict(filename='x.y_0_10.mp4', video_id='x.y_0_10', label=5, line=1)


@pytest.mark.parametrize('line, reason', [
    ('b.mp4 1 2', 'instead of 4'),
    ('b.mp4 1 2 jump', "background_label is 'jump'"),
    ('b.mp4 4 2 0', r'label 4 is out of range, accepted: 0\.\.3'),
    ('b.mp4 -1 2 0', 'label -1 is out of range'),
    ('b.mp4 1 3 0', 'scene_label 3 is out of range'),
    ('b.mp4 1 2 4', 'background_label 4 is out of range'),
    ('a.avi 1 2 0', "'a' was already listed in line 1"),
    ('b.mp4 1_0 2 0', "label is '1_0'"), ('b.mp4 \u0661 2 0', 'not an integer'),
    ('../b.mp4 1 2 0', 'leads out of its folder.*allow_outside=True'),
    ('/data/b.mp4 1 2 0', 'is absolute.*allow_outside=True'),
    ('b\0.mp4 1 2 0', 'control character'),
])
def test_bad_line_is_named(tmp_path, line, reason):
    path = write(tmp_path, f'a.mp4 0 0 0\n{line}\n')
    with pytest.raises(ListFileError, match=reason) as info:
        read_list(path, FOUR, num_classes=4, num_scene_classes=3)
    assert f'{path}, line 2' in str(info.value) and repr(line)[1:-1] in str(info.value)


def test_a_line_that_is_no_text_is_named(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_bytes(b'a.mp4 0 0 0\n\xff.mp4 0 0 0\n')
    with pytest.raises(ListFileError, match='line 2: it is not UTF-8'):
        read_list(str(path), FOUR, num_classes=4, num_scene_classes=3)


def test_names_may_lead_outside_where_the_config_says_so(tmp_path):
    path = write(tmp_path, '../b.mp4 1\n/data/\u3042 \u00fc.mp4 0\n')
    items = read_list(path, ('filename', 'label'), 2, allow_outside=True)
    assert [item['filename'] for item in items] == ['../b.mp4', '/data/\u3042 \u00fc.mp4']
    with pytest.raises(ListFileError, match='leads out'):
        read_list(write(tmp_path, 'b/../../c 1\n'), ('filename', 'label'), filename_prefix='v/')
    with pytest.raises(ListFileError, match='control'):
        read_list(write(tmp_path, 'b\0 1\n'), ('filename', 'label'), allow_outside=True)


def test_a_byte_order_mark_and_blanks_are_no_part_of_a_name(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_bytes('\ufeff\u3042 a\u00a0b.mp4  1 \r\n'.encode())
    assert read_list(str(path), ('filename', 'label'))[0]['filename'] == '\u3042 a\u00a0b.mp4'


def test_no_action_only_where_allowed(tmp_path):
    path = write(tmp_path, 'a.mp4 -1\n')
    assert read_list(path, ('filename', 'label'), 4, allow_no_action=True)[0]['label'] == -1
    with pytest.raises(ListFileError, match='-1'):
        read_list(path, ('filename', 'label'), 4)


def test_empty_missing_and_wrong_columns(tmp_path):
    with pytest.raises(ListFileError, match='lists no video'):
        read_list(write(tmp_path, '\n'), ('filename', 'label'))
    with pytest.raises(ListFileError, match='not found.*data_root'):
        read_list(str(tmp_path / 'none.txt'), ('filename', 'label'))
    with pytest.raises(ListFileError, match='scene_label'):
        read_list(write(tmp_path, 'a 1\n'), ('filename', 'scene'))


@pytest.mark.skipif(not GOLDEN.is_dir(), reason='golden file lists are not here')
@pytest.mark.parametrize('name, classes, scenes', [
    ('ucf101', 101, None), ('hmdb51', 51, None), ('k400', 400, None), ('diving48', 48, None),
    ('hvu', 739, 248)])
def test_published_lists_parse(name, classes, scenes):
    files = sorted((GOLDEN / name).glob('*.csv'))
    assert files
    columns = FOUR[:3] if scenes else FOUR[:2]
    for file in files:
        items = read_list(str(file), columns, classes, scenes,
                          filename_suffix='.mp4' if scenes else '')
        lines = file.read_text().splitlines()
        assert [f"{item['label']}" for item in items] == [line.split()[1] for line in lines]
