"""What is known before a network has learned anything, plugged around it: the Wiener filter (lesson 06)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, pad

from tad_course.diffusion import alpha_sigma, log_snr
from tad_course.factors import Factors, cepstrum, spread_of

UNFORESEEN = 0.002  # variance of a gain beyond its factors that no sound of the past foretold


class Known(NamedTuple):
    """What follows from (x_t, t) without a network."""

    alpha: Tensor  # [B, 1, 1]
    sigma: Tensor
    variance: Tensor | float  # of x_0 at every place
    common: tuple[Tensor, Tensor, Tensor] | None  # of channels with factors: v, how far to move it, x_0


def WienerPlugin(net_t, groups: Tensor | None = None, others: int = 0, pace: int = 1, projection: int = 0):
    """Plug a learned Wiener filter around a network, in the manner of the library's `LTPlugin`.

    `variance` says how much signal there is at every place on average. The best linear guess of v follows from it (the
    Wiener filter), and what is left for the network to add has unit variance everywhere, as has what it sees (Karras
    et al., 2022, table 1, here for v and for each place).

    No drum is the average: it is shorter, brighter, softer. So the network also says, for every frame and every group
    of bands, by which factor this sound's variance differs: sounds as Gaussian noise of unknown scale (Wainwright &
    Simoncelli, "Scale mixtures of Gaussians", 2000). To judge that it sees how much energy each group has beyond what
    is expected, over a short and a long window.

    Channels of their own (`others`) may have common `factors`: then the guess takes all of them into account together.
    The network may move it by as much as x_t tells: in deep noise, where x_t tells nothing, it cannot invent anything.

    A network that sees only x_t cannot tell noise of -60 dB from silence. So it also gets asinh(x_t / sigma): x_t at
    the scale of the noise, with everything louder compressed; four slow curves that say where in the sound a frame
    lies, since one-shots all start together; and log-SNR as its time, in which -60 dB and -40 dB lie as far apart as
    0 and -20.

    Args:
        net_t: builds the network from `in_channels`, `out_channels` and options.
        groups: which channel belongs to which group of bands, `[G, C]`; None: channels without an order, one group.
        others: so many channels after these belong to no group.
        pace: how many times longer than 256 samples a frame is, for what the network sees of time.
        projection: so many channels come in and go out of the network, of which 1 × 1 convolutions make the others;
            it then begins by saying nothing. 0: all channels come and go.
    """

    class Net(nn.Module):
        def __init__(self, in_channels: int, out_channels: int | None = None, **kwargs):
            super().__init__()
            self.channels = out_channels or in_channels
            member = torch.ones(1, in_channels - others) if groups is None else groups
            member = pad(member, (0, others))  # [G, C], 1 where a channel belongs to a group
            self.register_buffer("member", member, persistent=False)
            group_of = torch.where(member.sum(0) > 0, member.argmax(0), len(member))
            self.register_buffer("group_of", group_of, persistent=False)  # the last one: none
            self.log_gains = (-3, 3) if others else (-12, 6)  # shapes are about equally loud as they are
            seen = 2 * in_channels + 4 + 2 * len(member) + others
            said = self.channels + len(member)
            self.into = self.out = nn.Identity()
            if projection:
                self.into, self.out = nn.Conv1d(seen, projection, 1), nn.Conv1d(projection, said, 1)
                nn.init.zeros_(self.out.weight)
                nn.init.zeros_(self.out.bias)
                seen = said = projection
            self.net = net_t(in_channels=seen, out_channels=said, **kwargs)

        def forward(self, x: Tensor, time: Tensor, variance=1.0, factors: Factors | None = None, **kwargs) -> Tensor:
            known = self._known(x, time, variance, factors)
            return self._answer(x, known, self._ask(x, time, known, **kwargs))

        def look(self, x: Tensor, time: Tensor, variance=1.0, factors: Factors | None = None, **kwargs) -> Tensor:
            """Return what the network says of (x_t, t), for `guess`."""
            return self._ask(x, time, self._known(x, time, variance, factors), **kwargs)

        def guess(self, x: Tensor, time: Tensor, said: Tensor, variance=1.0, factors: Factors | None = None) -> Tensor:
            """Return v at (x_t, t) from what the network said there or a little earlier, without asking it again."""
            return self._answer(x, self._known(x, time, variance, factors), said)

        def silence(self, x: Tensor) -> Tensor:
            """Return what a network says that has nothing to add."""
            return x.new_zeros(len(x), self.channels + len(self.member), x.shape[-1])

        def _known(self, x: Tensor, time: Tensor, variance: Tensor | float, factors: Factors | None) -> Known:
            if isinstance(variance, Tensor):
                variance = variance[..., : x.shape[-1]]  # a shorter sound has the first frames
            alpha, sigma = alpha_sigma(time, x.ndim)
            sigma = sigma.clamp(min=1e-4)
            common = None
            if factors:
                part, expected = x[:, -others:], variance[:, -others:].clamp(min=1e-4)
                guess, error = factor_wiener(cepstrum(part), alpha, sigma, *factors.cut(x.shape[-1]))
                guess, error = cepstrum(guess, back=True), spread_of(error)
                told = (1 - sigma**2 * error / expected).clamp(min=0)  # share of the variance that x_t tells
                x_0 = (alpha * part - sigma * guess) / expected.sqrt()
                common = guess, (error * told + 1e-12).sqrt(), x_0
            return Known(alpha, sigma, variance, common)

        def _ask(self, x: Tensor, time: Tensor, known: Known, **kwargs) -> Tensor:
            even = x / (known.alpha**2 * known.variance + known.sigma**2).sqrt()  # unit variance at every place
            energies = (self._excess(even, max(1, frames // pace)) for frames in (8, 64))
            views = [even, torch.asinh(x / known.sigma), places(x, pace), *energies, *(known.common or ())[2:]]
            seen, time = torch.cat(views, dim=1), log_snr(time.clamp(1e-5, 1 - 1e-5)) / 8
            return self.out(self.net(self.into(seen), time, **kwargs))

        def _answer(self, x: Tensor, known: Known, said: Tensor) -> Tensor:
            learned, log_gain = said[:, : self.channels], said[:, self.channels :]
            alpha, sigma = known.alpha, known.sigma
            by_group = pad(log_gain.clamp(*self.log_gains).exp(), (0, 0, 0, 1), value=1.0)
            variance = known.variance * by_group[:, self.group_of]
            total = alpha**2 * variance + sigma**2  # the variance of x_t at every place
            wiener = alpha * sigma * (1 - variance) / total * x
            spread = (variance / total + 1e-12).sqrt()  # where variance is 0 its root has no slope
            if known.common:
                guess, room, _ = known.common
                wiener = torch.cat([wiener[:, :-others], guess], dim=1)
                spread = torch.cat([spread[:, :-others], room], dim=1)
            return wiener + spread * learned

        def _excess(self, even: Tensor, frames: int) -> Tensor:
            """Return the energy of each group over so many frames, less what is expected, `[B, G, L]`."""
            size = self.member.sum(1, keepdim=True)
            beyond = self.member @ even.square() / size - 1
            energy = avg_pool1d(beyond, frames + 1, 1, frames // 2, count_include_pad=False)
            return torch.asinh(energy * (size * frames / 2).sqrt()) / 4  # in standard deviations, for white noise

    return Net


def factor_wiener(x: Tensor, alpha: Tensor, sigma: Tensor, loadings: Tensor, rest: Tensor) -> tuple[Tensor, Tensor]:
    """Return the best linear guess of v `[B, G, L]`, and how far off it is: the variance of its error.

    For x_0 of covariance S = F Fᵀ + D with few columns F and a diagonal D (factor analysis), x_t has the covariance
    α²S + σ²I, and one small system of equations for each sound inverts it (Woodbury's identity).

    Args:
        x: x_t `[B, G, L]`.
        alpha: `[B, 1, 1]`.
        sigma: `[B, 1, 1]`.
        loadings: F, `[B, K, G, L]`.
        rest: D, `[B, G, L]`, less `UNFORESEEN`.
    """
    rest = rest + UNFORESEEN
    total = alpha**2 * rest + sigma**2
    columns = (loadings / total[:, None]).flatten(2)  # [B, K, G·L]
    small = columns @ loadings.flatten(2).transpose(1, 2)
    small = torch.eye(small.shape[-1], device=x.device) + alpha**2 * (small + small.transpose(1, 2)) / 2
    solved = torch.cholesky_inverse(torch.linalg.cholesky(small)) @ columns  # [B, K, G·L]
    common = torch.einsum("bkn,bk->bn", columns, (solved @ x.flatten(1)[..., None])[..., 0]).view_as(x)
    error = rest / total + sigma**2 * (columns * solved).sum(1).view_as(x)
    return alpha * sigma * ((1 - rest) / total * x - common), error


def places(x: Tensor, pace: int = 1) -> Tensor:
    """Return four curves `[B, 4, L]` that tell where in the sound each frame of `x` `[B, C, L]` lies."""
    frame = pace * torch.arange(x.shape[-1], device=x.device, dtype=x.dtype)
    curves = [torch.exp(-frame / 4), torch.exp(-frame / 24), torch.exp(-frame / 128), frame / 256]
    return torch.stack(curves).expand(x.shape[0], -1, -1)


def lowest_bands(channels: int, count: int) -> Tensor:
    """Return which channels, the bands of mid and then of side, are the `count` lowest of each."""
    return torch.arange(channels).view(2, -1)[:, :count].flatten() if count else torch.arange(0)
