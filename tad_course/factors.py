"""Groups of sounds that are much alike, and the few ways in which those of a group vary together (lesson 06)."""

import torch
from torch import Tensor

FEWEST = 30  # sounds of which a component is made


class Rows:
    """Rows that come a few at a time, kept in one piece of memory: small pieces between large ones that are given back
    would hold on to all of these (glibc's heap), a gigabyte for a few thousand sounds.
    """

    def __init__(self, count: int, shape: tuple[int, ...]):
        self.rows, self.used = torch.empty(count, *shape), 0

    def add(self, rows: Tensor) -> None:
        if (short := self.used + len(rows) - len(self.rows)) > 0:
            more = torch.empty(max(short, len(self.rows)), *self.rows.shape[1:])
            self.rows = torch.cat([self.rows, more])
        self.rows[self.used : self.used + len(rows)] = rows
        self.used += len(rows)

    def all(self) -> Tensor:
        return self.rows[: self.used]


@torch.no_grad()
def halves(x: Tensor, count: int) -> list[Tensor]:
    """Return `count` equal parts of `x` `[N, ...]`, as indices: halved along the direction in which it varies most.

    Parts of fewer than twice `FEWEST` are not halved any more, but returned several times.
    """
    if count == 1 or len(x) < 2 * FEWEST:
        return [torch.arange(len(x))] * count
    flat = (x - x.mean(0)).flatten(1)
    along = flat @ torch.svd_lowrank(flat, 4, niter=4)[2][:, 0]
    order, middle = along.argsort(), len(x) // 2
    return [part[leaf] for part in (order[:middle], order[middle:]) for leaf in halves(x[part], count // 2)]


def principal_components(x: Tensor, most: int) -> Tensor:
    """Return the strongest directions in which `x` `[N, G, L]` varies, each times its standard deviation.

    Returns:
        `[most, G, L]`, zeros where there are fewer sounds than directions.
    """
    found = x.new_zeros(most, *x.shape[1:])
    count = min(most, *x.flatten(1).shape)
    _, lengths, directions = torch.svd_lowrank(x.flatten(1), count, niter=4)
    found[:count] = (directions * lengths / len(x) ** 0.5).T.unflatten(1, x.shape[1:])
    return found
