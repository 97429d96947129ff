"""The command lines, on a few rendered videos whose truth is known."""
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from run_tool import run

from devias_mm.builders.hat_build import name_videos
from devias_mm.builders.media import output_digest, read_frames, read_mask_values, write_frames
from devias_mm.builders.output_folder import Job, OutputFolder
from devias_mm.builders.puppets import PRESETS, PuppetsWriter
from devias_mm.builders.score import score_video
from devias_mm.builders.videos import Video, list_videos
from devias_mm.datasets.frame_folders import FrameFolderDataset
from devias_mm.datasets.hat import LAYOUTS, HATDataset
from devias_mm.errors import UserError
from devias_mm.files import file_sha256

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ['filename', 'label', 'scene_label', 'background_label']


@pytest.fixture(scope='module')
def puppets(tmp_path_factory):
    root = tmp_path_factory.mktemp('puppets')
    PuppetsWriter(PRESETS['tiny'], root).run()
    return root / 'tiny'


@pytest.fixture(scope='module')
def source(puppets):
    return ['--list', puppets / 'annotations/seen.txt', '--columns', *COLUMNS,
            '--data-root', puppets / 'videos', '--seed', 3]


@pytest.fixture(scope='module')
def scores(puppets, tmp_path_factory):
    """Scene predictions that put the classes on a line."""
    names = [line.split()[0][:-4] for line in
             (puppets / 'annotations/seen.txt').read_text().splitlines()]
    labels = [int(name.split('/')[1][:6]) % 8 for name in names]
    file = tmp_path_factory.mktemp('scores') / 'seen.parquet'
    pd.DataFrame(dict(video_id=names, scene_scores=[
        [label / 7, 1 - label / 7] for label in labels])).to_parquet(file)
    return file


def files_of(root):
    return {str(file.relative_to(root)): file_sha256(file)
            for file in sorted(root.rglob('*')) if file.is_file()}


@pytest.fixture(scope='module')
def hat(puppets, source, scores, tmp_path_factory):
    out = tmp_path_factory.mktemp('hat') / 'out'
    arguments = [*source, '--classes', puppets / 'annotations/action_classes.txt', '--masks',
                 puppets / 'masks', '--scene-scores', scores, '--close', 2, '--far', 3,
                 '--layout', 'hat', '--human-only', 'dataset']
    run('data/build_hat', *arguments, '--out', out, '--preview', out.parent / 'sheet.png')
    return out, arguments


def test_hat_is_read_by_its_dataset(hat, puppets):
    out, _ = hat
    common = dict(pipeline=[], labels_file=str(out / 'annotations/labels.csv'), num_classes=8,
                  layout='hat', data_prefix=dict(video=str(out)))
    plain = HATDataset(ann_file=str(out / 'annotations/list.csv'), kind='scene-only', **common)
    assert len(plain) == 16
    videos = list_videos(str(puppets / 'annotations/seen.txt'), str(puppets / 'videos'), COLUMNS)
    for item, video in zip(plain, videos):
        assert item['label'] == video.label and item['total_frames'] == 16
    for kind, rule in (('rand', 'hat'), ('close', 'devias'), ('far', 'hat'), ('same', 'devias')):
        swap = HATDataset(
            ann_file=str(out / f'annotations/{kind}/actionswap_{kind}_3.pickle'),
            kind='action-swap', rule=rule, **common)
        assert len(swap) == 16
        for item in swap:
            near = abs(item['label'] - item['background_label'])
            assert dict(rand=near > 0, close=near in (1, 2), far=near >= 3,
                        same=near == 0)[kind]
            assert item['video'] != item['background']
        clip = swap[0]['source'].read(np.array([0, 7]), 2)
        assert clip[0].shape == (64, 64, 3)
    human = read_frames(out / 'human_only/walk/000000_walk')
    masks = read_mask_values(puppets / 'masks', 'seen/000000_walk', human)
    colour = json.loads((out / 'manifest.json').read_text())['human_only_colour']
    assert np.abs(np.median(human[masks == 0], axis=0) - colour).max() <= 2
    assert (out.parent / 'sheet.png').stat().st_size > 10000


