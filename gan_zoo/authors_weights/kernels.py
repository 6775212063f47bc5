"""The kernels inside the authors' networks, whose shapes bear out what was recognised."""

from collections.abc import Iterator

from gan_zoo.authors_weights.architecture import Architecture, first_block


def inner_kernels(found: Architecture) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and PyTorch's shapes of the kernels inside a network, which grow with the square of its width.

    A kernel that is not among them (of the way up, to or from an image) is about as large as one that is: a file that
    holds all of these is no smaller than a fraction of the network.
    """
    if found.family in ("resnet", "sr resnet", "resnet encoder"):
        yield from _residual_kernels(found)
        return
    if found.family == "heads":
        for index, channels in enumerate(found.channels):
            yield f"mlp_{index}.0.weight", (found.filters, channels)
            yield f"mlp_{index}.2.weight", (found.filters, found.filters)
        return
    most = {"unet": 8, "patch": 8, "pixel": 2, "plain encoder": 4}[found.family]  # times as wide as at first
    count = {"patch": found.depth + 1, "pixel": 2}.get(found.family, found.depth)
    side = 1 if found.family == "pixel" else 4
    for scale in range(found.scales):
        widths = [max(found.filters // 2**scale, 1) * min(2 ** min(level, 3), most) for level in range(count)]
        for index in range(1, count):
            path = {
                "unet": f"model.model.1{'.model.3' * (index - 1)}.model.1",
                "patch": f"model{f'_{scale}' if found.scales > 1 else ''}.{(3 + found.antialias) * index - 1}",
                "pixel": "net.2",
                "plain encoder": f"conv.{3 * index - 1}",
            }[found.family]
            if found.latent_dim:
                path = f"model{'.submodule' * index}.down.1"
            yield f"{path}.weight", (widths[index], widths[index - 1] + found.latent_dim, side, side)


def _residual_kernels(found: Architecture) -> Iterator[tuple[str, tuple[int, ...]]]:
    width = found.filters
    if found.family == "resnet":
        yield "model.4.weight", (2 * width, width, 3, 3)
        yield f"model.{7 + found.antialias}.weight", (4 * width, 2 * width, 3, 3)
    for block in range(found.depth):
        if found.family == "sr resnet":
            for place in (1, 2):
                yield f"block{block + 2}.conv{place}.weight", (width, width, 3, 3)
        elif found.family == "resnet":
            for place in (1, 6 if found.dropout else 5):
                yield (
                    f"model.{first_block(found.antialias) + block}.conv_block.{place}.weight",
                    (4 * width, 4 * width, 3, 3),
                )
        else:
            inputs, outputs = width * min(block + 1, 4), width * min(block + 2, 4)
            yield f"conv.{block + 1}.conv.2.weight", (inputs, inputs, 3, 3)
            yield f"conv.{block + 1}.conv.5.0.weight", (outputs, inputs, 3, 3)
