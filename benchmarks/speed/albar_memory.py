"""Memory of a training step of ALBAR ViT-B/16, extrapolated to all twelve blocks.

``python benchmarks/speed/albar_memory.py [--depths 2 4] [--clips 1]``

The gradient term differentiates attention twice, so the attention matrices of 1568 tokens and what
is computed from them lie in memory. Each depth is measured in a process of its own: peak memory
of forward, losses and backward in float32 on 16 x 224 x 224 clips, less the memory before.
The growth from the first depth to the last is that of a block, the same in every block.
"""
import argparse
import subprocess
import sys
from typing import Dict

import torch
from devias_step import gpu_peak_mib, make_batch, peak_rss_kib, step
from mmengine.registry import init_default_scope

from devias_mm.engine.runner import set_threads
from devias_mm.methods import ALBAR

BLOCKS = 12


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--depths', type=int, nargs=2, default=[2, 4],
                        help='encoder blocks of the two measurements (default: 2 4)')
    parser.add_argument('--clips', type=int, default=1, help='clips of a batch (default: 1)')
    parser.add_argument('--threads', type=int, default=1, help='CPU threads (default: 1)')
    parser.add_argument('--memory-of', type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def report_memory(depth: int, clips: int) -> None:
    """Print by how many MiB one step raises the peak memory of this process."""
    init_default_scope('mmaction')
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    model = ALBAR(dict(type='TokenViT', depth=depth, final_norm=False), 400, pool_norm=True)
    model, batch = model.to(device), make_batch(clips, device)
    if device.type == 'cuda':
        before = torch.cuda.memory_allocated() / 2**20
        print(gpu_peak_mib(lambda: step(model, *batch)) - before)
    else:
        before = peak_rss_kib()
        step(model, *batch)
        print((peak_rss_kib() - before) / 1024)


def measure(args) -> Dict[int, float]:
    """Peak memory in MiB of a step at each depth."""
    found = {}
    for depth in args.depths:
        command = [sys.executable, '-W', 'ignore', __file__, '--memory-of', depth, '--clips',
                   args.clips, '--threads', args.threads]
        result = subprocess.run([str(word) for word in command], check=True, text=True,
                                stdout=subprocess.PIPE)
        found[depth] = float(result.stdout.split()[-1])
        print(f'depth {depth}, {args.clips} clip(s) and as many still ones: '
              f'{found[depth] / 1024:.2f} GiB')
    return found


def main() -> None:
    args = parse_args()
    set_threads(args.threads)
    if args.memory_of:
        report_memory(args.memory_of, args.clips)
        return
    found = measure(args)
    (low, first), (high, last) = sorted(found.items())
    block = (last - first) / (high - low) / args.clips
    total = first / args.clips + (BLOCKS - low) * block
    print(f'{block / 1024:.2f} GiB a clip and block; '
          f'{total / 1024:.1f} GiB a clip at depth {BLOCKS}')


if __name__ == '__main__':
    main()