def test_hat_does_not_depend_on_workers_and_continues(hat, tmp_path):
    out, arguments = hat
    run('data/build_hat', *arguments, '--out', tmp_path / 'two', '--workers', 2)
    expected = files_of(out)
    assert files_of(tmp_path / 'two') == expected
    # what a kill leaves: no manifest, half of the journal, a torn line, a damaged frame
    (tmp_path / 'two/manifest.json').unlink()
    journal = tmp_path / 'two/journal.jsonl'
    text = journal.read_text()
    journal.write_text(text[:len(text) // 2])
    damaged = tmp_path / 'two/inp/walk/000000_walk/000003.jpg'
    damaged.write_bytes(b'')
    untouched = tmp_path / 'two/ori/jack/000001_jack/000001.jpg'
    written = untouched.stat().st_mtime_ns
    run('data/build_hat', *arguments, '--out', tmp_path / 'two')
    assert files_of(tmp_path / 'two') == expected
    assert untouched.stat().st_mtime_ns == written


def test_hat_with_other_parameters_is_refused(hat):
    out, arguments = hat
    with pytest.raises(UserError, match=r'close \(there: 2, asked: 1\)'):
        run('data/build_hat', *arguments, '--close', 1, '--out', out)


def test_checksums_are_those_of_the_files(hat):
    out, _ = hat
    lines = [line.split('  ', 1) for line in (out / 'checksums.txt').read_text().splitlines()]
    assert len(lines) == 16 * 4 + 3 + 4 * 3 + 2 == json.loads(
        (out / 'manifest.json').read_text())['outputs']
    assert all(output_digest(out / path) == digest for digest, path in lines)


@pytest.mark.parametrize('layout, number', [('devias-kinetics', int), ('devias-ucf101', str)])
def test_other_layouts_and_external_inpainting(puppets, source, hat, tmp_path, layout, number):
    first, _ = hat
    for folder in (first / 'inp').glob('*/*'):
        target = tmp_path / 'external/seen' / folder.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(folder)
    out = tmp_path / 'out'
    run('data/build_hat', *source, '--classes', puppets / 'annotations/action_classes.txt',
        '--masks', puppets / 'masks', '--inpainted', tmp_path / 'external', '--layout', layout,
        '--draws', 1, '--out', out)
    from devias_mm.datasets.restricted_pickle import load_plain_pickle
    pairs = load_plain_pickle(str(out / 'annotations/rand/actionswap_rand_1.pickle'))
    assert all(type(value) is number for pair in pairs.values() for value in pair[1:])
    assert not (out / 'annotations/far').exists()
    swap = HATDataset(
        ann_file=str(out / 'annotations/rand/actionswap_rand_1.pickle'), kind='action-swap',
        layout=layout, labels_file=str(out / 'annotations/labels.csv'), num_classes=8,
        data_prefix=dict(video=str(out)), pipeline=[])
    assert len(swap) == 16 and len(swap[3]['source'].read(np.array([0, 15]), 2)) == 2
    listed = (out / 'annotations/list.csv').read_text().splitlines()[0]
    assert listed == ('walk/' if LAYOUTS[layout].with_class else '') + '000000_walk 16 0'
    names = {file.name for file in (out / 'seg').rglob('*000000_walk/*')}
    first_number = LAYOUTS[layout].masks.first_number
    assert LAYOUTS[layout].masks.filename_tmpl.format(first_number) in names
    (tmp_path / 'external/seen/000000_walk').unlink()
    write_frames(tmp_path / 'external/seen/000000_walk', np.zeros((16, 9, 9, 3), np.uint8))
    with pytest.raises(UserError, match='seen/000000_walk: the inpainted frames'):
        run('data/build_hat', *source, '--classes', puppets / 'annotations/action_classes.txt',
            '--masks', puppets / 'masks', '--inpainted', tmp_path / 'external', '--layout', layout,
            '--draws', 1, '--out', tmp_path / 'other')


def test_videos_that_would_share_a_folder_are_refused():
    videos = [Video('jump/v1', '', 0), Video('walk/v1', '', 1)]
    classes = {0: 'jump', 1: 'walk'}
    assert [named.key for named in name_videos(videos, classes, 'hat')] == ['jump/v1', 'walk/v1']
    with pytest.raises(ValueError, match='jump/v1 and walk/v1 would both be v1: .*kinetics'):
        name_videos(videos, classes, 'devias-kinetics')
    with pytest.raises(ValueError, match='both be jump/v1: .* class and file name'):
        name_videos([videos[0], Video('more/v1', '', 0)], classes, 'hat')


def test_frames_are_read_in_the_order_of_their_numbers(tmp_path):
    frames = np.full((12, 8, 8, 3), 20 * np.arange(12)[:, None, None, None], np.uint8)
    write_frames(tmp_path / 'v', frames, 'frame{}.png')
    assert (read_frames(tmp_path / 'v') == frames).all()


def test_inpainting_beats_what_it_removes(hat, puppets):
    out, _ = hat
    videos = list_videos(str(puppets / 'annotations/seen.txt'), str(puppets / 'videos'), COLUMNS)
    for video in videos[:4]:
        folder = out / 'inp' / Path(video.name).name.split('_')[1]
        scores = score_video(video, str(puppets), None, str(folder))
        assert scores['hidden_error'] < .5 * scores['hidden_error_without']
        assert scores['visible_error'] < 8


@pytest.mark.parametrize('method, options, iou', [
    ('fame', ['--tau', .22, '--seeds', .15, .4, '--colours', 'frame'], .5), ('motion', [], .25)])
def test_masks_are_made_for_every_frame_and_found_again(puppets, source, tmp_path, method,
                                                       options, iou):
    arguments = [*source, '--method', method, *options]
    run('data/make_masks', *arguments, '--out', tmp_path / 'one', '--preview',
        tmp_path / 'sheet.png')
    run('data/make_masks', *arguments, '--out', tmp_path / 'two', '--workers', 2)
    assert files_of(tmp_path / 'one') == files_of(tmp_path / 'two')
    assert (tmp_path / 'one/seg/seen/000000_walk/000016.png').is_file()
    videos = list_videos(str(puppets / 'annotations/seen.txt'), str(puppets / 'videos'), COLUMNS)
    scores = [score_video(video, str(puppets), str(tmp_path / 'one/seg'), None)
              for video in videos]
    assert np.mean([score['iou'] for score in scores]) > iou


def test_scuba_as_videos_does_not_depend_on_workers(puppets, source, tmp_path):
    arguments = [*source, '--masks', puppets / 'masks', '--stripes', '--per-video', 2, '--format',
                 'video', '--flat', '--scufo', '--fps', 8]
    run('data/build_scuba', *arguments, '--out', tmp_path / 'one', '--preview',
        tmp_path / 'sheet.png')
    run('data/build_scuba', *arguments, '--out', tmp_path / 'two', '--workers', 2)
    assert files_of(tmp_path / 'one') == files_of(tmp_path / 'two')
    lines = (tmp_path / 'one/annotations/test.csv').read_text().splitlines()
    assert lines[:2] == ['000000_walk__0.mp4 0', '000000_walk__1.mp4 0']
    still = read_frames(tmp_path / 'one/scufo/000000_walk__0.mp4').astype(int)
    assert np.abs(still - still[0]).mean() < 2  # MPEG-4
    moving = read_frames(tmp_path / 'one/scuba/000000_walk__0.mp4').astype(int)
    assert np.abs(moving - moving[0]).mean() > 5


def test_bad_options_claim_no_folder(puppets, source, tmp_path):
    (tmp_path / 'pictures').mkdir()
    cv2.imwrite(str(tmp_path / 'pictures' / '1.png'), np.zeros((8, 8, 3), np.uint8))
    scuba = ['data/build_scuba', *source, '--masks', puppets / 'masks', '--backgrounds',
             tmp_path / 'pictures', '--per-video', 2]
    scores = tmp_path / 'scores.parquet'
    pd.DataFrame(dict(video_id=['other'], scene_scores=[[.5, .5]])).to_parquet(scores)
    classes = tmp_path / 'classes.csv'
    classes.write_text('\n'.join(f'{i},class{i}' for i in range(8)))
    hat = ['data/build_hat', *source, '--masks', puppets / 'masks', '--classes', classes,
           '--scene-scores', scores]
    for command, message in ((scuba, '--per-video 2: the folder of backgrounds holds 1'),
                             ([*hat, '--close', 9], '--close 9: there are 8 classes'),
                             (hat, 'scores.parquet')):
        with pytest.raises(UserError, match=message):
            run(*command, '--out', tmp_path / 'out')
        assert not (tmp_path / 'out').exists()


def test_hvu_tool_writes_lists_and_counts(tmp_path):
    (tmp_path / 'train.csv').write_text(''.join(f't{i} 0 0\n' for i in range(7)) + 't9 1 0\n')
    (tmp_path / 'val.csv').write_text('a 0 0\nb 1 0\nc 0 0\nd 5 0\n')
    run('data/build_hvu_splits', '--train', tmp_path / 'train.csv', '--val', tmp_path / 'val.csv',
        '--num-seen', 2, '--out', tmp_path / 'out')
    assert (tmp_path / 'out/val_seen.csv').read_text() == 'a 0 0\nc 0 0\n'
    assert (tmp_path / 'out/val_unseen.csv').read_text() == 'b 1 0\n'
    manifest = json.loads((tmp_path / 'out/manifest.json').read_text())
    checksums = (tmp_path / 'out/checksums.txt').read_text()
    assert f"{file_sha256(tmp_path / 'out/val_seen.csv')}  val_seen.csv" in checksums
    assert (manifest['candidates'], manifest['train_videos']) == (3, 8)


@pytest.mark.parametrize('tool, options, message', [
    ('data/make_masks', ['--method', 'boxes'], 'needs --boxes'),
    ('data/make_masks', ['--method', 'segformer'], 'needs --checkpoint'),
    ('data/make_masks', ['--every', '0'], '--every 0'),
    ('data/build_scuba', ['--masks', 'm', '--stripes', '--all-people'], 'goes with --boxes'),
    ('data/make_masks', ['--method', 'boxes', '--boxes', 'b', '--short-side', '32'], 'original'),
    ('data/build_scuba', ['--boxes', 'b', '--stripes', '--short-side', '32'], 'original'),
    ('data/make_masks', ['--seed', '-1'], '--seed -1'),
    ('data/build_scuba', ['--stripes'], 'either --masks or --boxes'),
    ('data/build_scuba', ['--masks', 'm', '--stripes', '--smoothing', '-1'], '--smoothing -1'),
    ('data/build_scuba', ['--masks', 'm'], 'either --backgrounds DIR or --stripes'),
    ('data/build_hat', ['--masks', 'm', '--classes', 'c', '--area', '.6', '.5'], '--area 0.6'),
    ('data/build_hat', ['--masks', 'm', '--classes', 'c', '--human-only', '1,2'], 'R,G,B'),
])
def test_usage_errors_are_one_line(source, tmp_path, tool, options, message):
    with pytest.raises(UserError, match=message):
        run(tool, *source, '--out', tmp_path / 'out', *options)


def test_missing_masks_and_wrong_lengths_name_the_video(puppets, source, tmp_path):
    arguments = ['--masks', tmp_path / 'seg', '--stripes']
    (tmp_path / 'seg').mkdir()
    (tmp_path / 'seg/file').write_text('')
    with pytest.raises(UserError, match='no masks of seen/000000_walk'):
        run('data/build_scuba', *source, *arguments, '--out', tmp_path / 'a')
    write_frames(tmp_path / 'seg/seen/000000_walk', np.zeros((9, 64, 64), np.uint8), '{:06d}.png')
    with pytest.raises(UserError, match='seen/000000_walk: 9 masks .* for 16 frames'):
        run('data/build_scuba', *source, *arguments, '--out', tmp_path / 'b')


@pytest.fixture
def broken(puppets, tmp_path):
    """Four videos: the second cannot be read, the third has no masks, the last is missing."""
    lines = (puppets / 'annotations/seen.txt').read_text().splitlines()[:4]
    names = [line.split()[0] for line in lines]
    for name in names[:3]:
        video, masks = tmp_path / 'videos' / name, (tmp_path / 'masks' / name).with_suffix('.npz')
        for file, folder in ((video, 'videos'), (masks, 'masks')):
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(puppets / folder / file.relative_to(tmp_path / folder), file)
    (tmp_path / 'videos' / names[1]).write_bytes(b'nothing')
    (tmp_path / 'masks' / names[2]).with_suffix('.npz').unlink()
    listed = tmp_path / 'list.txt'
    listed.write_text('\n'.join(lines))
    return listed, lines


@pytest.mark.parametrize('tool', ['build_scuba', 'build_hat', 'make_masks'])
def test_bad_videos_do_not_cost_the_good_ones(puppets, broken, tmp_path, capsys, tool):
    listed, lines = broken
    out = tmp_path / 'out'
    options = dict(
        build_scuba=['--masks', tmp_path / 'masks', '--stripes'],
        make_masks=['--method', 'motion'],
        build_hat=['--masks', tmp_path / 'masks', '--layout', 'hat', '--classes',
                   puppets / 'annotations/action_classes.txt'])[tool]
    command = [f'data/{tool}', '--list', listed, '--columns', *COLUMNS, '--data-root',
               tmp_path / 'videos', '--out', out, *options]
    with pytest.raises(UserError, match='1 of the 4 videos .* are missing.*--on-error skip'):
        run(*command)
    listed.write_text('\n'.join(lines[:3]))
    maskless = tool != 'make_masks'
    with pytest.raises(UserError, match=f'{1 + maskless} of 3 videos cannot be used') as e:
        run(*command, '--workers', 2)
    assert '000001_jack.mp4 holds no frame' in str(e.value)
    assert not (out / 'manifest.json').exists()
    first = next(out.rglob('*000000_walk*/*.[jp][pn]g'))  # the good one is done, and stays
    written = first.stat().st_mtime_ns
    listed.write_text('\n'.join(lines))
    run(*command, '--on-error', 'skip')
    left_out = json.loads((out / 'manifest.json').read_text())['left_out']
    assert list(left_out)[0] == 'seen/000001_jack' and len(left_out) == 2 + maskless
    assert any('is missing' in reason for reason in left_out.values())
    assert f'left out: {2 + maskless} videos' in capsys.readouterr().out
    # taken off the list: what is done is kept, and the manifest says which list it was
    listed.write_text(lines[0])
    run(*command)
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['left_out'] == {} and manifest['videos'] == 1
    assert manifest['inputs']['list_sha256'] == file_sha256(listed)
    assert first.stat().st_mtime_ns == written


def test_a_changed_video_or_label_is_made_again(puppets, tmp_path, capsys):
    lines = (puppets / 'annotations/seen.txt').read_text().splitlines()[:2]
    listed, roots = tmp_path / 'list.txt', [tmp_path / 'a', tmp_path / 'b']
    for root in roots:
        shutil.copytree(puppets / 'videos/seen', root / 'seen')
    # another video of the same name, in another folder
    first, second = (line.split()[0] for line in lines)
    shutil.copy2(roots[1] / second, roots[1] / first)
    listed.write_text('\n'.join(lines))

    def build(root):
        run('data/build_hat', '--list', listed, '--columns', *COLUMNS, '--data-root', root,
            '--masks', puppets / 'masks', '--classes', puppets / 'annotations/action_classes.txt',
            '--layout', 'hat', '--draws', 1, '--out', tmp_path / 'out')
        return files_of(tmp_path / 'out'), 'made again' in capsys.readouterr().out

    before, again = build(roots[0])
    assert not again and build(roots[0]) == (before, False)
    after, again = build(roots[1])
    changed = {file for file in after if after[file] != before.get(file)}
    assert again and any(file.startswith('ori/walk/000000_walk/') for file in changed)
    assert not any(file.startswith('ori/jack/') for file in changed)
    name, _, *rest = lines[0].split()
    listed.write_text('\n'.join([' '.join([name, '2', *rest]), lines[1]]))
    relabelled, again = build(roots[1])
    assert again and not any('walk/000000_walk/' in file for file in relabelled)
    assert len(relabelled) == len(after)


def test_an_error_of_the_machine_is_not_the_videos(tmp_path):
    def full_disk(argument, outputs):
        raise OSError(28, 'No space left on device')

    with pytest.raises(UserError, match='No space left.* continues'):
        OutputFolder(tmp_path, {}, 'skip').run('s', [Job('x', 'a')], full_disk, quiet=True)


def test_scufo_repeats_the_frame_that_the_dataset_shows(puppets, source, tmp_path):
    run('data/build_scuba', *source, '--masks', puppets / 'masks', '--stripes', '--scufo',
        '--scufo-frame', 'random', '--out', tmp_path)
    dataset = FrameFolderDataset(
        ann_file=str(tmp_path / 'annotations/test.csv'), pipeline=[], still_frame='random', seed=3,
        num_classes=8, data_prefix=dict(video=str(tmp_path / 'scuba')))
    stills = [item['source'].still for item in dataset]
    assert len(set(stills)) > 2
    for item, still in zip(dataset, stills):
        clip = read_frames(tmp_path / 'scuba' / item['video_id'])
        frozen = read_frames(tmp_path / 'scufo' / item['video_id'])
        assert (frozen == frozen[0]).all()
        errors = np.abs(clip.astype(int) - frozen[0]).mean(axis=(1, 2, 3))
        assert errors[still] == errors.min()


def test_hvu_tool_finds_the_combinations_of_puppets(puppets, tmp_path):
    train = puppets / 'annotations/train.txt'
    (tmp_path / 'val.txt').write_text(''.join(
        (puppets / f'annotations/{name}.txt').read_text() for name in ('seen', 'unseen')))
    command = ['data/build_hvu_splits', '--train', train, '--val', tmp_path / 'val.txt',
               '--num-seen', 4, '--max-unseen', 0]
    line = train.read_text().splitlines()[0]
    with pytest.raises(UserError, match=f"train.txt:1: '{line}': is .* lacks"):
        run(*command, '--out', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
    for preview in ([], ['--videos', puppets / 'videos']):
        run(*command, '--columns', *COLUMNS, '--out', tmp_path / 'out', *preview, '--preview',
            tmp_path / 'sheet.png')
        assert (tmp_path / 'sheet.png').stat().st_size > 5000
    trained = {tuple(line.split()[1:3]) for line in train.read_text().splitlines()}
    listed = [line.split() for line in (tmp_path / 'val.txt').read_text().splitlines()]
    expected = [line[:3] for line in listed if tuple(line[1:3]) not in trained]
    assert expected and any(line[1] != line[2] for line in expected)
    found = (tmp_path / 'out/val_unseen.csv').read_text().splitlines()
    assert [line.split() for line in found] == expected
    seen = [line.split() for line in
            (tmp_path / 'out/val_seen.csv').read_text().splitlines()]
    assert len(seen) == 4 and all(action == scene for _, action, scene in seen)


def test_a_build_refuses_a_folder_of_something_else(tmp_path):
    (tmp_path / 'thesis.tex').write_text('')
    with pytest.raises(UserError, match='no parameters.json'):
        OutputFolder(tmp_path, {})
    assert [file.name for file in tmp_path.iterdir()] == ['thesis.tex']
    with pytest.raises(UserError, match='thesis.tex cannot be used'):
        OutputFolder(tmp_path / 'thesis.tex', {})


def test_jobs_run_once(tmp_path):
    calls = []

    def job(argument, outputs):
        calls.append(argument)
        outputs.add_file(f'{argument}.txt', argument.encode())
        return dict(length=len(argument))

    jobs = [Job('x', 'a'), Job('y', 'bb')]
    for _ in range(2):
        folder = OutputFolder(tmp_path, dict(answer=[1, dict(deep=2)]))
        assert [report['length'] for report in folder.run('s', jobs, job, quiet=True)] == [1, 2]
        folder.finish(answer=42)
    assert calls == ['a', 'bb']
    (tmp_path / 'bb.txt').write_text('other')
    OutputFolder(tmp_path, dict(answer=[1, dict(deep=2)])).run('s', jobs, job, quiet=True)
    assert calls == ['a', 'bb', 'bb']
    with pytest.raises(UserError, match='--workers 0'):
        folder.run('s', jobs, job, workers=0)


def test_what_a_job_wrote_under_another_name_is_removed(tmp_path):
    def job(argument, outputs):
        outputs.add_frames(argument, np.zeros((1, 4, 4), np.uint8), '{}.png')
        return {}

    for name in ('first', 'second'):
        OutputFolder(tmp_path, {}).run('s', [Job('x', name, [name])], job, quiet=True)
    assert not (tmp_path / 'first').exists() and (tmp_path / 'second/1.png').is_file()


def test_processes_that_share_a_folder_leave_each_others_files_alone(tmp_path):
    def job(argument, outputs):
        outputs.add_file(argument, b'')
        return {}

    first = OutputFolder(tmp_path, {}, part='-0of2')
    (tmp_path / '.partial-of-the-other').write_text('')
    first.run('s', [Job('a', 'a')], job, quiet=True)
    second = OutputFolder(tmp_path, {}, part='-1of2')
    second.run('s', [Job('b', 'b')], job, quiet=True)
    first.finish()
    second.finish()
    assert {file.name for file in tmp_path.iterdir()} >= {
        'a', 'b', '.partial-of-the-other', 'manifest-0of2.json', 'manifest-1of2.json'}


@pytest.mark.parametrize('tool', ['make_masks', 'build_hat', 'build_scuba', 'build_hvu_splits'])
def test_help_is_documented(tool):
    text = (ROOT / 'docs/building_test_sets.md').read_text()
    assert f'tools/data/{tool}.py' in text
