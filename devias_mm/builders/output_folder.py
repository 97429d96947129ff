"""A folder of generated data that can be interrupted, continued and checked.

Below the folder::

    parameters.json   written first: what determines the files
    journal.jsonl     one line per finished job: what it was made from, its outputs with
                      checksums, its report
    checksums.txt     SHA-256 of every output; of a frame folder, that of the `sha256sum` lines
                      of its files
    manifest.json     written last: the data are complete

Nothing is written or removed outside of the folder, whatever the names of the jobs and the links
in the folder are.
"""
import errno
import json
from functools import partial
from pathlib import Path
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Union

import cv2
import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from devias_mm.builders.media import output_digest, write_frames, write_masks, write_video
from devias_mm.errors import UsageError, UserError
from devias_mm.files import (
    TEMPORARY_PREFIX,
    file_sha256,
    output_path,
    read_json,
    remove,
    write_bytes,
    write_text,
)
from devias_mm.processes import map_in_processes

FORMAT_VERSION = 2  #: raised whenever the same parameters of a tool give other files
#: what a job that fails does to a build
ON_ERROR = ('fail', 'skip')
#: errors of the machine, which no other video would escape
_MACHINE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE)
_REMEDY = 'Choose another --out, or remove the folder.'


class Job(NamedTuple):
    """Something to make.

    Attributes:
        name: of the video, as messages show it; unique within a stage.
        argument: what the stage's function is called with.
        source: JSON values of what it is made from, such as the state of its files and its
            label. A job whose source changed is done again.
    """
    name: str
    argument: object
    source: Sequence = ()


