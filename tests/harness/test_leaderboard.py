import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fake_suite import (
    DATA,
    fake_train,
    make_ladder,
    make_protocol,
    make_repository,
    make_suite,
    write_table,
)

from devias_mm.evaluation.metrics import Metric
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import load_suite
from devias_mm.harness.ladder import breaking_point, ladder_points
from devias_mm.harness.papers import compare_with_papers
from devias_mm.harness.plan import plan_jobs
from devias_mm.harness.render import MARKDOWN, papers_cells
from devias_mm.harness.report import make_report, write_report
from devias_mm.harness.results import collect

# split -> numbers of right actions and right scenes of 20
RIGHT = {'seen': (18, 16), 'unseen': (10, 10), 'texture': (14, 0), 'scene-only': (4, 14)}


def finish(job, right, **kwargs):
    fake_train(job.work_dir)
    for split in job.splits:
        action, scene = right[split]
        write_table(job.predictions(split), range(action), range(scene),
                    background=split == 'unseen' or None, has_action=job.method != 'scene',
                    has_scene=job.method != 'naive', **kwargs)
    job.folder.mark('train')
    job.folder.mark('test', splits=list(job.splits))


@pytest.fixture
def toy(tmp_path):
    """Suite, jobs: all finished but seed 1 of 'scene'; tables in different row orders."""
    suite, root = make_suite(), make_repository(tmp_path)
    jobs = plan_jobs(suite, root, root / 'out')
    for job in jobs:
        if (job.method, job.seed) != ('scene', 1):
            better = dict(RIGHT, seen=(20, 16)) if job.seed else RIGHT
            finish(job, better, shuffle=job.seed,
                   broken=[0, 1] if job.method == 'naive' and job.seed == 0 else ())
    return suite, jobs


def test_golden_table(toy):
    suite, jobs = toy
    made = make_report(suite, jobs, collect(suite, jobs, 'the command'))
    table = made.table.set_index('method')
    columns = list(made.table.columns)
    assert columns[0] == 'method'
    wanted = ['action_seen', 'action_unseen', 'scene_seen', 'scene_unseen', 'hm', *suite.splits]
    assert columns[1:37] == [f'{name}_{stat}' for name in wanted
                             for stat in ('mean', 'std', 'lo', 'hi')]
    assert columns[-3:] == ['n_seeds', 'n_unreadable', 'on_error']

    strong = table.loc['strong']
    expected = {'action_seen': 95, 'action_unseen': 60, 'scene_seen': 80, 'scene_unseen': 60,
                'seen': 95, 'unseen': 50, 'texture': 70, 'scene-only': 20, 'seen_scene': 80,
                'scene-only_scene': 70, 'sberr_unseen': 50}
    for name, value in expected.items():
        assert strong[f'{name}_mean'] == pytest.approx(value), name
    per_seed = [4 / (1 / a + 1 / 60 + 1 / 80 + 1 / 60) for a in (90, 100)]
    assert strong['hm_mean'] == pytest.approx(np.mean(per_seed))
    assert strong['hm_std'] == pytest.approx(np.std(per_seed, ddof=1))
    assert strong['action_seen_std'] == pytest.approx(10 / np.sqrt(2))
    assert strong['unseen_std'] == 0
    assert strong['bor_mean'] == pytest.approx((20 / 90 + 20 / 100) / 2)
    assert strong['hor_mean'] == pytest.approx((70 / 90 + 70 / 100) / 2)
    for name in ('action_seen', 'action_unseen', 'hm', 'bor'):
        assert strong[f'{name}_lo'] < strong[f'{name}_mean'] < strong[f'{name}_hi'], name
    # 50 % of 20 videos, the same ones in both seeds: binomial, not narrowed by the seeds
    half = (strong['unseen_hi'] - strong['unseen_lo']) / 2
    assert half == pytest.approx(196 * np.sqrt(.25 / 20), rel=0.2)

    naive, scene = table.loc['naive'], table.loc['scene']
    assert naive[['scene_seen_mean', 'hm_mean', 'hm_lo', 'seen_scene_mean']].isna().all()
    assert scene[['action_seen_mean', 'hm_mean', 'seen_mean', 'sberr_unseen_mean']].isna().all()
    # two unreadable videos of seed 0 count as wrong
    assert naive['seen_mean'] == pytest.approx((80 + 100) / 2)
    assert list(table['n_seeds']) == [2, 2, 1] and np.isnan(scene['scene_seen_std'])


