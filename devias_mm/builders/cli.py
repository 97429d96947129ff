"""What the command lines of this package share."""
import argparse
import hashlib
import os
import sys
from typing import Callable, Dict, List, Optional

from devias_mm.builders.build import ON_ERROR
from devias_mm.builders.media import Video, list_videos
from devias_mm.errors import UsageError
from devias_mm.files import file_sha256


def make_parser(description: str) -> argparse.ArgumentParser:
    """A parser whose description keeps its lines."""
    return argparse.ArgumentParser(description=description,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Which videos are read."""
    group = parser.add_argument_group('videos')
    group.add_argument('--list', required=True, help='list file, one video a line')
    group.add_argument('--columns', nargs='+', default=['filename', 'label'], metavar='COLUMN',
                       help='of the list, from the left; Puppets: filename label scene_label '
                       'background_label (default: filename label)')
    group.add_argument('--data-root', default='.',
                       help='folder that the listed names are relative to (default: .)')
    group.add_argument('--suffix', default='',
                       help='added to a listed name to get the file, such as .mp4')
    group.add_argument('--short-side', type=int, metavar='PIXELS',
                       help='shrink frames whose short side is longer (default: as they are)')


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the data go and how they are made."""
    group = parser.add_argument_group('output')
    group.add_argument('--out', required=True, help='folder; start again to continue')
    group.add_argument('--seed', type=int, default=0,
                       help='of all random draws (default: %(default)s)')
    group.add_argument('--workers', type=int, default=1,
                       help='processes; the files do not depend on it (default: %(default)s)')
    group.add_argument('--preview', metavar='FILE.png', help='also draw a contact sheet')
    group.add_argument('--on-error', choices=ON_ERROR, default='fail',
                       help='a video that cannot be read, or has no masks: make all others, then '
                       'fail; or leave it out and list it in manifest.json (default: fail)')


def source_videos(args: argparse.Namespace) -> List[Video]:
    """The videos that :func:`add_source_arguments` names."""
    if args.short_side is not None and args.short_side < 16:
        raise UsageError(f'--short-side {args.short_side}: accepted is an integer >= 16.')
    return list_videos(args.list, args.data_root, args.columns, args.suffix,
                       missing_ok=args.on_error == 'skip')


def source_parameters(args: argparse.Namespace) -> dict:
    """What all videos of a build have in common."""
    if args.seed < 0:
        raise UsageError(f'--seed {args.seed}: accepted is an integer >= 0.')
    return dict(short_side=args.short_side, seed=args.seed)


def source_inputs(args: argparse.Namespace, **files: Optional[str]) -> Dict[str, object]:
    """What the manifest says of a build's inputs, which may change from run to run.

    Args:
        args: of :func:`add_source_arguments`.
        files: further inputs; see :func:`input_digest`.
    """
    return dict(list_sha256=file_sha256(args.list), columns=args.columns, suffix=args.suffix,
                **{name: input_digest(path) for name, path in files.items()})


def input_digest(path: Optional[str]) -> Optional[str]:
    """What identifies an input: a file's checksum, or that of the manifest of a build.

    A folder that no tool of ours has made is identified by its files' names and sizes.
    """
    if path is None:
        return None
    if not os.path.exists(path):
        raise FileNotFoundError(f'{path} is not there.')
    if os.path.isfile(path):
        return file_sha256(path)
    for folder in (path, os.path.dirname(os.path.normpath(path))):
        checksums = os.path.join(folder, 'checksums.txt')
        if os.path.isfile(checksums):
            return file_sha256(checksums)
    lines = sorted(  # os.walk and not rglob, which passes over linked folders
        f'{os.path.relpath(os.path.join(folder, name), path)} '
        f'{os.path.getsize(os.path.join(folder, name))}'
        for folder, _, names in os.walk(path, followlinks=True) for name in names)
    if not lines:
        raise FileNotFoundError(f'{path} holds no file.')
    return hashlib.sha256('\n'.join(lines).encode()).hexdigest()


def print_left_out(left_out: Dict[str, str]) -> None:
    """Say which videos a build lacks."""
    if left_out:
        print(f'left out: {len(left_out)} videos (manifest.json names all), such as')
    for name in list(left_out)[:5]:
        print(f'  {name}: {left_out[name]}')


def run_tool(main: Callable[[], None]) -> None:
    """Run a tool; a mistake of the user ends it with one line."""
    try:
        main()
    except (ValueError, OSError, ImportError) as error:
        sys.exit(f'error: {error}')
    except KeyboardInterrupt:
        sys.exit('interrupted; start it again to continue')
