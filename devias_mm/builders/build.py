"""A folder of generated data that can be interrupted, continued and checked.

Below the folder::

    parameters.json   written first: what determines the files
    journal.jsonl     one line per finished job: what it was made from, its outputs with
                      checksums, its report
    checksums.txt     SHA-256 of every output; of a frame folder, that of the `sha256sum` lines
                      of its files
    manifest.json     written last: the data are complete
"""
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import cv2
import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from devias_mm.builders.media import output_digest
from devias_mm.builders.puppets.files import TEMPORARY_PREFIX, write_bytes
from devias_mm.files import write_json
from devias_mm.processes import map_in_processes

FORMAT_VERSION = 2  #: raised whenever the same parameters give other files
#: what a video that cannot be used does
ON_ERROR = ('fail', 'skip')


class Result(NamedTuple):
    """What a job leaves behind.

    Attributes:
        outputs (dict[str, str]): digest of each file or frame folder, by its path in the build.
        report (dict): JSON values that later stages and the manifest use.
    """
    outputs: Dict[str, str]
    report: dict


class _Entry(NamedTuple):
    source: list
    result: Result


def _run_job(job: Tuple[str, object], function: Callable) -> Tuple[str, Union[Result, str]]:
    """The result of a job, or why its video cannot be used."""
    name, argument = job
    try:
        return name, function(argument)
    except MemoryError:
        return name, (f'{name}: too long for the memory. --short-side shrinks its frames, fewer '
                      '--workers leave more to each.')
    except cv2.error as error:
        return name, f'{name}: {error}'.strip()
    except (ValueError, OSError) as error:
        if getattr(error, 'errno', None) is not None:
            raise  # a full disk, and not the video
        return name, str(error)


def without_left_out(reports: Sequence[Optional[dict]], *others: Sequence) -> List[list]:
    """The reports of the jobs that succeeded, and what ``others`` have at the same places."""
    rows = [row for row in zip(reports, *others) if row[0] is not None]
    return [list(column) for column in zip(*rows)]


