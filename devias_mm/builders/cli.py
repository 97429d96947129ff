"""Options that the builders' command lines share. Imports what is heavy only when it is used."""
import argparse
import hashlib
import os
from typing import TYPE_CHECKING, Dict, List, Optional

from devias_mm.errors import MissingFileError, UsageError, UserError

if TYPE_CHECKING:
    from devias_mm.builders.videos import Video


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which videos are read."""
    group = parser.add_argument_group('videos')
    group.add_argument('--list', required=True, help='list file, one video a line')
    group.add_argument('--columns', nargs='+', default=['filename', 'label'], metavar='COLUMN',
                       help='of the list, from the left; Puppets: filename label scene_label '
                       'background_label (default: filename label)')
    group.add_argument('--data-root', default='.',
                       help='folder that the listed names are relative to (default: .)')
    group.add_argument('--suffix', default='',
                       help='added to a listed name to get the file, such as .mp4')
    group.add_argument('--allow-outside', action='store_true',
                       help='listed names may be absolute or lead out of --data-root; nothing is '
                       'ever written outside of --out')
    group.add_argument('--short-side', type=int, metavar='PIXELS',
                       help='shrink frames whose short side is longer (default: as they are)')


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the data go and how they are made."""
    group = parser.add_argument_group('output')
    group.add_argument('--out', required=True,
                       help='folder; the same command continues an interrupted one')
    group.add_argument('--seed', type=int, default=0,
                       help='of all random draws (default: %(default)s)')
    group.add_argument('--workers', type=int, default=1,
                       help='processes; the files do not depend on it (default: %(default)s)')
    group.add_argument('--preview', metavar='FILE.png', help='also draw a contact sheet')
    group.add_argument('--on-error', choices=('fail', 'skip'), default='fail',
                       help='a video that cannot be read, or has no masks: make all others, then '
                       'fail; or leave it out and list it in manifest.json (default: fail)')


def check_at_least(args: argparse.Namespace, **limits: float) -> None:
    """Check that options are not below their limit; options that were not given pass.

    Raises:
        UsageError: one is.
    """
    for option, lowest in limits.items():
        value = getattr(args, option)
        if value is not None and not value >= lowest:
            raise UsageError(f'--{option.replace("_", "-")} {value}: accepted is {lowest} and '
                             'more.')


def source_videos(args: argparse.Namespace) -> 'List[Video]':
    """Return the videos that :func:`add_source_options` names."""
    from devias_mm.builders.videos import list_videos
    check_at_least(args, short_side=16)
    return list_videos(args.list, args.data_root, args.columns, args.suffix,
                       missing_ok=args.on_error == 'skip', allow_outside=args.allow_outside)


def tool_parameters(args: argparse.Namespace, tool: str, **parameters: object) -> dict:
    """Return what determines the files of a tool's output folder."""
    from devias_mm.builders.output_folder import FORMAT_VERSION
    check_at_least(args, seed=0)
    return dict(parameters, tool=tool, format_version=FORMAT_VERSION,
                short_side=args.short_side, seed=args.seed)


def source_inputs(args: argparse.Namespace, **files: Optional[str]) -> Dict[str, object]:
    """Return what the manifest says of inputs, which may change from run to run.

    Args:
        args: of :func:`add_source_options`.
        files: further inputs; see :func:`input_digest`.
    """
    inputs = dict(list_sha256=input_digest(args.list), columns=args.columns, suffix=args.suffix)
    for name, path in files.items():
        inputs[name] = input_digest(path)
    return inputs


def input_digest(path: Optional[str]) -> Optional[str]:
    """Return what identifies an input: a file's checksum, or that of the manifest of a build.

    A folder that no tool of ours has made is identified by its files' names and sizes.
    """
    from devias_mm.files import file_sha256
    if path is None:
        return None
    if os.path.isfile(path):
        return file_sha256(path)
    if not os.path.exists(path):
        raise MissingFileError(f'{path} is missing.')
    for folder in (path, os.path.dirname(os.path.normpath(path))):
        checksums = os.path.join(folder, 'checksums.txt')
        if os.path.isfile(checksums):
            return file_sha256(checksums)
    lines = []
    # os.walk and not rglob, which passes over linked folders
    for folder, _, names in os.walk(path, followlinks=True):
        for name in names:
            file = os.path.join(folder, name)
            if os.path.isfile(file):
                lines.append(f'{os.path.relpath(file, path)} {os.path.getsize(file)}')
    if not lines:
        raise UserError(f'{path} holds no file.')
    return hashlib.sha256('\n'.join(sorted(lines)).encode()).hexdigest()


def print_left_out(left_out: Dict[str, str]) -> None:
    """Say which videos a build lacks."""
    if not left_out:
        return
    print(f'left out: {len(left_out)} videos (manifest.json names all), such as')
    for name in list(left_out)[:5]:
        print(f'  {name}: {left_out[name]}')
