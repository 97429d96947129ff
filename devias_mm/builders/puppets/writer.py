"""Writes a Puppets data set: videos, masks, backgrounds, lists.

Layout, below ``<out>/<preset.name>/``, beside the files of every
:class:`~devias_mm.builders.output_folder.OutputFolder`::

    videos/<split>/<id>.mp4         RGB clip, MPEG-4
    masks/<split>/<id>.npz          true foreground, see `devias_mm.builders.media.read_masks`
    backgrounds/<split>/<id>.mp4    the clip without its figure; none for human-only
    annotations/<list>.txt          file action scene background
    annotations/{action,scene}_classes.txt
"""
import dataclasses
import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence, Union

from devias_mm.builders.output_folder import (
    Job,
    OutputFolder,
    Outputs,
    checksum_lines,
    encoder_versions,
)
from devias_mm.builders.puppets.figure import ACTIONS
from devias_mm.builders.puppets.presets import Preset
from devias_mm.builders.puppets.render import render_clips
from devias_mm.builders.puppets.scenes import SCENES
from devias_mm.builders.puppets.splits import GREY, Clip, plan_lists
from devias_mm.errors import UsageError
from devias_mm.files import write_text

#: raised whenever the pixels, the layout or the lists change for the same parameters
FORMAT_VERSION = 1
_STAGE = 'clips'


class _Look(NamedTuple):
    """What the pixels of a clip are made from, beside the clip."""
    preset: Preset
    seed: int


def _files_of(clips: Sequence[Clip]) -> List[str]:
    """Return the paths of the files of clips."""
    files = []
    for clip in clips:
        files += [f'videos/{clip.name}.mp4', f'masks/{clip.name}.npz']
        if clip.backdrop != GREY:
            files.append(f'backgrounds/{clip.name}.mp4')
    return files


def _adopt_earlier(root: Path, jobs: Sequence[Job]) -> None:
    """Write the journal of a data set that was rendered before there were journals.

    Its ``checksums.txt`` took their place.
    """
    checksums = root / 'checksums.txt'
    if not checksums.is_file() or (root / 'journal.jsonl').exists():
        return
    digests = {}
    for line in checksums.read_text().splitlines():
        digest, separator, file = line.partition('  ')
        if separator:
            digests[file] = digest
    lines = []
    for job in jobs:
        files = _files_of(job.argument)
        if all(file in digests for file in files):
            outputs = {file: digests[file] for file in files}
            entry = [f'{_STAGE}: {job.name}', job.source, outputs, {}]
            lines.append(json.dumps(entry) + '\n')
    write_text(root / 'journal.jsonl', ''.join(lines))


def _render(clips: Sequence[Clip], outputs: Outputs, look: _Look) -> dict:
    """Render and write the versions of one clip."""
    for clip, pixels in zip(clips, render_clips(clips, look.preset, look.seed)):
        outputs.add_video(f'videos/{clip.name}.mp4', pixels.frames, look.preset.fps)
        outputs.add_masks(f'masks/{clip.name}.npz', pixels.masks)
        if clip.backdrop != GREY:
            outputs.add_video(f'backgrounds/{clip.name}.mp4', pixels.background, look.preset.fps)
    return {}


