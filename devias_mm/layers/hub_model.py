"""Models of the ``transformers`` library that others are built on."""
import importlib
from typing import Optional

import torch
from torch import nn

from devias_mm.errors import MissingPackageError


def import_transformers(extra: str):
    """Import ``transformers``.

    Args:
        extra (str): the optional dependencies of this package that hold it.

    Raises:
        MissingPackageError: it is not installed; the message names the extra.
    """
    try:
        return importlib.import_module('transformers')
    except ImportError as error:
        raise MissingPackageError(f'transformers cannot be imported ({error}): '
                                  f"pip install 'devias_mm[{extra}]'") from error


class HubModel:
    """A frozen model, loaded when it is first called.

    It is no ``nn.Module``: a recognizer that holds one neither trains nor counts nor saves its
    weights, and needs neither the library nor the file before it uses the model.

    Args:
        kind (str): class of ``transformers``, such as ``'CLIPModel'``.
        checkpoint (str): folder of a saved model, or its name on the hub.
        extra (str): see :func:`import_transformers`.
    """

    def __init__(self, kind: str, checkpoint: str, extra: str) -> None:
        self.kind = kind
        self.checkpoint = checkpoint
        self.extra = extra
        self.model: Optional[nn.Module] = None

    def __call__(self, device: torch.device) -> nn.Module:
        """Return the model on ``device``, in evaluation mode.

        Raises:
            ImportError: ``transformers`` is not installed.
            OSError: there is no such checkpoint, or the hub cannot be reached.
            ValueError: the checkpoint lacks weights of the model.
        """
        if self.model is None:
            self.model = self.load()
        return self.model.to(device)

    def load(self) -> nn.Module:
        """Load the model; see :meth:`__call__`."""
        transformers = import_transformers(self.extra)
        kind = getattr(transformers, self.kind)
        try:
            model, report = kind.from_pretrained(self.checkpoint, output_loading_info=True)
        except OSError as error:
            reason, *_ = str(error).strip().splitlines() or ['']
            raise OSError(
                f'cannot load {self.kind} {self.checkpoint!r} ({reason}): give the folder of a '
                'saved model, or a name on the Hugging Face hub where that can be reached'
            ) from error
        missing = sorted(report['missing_keys'])
        if missing:  # the library would go on with random ones
            raise ValueError(f'{self.checkpoint!r} is no complete {self.kind}: it lacks '
                             f'{len(missing)} weights, such as {missing[0]}')
        return model.requires_grad_(False).eval()
