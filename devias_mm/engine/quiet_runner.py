"""MMEngine's runners with a console that shows what concerns the user; the log file has all."""
import logging
import os.path as osp

from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import FlexibleRunner, Runner

# modules whose records are results: a line for each logging interval and epoch
_SHOWN_MODULES = ('logger_hook', )
# MMEngine's remarks on itself, which nobody can act on
_HIDDEN = ('Exp name: ', 'The prefix is not set in metric class', '"FileClient" will be deprecated',
           '"HardDiskBackend" is the alias')


def concerns_the_user(record: logging.LogRecord) -> bool:
    """Tell whether a record is a result or a warning, and not MMEngine's account of itself."""
    if record.getMessage().startswith(_HIDDEN):
        return False
    return record.levelno >= logging.WARNING or record.module in _SHOWN_MODULES


class QuietRunner:
    """What a runner does less than MMEngine's; mixed into its classes."""

    def _log_env(self, *args, **kwargs) -> None:
        """Log environment and config; the first thing that either class logs."""
        for handler in self.logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.addFilter(concerns_the_user)
        super()._log_env(*args, **kwargs)

    def dump_config(self) -> None:
        """Write the config into the work directory, unless the run was started from there.

        A resumed training changes `load_from`: the config of a run folder, whose hash is the
        run's identity, stays as it is.
        """
        source = self.cfg.filename
        if source is not None and osp.realpath(osp.dirname(source)) == osp.realpath(self.work_dir):
            return
        super().dump_config()


class QuietPlainRunner(QuietRunner, Runner):
    """MMEngine's runner for one process or DDP."""


class QuietFlexibleRunner(QuietRunner, FlexibleRunner):
    """MMEngine's runner for strategies such as FSDP and DeepSpeed."""


def runner_class(cfg: Config) -> type:
    """Return the class of the runner that a config's ``runner_type`` names."""
    name = cfg.get('runner_type', 'Runner')
    quiet = dict(Runner=QuietPlainRunner, FlexibleRunner=QuietFlexibleRunner)
    return quiet[name] if name in quiet else RUNNERS.get(name)