class PuppetsWriter:
    """Renders what is missing of one data set.

    Args:
        preset: what to render.
        out_dir: the data set is written to ``<out_dir>/<preset.name>``.
        seed: non-negative; together with the preset it determines every file.

    Raises:
        UserError: the folder holds a data set of other parameters, or other files.

    Attributes:
        root (Path): folder of the data set.
        num_clips (int): video files of the whole data set.

    Example::

        PuppetsWriter(PRESETS['tiny'], 'data/puppets').run()
    """

    def __init__(self, preset: Preset, out_dir: Union[str, Path], seed: int = 0) -> None:
        if seed < 0:
            raise UsageError(f'--seed {seed}: accepted is an integer >= 0.')
        self.preset = preset
        self.seed = seed
        self.root = Path(out_dir) / preset.name
        parameters = dict(format_version=FORMAT_VERSION, seed=seed,
                          preset=dataclasses.asdict(preset))
        self.lists = plan_lists(preset, seed)
        self._jobs = _jobs_of(self.lists)
        _adopt_earlier(self.root, self._jobs)
        self.folder = OutputFolder(self.root, parameters)
        self.num_clips = sum(len(job.argument) for job in self._jobs)

    @property
    def pending(self) -> List[Job]:
        """Return the jobs to do; a job is the one or two versions of a clip."""
        return [job for job in self._jobs if not self.folder.is_done(_STAGE, job)]

    @property
    def complete(self) -> bool:
        """Return whether every file is there, intact, and the manifest says so."""
        if self.pending or not self.folder.manifest_file.is_file():
            return False
        for name, text in self._list_files().items():
            file = self.root / name
            if not file.is_file() or file.read_text() != text:
                return False
        return True

    def _list_files(self) -> Dict[str, str]:
        """Return the text of each file of ``annotations/``, by its path."""
        contents: Dict[str, Sequence[str]] = {}
        for name, clips in self.lists.items():
            contents[name] = [clip.line for clip in clips]
        contents['action_classes'] = ACTIONS
        contents['scene_classes'] = SCENES
        files = {}
        for name, lines in contents.items():
            files[f'annotations/{name}.txt'] = '\n'.join(lines) + '\n'
        return files

    def run(self, workers: int = 1, quiet: bool = True) -> dict:
        """Render what is missing and write lists, checksums and manifest.

        Args:
            workers: number of processes; the files do not depend on it.
            quiet: no progress bar.

        Returns:
            dict: the manifest.
        """
        if workers < 1:
            raise UsageError(f'--workers {workers}: accepted is an integer >= 1.')
        if self.complete:
            return json.loads(self.folder.manifest_file.read_text())
        render = partial(_render, look=_Look(self.preset, self.seed))
        self.folder.run(_STAGE, self._jobs, render, workers, quiet)
        for name, text in self._list_files().items():
            self.folder.write(name, text)
        self.folder.write_checksums()
        manifest = self._manifest()
        write_text(self.folder.manifest_file, json.dumps(manifest, indent=2) + '\n')
        return manifest

    def _manifest(self) -> dict:
        """Return what the manifest says, once all files are written."""
        from devias_mm import __version__
        digests = self.folder.digests()
        by_split: Dict[str, Dict[str, str]] = {}
        for file, digest in digests.items():
            kind, split, *_ = file.split('/')
            if kind != 'annotations':
                by_split.setdefault(split, {})[file] = digest
        lists = {}
        for name, clips in self.lists.items():
            lists[name] = dict(clips=len(clips), sha256=digests[f'annotations/{name}.txt'])
        splits = {split: _split_entry(by_split[split]) for split in sorted(by_split)}
        return dict(
            format_version=FORMAT_VERSION,
            devias_mm=__version__,
            versions=encoder_versions(),
            seed=self.seed,
            preset=dataclasses.asdict(self.preset),
            lists=lists,
            splits=splits)


def _split_entry(digests: Dict[str, str]) -> dict:
    """Return what the manifest says of the files of a split."""
    videos = [file for file in digests if file.startswith('videos/')]
    lines = checksum_lines(digests).encode()
    return dict(clips=len(videos), sha256=hashlib.sha256(lines).hexdigest())


def _jobs_of(lists: Dict[str, List[Clip]]) -> List[Job]:
    """Return a job for each figure; lists name some clips, and some figures, more than once."""
    versions: Dict[str, List[Clip]] = {}
    for clips in lists.values():
        for clip in clips:
            others = versions.setdefault(f'{clip.split}/{clip.index:06d}', [])
            if clip not in others:
                others.append(clip)
    jobs = []
    for name, clips in versions.items():
        source = [clip.name for clip in clips]
        jobs.append(Job(name, clips, source))
    return jobs
