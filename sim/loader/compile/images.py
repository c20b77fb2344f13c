"""Images: what each container pulls, by name.

A worker pod pulls three: Pachyderm's worker, pachd for the sidecar, and the user's (pachyderm.md §1.1).
No registry is asked; sizes that the scenario does not give are assumptions and noted as such.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sim.errors import nearest
from sim.loader.notes import Notes
from sim.model.pods import Image
from sim.model.units import MB

WORKER, PACHD, USER = "worker", "pachd", "user"
DEFAULT_SIZES = {WORKER: 100 * MB, PACHD: 150 * MB, USER: 500 * MB}
NO_SOURCE = "assumption: compressed size, no registry was asked; give yours under images"


@dataclass(slots=True)
class ImageSizes:
    """Sizes by image name; ``worker``, ``pachd`` and ``user`` stand for their kind.

    ``zstd`` names those that are compressed with zstd.
    """

    said: Mapping[str, int]
    notes: Notes
    zstd: Collection[str] = ()
    used: dict[str, Image] = field(default_factory=dict)

    def of_worker(self, user_image: str) -> tuple[Image, ...]:
        """Return the three images of a worker pod."""
        return (self._kind(WORKER), self._kind(PACHD), self.user(user_image))

    def user(self, name: str) -> Image:
        """Return a user's image: by its name, by its name without tag, or as any user image."""
        size = self.said.get(name, self.said.get(_untagged(name), self.said.get(USER)))
        return self._image(name, USER, size)

    def check_names(self) -> None:
        """Warn of sizes that no image has asked for: a name may be misspelt."""
        asked = set(self.used) | {_untagged(name) for name in self.used} | set(DEFAULT_SIZES)
        for name in self.said:
            if name not in asked:
                near = nearest(name, asked)
                self.notes.warn(
                    f"images[{name}] is the name of no image here{f'; did you mean {near}?' if near else ''}"
                )

    def _kind(self, kind: str) -> Image:
        return self._image(kind, kind, self.said.get(kind))

    def _image(self, name: str, kind: str, size: int | None) -> Image:
        if name not in self.used:
            if size is None:
                size = DEFAULT_SIZES[kind]
                self.notes.assume(f"images[{name}]", f"{size // MB}MB", NO_SOURCE)
            zstd = not {name, _untagged(name), kind}.isdisjoint(self.zstd)
            self.used[name] = Image(name, size, zstd)
        return self.used[name]


def _untagged(name: str) -> str:
    return name.rpartition(":")[0] or name