def test_written_forms(toy, tmp_path):
    suite, jobs = toy
    made = make_report(suite, jobs, collect(suite, jobs, 'the command'), {'max_epochs': 1})
    paths = write_report(made, tmp_path / 'tables')
    back = pd.read_csv(paths[0])
    pd.testing.assert_frame_equal(back, made.table, rtol=1e-3, atol=1e-4, check_dtype=False)
    assert all(dtype.kind in 'fi' for dtype in back.dtypes[1:-1])
    assert list(back.columns[-2:]) == ['n_unreadable', 'on_error']
    # two videos, in each of four splits
    assert list(back['n_unreadable']) == [8, 0, 0] and set(back['on_error']) == {'count-wrong'}
    markdown = paths[1].read_text()
    assert '**95.0** ± 7.1 [' in markdown and '| Strong ' in markdown
    assert 'Naive, seen: 2 unreadable video(s) counted as wrong (v00, v01).' in markdown
    assert 'Scene: incomplete, seed(s) 1 not finished.' in markdown
    assert 'SMOKE RUN, not the benchmark: max_epochs=1' in markdown
    rows = [line.split('|')[1].strip() for line in markdown.splitlines() if line[:1] == '|']
    assert rows[2:5] == ['Strong', 'Naive †', 'Scene']  # ranked by H.M., then unseen action
    latex = paths[2].read_text()
    assert r'\toprule' in latex and r'\textbf{95.0} $\pm$ 7.1' in latex
    assert r'Naive$^\dagger$ &' in latex and r'Strong &' in latex
    assert r'{\footnotesize $^\dagger$ Naive, seen: 2 unreadable' in latex
    assert '% SMOKE RUN' in latex and '{SMOKE' not in latex
    # the same stored predictions give the same table
    again = make_report(suite, jobs, collect(suite, jobs, 'the command'), {'max_epochs': 1})
    assert again.markdown == made.markdown
    pd.testing.assert_frame_equal(again.table, made.table)


def test_nothing_finished_names_folder_and_command(tmp_path):
    suite, root = make_suite(), make_repository(tmp_path)
    jobs = plan_jobs(suite, root, root / 'out')
    with pytest.raises(ValueError) as error:
        collect(suite, jobs, 'python tools/benchmark.py run toy')
    assert str(jobs[0].work_dir) in str(error.value)
    assert 'python tools/benchmark.py run toy' in str(error.value)
    # finished runs of another config are not taken, but named
    finish(jobs[0], RIGHT)
    changed = plan_jobs(suite, root, root / 'out', options={'model.lr': 1.0})
    with pytest.raises(ValueError, match=f'finished runs of others.*{jobs[0].work_dir.name}'):
        collect(suite, changed, 'x')


def test_lost_table_names_folder_and_command(toy):
    suite, jobs = toy
    jobs[0].predictions('texture').unlink()
    with pytest.raises(ValueError) as error:
        collect(suite, jobs, 'the command')
    for part in (str(jobs[0].work_dir), 'texture', 'the command'):
        assert part in str(error.value)


def test_different_videos_and_undeclared_predictions_are_refused(toy):
    suite, jobs = toy
    naive, strong = jobs[0], jobs[1]
    kept = strong.predictions('seen').read_bytes()
    write_table(strong.predictions('seen'), range(18), n=21)
    with pytest.raises(ValueError, match=r"(?s)seeds 0 and 1 of 'strong'.*'v20'"):
        collect(suite, jobs, 'x')
    strong.predictions('seen').write_bytes(kept)
    write_table(naive.predictions('seen'), range(18), has_action=False)
    with pytest.raises(ValueError, match="'naive' should predict the action, but 20 readable"):
        collect(suite, jobs, 'x')


def test_methods_tested_on_different_lists_are_refused(toy):
    suite, jobs = toy
    for job in jobs:
        if job.method == 'strong':
            write_table(job.predictions('seen'), range(18), n=21)
    with pytest.raises(ValueError, match="'naive' and 'strong' .*'seen' .1 differ, e.g. 'v20'"):
        collect(suite, jobs, 'x')


def test_per_video_is_aligned_by_video(toy):
    suite, jobs = toy
    strong = [result for result in collect(suite, jobs, 'x') if result.method == 'strong'][0]
    correct = strong.per_video('seen').sort_index()
    assert list(correct) == [1.0] * 18 + [0.5] * 2


