"""A version's weights as a file to take away: the bytes that were uploaded, under a name that says what they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import quote_etag

from inference.errors import NotFoundError
from inference.models import Version
from inference.versions.stored_files import open_file
from workers.runtime.file_format import tell_format

#: Of each download its slow reader leaves some such pieces waiting in memory.
PIECE_BYTES = 1024 * 1024
SUFFIX_OF = {"hdf5": ".weights.h5", "keras": ".keras", "safetensors": ".safetensors", "torch": ".pt", None: ".bin"}


@dataclass(frozen=True)
class WeightsDownload:
    """A file of `size` bytes, named `name`."""

    version: Version
    name: str
    size: int

    @classmethod
    def of(cls, version: Version) -> WeightsDownload:
        """A version's weights.

        Raises:
            NotFoundError: the version is deleted.
        """
        if version.state == Version.State.DELETED:
            raise NotFoundError(f"the weights of {version} are deleted")
        with open_file(version.weights) as file:
            suffix = SUFFIX_OF[tell_format(file)]
        return cls(version, f"{version.network_id}_{version.number}{suffix}", version.weights.size)

    @property
    def etag(self) -> str:
        """What names these bytes and no others."""
        return quote_etag(self.version.weights_id)

    def response(self, head: bool = False) -> HttpResponseBase:
        """The file as an answer; of one to HEAD, all but the bytes."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(self.size),
            "Content-Disposition": f'attachment; filename="{self.name}"',
            "ETag": self.etag,
        }
        return HttpResponse(headers=headers) if head else StreamingHttpResponse(self.chunks(), headers=headers)

    def chunks(self) -> Iterator[bytes]:
        """The bytes, piece by piece.

        Raises:
            NotFoundError: they are deleted meanwhile.
        """
        with open_file(self.version.weights) as file:
            while chunk := file.read(PIECE_BYTES):
                yield chunk
