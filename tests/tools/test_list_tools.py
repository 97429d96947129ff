"""The tools that make lists of parts of a data set."""
import pytest
from tool_calls import call_tool, run_tool

from devias_mm.datasets.lists import read_list


def test_hold_out(root, tmp_path, monkeypatch, capsys):
    # 40, 20 and 4 videos of three classes, and one of a fourth
    labels = [0] * 40 + [1] * 20 + [2] * 4 + [3]
    lines = [f'clip {i}.mp4 {label}' for i, label in enumerate(labels)]
    (tmp_path / 'train1.csv').write_text('\n'.join(lines) + '\n\n')
    options = (tmp_path / 'train1.csv', '--percent', 10, '--seed', 3, '--hold-out')
    call_tool(monkeypatch, 'data/make_label_subset.py', *options)
    held, rest = ((tmp_path / f'train1_{name}pct_seed3.txt').read_text().splitlines()
                  for name in ('held10', 'rest90'))
    assert sorted(held + rest) == sorted(lines) and not {*held} & {*rest}
    # the same share of each class, at least one, and one remains
    assert [line.split()[-1] for line in held] == ['0'] * 4 + ['1'] * 2 + ['2']
    assert rest == [line for line in lines if line in rest]  # in their order
    assert capsys.readouterr().out.count('sha256') == 2
    call_tool(monkeypatch, 'data/make_label_subset.py', *options[:3], '--seed', 4, '--hold-out')
    assert (tmp_path / 'train1_held10pct_seed4.txt').read_text().splitlines() != held
    (tmp_path / 'few.csv').write_text('a.mp4 0\nb.mp4 1\n')
    for bad, message in ((('train1.csv', '--percent', 100), r'--hold-out in \(0, 100\)'),
                         (('few.csv', '--percent', 50), 'no class has two items')):
        with pytest.raises(SystemExit, match=message):
            call_tool(monkeypatch, 'data/make_label_subset.py', tmp_path / bad[0], *bad[1:],
                 '--hold-out')
    error = run_tool(monkeypatch, 'data/make_label_subset.py', *options, '--out',
                     tmp_path / 'a.txt')
    assert '--hold-out writes two' in error


@pytest.fixture
def kinetics(tmp_path):
    """Lists of four classes, the ids of two of them, and the options that name the files."""
    names = {'train': ['abseiling/aaaaaaaaa-0_000001_000011.mp4 0', 'eating/eeeeeeeeeee.mp4 2',
                       'dancing/d_ddddddddd_000007_000017.mp4 1', 'zumba/zzzzzzzzzzz.mp4 3',
                       'zumba/z0zzzzzzzzz_000100_000110.mp4 3'],
             'val': ['zumba/zzzzzzzzz-v_000001_000011.mp4 3', 'dancing/vd_________.mp4 1']}
    ids = {'train': ['z0zzzzzzzzz', 'gone_______', 'd_ddddddddd', 'zzzzzzzzzzz'],
           'val': ['vd_________', 'zzzzzzzzz-v']}
    options = ['--out', tmp_path / 'out', '--classes', 2]
    for split in names:
        (tmp_path / f'{split}.txt').write_text('\n'.join(names[split]))
        (tmp_path / f'{split}_ids.txt').write_text('\r\n'.join(ids[split]))
        options += [f'--{split}', tmp_path / f'{split}.txt', tmp_path / f'{split}_ids.txt']
    return options


def test_mini_kinetics(root, tmp_path, kinetics, monkeypatch, capsys):
    call_tool(monkeypatch, 'data/make_mini_kinetics.py', *kinetics)
    # labels 1 and 3 become 0 and 1, in both lists
    assert (tmp_path / 'out/train.csv').read_text().splitlines() == [
        'train/dancing/d_ddddddddd_000007_000017.mp4 0', 'train/zumba/zzzzzzzzzzz.mp4 1',
        'train/zumba/z0zzzzzzzzz_000100_000110.mp4 1']
    items = read_list(str(tmp_path / 'out/val.csv'), ('filename', 'label'), 2)
    assert [item['label'] for item in items] == [1, 0]
    assert (tmp_path / 'out/missing_train.txt').read_text() == 'gone_______\n'
    assert (tmp_path / 'out/missing_val.txt').read_text() == ''
    text = capsys.readouterr().out
    assert '3 videos of 2 classes' in text and '1 ids are not in' in text


@pytest.mark.parametrize('file, text, message', [
    ('val_ids.txt', 'zzzzzzzzz-v', 'with 1 classes instead of 2'),
    ('val.txt', 'zumba/zzzzzzzzz-v.mp4 3\neating/vd_________.mp4 2', r'label\(s\) 1, 2 of'),
    ('val_ids.txt', 'vd_________ zzz', "'zzz' is no YouTube id"),
    ('val_ids.txt', '', 'no ids; expected one'),
    ('train.txt', 'a/zzzzzzzzzzz.mp4 3\nb/zzzzzzzzzzz_000001_000011.mp4 1', 'keep one of them'),
    ('val_ids.txt', None, 'list file not found')])
def test_mini_kinetics_names_what_is_wrong(root, tmp_path, kinetics, monkeypatch, file, text,
                                           message):
    (tmp_path / file).unlink()
    if text is not None:
        (tmp_path / file).write_text(text)
    with pytest.raises(SystemExit, match=message):
        call_tool(monkeypatch, 'data/make_mini_kinetics.py', *kinetics)
    assert not (tmp_path / 'out').exists()
