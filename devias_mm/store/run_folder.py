"""The folder of a run: where its files are, and which of its steps are complete.

::

    <out>/runs/<config>/seed0-1a2b3c4d/
        config.py                    the resolved config
        train.log, test.log          output of the commands
        epoch_16.pth                 checkpoints of the training
        train.done, test.done        markers, each written when its step is complete
        predictions/<split>.parquet  prediction tables
        run.json                     where the predictions come from
        <tool>/, <tool>.done         what a tool has made of the weights, for other runs
"""
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence

from devias_mm.errors import UserError
from devias_mm.files import atomic_path, read_json, write_json

if TYPE_CHECKING:  # MMEngine imports torch, which a table does not need
    from mmengine.config import Config


@dataclass(frozen=True)
class RunFolder:
    """The files of one training and of its tests.

    Attributes:
        path: the folder.
        identity: hash of the run's config; markers of another one do not count. Empty for a
            folder that is read without its markers.
        epochs: length of the training; 0 where the config does not say.

    Example::

        >>> run = RunFolder(Path('work_dirs/benchmarks/runs/NAME/seed0-1a2b3c4d'), '1a2b3c4d...')
        >>> run.tested(['seen']), run.predictions('seen')
    """
    path: Path
    identity: str = ''
    epochs: int = 0

    @property
    def config(self) -> Path:
        """The resolved config."""
        return self.path / 'config.py'

    @property
    def record(self) -> Path:
        """The record of the last test, `run.json`."""
        return self.path / 'run.json'

    @property
    def final_checkpoint(self) -> Path:
        """Where the training leaves the checkpoint of its last epoch."""
        return self.path / f'epoch_{self.epochs}.pth'

    def log(self, step: str) -> Path:
        """Return the file of the output of a step."""
        return self.path / f'{step}.log'

    def predictions(self, split: str) -> Path:
        """Return the file of the prediction table of a split."""
        return self.path / 'predictions' / f'{split}.parquet'

    def derived(self, tool: str) -> Path:
        """Return the folder of what a tool makes of the run's weights."""
        return self.path / Path(tool).stem

    def checkpoint(self) -> Optional[Path]:
        """Return the checkpoint of the last epoch, or else what `last_checkpoint` names.

        After a kill the pointer may lag behind the files, or be empty. A run folder may have been
        moved: the file of that name in it is taken then.
        """
        if self.final_checkpoint.is_file():
            return self.final_checkpoint
        pointer = self.path / 'last_checkpoint'
        if not pointer.is_file():
            return None
        named = Path(pointer.read_text().strip())
        for candidate in (self.path / named.name, named):
            if candidate.is_file():
                return candidate
        return None

    @property
    def trained(self) -> bool:
        """Whether the training is complete and its checkpoint exists."""
        return self.marker('train') is not None and self.checkpoint() is not None

    def has_derived(self, tool: str) -> bool:
        """Tell whether a tool's work on the run's weights is complete."""
        return self.marker(Path(tool).stem) is not None and self.derived(tool).is_dir()

    def untested(self, splits: Sequence[str]) -> List[str]:
        """Return the splits that have no complete prediction table."""
        marker = self.marker('test') or {}
        complete = marker.get('splits', ())
        return [split for split in splits
                if split not in complete or not self.predictions(split).is_file()]

    def tested(self, splits: Sequence[str]) -> bool:
        """Tell whether the prediction tables of all these splits are complete."""
        return self.marker('test') is not None and not self.untested(splits)

    def marker(self, step: str) -> Optional[Dict[str, Any]]:
        """Read a step's marker; ``None`` where the step is not complete.

        A marker that was copied from a run of another config does not count.
        """
        marker = read_json(self.path / f'{step}.done')
        if marker is None or marker.get('config_hash') != self.identity:
            return None
        return marker

    def mark(self, step: str, **content: Any) -> None:
        """Record that a step is complete; the last thing that is done for it.

        Args:
            step: ``'train'``, ``'test'`` or the stem of a tool.
            **content: what else the marker says. The ``splits`` of a test are added to those of
                earlier tests of the same checkpoint.
        """
        earlier = self.marker(step) or {}
        if 'splits' in content and earlier.get('checkpoint') == content.get('checkpoint'):
            splits = [*earlier.get('splits', ()), *content['splits']]
            content['splits'] = list(dict.fromkeys(splits))
        finished = time.strftime('%Y-%m-%dT%H:%M:%S%z')
        write_json(self.path / f'{step}.done',
                   dict(content, config_hash=self.identity, finished=finished))

    def unmark(self, step: str) -> None:
        """Forget that a step was complete."""
        (self.path / f'{step}.done').unlink(missing_ok=True)

    def write_config(self, cfg: 'Config') -> None:
        """Write the resolved config, which must read back as it is.

        Raises:
            UserError: it does not, because a value of it cannot be written as text.
        """
        from mmengine.config import Config
        if self.config.is_file() and _reads_as(self.config, cfg):
            return
        with atomic_path(self.config) as temporary:
            Config(cfg.to_dict()).dump(temporary)
            if not _reads_as(temporary, cfg):
                raise UserError(f'the config of {self.path} cannot be written as a file: MMEngine '
                                'does not read the same values back; use plain numbers, strings, '
                                'lists and dicts in the change of the row')


def _reads_as(path: Path, cfg: 'Config') -> bool:
    """Tell whether a file is read as a config."""
    from mmengine.config import Config
    try:
        found = Config.fromfile(str(path), import_custom_modules=False)
    except (NameError, SyntaxError):  # a value whose text is no Python, such as an object or nan
        return False
    return found.to_dict() == cfg.to_dict()