class Outputs:
    """What one job writes into the folder.

    Args:
        root: the folder.

    Attributes:
        digests (dict[str, str]): of each file or frame folder, by its path in the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.digests: Dict[str, str] = {}

    def path(self, name: str) -> Path:
        """Return where an output of this name is; see :func:`devias_mm.files.output_path`."""
        return output_path(self.root, name)

    def add_file(self, name: str, content: bytes) -> None:
        """Write a file."""
        self.digests[name] = write_bytes(self.path(name), content)

    def add_frames(self, name: str, frames: np.ndarray, template: str, first: int = 1) -> None:
        """Write a folder of images, see :func:`devias_mm.builders.media.write_frames`."""
        self.digests[name] = write_frames(self.path(name), frames, template, first)

    def add_video(self, name: str, frames: np.ndarray, fps: int) -> None:
        """Write an mp4 file, see :func:`devias_mm.builders.media.write_video`."""
        self.digests[name] = write_video(self.path(name), frames, fps)

    def add_masks(self, name: str, masks: np.ndarray) -> None:
        """Write masks as an ``.npz``, see :func:`devias_mm.builders.media.write_masks`."""
        self.digests[name] = write_masks(self.path(name), masks)

    def add_written(self, name: str) -> None:
        """Take in a file that was written to :meth:`path` by other means."""
        self.digests[name] = file_sha256(self.path(name))


#: takes a job's argument and where its outputs go, returns its report
JobFunction = Callable[[object, Outputs], dict]


class _Entry(NamedTuple):
    """A line of the journal, without the name."""
    source: list
    outputs: Dict[str, str]
    report: dict


class _Failure(NamedTuple):
    reason: str


class OutputFolder:
    """Runs jobs into a folder and remembers which are done.

    Args:
        root: the folder.
        parameters: JSON values; all that determines the files, but for the videos.
        on_error: what a job that fails does, when all others are done: ``'fail'``: :meth:`run`
            raises; ``'skip'``: it is listed in the manifest.
        part: put into the names of journal, checksums and manifest, for processes that share
            a folder.

    Attributes:
        left_out (dict[str, str]): video -> why it is not among the outputs.

    Raises:
        UserError: the folder holds other data.

    Example::

        folder = OutputFolder('out', dict(tool='thumbnails', side=64))
        jobs = [Job(video.name, video) for video in videos]
        folder.run('thumbnails', jobs, make_thumbnail, workers=4)
        folder.finish(videos=len(jobs))
    """

    def __init__(self, root: Union[str, Path], parameters: dict, on_error: str = 'fail',
                 part: str = '') -> None:
        self.root = Path(root)
        self.parameters = _as_json(parameters)
        self.on_error = on_error
        self.left_out: Dict[str, str] = {}
        self._is_shared = bool(part)
        self._journal_file = self.root / f'journal{part}.jsonl'
        self._checksum_file = self.root / f'checksums{part}.txt'
        self.manifest_file = self.root / f'manifest{part}.json'
        self._claim()
        self._done = self._intact_entries()
        self._written: Dict[str, str] = {}
        self._jobs: List[str] = []

    def _claim(self) -> None:
        file = self.root / 'parameters.json'
        try:
            found = read_json(file)
        except UserError:
            raise UserError(f'{file} is not valid JSON. {_REMEDY}') from None
        except OSError as error:
            raise UserError(f'{self.root} cannot be used: {error.strerror}. {_REMEDY}') from None
        if found is not None:
            self._compare(found)
        elif self._holds_files():
            raise UserError(f'{self.root} holds files, but no parameters.json that says what '
                            f'they are. {_REMEDY}')
        else:
            write_text(file, json.dumps(self.parameters, indent=2) + '\n')

    def _holds_files(self) -> bool:
        if not self.root.exists():
            return False
        # another process may be writing its parameters.json
        return any(not file.name.startswith(TEMPORARY_PREFIX) for file in self.root.iterdir())

    def _compare(self, found: object) -> None:
        """Refuse a folder that was made from something else."""
        there, asked = _flatten(found), _flatten(self.parameters)
        changes = []
        for key in sorted(there.keys() | asked.keys()):
            if there.get(key) != asked.get(key):
                changes.append(f'{key} (there: {there.get(key)!r}, asked: {asked.get(key)!r})')
        if changes:
            raise UserError(f'{self.root} was made with other parameters: {", ".join(changes)}. '
                            f'{_REMEDY}')

    def _intact_entries(self) -> Dict[str, _Entry]:
        """Read the journal; return the jobs whose outputs are what was once written."""
        if not self._journal_file.is_file():
            return {}
        done: Dict[str, _Entry] = {}
        for line in self._journal_file.read_text(errors='replace').split('\n'):
            try:  # the last line may be torn, by a kill
                name, source, outputs, report = json.loads(line)
                intact = self._is_intact(outputs)
            except (ValueError, TypeError, AttributeError):
                continue
            if intact:
                done[name] = _Entry(source, outputs, report)
            else:
                done.pop(name, None)
        return done

    def _is_intact(self, outputs: Dict[str, str]) -> bool:
        for name, digest in outputs.items():
            if output_digest(output_path(self.root, name)) != digest:
                return False
        return True

    def is_done(self, stage: str, job: Job) -> bool:
        """Return whether a job's outputs are there, intact and of the same source."""
        entry = self._done.get(f'{stage}: {job.name}')
        return entry is not None and entry.source == _as_json(job.source)

    def keep_earlier(self) -> None:
        """Count what earlier runs made among what this one makes, for checksums and manifest."""
        self._jobs += list(self._done)

    def run(self, stage: str, jobs: Sequence[Job], function: JobFunction, workers: int = 1,
            quiet: bool = False) -> List[Optional[dict]]:
        """Run the jobs of a stage that are not done yet, or were done from something else.

        Args:
            stage: shown beside the progress bar; makes the jobs' names unique.
            jobs: what to make.
            function: called with a job's argument and its :class:`Outputs`, returns its report
                (JSON values); importable, because it runs in other processes. Its ``UserError``
                is that of one video.
            workers: number of processes; the files do not depend on it.
            quiet: no progress bar.

        Returns:
            list: the report of each job, in their order; ``None`` where it was left out.

        Raises:
            UserError: jobs failed, and ``on_error`` is ``'fail'``; or all failed. What is done
                is kept.
        """
        if workers < 1:
            raise UsageError(f'--workers {workers}: accepted is an integer >= 1.')
        names = [f'{stage}: {job.name}' for job in jobs]
        self._jobs += names
        pending = []
        replaced: Dict[str, _Entry] = {}
        for name, job in zip(names, jobs):
            if self.is_done(stage, job):
                continue
            pending.append((name, job))
            if name in self._done:
                replaced[name] = self._done.pop(name)
        if replaced:
            print(f'{len(replaced)} of {len(jobs)} videos are made again, because they, their '
                  'label or their masks changed.')
        if pending:
            self._open_for_writing()
        failed = self._work(stage, pending, len(jobs), function, workers, quiet, replaced)
        self.left_out.update(failed)
        if failed and (self.on_error == 'fail' or len(failed) == len(jobs)):
            raise UserError(_failure_message(failed, len(jobs)))
        return [self._report(name) for name in names]

    def _report(self, name: str) -> Optional[dict]:
        entry = self._done.get(name)
        return None if entry is None else entry.report

    def _open_for_writing(self) -> None:
        """Take back the claim that the data are complete, and what a kill left behind."""
        self.manifest_file.unlink(missing_ok=True)
        if not self._is_shared:
            for leftover in list(self.root.rglob(f'{TEMPORARY_PREFIX}*')):
                remove(leftover)
        write_text(self._journal_file, self._lines(self._done))

    def _work(self, stage: str, pending: Sequence[Tuple[str, Job]], total: int,
              function: JobFunction, workers: int, quiet: bool,
              replaced: Dict[str, _Entry]) -> Dict[str, str]:
        """Run jobs and note each in the journal; return the reasons of those that failed."""
        failed: Dict[str, str] = {}
        work = partial(_run_job, function=function, root=self.root)
        columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
                   TimeRemainingColumn())
        with Progress(*columns, disable=quiet) as progress:
            task = progress.add_task(stage, total=total, completed=total - len(pending))
            results = map_in_processes(work, [job for _, job in pending], workers)
            for (name, job), result in zip(pending, results):
                progress.advance(task)
                if isinstance(result, _Failure):
                    failed[job.name] = result.reason
                    continue
                self._done[name] = result
                if name in replaced:
                    self._remove_outputs(replaced[name].outputs.keys() - result.outputs.keys())
                with self._journal_file.open('a') as journal:
                    journal.write(self._lines([name]))
        return failed

    def _remove_outputs(self, names: Iterable[str]) -> None:
        """Remove what a job wrote under other names when it was done before."""
        for name in names:
            remove(output_path(self.root, name))

    def _lines(self, names: Iterable[str]) -> str:
        """Return lines of the journal."""
        lines = []
        for name in names:
            line = json.dumps([name, *self._done[name]], sort_keys=True)
            lines.append(f'{line}\n')
        return ''.join(lines)

    def write(self, name: str, content: Union[str, bytes]) -> None:
        """Write a small file of the data set, such as a list."""
        data = content.encode() if isinstance(content, str) else content
        self._written[name] = write_bytes(output_path(self.root, name), data)

    def digests(self) -> Dict[str, str]:
        """Return the SHA-256 of every output of the jobs that were run and of what was written."""
        digests = dict(self._written)
        for name in self._jobs:
            if name in self._done:
                digests.update(self._done[name].outputs)
        return digests

    def write_checksums(self) -> str:
        """Write the journal in the order of the jobs, and ``checksums.txt``; return its SHA-256."""
        jobs = [name for name in self._jobs if name in self._done]
        # videos that are not on the list any more keep their files, for a list that has them
        others = self._done.keys() - set(jobs)
        others = [name for name in self._done if name in others]
        write_text(self._journal_file, self._lines(jobs + others))
        return write_text(self._checksum_file, checksum_lines(self.digests()))

    def finish(self, **summary) -> dict:
        """Write checksums and manifest; ``summary`` goes into it. Return the manifest."""
        from devias_mm import __version__
        checksums = self.write_checksums()
        manifest = dict(
            self.parameters, **summary, left_out=self.left_out, devias_mm=__version__,
            outputs=len(self.digests()), checksums_sha256=checksums, versions=encoder_versions())
        write_text(self.manifest_file, json.dumps(manifest, indent=2, sort_keys=True) + '\n')
        return manifest


