"""Writes a Puppets data set: videos, masks, backgrounds, lists, checksums, manifest.

Layout, below ``<out>/<preset.name>/``::

    videos/<split>/<id>.mp4         RGB clip, MPEG-4
    masks/<split>/<id>.npz          true foreground, see `read_masks`
    backgrounds/<split>/<id>.mp4    the clip without its figure; none for human-only
    annotations/<list>.txt          file action scene background
    annotations/{action,scene}_classes.txt
    parameters.json                 written first: what this folder is being rendered from
    checksums.txt                   SHA-256 of every file, as `sha256sum` writes it
    manifest.json                   written last: the data set is complete
"""
import dataclasses
import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Union

import cv2
import numpy as np

from devias_mm.builders.puppets.figure import ACTIONS
from devias_mm.builders.puppets.files import TEMPORARY_PREFIX, write_bytes, write_masks, write_video
from devias_mm.builders.puppets.presets import Preset
from devias_mm.builders.puppets.render import render_clips
from devias_mm.builders.puppets.scenes import SCENES
from devias_mm.builders.puppets.splits import GREY, Clip, plan_lists
from devias_mm.files import file_sha256
from devias_mm.processes import map_in_processes

#: raised whenever the pixels, the layout or the lists change for the same parameters
FORMAT_VERSION = 1


def clip_files(clip: Clip) -> List[str]:
    """Paths of a clip's files below the data set's folder."""
    files = [f'videos/{clip.name}.mp4', f'masks/{clip.name}.npz']
    if clip.backdrop != GREY:
        files.append(f'backgrounds/{clip.name}.mp4')
    return files


def _render_job(clips: Sequence[Clip], root: Path, preset: Preset, seed: int) -> Dict[str, str]:
    """Render and write the versions of one clip; returns the checksum of each file."""
    checksums = {}
    for clip, pixels in zip(clips, render_clips(clips, preset, seed)):
        for file in clip_files(clip):
            kind = file.split('/', 1)[0]
            if kind == 'masks':
                checksums[file] = write_masks(root / file, pixels.masks)
            else:
                frames = pixels.frames if kind == 'videos' else pixels.background
                checksums[file] = write_video(root / file, frames, preset.fps)
    return checksums


