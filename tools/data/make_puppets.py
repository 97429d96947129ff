"""Render the embedded benchmark, Puppets, into real video files.

    python tools/data/make_puppets.py --out data/puppets --preset demo --seed 0 --workers 2

Start it again after an interruption: what is complete is kept.
"""
from devias_mm.cli import key_value, run_tool
from devias_mm.errors import UsageError

_CLIPS_PER_SECOND = 120  # of one core, with masks and backgrounds; for the estimate only


def add_arguments(parser):
    parser.add_argument('--out', default='data/puppets',
                        help='the data set goes to OUT/PRESET (default: %(default)s)')
    parser.add_argument('--preset', choices=('tiny', 'demo', 'ladder'), default='demo',
                        help='tiny: for tests; demo: one rho; ladder: four (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0,
                        help='draws another world of the same kind (default: %(default)s)')
    parser.add_argument('--workers', type=int, default=1,
                        help='processes; the files do not depend on it (default: %(default)s)')
    parser.add_argument('--preview', metavar='FILE.png',
                        help='also draw a contact sheet of the written files')
    parser.add_argument('--options', nargs='+', type=key_value, metavar='KEY=VALUE', default=[],
                        help='change fields of the preset, e.g. name=soft rhos=0.7,0.8 '
                        'scene_overlap=0.5; see devias_mm/builders/puppets/presets.py')


def parse_options(texts):
    """Return the values of KEY=VALUE texts, parsed as MMEngine does it."""
    import argparse

    from mmengine.config import DictAction
    if not texts:
        return {}
    parser = argparse.ArgumentParser()
    parser.add_argument('--options', nargs='+', action=DictAction)
    return parser.parse_args(['--options', *texts]).options


def change_preset(preset, options):
    """Return the preset with some fields changed; a single rho may be given as a number."""
    import dataclasses
    fields = [field.name for field in dataclasses.fields(preset)]
    unknown = sorted(set(options) - set(fields))
    if unknown:
        raise UsageError(f'--options: no such field: {", ".join(unknown)}. '
                         f'Accepted: {", ".join(fields)}.')
    if 'rhos' in options:
        rhos = options['rhos']
        if not isinstance(rhos, (list, tuple)):
            rhos = (rhos, )
        options = dict(options, rhos=tuple(rhos))
    return dataclasses.replace(preset, **options)


def main(args):
    from devias_mm.builders.puppets import PRESETS, PuppetsWriter
    from devias_mm.builders.puppets.preview import draw_preview
    preset = change_preset(PRESETS[args.preset], parse_options(args.options))
    writer = PuppetsWriter(preset, args.out, args.seed)
    if writer.complete:
        print(f'{writer.root}: complete, {writer.num_clips} clips, nothing to render.')
    else:
        pending = sum(len(job.argument) for job in writer.pending)
        seconds = pending / _CLIPS_PER_SECOND / max(args.workers, 1)
        print(f'{writer.root}: rendering {pending} of {writer.num_clips} clips of '
              f'{preset.frames} frames, {preset.size} x {preset.size}, seed {args.seed}; '
              f'about {seconds:.0f} s with {args.workers} worker(s).', flush=True)
        writer.run(args.workers, quiet=False)
        print(f'{writer.root}: complete, {writer.num_clips} clips; '
              f'parameters and checksums in {writer.folder.manifest_file}.')
    if args.preview:
        draw_preview(writer.root, args.preview)
        print(f'contact sheet: {args.preview}')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