def checksum_lines(digests: Dict[str, str]) -> str:
    """Return lines as ``sha256sum`` writes them, sorted by file."""
    return ''.join(f'{digests[name]}  {name}\n' for name in sorted(digests))


def encoder_versions() -> Dict[str, str]:
    """Return the versions that the bytes of images and videos depend on."""
    return dict(opencv=cv2.__version__, numpy=np.__version__)


def without_left_out(reports: Sequence[Optional[dict]], *others: Sequence) -> List[list]:
    """Return the reports of the jobs that succeeded, and what ``others`` have at their places."""
    rows = [row for row in zip(reports, *others) if row[0] is not None]
    return [list(column) for column in zip(*rows)]


def _as_json(value: object) -> object:
    """Return what a value becomes in a JSON file: tuples become lists."""
    return json.loads(json.dumps(value))


def _flatten(parameters: object) -> dict:
    """Put the entries of nested dicts beside the others, so that messages name what differs."""
    if not isinstance(parameters, dict):
        return {}
    flat = {}
    for key, value in parameters.items():
        if isinstance(value, dict):
            flat.update(_flatten(value))
        else:
            flat[key] = value
    return flat


def _run_job(job: Job, function: JobFunction, root: Path) -> Union[_Entry, _Failure]:
    """Do a job; return what it left behind, or why its video cannot be used."""
    outputs = Outputs(root)
    try:
        report = function(job.argument, outputs)
    except UserError as error:
        return _Failure(str(error))
    except MemoryError:
        return _Failure(f'{job.name}: too long for the memory. --short-side shrinks its frames, '
                        'fewer --workers leave more to each.')
    except cv2.error as error:
        return _Failure(f'{job.name}: {error}'.strip())
    except OSError as error:
        if error.errno in _MACHINE_ERRORS:
            raise UserError(f'{root}: {error.strerror}. What is done is kept: mend it, and the '
                            'same command continues.') from error
        return _Failure(f'{job.name}: {error}')
    return _Entry(_as_json(job.source), outputs.digests, _as_json(report))


def _failure_message(failed: Dict[str, str], total: int) -> str:
    reasons = list(failed.values())
    lines = [f'{len(failed)} of {total} videos cannot be used:']
    lines += [f'  {reason}' for reason in reasons[:10]]
    if len(reasons) > 10:
        lines.append(f'  and {len(reasons) - 10} more')
    lines.append('The others are done, and stay so: mend these, take them off the list, or leave '
                 'them out with --on-error skip.')
    return '\n'.join(lines)