def test_ladder(tmp_path):
    suite, root = make_ladder(), make_repository(tmp_path)
    jobs = plan_jobs(suite, root, root / 'out', methods=['naive', 'strong'])
    unseen = {('naive', 'rho0.5'): 20, ('naive', 'rho0.7'): 12, ('naive', 'rho0.9'): 0,
              ('strong', 'rho0.5'): 20, ('strong', 'rho0.7'): 19, ('strong', 'rho0.9'): 17}
    for job in jobs:
        finish(job, {'seen': (20, 20), 'unseen': (unseen[job.method, job.variant], 20)})
    made = make_report(suite, jobs, collect(suite, jobs, 'x'))
    table = pd.read_csv(io.StringIO(made.table.to_csv(index=False))).set_index('method')
    assert list(table.loc['naive', ['unseen@0.50_mean', 'unseen@0.70_mean', 'unseen@0.90_mean']]
                ) == [100, 60, 0]
    assert table.loc['naive', 'breaking_rho'] == pytest.approx(0.6)
    assert np.isnan(table.loc['strong', 'breaking_rho'])
    lines = made.markdown.splitlines()
    first = [line for line in lines if line.startswith('| Strong')][0]
    assert '> 0.90' in first and lines.index(first) < lines.index(
        [line for line in lines if line.startswith('| Naive')][0])
    points = ladder_points(suite, made.table, 'unseen')
    assert len(points) == 6
    assert points.query('method == "strong" and x == 0.9')['mean'].item() == pytest.approx(85)


def test_breaking_point():
    assert breaking_point([.9, .5], [60, 100], 80) == pytest.approx(.7)
    assert breaking_point([.5, .9], [70, 60], 80) == .5
    assert np.isnan(breaking_point([.5, .9], [100, 80], 80))
    # the first fall counts, though the curve recovers
    assert breaking_point([1, 2, 3, 4], [90, 70, 90, 0], 80) == pytest.approx(1.5)


# swap draws: numbers of right actions of 20; the others are taken for the background's action
DRAWS = {'swap/1': 10, 'swap/2': 14, 'swap/3': 6}


@pytest.fixture
def drawn(tmp_path):
    """A suite with a set of three draws and a comprehensive protocol."""
    suite = make_suite(seeds=(0, ), protocol=make_protocol(
        splits=('seen', 'texture', 'scene-only', *DRAWS), sets={'swap': tuple(DRAWS)},
        action_unseen=('texture', ), scene_unseen=('scene-only', ),
        all_unseen=(('texture', 'swap'), ('scene-only', 'swap')), swaps=('swap', )))
    root = make_repository(tmp_path)
    jobs = plan_jobs(suite, root, root / 'out', ['strong'])
    fake_train(jobs[0].work_dir)
    for split in jobs[0].splits:
        action, scene = RIGHT.get(split, (DRAWS.get(split), 10))
        write_table(jobs[0].predictions(split), range(action), range(scene),
                    background=split in DRAWS or None, broken=[19] if split == 'swap/1' else ())
    jobs[0].folder.mark('train')
    jobs[0].folder.mark('test', splits=list(jobs[0].splits))
    return suite, jobs


def test_a_set_of_draws_counts_as_one_split(drawn):
    suite, jobs = drawn
    made = make_report(suite, jobs, collect(suite, jobs, 'the command'))
    row = made.table.iloc[0]
    assert row['swap_mean'] == row['shacc_swap_mean'] == pytest.approx((50 + 70 + 30) / 3)
    assert row['action_unseen_mean'] == pytest.approx(70)
    assert row['action_unseen_all_mean'] == pytest.approx((70 + 50) / 2)
    assert row['scene_unseen_all_mean'] == pytest.approx((70 + 50) / 2)
    assert row['hm_all_mean'] == pytest.approx(4 / (1 / 90 + 1 / 60 + 1 / 80 + 1 / 60))
    # an unreadable video shows no bias: 9 of 20
    assert row['sberr_swap_mean'] == pytest.approx((45 + 30 + 70) / 3)
    assert row['shacc_swap_split_std'] == pytest.approx(20)
    assert row['sberr_swap_split_std'] == pytest.approx(np.std([45, 30, 70], ddof=1))
    assert 'Comprehensive protocol' in made.markdown and 'SHAcc swap' in made.markdown
    assert '| swap/1' not in made.markdown
    # one seed: the spread is that of the draws, and the heading says so
    cells, = [line for line in made.markdown.split('(HAT)')[1].splitlines()
              if line.startswith('| Strong')]
    assert '**50.0** ± 20.0 [' in cells and '**48.3** ± 20.2 [' in cells
    assert made.markdown.split('(HAT)')[1].splitlines()[0].endswith('over the draws of a set')
    assert r'\textbf{50.0} $\pm$ 20.0' in made.latex
    note, = [note for note in made.notes if 'swap/1' in note]
    assert note.endswith('counted as wrong (v19), which lowers SBErr swap (lower is better), too.')


