"""How long a leaderboard takes, from stored predictions to the table.

    python benchmarks/speed/leaderboard.py

Makes random predictions in a temporary folder (1.6 GB each) and prints CPU seconds and peak
memory of the table of

- many runs: 20 methods x 5 seeds x 10 splits x 1,000 videos x 400 classes;
- one large split: a million videos x 400 classes.

Each table is computed in a process of its own.
"""
import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from devias_mm.evaluation.metrics import per_split, ratios, seen_unseen, swap_metrics
from devias_mm.harness import Data, Method, Protocol, Suite
from devias_mm.store.predictions import SCHEMA

# methods, seeds, splits, videos
CASES = {'many': (20, 5, 10, 1_000), 'large': (1, 1, 1, 1_000_000)}
PART = 100_000


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--cases', nargs='+', choices=CASES, default=list(CASES))
    parser.add_argument('--classes', type=int, default=400, metavar='N')
    parser.add_argument('--folder', type=Path, help='where predictions are made and kept; '
                        'default: a temporary folder')
    parser.add_argument('--measure', choices=CASES, help=argparse.SUPPRESS)
    return parser.parse_args()


def make_suite(methods: int, splits: int) -> Suite:
    """A suite with the columns of a benchmark on seen and unseen combinations."""
    names = tuple(f'split{number}' for number in range(splits))
    metrics = [*seen_unseen(action_seen=names[:1], action_unseen=names[1:6]), *per_split(names),
               *swap_metrics(names[-2:])]
    if splits > 2:
        metrics += ratios(names[:1], background_only=names[1], human_only=names[2])
    rows = {f'method{number}': Method('none.py', predicts=('action', ))
            for number in range(methods)}
    return Suite('speed', 'Speed', Data(), rows, Protocol(names, tuple(metrics)))


def make_jobs(folder: Path, case: str) -> list:
    """The finished runs, as the table reads them."""
    methods, seeds, _, _ = CASES[case]
    jobs = []
    for method in range(methods):
        for seed in range(seeds):
            work_dir = folder / case / f'method{method}' / str(seed)
            jobs.append(SimpleNamespace(
                method=f'method{method}', variant='', seed=seed, name=f'method{method} {seed}',
                work_dir=work_dir, splits=(), tested=True,
                predictions=lambda split, work_dir=work_dir: work_dir / f'{split}.parquet'))
    return jobs


def write_predictions(path: Path, videos: int, classes: int, rng: np.random.Generator) -> None:
    """Write random scores in parts, in the schema of the store."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, SCHEMA, use_dictionary=False) as writer:
        for start in range(0, videos, PART):
            number = min(PART, videos - start)
            labels = np.arange(start, start + number) % classes
            scores = rng.random((number, classes), dtype=np.float32)
            scores[np.arange(number), labels] += rng.random(number, dtype=np.float32)
            offsets = np.arange(0, number * classes + 1, classes, dtype=np.int32)
            writer.write_table(pa.table({
                'video_id': [f'video{video:07d}' for video in range(start, start + number)],
                'action_label': labels, 'scene_label': np.full(number, -1),
                'background_label': (labels + 1) % classes,
                'action_scores': pa.ListArray.from_arrays(offsets, scores.ravel()),
                'scene_scores': pa.nulls(number, pa.list_(pa.float32())),
                'error': pa.nulls(number, pa.string())}, schema=SCHEMA))


def measure(folder: Path, case: str) -> None:
    """Compute the table and print what it took."""
    from devias_mm.harness.leaderboard import leaderboard
    from devias_mm.harness.results import collect
    methods, seeds, splits, videos = CASES[case]
    suite = make_suite(methods, splits)
    cpu, wall = time.process_time(), time.perf_counter()
    results = collect(suite, make_jobs(folder, case), '')
    read = time.process_time() - cpu
    table = leaderboard(suite, results)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20
    print(f'{case}: {methods} methods x {seeds} seeds x {splits} splits x {videos:,} videos, '
          f'{table.shape[1]} columns: {cpu:.1f} CPU s ({read:.1f} of reading), {wall:.1f} s, '
          f'peak {peak:.2f} GB')


def main() -> None:
    args = parse_args()
    if args.measure:
        measure(args.folder, args.measure)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        for case in args.cases:
            splits, videos = CASES[case][2:]
            rng = np.random.default_rng(0)
            for job in make_jobs(folder, case):
                for split in range(splits):
                    path = job.predictions(f'split{split}')
                    if not path.is_file():
                        write_predictions(path, videos, args.classes, rng)
            subprocess.run([sys.executable, __file__, '--measure', case, '--folder', str(folder)],
                           check=True)


if __name__ == '__main__':
    main()
