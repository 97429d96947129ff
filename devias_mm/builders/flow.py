"""Optical flow files, as ``BackwardFlow(cache=...)`` reads them."""
from typing import NamedTuple

from devias_mm.builders.output_folder import Outputs
from devias_mm.datasets.flow import write_flow
from devias_mm.datasets.transforms import ReadClip, VideoReadError
from devias_mm.errors import UserError


class FlowMaker(NamedTuple):
    """Writes the flow file of one video.

    Attributes:
        read: reads all frames of a video.
        settings: of :func:`devias_mm.datasets.flow.write_flow`.
    """
    read: ReadClip
    settings: dict

    def __call__(self, info: dict, outputs: Outputs) -> dict:
        """Write ``<video_id>.npz`` for what a dataset says of a video."""
        name = f"{info['video_id']}.npz"
        path = outputs.path(name)
        try:
            frames = self.read(info)['imgs']
        except VideoReadError as error:
            raise UserError(str(error)) from None
        write_flow(path, frames, **self.settings)
        outputs.add_written(name)
        return {}
