"""No builder writes or removes anything outside of its output folder."""
import numpy as np
import pytest
from run_tool import run

from devias_mm.builders.media import write_frames
from devias_mm.builders.output_folder import Job, OutputFolder
from devias_mm.builders.videos import list_videos
from devias_mm.errors import UserError
from devias_mm.files import output_path

FRAMES = np.random.default_rng(0).integers(0, 255, (4, 32, 40, 3), np.uint8)


@pytest.fixture
def data(tmp_path):
    """A folder of data with two videos, something precious beside it, and a list."""
    for name in ('data/videos/a/v', 'data/videos/w', 'outside', 'seg/outside'):
        write_frames(tmp_path / name, FRAMES, '{:06d}.png')
    write_frames(tmp_path / 'data/masks/a/v', 255 * (FRAMES[..., 0] > 128), '{:06d}.png')
    return tmp_path


def snapshot(folder, but=''):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob('*')
            if file.is_file() and not str(file.relative_to(folder)).startswith(but or '\0')}


BAD_NAMES = ['../../outside', '../outside', 'a/../../../outside', '{root}/outside', '//etc',
             'a/v/../../../../outside', '..', '.', 'x' * 300, 'a/.partial-1-x', 'a\x00b',
             'a\x1b[31mb']


@pytest.mark.parametrize('name', BAD_NAMES)
@pytest.mark.parametrize('tool', ['make_masks', 'build_scuba', 'build_hat'])
def test_names_that_lead_out(data, tool, name):
    name = name.format(root=data)
    (data / 'list.txt').write_text(f'a/v 0\n{name} 0\n')
    (data / 'classes.txt').write_text('walk\n')
    before = snapshot(data)
    options = dict(make_masks=['--method', 'motion'],
                   build_scuba=['--masks', data / 'data/masks', '--stripes'],
                   build_hat=['--masks', data / 'data/masks', '--classes', data / 'classes.txt'])
    with pytest.raises(UserError, match='list.txt.* name '):
        run(f'data/{tool}', '--list', data / 'list.txt', '--data-root', data / 'data/videos',
            '--out', data / 'out', '--on-error', 'skip', *options[tool])
    assert snapshot(data) == before and not (data / 'out').exists()


@pytest.mark.parametrize('name', ['日本語/ü', ' blank in name', 'a\u00a0b', 'a\\b', '...', '-rf'])
def test_unusual_names_are_names(data, name):
    write_frames(data / 'data/videos' / name.strip(), FRAMES, '{:06d}.png')
    (data / 'list.txt').write_text(f'{name} 0\n', encoding='utf-8')
    before = snapshot(data)
    run('data/make_masks', '--list', data / 'list.txt', '--data-root', data / 'data/videos',
        '--out', data / 'out', '--method', 'motion')
    assert len(list((data / 'out/seg' / name.strip()).glob('*.png'))) == len(FRAMES)
    assert snapshot(data, but='out/') == before


def test_a_list_may_lead_out_if_asked_and_its_outputs_do_not(data):
    (data / 'list.txt').write_text(f'../../outside 0\n{data}/data/videos/w 0\n')
    before = snapshot(data)
    run('data/make_masks', '--list', data / 'list.txt', '--data-root', data / 'data/videos',
        '--out', data / 'out', '--method', 'motion', '--allow-outside')
    assert (data / 'out/seg/outside/000001.png').is_file()
    assert (data / f'out/seg/{str(data)[1:]}/data/videos/w/000001.png').is_file()
    assert snapshot(data, but='out/') == before


@pytest.mark.parametrize('link', ['seg', 'seg/a', 'seg/a/v', 'annotations'])
def test_links_out_of_the_folder_are_not_followed(data, link):
    (data / 'list.txt').write_text('a/v 0\n')
    out = data / 'out'
    OutputFolder(out, dict(tool='t'))
    (out / link).parent.mkdir(parents=True, exist_ok=True)
    (out / link).symlink_to(data / 'outside')
    before = snapshot(data / 'outside')

    def job(argument, outputs):
        outputs.add_frames('seg/a/v', FRAMES, '{:06d}.png')
        return {}

    folder = OutputFolder(out, dict(tool='t'))
    if link == 'annotations':
        with pytest.raises(UserError, match='outside'):
            folder.write('annotations/test.csv', 'x')
    else:
        with pytest.raises(UserError, match='outside'):
            folder.run('s', [Job('a/v', None)], job, quiet=True)
    assert snapshot(data / 'outside') == before


def test_a_journal_that_names_other_files_removes_nothing(data):
    OutputFolder(data / 'out', {})
    for name in ('../outside', str(data / 'outside')):
        (data / 'out/journal.jsonl').write_text(f'["s: a", ["old"], {{"{name}": "0"}}, {{}}]\n')
        before = snapshot(data, but='out/')
        folder = OutputFolder(data / 'out', {})
        folder.run('s', [Job('a', None, ['new'])], lambda argument, outputs: {}, quiet=True)
        assert snapshot(data, but='out/') == before


def test_the_folder_itself_may_be_a_link(tmp_path):
    (tmp_path / 'disk').mkdir()
    (tmp_path / 'out').symlink_to(tmp_path / 'disk')
    OutputFolder(tmp_path / 'out', {}).write('a/b.txt', 'x')
    assert (tmp_path / 'disk/a/b.txt').read_text() == 'x'
    with pytest.raises(UserError, match='outside|no file'):
        output_path(tmp_path / 'out', 'a/..')


@pytest.mark.parametrize('names, message', [
    (['a/v', './a/v'], 'same place'), (['a', 'a/v'], 'below'), (['a//v', 'a/v'], 'same place')])
def test_videos_whose_outputs_would_collide(data, names, message):
    (data / 'list.txt').write_text('\n'.join(f'{name} 0' for name in names))
    with pytest.raises(UserError, match=message):
        list_videos(str(data / 'list.txt'), str(data / 'data/videos'), ['filename', 'label'])
