"""A folder of generated data that can be interrupted, continued and checked.

Below the folder::

    parameters.json   written first: what determines the files
    journal.jsonl     one line per finished job: its outputs with checksums, its report
    checksums.txt     SHA-256 of every output; of a frame folder, that of the `sha256sum` lines
                      of its files
    manifest.json     written last: the data are complete
"""
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Sequence, Tuple, Union

import cv2
import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from devias_mm.datasets.puppets.files import TEMPORARY_PREFIX, write_bytes
from devias_mm.files import write_json
from devias_mm.processes import map_in_processes

from .media import output_digest

FORMAT_VERSION = 1  #: raised whenever the same parameters give other files


class Result(NamedTuple):
    """What a job leaves behind.

    Attributes:
        outputs (dict[str, str]): digest of each file or frame folder, by its path in the build.
        report (dict): JSON values that later stages and the manifest use.
    """
    outputs: Dict[str, str]
    report: dict


def _run_job(job: Tuple[str, object], function: Callable) -> Tuple[str, Result]:
    name, argument = job
    try:
        return name, function(argument)
    except MemoryError:
        raise ValueError(f'{name}: too long for the memory. --short-side shrinks its frames, '
                         'fewer --workers leave more to each.') from None


class Build:
    """Runs jobs into a folder and remembers which are done.

    Args:
        root (str or Path): the folder.
        tool (str): name of the command line.
        parameters (dict): JSON values; all that determines the files, checksums of inputs too.

    Raises:
        ValueError: the folder holds other data.
    """

    def __init__(self, root: Union[str, Path], tool: str, parameters: dict) -> None:
        self.root, self.tool = Path(root), tool
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

    def _verified_jobs(self) -> Dict[str, Result]:
        """Finished jobs whose outputs are what was once written."""
        file, done = self.root / 'journal.jsonl', {}
        for line in file.read_text().splitlines() if file.is_file() else []:
            try:  # the last line may be torn, by a kill
                name, outputs, report = json.loads(line)
            except ValueError:
                continue
            if all(output_digest(self.root / path) == digest
                   for path, digest in outputs.items()):
                done[name] = Result(outputs, report)
        return done

    def _journal(self, names: Sequence[str]) -> str:
        return ''.join(json.dumps([name, *self._done[name]], sort_keys=True) + '\n'
                       for name in names)

    def run(self, stage: str, jobs: Sequence[Tuple[str, object]], function: Callable,
            workers: int = 1, quiet: bool = False) -> List[dict]:
        """Run the jobs of a stage that are not done yet.

        Args:
            stage (str): shown beside the progress bar; makes the jobs' names unique.
            jobs (Sequence): name and argument of each.
            function (callable): argument -> :class:`Result`; importable, for it runs in other
                processes.
            workers (int): processes; the files do not depend on it.
            quiet (bool): no progress bar.

        Returns:
            list[dict]: the report of each job, in their order.
        """
        if workers < 1:
            raise ValueError(f'--workers {workers}: accepted is an integer >= 1.')
        jobs = [(f'{stage}: {name}', argument) for name, argument in jobs]
        self._jobs += [name for name, _ in jobs]
        pending = [job for job in jobs if job[0] not in self._done]
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
                self._done[name] = result
                journal.write(self._journal([name]))
                progress.advance(task)
        return [self._done[name].report for name, _ in jobs]

    def write(self, file: str, content: Union[str, bytes]) -> None:
        """Write a small file of the build, such as a list."""
        data = content.encode() if isinstance(content, str) else content
        self._written[file] = write_bytes(self.root / file, data)

    def finish(self, **summary) -> dict:
        """Write checksums and manifest; ``summary`` goes into it. Returns the manifest."""
        from devias_mm import __version__  # defined only after this module was imported
        self._done = {name: self._done[name] for name in self._jobs}
        write_bytes(self.root / 'journal.jsonl', self._journal(self._jobs).encode())
        digests = dict(self._written)
        for result in self._done.values():
            digests.update(result.outputs)
        lines = ''.join(f'{digests[path]}  {path}\n' for path in sorted(digests))
        manifest = dict(
            self.parameters, **summary, devias_mm=__version__, outputs=len(digests),
            checksums_sha256=write_bytes(self.root / 'checksums.txt', lines.encode()),
            # the bytes of images and videos depend on the encoder
            versions=dict(opencv=cv2.__version__, numpy=np.__version__))
        write_json(self.root / 'manifest.json', manifest)
        return manifest