class Build:
    """Runs jobs into a folder and remembers which are done.

    Args:
        root (str or Path): the folder.
        tool (str): name of the command line.
        parameters (dict): JSON values; all that determines the files, but for the videos.
        on_error (str): what a job that fails does to the stage, when all others are done:
            ``'fail'``: :meth:`run` raises; ``'skip'``: it is listed in the manifest.

    Attributes:
        left_out (dict[str, str]): video -> why it is not among the outputs.

    Raises:
        ValueError: the folder holds other data.
    """

    def __init__(self, root: Union[str, Path], tool: str, parameters: dict,
                 on_error: str = 'fail') -> None:
        self.root, self.tool, self.on_error = Path(root), tool, on_error
        self.left_out: Dict[str, str] = {}
        self.parameters = json.loads(json.dumps(
            dict(parameters, tool=tool, format_version=FORMAT_VERSION)))
        self._claim_folder()
        self._done = self._verified_jobs()
        self._written: Dict[str, str] = {}
        self._jobs: List[str] = []

    def _claim_folder(self) -> None:
        file, remedy = self.root / 'parameters.json', 'Choose another --out, or remove the folder.'
        if file.is_file():
            try:
                found = json.loads(file.read_text())
            except ValueError as error:
                raise ValueError(f'{file} is not valid JSON ({error}). {remedy}') from None
            changes = [f'{key} (there: {found.get(key)!r}, asked: {self.parameters.get(key)!r})'
                       for key in sorted(found.keys() | self.parameters.keys())
                       if found.get(key) != self.parameters.get(key)]
            if changes:
                raise ValueError(f'{self.root} was made with other parameters: '
                                 f'{", ".join(changes)}. {remedy}')
        elif self.root.exists() and any(self.root.iterdir()):
            raise ValueError(f'{self.root} holds files, but no parameters.json that says what '
                             f'they are. {remedy}')
        else:
            write_json(file, self.parameters)

    def _verified_jobs(self) -> Dict[str, _Entry]:
        """Finished jobs whose outputs are what was once written."""
        file, done = self.root / 'journal.jsonl', {}
        for line in file.read_text().splitlines() if file.is_file() else []:
            try:  # the last line may be torn, by a kill
                name, source, outputs, report = json.loads(line)
            except ValueError:
                continue
            if all(output_digest(self.root / path) == digest
                   for path, digest in outputs.items()):
                done[name] = _Entry(source, Result(outputs, report))
            else:
                done.pop(name, None)
        return done

    def _journal(self, names: Sequence[str]) -> str:
        return ''.join(json.dumps([name, self._done[name].source, *self._done[name].result],
                                  sort_keys=True) + '\n' for name in names)

    def run(self, stage: str, jobs: Sequence[Tuple[str, object]], function: Callable,
            workers: int = 1, quiet: bool = False,
            sources: Optional[Sequence[list]] = None) -> List[Optional[dict]]:
        """Run the jobs of a stage that are not done yet, or were done from something else.

        Args:
            stage (str): shown beside the progress bar; makes the jobs' names unique.
            jobs (Sequence): the video's name and argument of each.
            function (callable): argument -> :class:`Result`; importable, for it runs in other
                processes. Its ``ValueError`` and ``OSError`` are the video's.
            workers (int): processes; the files do not depend on it.
            quiet (bool): no progress bar.
            sources (Sequence[list]): JSON values of what each is made from: the state of its
                files, its label. One that changed is made again.

        Returns:
            list: the report of each job, in their order; ``None`` where it was left out.

        Raises:
            ValueError: jobs failed, and ``on_error`` is ``'fail'``; or all failed. What is done
                is kept.
        """
        if workers < 1:
            raise ValueError(f'--workers {workers}: accepted is an integer >= 1.')
        names = [f'{stage}: {name}' for name, _ in jobs]
        wanted = dict(zip(names, json.loads(json.dumps(list(sources or [[]] * len(jobs))))))
        videos = dict(zip(names, (name for name, _ in jobs)))
        self._jobs += names
        pending = [(name, argument) for name, (_, argument) in zip(names, jobs)
                   if name not in self._done or self._done[name].source != wanted[name]]
        before = {name: self._done.pop(name) for name, _ in pending if name in self._done}
        failed: Dict[str, str] = {}
        if before:
            print(f'{len(before)} of {len(jobs)} videos are made again, because they, their label '
                  f'or their masks changed, such as {videos[next(iter(before))]}.')
        if pending:
            (self.root / 'manifest.json').unlink(missing_ok=True)
            for leftover in self.root.rglob(f'{TEMPORARY_PREFIX}*'):
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
            write_bytes(self.root / 'journal.jsonl', self._journal(list(self._done)).encode())
        columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
                   TimeRemainingColumn())
        with Progress(*columns, disable=quiet) as progress, \
                (self.root / 'journal.jsonl').open('a', buffering=1) as journal:
            task = progress.add_task(stage, total=len(jobs), completed=len(jobs) - len(pending))
            job = partial(_run_job, function=function)
            for name, result in map_in_processes(job, pending, workers):
                progress.advance(task)
                if isinstance(result, str):
                    failed[videos[name]] = result
                    continue
                self._done[name] = _Entry(wanted[name], result)
                self._remove_outputs(before.get(name), result)
                journal.write(self._journal([name]))
        self.left_out.update(failed)
        if failed and (self.on_error == 'fail' or len(failed) == len(jobs)):
            reasons = '\n  '.join(list(failed.values())[:10])
            raise ValueError(
                f'{len(failed)} of {len(jobs)} videos cannot be used:\n  {reasons}'
                f'{"" if len(failed) <= 10 else chr(10) + "  ..."}\nThe others are done, and '
                'stay so: mend these, take them off the list, or leave them out with '
                '--on-error skip.')
        return [self._done[name].result.report if name in self._done else None for name in names]

    def _remove_outputs(self, before: Optional[_Entry], result: Result) -> None:
        """Remove what a job wrote under other names when it was made before."""
        for path in before.result.outputs.keys() - result.outputs.keys() if before else ():
            shutil.rmtree(self.root / path) if (self.root / path).is_dir() else \
                (self.root / path).unlink(missing_ok=True)

    def write(self, file: str, content: Union[str, bytes]) -> None:
        """Write a small file of the build, such as a list."""
        data = content.encode() if isinstance(content, str) else content
        self._written[file] = write_bytes(self.root / file, data)

    def finish(self, **summary) -> dict:
        """Write checksums and manifest; ``summary`` goes into it. Returns the manifest."""
        from devias_mm import __version__  # defined only after this module was imported
        jobs = [name for name in self._jobs if name in self._done]
        # videos that are not on the list any more keep their files, for a list that has them
        others = [name for name in self._done if name not in set(jobs)]
        write_bytes(self.root / 'journal.jsonl', self._journal(jobs + others).encode())
        digests = dict(self._written)
        for name in jobs:
            digests.update(self._done[name].result.outputs)
        lines = ''.join(f'{digests[path]}  {path}\n' for path in sorted(digests))
        manifest = dict(
            self.parameters, **summary, left_out=self.left_out, devias_mm=__version__,
            outputs=len(digests),
            checksums_sha256=write_bytes(self.root / 'checksums.txt', lines.encode()),
            # the bytes of images and videos depend on the encoder
            versions=dict(opencv=cv2.__version__, numpy=np.__version__))
        write_json(self.root / 'manifest.json', manifest)
        return manifest
