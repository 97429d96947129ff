"""Does the data pipeline starve training? Clips/s of the loader and of the training step.

``python benchmarks/speed/data_loading.py CONFIG [--workers 1] [--threads 1]``

Three things are measured in one run, so that their ratios mean something on a machine
that does other work, too: each transform in this process, the loader with its workers and
no training, the training step (forward, backward, update) on batches held in memory.
"""
import argparse
import itertools
import tempfile
import time

from mmengine.logging import MMLogger
from rich.console import Console
from rich.table import Table

from devias_mm.cli import add_config_options
from devias_mm.engine.config import load_config
from devias_mm.engine.runner import build_runner


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='config file')
    parser.add_argument('--workers', type=int, default=1, help='of the loader (default: 1)')
    parser.add_argument('--clips', type=int, default=400,
                        help='for the transforms and the loader, at least (default: 400)')
    parser.add_argument('--steps', type=int, default=10, help='training steps (default: 10)')
    add_config_options(parser)
    return parser.parse_args()


def time_transforms(dataset, clips: int) -> dict:
    """Mean microseconds of each transform, in order."""
    steps = dataset.pipeline.transforms
    totals = [0.0] * len(steps)
    for i in range(clips):
        results = dataset.get_data_info(i % len(dataset))
        for k, step in enumerate(steps):
            start = time.perf_counter()
            results = step(results)
            totals[k] += time.perf_counter() - start
    return {type(step).__name__: 1e6 * total / clips for step, total in zip(steps, totals)}


def time_loader(loader, clips: int) -> float:
    """Clips/s of the loader with its workers, starting and ending them included."""
    seen, start = 0, time.perf_counter()
    while seen < clips:
        seen += sum(len(batch['inputs']) for batch in loader)
    return seen / (time.perf_counter() - start)


def time_step(runner, batches: list, steps: int) -> float:
    """Clips/s of ``train_step``."""
    optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.model.train()
    runner.model.train_step(batches[0], optim_wrapper)  # warm up
    clips, start = 0, time.perf_counter()
    for batch in itertools.islice(itertools.cycle(batches), steps):
        runner.model.train_step(batch, optim_wrapper)
        clips += len(batch['inputs'])
    return clips / (time.perf_counter() - start)


def main() -> None:
    args = parse_args()
    cfg = load_config(args)
    cfg.train_dataloader.num_workers = args.workers
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        cfg.log_level = 'ERROR'
        runner = build_runner(cfg, args.threads)
        MMLogger.get_current_instance().setLevel('ERROR')
        loader = runner.train_loop.dataloader
        transforms = time_transforms(loader.dataset, args.clips)
        loaded = time_loader(loader, args.clips)
        trained = time_step(runner, list(itertools.islice(loader, 4)), args.steps)
    table = Table('what', 'microseconds / clip', 'clips/s', title=args.config)
    for name, duration in transforms.items():
        table.add_row(name, f'{duration:.0f}', '')
    total = sum(transforms.values())
    table.add_row('pipeline, one core', f'{total:.0f}', f'{1e6 / total:.0f}', style='bold')
    table.add_row(f'loader, {args.workers} worker(s)', '', f'{loaded:.0f}', style='bold')
    table.add_row(f'training step, {args.threads} thread(s)', '', f'{trained:.0f}', style='bold')
    table.add_row('loader / step', '', f'{loaded / trained:.2f}', style='bold')
    Console().print(table)


if __name__ == '__main__':
    main()