@pytest.mark.parametrize('on_error, seen', [('count-wrong', 50), ('skip', 100 * 10 / 19)])
def test_unreadable_videos_count_as_asked(drawn, on_error, seen):
    suite, jobs = drawn
    results = collect(suite, jobs, 'the command', on_error)
    made = make_report(suite, jobs, results)
    assert made.table.iloc[0]['swap/1_mean'] == pytest.approx(seen)
    fate = 'left out' if on_error == 'skip' else 'counted as wrong'
    assert any(f'swap/1: 1 unreadable video(s) {fate} (v19)' in note for note in made.notes)


def test_unreadable_videos_can_be_an_error(drawn):
    with pytest.raises(ValueError, match=r"swap/1: 1 unreadable .*'v19'.*--on-error count-wrong"):
        collect(*drawn, 'the command', 'fail')


def test_contrasted_accuracy_of_a_pair(tmp_path):
    suite = make_suite(protocol=make_protocol(
        splits=('seen', 'unseen', 'texture', 'scene-only', 'still'),
        optional_splits=('not tested', ),
        contrasts={'contrast': ('texture', 'still'), 'other': ('texture', 'not tested')}))
    root = make_repository(tmp_path)
    jobs = plan_jobs(suite, root, root / 'out', ['naive', 'strong'])
    for job in jobs:
        # right are 14 clips, and the twins of the first 4 or 6 of them; one twin is unreadable
        finish(job, dict(RIGHT, still=(6 if job.seed else 4, 0)), shuffle=job.seed)
        write_table(job.predictions('still'), range(6 if job.seed else 4), shuffle=job.seed + 5,
                    broken=[10] if job.method == 'naive' else ())
    made = make_report(suite, jobs, collect(suite, jobs, 'x'))
    table = made.table.set_index('method')
    assert table.loc['strong', 'contrast_mean'] == pytest.approx(100 * (10 + 8) / 40)
    assert table.loc['strong', 'contrast_std'] == pytest.approx(10 / np.sqrt(2))
    assert table.loc['strong', 'contrast_lo'] < 45 < table.loc['strong', 'contrast_hi']
    # an unreadable twin is not one that the model gets wrong
    assert table.loc['naive', 'contrast_mean'] == pytest.approx(100 * (9 + 7) / 40)
    skipped = make_report(suite, jobs, collect(suite, jobs, 'x', 'skip')).table
    assert skipped['contrast_mean'][0] == pytest.approx(100 * (9 + 7) / 38)
    assert 'other_mean' not in table and 'Contrasted accuracy (StillMix)' in made.markdown
    # without the twins there is no such column
    part = suite.only(['seen', 'texture'])
    assert 'contrast_mean' not in make_report(part, jobs, collect(part, jobs, 'x')).table
    for job in jobs:
        write_table(job.predictions('still'), range(4), n=19)
    results = collect(suite, jobs, 'x')
    with pytest.raises(ValueError, match=r'contrasted accuracy: 1 video\(s\) .*: v19'):
        make_report(suite, jobs, results)


def test_splits_without_scene_labels_are_named(toy):
    suite, jobs = toy
    for job in jobs:
        for split in ('seen', 'scene-only'):
            if job.predictions(split).is_file():
                table = pd.read_parquet(job.predictions(split)).assign(scene_label=-1)
                table.to_parquet(job.predictions(split), index=False)
    suite = make_suite(data=replace(DATA, scene_label_command='label them'))
    notes = make_report(suite, jobs, collect(suite, jobs, 'x')).notes
    note, = [note for note in notes if 'No scene labels' in note]
    assert 'for seen, scene-only, and so no' in note and 'run label them, delete' in note
    # of no concern to methods that predict no scenes
    naive = [job for job in jobs if job.method == 'naive']
    assert not any('scene labels' in note
                   for note in make_report(suite, naive, collect(suite, naive, 'x')).notes)


def own_table(**means):
    """A leaderboard of three methods with the given means."""
    methods = {'method': ['devias', 'mixup', 'naive']}
    return pd.DataFrame({**methods, **{f'{name}_mean': values for name, values in means.items()}})


