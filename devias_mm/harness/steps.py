"""The steps of a job: what each runs, and how to tell that it is complete."""
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List

from devias_mm.harness.plan import Job
from devias_mm.store.run_folder import RunFolder


@dataclass(frozen=True)
class Step:
    """A command that a job needs.

    Attributes:
        job: whose step it is.

    Class attributes:
        name: of the log file, and of the marker.
        state: what progress says while it runs.
    """
    job: Job
    name = ''
    state = ''

    @property
    def folder(self) -> RunFolder:
        """The run folder that the step writes into."""
        return self.job.folder

    @property
    def log(self) -> Path:
        """The file of the command's output."""
        return self.folder.log(self.name)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        raise NotImplementedError

    def missing_output(self) -> str:
        """Tell what the command should have written and has not; empty where nothing is missing."""
        raise NotImplementedError

    def mark(self, **content) -> None:
        """Record that the step is complete."""
        self.folder.mark(self.name, **content)


class Train(Step):
    """Train, or resume a training."""
    name = 'train'
    state = 'training'

    @property
    def complete(self) -> bool:
        """Whether there are weights to test."""
        return self.job.trained

    def arguments(self) -> List[str]:
        """Return the arguments of ``tools/train.py``."""
        return ['--resume', '--check-test-lists', *self.job.splits]

    def missing_output(self) -> str:
        """Tell which checkpoint is missing."""
        if self.folder.checkpoint() is None:
            return f'no checkpoint: {self.folder.path / "last_checkpoint"} names none that exists'
        return ''

    def mark(self, **content) -> None:
        """Record the checkpoint that the training ended with; tests of an earlier one are void."""
        self.folder.unmark('test')
        super().mark(checkpoint=self.folder.checkpoint().name, **content)


class Derive(Step):
    """Let a tool make of a training's weights what another training takes from it.

    It writes into the folder of the training that it reads, so that all that need it share it.
    """

    state = 'preparing'

    @property
    def name(self) -> str:
        """The tool."""
        return Path(self.job.tool).stem

    @property
    def folder(self) -> RunFolder:
        """The folder of the run that the job starts from."""
        return self.job.start.folder

    @property
    def complete(self) -> bool:
        """Whether the tool's folder is complete."""
        return self.folder.has_derived(self.job.tool)

    def command(self) -> List[str]:
        """Return the command of the tool."""
        start = self.folder
        return [sys.executable, '-u', self.job.tool, str(start.config),
                str(start.checkpoint() or start.final_checkpoint),
                '--out', str(start.derived(self.job.tool))]

    def missing_output(self) -> str:
        """Tell whether the tool's folder is missing."""
        derived = self.folder.derived(self.job.tool)
        return '' if derived.is_dir() else f'nothing was written to {derived}'


class Test(Step):
    """Test the weights on the splits that have no prediction table yet."""
    name = 'test'
    state = 'testing'

    @property
    def complete(self) -> bool:
        """Whether all prediction tables are complete."""
        return self.job.tested

    @property
    def splits(self) -> List[str]:
        """The splits to test."""
        return self.folder.untested(self.job.splits) or list(self.job.splits)

    def arguments(self) -> List[str]:
        """Return the arguments of ``tools/test.py`` after the checkpoint."""
        return ['--splits', *self.splits]

    def missing_output(self) -> str:
        """Tell which prediction tables are missing."""
        missing = [split for split in self.job.splits
                   if not self.folder.predictions(split).is_file()]
        return f'no prediction table of split {", ".join(missing)}' if missing else ''

    def mark(self, **content) -> None:
        """Record which splits were tested with which weights."""
        checkpoint = Path(self.job.checkpoint).name
        super().mark(checkpoint=checkpoint, splits=list(self.job.splits), **content)


def steps_left(job: Job) -> Iterator[Step]:
    """List what a job still needs; one that is trained does not need its pre-training any more."""
    if job.tested:  # its checkpoints may have been deleted to save space
        return
    yield from training_left(job)
    yield Test(job)


def training_left(job: Job) -> Iterator[Step]:
    """List what is needed for the weights of a job."""
    if job.trained:
        return
    if job.start is not None:
        derived = job.tool and job.start.folder.has_derived(job.tool)
        if not derived:
            yield from training_left(job.start)
            if job.tool:
                yield Derive(job)
    yield Train(job)
