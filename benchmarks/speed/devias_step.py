"""A training step of DEVIAS ViT-B/16 against the same network written out plainly.

``python benchmarks/speed/devias_step.py [--threads 1] [--batch 2] [--repeats 3]``

Forward, losses and backward on 16 x 224 x 224 clips with M = 8 slot attention iterations;
both formulations take turns in one process, so that their ratio means something on a
machine that does other work, too. The outputs are compared, the peak memory is that of a
process of its own. On the CPU the seconds are the process's own, all its threads together. On
a GPU, bf16 and compiled variants are timed as well. FAME's masks are timed for 2 and 4 clips.
The limits are printed with what was measured; where one does not hold, the exit status is 1.
"""
import argparse
import contextlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, Optional, Tuple

import torch
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.table import Table

# what ours has to be against plain: so many times faster, as exact, and FAME's share of time
LIMITS = dict(speed_up=1.85, difference=1e-5, fame=1 / 3)
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from plain_devias import plain_fame, plain_formulation  # noqa: E402

from devias_mm.augments import FAMEMasks  # noqa: E402
from devias_mm.engine.runner import set_threads  # noqa: E402
from devias_mm.methods import DEVIAS  # noqa: E402
from devias_mm.structures import ClipTargets  # noqa: E402


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--batch', type=int, default=2, help='clips (default: 2)')
    parser.add_argument('--depth', type=int, default=12, help='encoder blocks (default: 12)')
    parser.add_argument('--threads', type=int, default=1, help='CPU threads (default: 1)')
    parser.add_argument('--repeats', type=int, default=3, help='the fastest counts (default: 3)')
    parser.add_argument('--memory-of', choices=('ours', 'plain'), help=argparse.SUPPRESS)
    return parser.parse_args()


def build_model(depth: int, size: int = 224) -> torch.nn.Module:
    """DEVIAS as published for Kinetics-400: M = 8, four heads of 512, tied weights.

    Args:
        depth (int): encoder blocks.
        size (int): height and width of the clips, a multiple of 16. Defaults to 224.
    """
    init_default_scope('mmaction')
    torch.manual_seed(0)
    return DEVIAS(
        dict(type='TokenViT', depth=depth, img_size=size), 400, 365,
        slot_attention=dict(num_slots=2, num_iters=8))


def make_batch(batch: int, device: torch.device, size: int = 224
               ) -> Tuple[torch.Tensor, ClipTargets]:
    """Normalised clips ``(batch, 1, 3, 16, size, size)`` with labels and masks."""
    generator = torch.Generator().manual_seed(1)
    clips = torch.randn(batch, 1, 3, 16, size, size, generator=generator)
    masks = (torch.rand(batch, 8, size, size, generator=generator) < .5).float()
    labels = torch.randint(365, (2, batch), generator=generator)
    return clips.to(device), ClipTargets(*labels.to(device), masks.to(device),
                                         masks[:, 0].to(device))


def step(model, clips, targets, loss: Optional[Callable] = None) -> Dict[str, torch.Tensor]:
    """Forward, losses, backward; the loss values and the gradient of the patch embedding."""
    model.zero_grad()
    terms = {name: value for name, value in (loss or model.loss)(clips, [], targets).items()
             if 'loss' in name}
    sum(terms.values()).backward()
    gradient = model.backbone.patch_embed.projection.weight.grad
    return {**{name: value.detach() for name, value in terms.items()}, 'gradient': gradient}


def timed(function: Callable, device: torch.device) -> float:
    """Seconds of one call; on the CPU those of the process, whatever else the machine does."""
    if device.type != 'cuda':
        start = time.process_time()
        function()
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    function()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def fastest(variants: Dict[str, Callable], repeats: int, device: torch.device) -> Dict[str, float]:
    """Seconds of each variant; they take turns, after one call of each to warm up."""
    seconds = {name: [] for name in variants}
    for turn in range(repeats + 1):
        for name, function in variants.items():
            elapsed = timed(function, device)
            if turn:
                seconds[name].append(elapsed)
    return {name: min(values) for name, values in seconds.items()}


def largest_difference(ours: dict, plain: dict) -> float:
    """Largest difference of a loss or gradient, relative to the largest value of its tensor."""
    return max(((ours[name] - plain[name]).abs().max() / plain[name].abs().max()).item()
               for name in plain)


def peak_memory_mib(args, variant: str) -> float:
    """Peak resident memory of a step in a process of its own, less what importing takes."""
    command = [sys.executable, '-W', 'ignore', __file__, '--memory-of', variant, '--batch',
               str(args.batch), '--depth', str(args.depth), '--threads', str(args.threads)]
    return float(subprocess.run(command, check=True, text=True,
                                capture_output=True).stdout.split()[-1])


