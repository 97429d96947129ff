"""Render the embedded benchmark, Puppets, into real video files.

    python tools/data/make_puppets.py --out data/puppets --preset demo --seed 0 --workers 2

Start it again after an interruption: what is complete is kept.
"""
import argparse
import dataclasses
import sys

from mmengine.config import DictAction
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from devias_mm.builders.puppets import PRESETS, PuppetsWriter
from devias_mm.builders.puppets.preview import draw_preview

_CLIPS_PER_SECOND = 120  # of one core, with masks and backgrounds; for the estimate only


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', default='data/puppets',
                        help='the data set goes to OUT/PRESET (default: %(default)s)')
    parser.add_argument('--preset', choices=list(PRESETS), default='demo',
                        help='tiny: for tests; demo: one rho; ladder: four (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0,
                        help='draws another world of the same kind (default: %(default)s)')
    parser.add_argument('--workers', type=int, default=1,
                        help='processes; the files do not depend on it (default: %(default)s)')
    parser.add_argument('--preview', metavar='FILE.png',
                        help='also draw a contact sheet of the written files')
    parser.add_argument('--options', nargs='+', action=DictAction, default={},
                        help='change fields of the preset, e.g. name=soft rhos=0.7,0.8 '
                        'scene_overlap=0.5; see devias_mm/builders/puppets/presets.py')
    return parser.parse_args()


def change_preset(preset, options):
    """The preset with some fields changed; a single rho may be given as a number."""
    fields = [field.name for field in dataclasses.fields(preset)]
    unknown = sorted(set(options) - set(fields))
    if unknown:
        raise ValueError(f'--options: no such field: {", ".join(unknown)}. '
                         f'Accepted: {", ".join(fields)}.')
    if 'rhos' in options:
        rhos = options['rhos']
        options = dict(options, rhos=tuple(rhos) if isinstance(rhos, (list, tuple)) else (rhos, ))
    return dataclasses.replace(preset, **options)


def main():
    args = parse_args()
    preset = change_preset(PRESETS[args.preset], args.options)
    writer = PuppetsWriter(preset, args.out, args.seed)
    pending = sum(map(len, writer.pending))
    if writer.complete:
        print(f'{writer.root}: complete, {writer.num_clips} clips, nothing to render.')
    else:
        seconds = pending / _CLIPS_PER_SECOND / args.workers
        print(f'{writer.root}: rendering {pending} of {writer.num_clips} clips of '
              f'{preset.frames} frames, {preset.size} x {preset.size}, seed {args.seed}; '
              f'about {seconds:.0f} s with {args.workers} worker(s).', flush=True)
        columns = (TextColumn('clips'), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns) as progress:
            task = progress.add_task('', total=pending)
            writer.run(args.workers, lambda count: progress.advance(task, count))
        print(f'{writer.root}: complete, {writer.num_clips} clips; '
              f'parameters and checksums in {writer.manifest_file}.')
    if args.preview:
        draw_preview(writer.root, args.preview)
        print(f'contact sheet: {args.preview}')


if __name__ == '__main__':
    try:
        main()
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f'make_puppets: {error}')
    except KeyboardInterrupt:
        sys.exit('make_puppets: interrupted; start it again to continue.')
