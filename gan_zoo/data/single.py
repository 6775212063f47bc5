"""Images that stand alone, as `gan_zoo.data.pipeline` takes them: the model itself makes its input out of each."""

from typing import Any

from gan_zoo.data.unpaired import Domain


class SingleSource:
    """The images of one domain as targets; an `ExampleSource`.

    Args:
        domain: `domain[i]` gives an image `[H, W, C]`, uint8 or uint16, or raises `gan_zoo.images.BadExample`;
            `domain.path_of(i)`, where it is there, names it.
    """

    kind = "single"

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self.rejected = getattr(domain, "rejected", ())

    def __len__(self) -> int:
        return len(self.domain)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"target_image": self.domain[index]}

    def path_of(self, index: int) -> str:
        return path_of(self.domain, index)


class SingleView(SingleSource):
    """The targets of a paired source, which has applied the direction, and what else it says of them."""

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {key: value for key, value in self.domain[index].items() if key != "input_image"}


def as_single(source: Any) -> SingleSource:
    """The target side of any source."""
    if getattr(source, "kind", "paired") == "unpaired":
        return SingleSource(source.domains["target_image"])
    return SingleView(source)


def path_of(source: Any, index: int) -> str:
    """What an example is called in messages."""
    return source.path_of(index) if hasattr(source, "path_of") else f"example {index}"