def report_memory(args) -> None:
    """Print by how many MiB one step raises the peak memory of this process."""
    model, batch = build_model(args.depth), make_batch(args.batch, torch.device('cpu'))
    before = peak_rss_kib()
    with plain_formulation() if args.memory_of == 'plain' else contextlib.nullcontext():
        step(model, *batch)
    print((peak_rss_kib() - before) / 1024)


def peak_rss_kib() -> int:
    """Peak resident memory of this process (Linux; ``getrusage`` would tell the parent's)."""
    status = Path('/proc/self/status').read_text()
    return int(next(line for line in status.splitlines() if line.startswith('VmHWM')).split()[1])


def gpu_peak_mib(function: Callable) -> float:
    """Peak allocated memory of a call on the GPU."""
    torch.cuda.reset_peak_memory_stats()
    function()
    return torch.cuda.max_memory_allocated() / 2**20


def time_fame(clips: int, repeats: int, device: torch.device) -> Tuple[Dict[str, float], float]:
    """Seconds of the masks of a batch, plain and ours, and the share of equal mask pixels."""
    masks, pixels = FAMEMasks(), torch.rand(clips, 3, 16, 224, 224, device=device)
    seconds = fastest({'plain': lambda: plain_fame(masks, pixels),
                       'ours': lambda: masks.compute(pixels)}, repeats, device)
    same = min((a == b).float().mean().item() for a, b in
               zip(masks.compute(pixels), plain_fame(masks, pixels)))
    return seconds, same


def main() -> int:
    args = parse_args()
    set_threads(args.threads)
    if args.memory_of:
        report_memory(args)
        return 0
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    model = build_model(args.depth).to(device)
    clips, targets = make_batch(args.batch, device)

    def ours() -> dict:
        return step(model, clips, targets)

    def plain() -> dict:
        with plain_formulation():
            return step(model, clips, targets)

    # copies: the gradient's memory is used again by the next step
    first, second = ({name: value.clone() for name, value in run().items()}
                     for run in (ours, plain))
    difference = largest_difference(first, second)
    console = Console(width=100)
    console.print(f'{args.batch} clips, depth {args.depth}, {device.type}, '
                  f'{args.threads} thread(s)')
    variants = {'plain': plain, 'ours': ours}
    if device.type == 'cuda':
        compiled = torch.compile(model.loss)

        def bf16(loss: Callable) -> dict:
            with torch.autocast('cuda', torch.bfloat16):
                return step(model, clips, targets, loss)

        variants.update({'ours, bf16': lambda: bf16(model.loss),
                         'ours, compiled': lambda: step(model, clips, targets, compiled),
                         'ours, bf16, compiled': lambda: bf16(compiled)})
    seconds = fastest(variants, args.repeats, device)
    memory = {name: gpu_peak_mib(run) if device.type == 'cuda' else peak_memory_mib(args, name)
              for name, run in variants.items()}
    table = Table('DEVIAS step', 'seconds', 'speed-up', 'peak memory (MiB)')
    for name, value in seconds.items():
        table.add_row(name, f'{value:.3f}', f'{seconds["plain"] / value:.2f}x',
                      f'{memory[name]:.0f}')
    console.print(table)

    table = Table('FAME masks of a batch', 'plain (ms)', 'ours (ms)', 'share of plain',
                  'equal mask pixels')
    speed_up = seconds['plain'] / seconds['ours']
    checks = [(f'{speed_up:.2f}x', f"at least {LIMITS['speed_up']}x the speed of plain",
               speed_up >= LIMITS['speed_up']),
              (f'{difference:.1e}', 'largest relative difference of a loss or gradient below '
               f"{LIMITS['difference']:.0e}", difference < LIMITS['difference']),
              (f"{memory['ours']:.0f} MiB", f"peak memory below plain's {memory['plain']:.0f} MiB",
               memory['ours'] < memory['plain'])]
    for clips_of_batch in (2, 4):
        fame, same = time_fame(clips_of_batch, 5 * args.repeats, device)
        share = fame['ours'] / fame['plain']
        table.add_row(f'{clips_of_batch} clips', *(f'{1000 * fame[name]:.1f}' for name in
                                                   ('plain', 'ours')),
                      f'{share:.3f}', f'{100 * same:.2f} %')
        checks.append((f'{share:.3f}', f'FAME masks of {clips_of_batch} clips in at most '
                       f"{LIMITS['fame']:.3f} of plain", share <= LIMITS['fame']))
    console.print(table)
    table = Table('limit', 'measured', 'holds')
    for measured, limit, holds in checks:
        table.add_row(limit, measured, 'yes' if holds else 'NO')
    console.print(table)
    return int(not all(holds for _, _, holds in checks))


if __name__ == '__main__':
    sys.exit(main())