def test_the_papers_numbers_are_compared_with_ours(root):
    suite = load_suite('ucf101', root)
    table = own_table(hm=[61.6, 10, np.nan], action_seen=[90, 50, 92.4])
    compared = compare_with_papers(suite, table).set_index('method')
    assert list(compared.index) == ['naive', 'devias']
    assert compared.at['devias', 'hm_paper'] == 61.1 and compared.at['devias', 'hm_ours'] == 61.6
    assert compared.at['devias', 'hm_ours_minus_paper'] == pytest.approx(0.5)
    assert compared.at['naive', 'action_seen_ours_minus_paper'] == pytest.approx(-0.5)
    assert np.isnan(compared.at['naive', 'hm_ours_minus_paper'])
    assert compared.at['devias', 'scuba-vqgan_paper'] == 40.1
    assert np.isnan(compared.at['devias', 'scuba-vqgan_ours'])


def papers(suite, table):
    cells = papers_cells(suite, table, MARKDOWN)
    return pd.DataFrame(cells.rows, columns=cells.headings).set_index('Method')


def test_the_papers_numbers_are_printed_below_ours(root):
    suite = load_suite('ucf101', root)
    shown = papers(suite, own_table(hm=[61.6, 10, np.nan]))
    assert list(shown.index) == ['Naive Action ViT', 'DEVIAS']
    devias = shown.loc['DEVIAS']
    assert devias['H.M.'] == '61.1 (+0.5)' and devias['H.M. (all)'] == '60.8'
    assert devias['scuba-vqgan'] == '40.1' and devias['hat-far (scene)'] == '70.2'
    assert shown['H.M.'].iloc[0] == '-' and devias['Source'] == 'DEVIAS, Tables 2, 7'
    suite = load_suite('hat74', root)
    shown = papers(suite, pd.DataFrame({'method': list(suite.methods)}))
    assert len(shown) == 16 and shown.index.is_unique
    row = shown.loc['SlowFast ResNet101']
    assert row['SHAcc hat-far'] == '15.4 ± 0.1' and row['BOR'] == '0.72'
    assert row['Source'] == 'HAT, Tables 1, 2' and row['hat-scene-only'] == '56.1'
    assert papers(make_suite(), pd.DataFrame({'method': ['naive']})).empty


def test_papers_are_in_all_written_forms(toy, tmp_path):
    suite, jobs = toy
    printed = Reference('devias_table02', columns={'hm': 'hm'},
                        rows={'strong': dict(method='devias')})
    suite = replace(suite, protocol=replace(suite.protocol, references=(printed, )))
    made = make_report(suite, jobs, collect(suite, jobs, 'x'))
    ours = made.table.set_index('method').at['strong', 'hm_mean']
    difference = f'61.1 ({ours - 61.1:+.1f})'
    assert f'| DEVIAS   | {difference}' in made.markdown
    assert f'DEVIAS & {difference} & DEVIAS, Table 2' in made.latex
    paths = write_report(made, tmp_path / 'tables')
    assert [path.name for path in paths][3:] == ['papers.csv']
    assert pd.read_csv(paths[3]).at[0, 'hm_ours_minus_paper'] == pytest.approx(ours - 61.1, 1e-3)


def test_names_cannot_become_commands(toy):
    suite, jobs = toy
    nasty = replace(suite.methods['strong'], label='\\input{x} | <b> 50%')
    suite = replace(suite, title='T\n\\input{y}', methods={**suite.methods, 'strong': nasty})
    made = make_report(suite, jobs, collect(suite, jobs, 'x'))
    assert '\\input{x}' not in made.latex and r'\textbackslash{}input\{x\}' in made.latex
    assert not any(line.startswith('\\input') for line in made.latex.splitlines())
    assert '<b>' not in made.markdown and r'\| &lt;b>' in made.markdown


def test_a_new_metric_is_one_declaration(toy):
    suite, jobs = toy

    def worst(accuracies):
        return np.min([split.action for split in accuracies.values()], axis=0)

    metric = Metric('errors_of_worst', lambda accuracies: 100 - worst(accuracies),
                    ('seen', 'unseen', 'texture'), higher_is_better=False, digits=0,
                    heading='Worst error', section='More')
    protocol = replace(suite.protocol, metrics=(*suite.protocol.metrics, metric),
                       rank_by=('errors_of_worst', ))
    suite = replace(suite, protocol=protocol)
    made = make_report(suite, jobs, collect(suite, jobs, 'x'))
    row = made.table.set_index('method').loc['strong']
    assert row['errors_of_worst_mean'] == pytest.approx(50)
    assert row['errors_of_worst_lo'] < 50 < row['errors_of_worst_hi']
    shown = made.markdown.split('### More')[1]
    # of equals all are best; without a value a method is last
    assert '| Worst error' in shown and '**50**' in shown
    assert shown.index('| Strong') < shown.index('| Scene')