class PuppetsWriter:
    """Renders what is missing of one data set.

    Args:
        preset (Preset): what to render.
        out_dir (str or Path): the data set is written to ``<out_dir>/<preset.name>``.
        seed (int): non-negative; together with the preset it determines every file.

    Raises:
        ValueError: where the folder holds a data set of other parameters, or other files.

    Attributes:
        root (Path): folder of the data set.
        pending (list[list[Clip]]): jobs to do; a job is the one or two versions of a clip.
        num_clips (int): video files of the whole data set.
    """

    def __init__(self, preset: Preset, out_dir: Union[str, Path], seed: int = 0) -> None:
        if seed < 0:
            raise ValueError(f'seed={seed}: accepted is an integer >= 0.')
        self.preset, self.seed = preset, seed
        self.root = Path(out_dir) / preset.name
        self._claim_folder()
        self.lists = plan_lists(preset, seed)
        jobs: Dict[tuple, List[Clip]] = {}
        for clip in dict.fromkeys(clip for clips in self.lists.values() for clip in clips):
            jobs.setdefault((clip.split, clip.index), []).append(clip)
        self.num_clips = sum(map(len, jobs.values()))
        self._checksums = self._verified_checksums()
        self.pending = [
            clips for clips in jobs.values()
            if any(file not in self._checksums for clip in clips for file in clip_files(clip))]

    @property
    def manifest_file(self) -> Path:
        return self.root / 'manifest.json'

    @property
    def complete(self) -> bool:
        """Whether every file is there, intact, and the manifest names it."""
        return (not self.pending and self.manifest_file.is_file()
                and all(file in self._checksums for file in self._list_files()))

    def _claim_folder(self) -> None:
        wanted = dict(format_version=FORMAT_VERSION, seed=self.seed,
                      preset=dataclasses.asdict(self.preset))
        # through JSON, so that tuples compare equal to what a file holds
        wanted = json.loads(json.dumps(wanted))
        file = self.root / 'parameters.json'
        remedy = 'Choose another --out, or remove the folder first.'
        if file.is_file():
            try:
                found = json.loads(file.read_text())
            except ValueError as error:
                raise ValueError(f'{file} is not valid JSON ({error}). {remedy}') from None
            flat_wanted, flat_found = (
                {**parameters, **parameters.get('preset', {})} for parameters in (wanted, found))
            changes = [
                f'{key} (there: {flat_found.get(key)!r}, asked: {flat_wanted.get(key)!r})'
                for key in sorted(flat_wanted.keys() | flat_found.keys())
                if key != 'preset' and flat_found.get(key) != flat_wanted.get(key)]
            if changes:
                raise ValueError(f'{self.root} holds a data set of other parameters: '
                                 f'{", ".join(changes)}. {remedy}')
        elif self.root.exists() and any(self.root.iterdir()):
            raise ValueError(
                f'{self.root} holds files, but no parameters.json that says which data set they '
                f'belong to. {remedy}')
        else:
            write_bytes(file, (json.dumps(wanted, indent=2) + '\n').encode())

    def _verified_checksums(self) -> Dict[str, str]:
        """Checksums of the files that are there and are what was once written."""
        file = self.root / 'checksums.txt'
        if not file.is_file():
            return {}
        # the last line may be torn, by a kill; it then names no file or a wrong checksum
        pairs = (line.split('  ', 1) for line in file.read_text().splitlines() if '  ' in line)
        return {name: checksum for checksum, name in pairs
                if (self.root / name).is_file() and file_sha256(self.root / name) == checksum}

    def _list_files(self) -> Dict[str, str]:
        files = {name: [clip.line for clip in clips] for name, clips in self.lists.items()}
        files.update(action_classes=ACTIONS, scene_classes=SCENES)
        return {f'annotations/{name}.txt': '\n'.join(lines) + '\n'
                for name, lines in files.items()}

    def _checksum_lines(self, files: Optional[Iterable[str]] = None) -> str:
        files = sorted(self._checksums if files is None else files)
        return ''.join(f'{self._checksums[file]}  {file}\n' for file in files)

    def run(self, workers: int = 1,
            on_progress: Callable[[int], None] = lambda count: None) -> dict:
        """Render what is missing and write lists, checksums and manifest.

        Args:
            workers (int): processes; the files do not depend on it.
            on_progress (callable): called with the number of clips just written.

        Returns:
            dict: the manifest.
        """
        if workers < 1:
            raise ValueError(f'workers={workers}: accepted is an integer >= 1.')
        if self.complete:
            return json.loads(self.manifest_file.read_text())
        self.manifest_file.unlink(missing_ok=True)
        for leftover in self.root.rglob(f'{TEMPORARY_PREFIX}*'):
            leftover.unlink(missing_ok=True)
        checksum_file = self.root / 'checksums.txt'
        write_bytes(checksum_file, self._checksum_lines().encode())
        job = partial(_render_job, root=self.root, preset=self.preset, seed=self.seed)
        # appended as clips are done: after a kill, the files named here are known to be whole
        with checksum_file.open('a', buffering=1) as journal:
            for checksums in map_in_processes(job, self.pending, workers):
                self._checksums.update(checksums)
                journal.write(self._checksum_lines(checksums))
                on_progress(sum(file.startswith('videos/') for file in checksums))
        for file, text in self._list_files().items():
            self._checksums[file] = write_bytes(self.root / file, text.encode())
        write_bytes(checksum_file, self._checksum_lines().encode())
        manifest = self._manifest()
        write_bytes(self.manifest_file, (json.dumps(manifest, indent=2) + '\n').encode())
        self.pending = []
        return manifest

    def _manifest(self) -> dict:
        from devias_mm import __version__  # defined only after this module was imported
        splits: Dict[str, List[str]] = {}
        for file in self._checksums:
            if not file.startswith('annotations/'):
                splits.setdefault(file.split('/')[1], []).append(file)
        return dict(
            format_version=FORMAT_VERSION,
            devias_mm=__version__,
            # the bytes of the videos depend on the encoder
            versions=dict(opencv=cv2.__version__, numpy=np.__version__),
            seed=self.seed,
            preset=dataclasses.asdict(self.preset),
            lists={name: dict(clips=len(clips),
                              sha256=self._checksums[f'annotations/{name}.txt'])
                   for name, clips in self.lists.items()},
            splits={split: dict(
                clips=sum(file.startswith('videos/') for file in files),
                sha256=hashlib.sha256(self._checksum_lines(files).encode()).hexdigest())
                for split, files in sorted(splits.items())})
