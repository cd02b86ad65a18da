"""Gain and shape: how loud each group of bands is, beside what it does at that loudness (lesson 06)."""

from collections.abc import Callable, Iterable
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, pad

from tad_course.diffusion import alpha_sigma, log_snr
from tad_course.factors import Factors, Rows, Tables, one_class_each, tables_of
from tad_course.front_ends import blend
from tad_course.wiener import UNFORESEEN, lowest_bands

QUIETEST = 3e-5  # rms of a band, -90 dB: what is softer counts as silence
LOUDEST = 3.0  # log of the rms of a band, 26 dB: no drum of full scale comes near
GAINS_COUNT = 4.0  # times as much in the loss as shapes do
SHAPES_FROM = 0.03  # SNR, -15 dB, below which shapes fade out of the loss
ATTACKS_COUNT = 4.0  # times as much do the first shapes of waves: with what follows rounds can bring them in step
ROUNDS = 15  # in which made waves are brought to agree
MOMENTUM = 0.9  # of the rounds
SLOW = 2  # common factors have only this part of the coefficients of time, the slow ones


class GainShape(nn.Module):
    """Split `[B, C, L]` of the lapped transform into shapes and gains, as audio codecs do.

    The *gain* is the logarithm of how loud a group of neighbouring bands is around a frame; the *shape* is what is
    left when every band is divided by it. Drums of one class differ by tens of decibels in level and length: as gains
    these are sums that diffusion can add noise to, and every shape is about equally loud (gain-shape quantisation:
    Gersho & Gray, "Vector Quantization and Signal Compression", 1992; in Opus: Valin et al., 2013).

    `encode` returns `[B, C + G, L]`: the shapes, less how they begin, then the gains of G groups, less what is usual
    for that class at that place and divided by how far they lie from it. The way back is exact.

    A class may be made of several `components`, groups of sounds that are much alike, each with tables of its own: what
    is curved as a whole (a tone that moves through the bands) is nearly straight in each part (mixture of factor
    analysers: Ghahramani & Hinton, 1996). Their rows follow each other: the first class has the first rows.

    Args:
        classes: how many classes of sounds there are.
        groups: which channel belongs to which group of bands, `[G, C]`; of mid, then of side.
        length: frames L.
        frames: over how many frames the level is taken, an odd number.
        scale: standard deviation of the gains in the diffusion. Gains of neighbouring frames and groups are alike, so
            noise hides them less than shapes: at 1 they would be settled before the first step.
        factors: how many common factors of the gains are known of each class (see `loadings`).
        waves: so many of the lowest bands hold waves: their gains do not depend on where in its swing a block meets a
            wave, and `agree` makes shapes fit them. 0: all gains are those of the bands alone.
        quadrature: of those bands, see `TiledTransform.quadrature`.
        components: of each class, a power of two. Where other methods speak of classes, they mean rows of the tables.

    Attributes:
        centre, attack, loadings: `[rows, ...]` and
        below, above, rest: `[classes, ...]`, see `factors.Tables`, in units of `scale`.
        variance: mean square of every place of `encode`, `[classes, C + G, L]`.
    """

    def __init__(
        self,
        classes: int,
        groups: Tensor,
        length: int,
        frames: int,
        scale: float = 0.5,
        factors: int = 16,
        waves: int = 0,
        quadrature: Callable[..., Tensor] | None = None,
        components: int = 1,
    ):
        super().__init__()
        self.quadrature, self.components = quadrature, components
        rows = classes * components
        self.frames, self.scale, (self.num_gains, channels) = frames, scale, groups.shape
        self.register_buffer("waves", lowest_bands(channels, waves), persistent=False)
        size = groups.sum(1, keepdim=True)
        self.register_buffer("mean_of", groups / size, persistent=False)  # [G, C]
        self.register_buffer("spread_to", groups.T.contiguous(), persistent=False)  # [C, G]
        self.register_buffer("group_of_wave", groups[:, self.waves].argmax(0), persistent=False)
        # The few numbers of narrow low groups carry the tone of a drum: they weigh as if they were more.
        self.register_buffer("emphasis", groups.T @ (size.max() / size) ** 0.25, persistent=False)  # [C, 1]
        self.register_buffer("size", torch.ones(1))  # rms of all shapes
        self.register_buffer("centre", torch.zeros(rows, self.num_gains, length))
        self.register_buffer("below", torch.ones(classes, self.num_gains, length))
        self.register_buffer("above", torch.ones(classes, self.num_gains, length))
        self.register_buffer("attack", torch.zeros(rows, channels, 1))
        self.register_buffer("variance", torch.ones(classes, channels + self.num_gains, length))
        slow = max(1, length // SLOW)
        self.register_buffer("loadings", torch.zeros(rows, factors, self.num_gains, slow, dtype=torch.float16))
        self.register_buffer("rest", torch.ones(classes, self.num_gains, length))

    def split(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the shapes `[B, C, L]` and the gains `[B, G, L]`, in nepers, of `z`."""
        power = z.square()
        if len(self.waves):
            low = z[:, self.waves]
            power[:, self.waves] = (low.square() + self.quadrature(low).square()) / 2
        power = avg_pool1d(self.mean_of @ power, self.frames, 1, self.frames // 2, count_include_pad=False)
        gain = (power + QUIETEST**2).log() / 2
        return z * self.emphasis / (self.spread_to @ gain).exp(), gain

    def join(self, shape: Tensor, gain: Tensor) -> Tensor:
        """Undo `split`; the gains may be others than those of the shapes' own sound."""
        return shape / self.emphasis * (self.spread_to @ gain.clamp(max=LOUDEST)).exp()

    def agree(self, z: Tensor, gain: Tensor, rounds: int = ROUNDS) -> Tensor:
        """Return `z` `[B, C, L]` with waves near its own whose gains are `gain`, as nearly as any sound can have them.

        Blocks overlap, so most sets of bands are nobody's: made waves that do not meet in step beat, and leak to where
        it should be silent. So two demands are met in turn: cosines and sines are brought to their gains, and their
        mean, which is one sound, takes their place (Griffin & Lim, 1984; with the momentum of Perraudin et al., 2013).
        A sound with its own gains stays as it is.
        """
        low, of = z[:, self.waves], self.group_of_wave
        wanted, width = 2 * gain.clamp(max=LOUDEST), 2 * torch.bincount(of, minlength=self.num_gains)[:, None]

        def factors(cosines: Tensor, sines: Tensor) -> Tensor:
            power = torch.zeros_like(wanted).index_add_(1, of, cosines.square() + sines.square()) / width.clamp(min=1)
            return ((wanted - (power + QUIETEST**2).log()) / 2).exp()[:, of]

        before = low
        for _ in range(rounds):
            sines = self.quadrature(low)
            factor = factors(low, sines)
            now = (low * factor + self.quadrature(sines * factor, back=True)) / 2
            low, before = now + MOMENTUM * (now - before), now
        return z.index_copy(1, self.waves, low * factors(low, self.quadrature(low)))

    @torch.no_grad()
    def fit_to(self, sounds: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Set all tables from batches of sounds `[B, C, L]` and their classes `[B]`, counted without components.

        All sounds of a class come in a row, so that no more than one class is kept in memory.
        """
        channels, seen = self.attack.shape[1], []
        for label, batches in groupby(one_class_each(sounds), key=lambda batch: batch[1]):
            if label in seen:
                raise ValueError(f"Sounds of class {label} must come in a row, without others in between.")
            seen.append(label)
            gains, begun, power = Rows(self.centre.shape[1:]), Rows(self.attack.shape[1:]), 0
            for z, _ in batches:
                shape, gain = self.split(z)
                power += shape.square().sum(0)
                gains.add(gain)
                begun.add(shape[..., :1])
            self.variance[label, :channels] = power / gains.used
            self._take(label, tables_of(gains.all().float(), begun.all().float(), self.components, self.loadings.shape))
        self.size.copy_(self.variance[:, :channels].mean().sqrt())
        self.variance[:, :channels] /= self.size**2
        self.attack /= self.size

    def _take(self, label: int, found: Tables) -> None:
        """Keep the tables of a class."""
        rows, channels = slice(label * self.components, (label + 1) * self.components), self.attack.shape[1]
        self.centre[rows], self.attack[rows] = found.centre, found.attack
        self.variance[label, :channels, :1] = found.begun
        self.below[label], self.above[label] = found.below / self.scale, found.above / self.scale
        self.variance[label, channels:] = found.even * self.scale**2
        self.loadings[rows], self.rest[label] = found.loadings * self.scale, found.rest * self.scale**2

    def rows_of(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return for sounds `[B, C, L]` of classes `[B]`, without components, the component that each is most like."""
        if self.components == 1:
            return labels
        rows = labels[:, None] * self.components + torch.arange(self.components, device=labels.device)
        return rows.gather(1, self._surprise(self.split(z)[1][:, None], rows).argmin(1, keepdim=True))[:, 0]

    def likeliest(self, z: Tensor, classes: list[int]) -> int:
        """Return which of some classes foretells the gains of a sound `[1, C, L]` best: its place in `classes`."""
        return int(self._surprise(self.split(z)[1], torch.tensor(classes, device=z.device)).argmin())

    def _surprise(self, gain: Tensor, rows: Tensor) -> Tensor:
        """Return how badly some rows of the tables foretell gains `[..., G, L]`: minus the log likelihood."""
        off = gain - self.centre[rows][..., : gain.shape[-1]]
        below, above = (table[rows // self.components][..., : gain.shape[-1]] for table in (self.below, self.above))
        spread = torch.where(off < 0, below, above) * self.scale
        return ((off / spread).square() / 2 + spread.log()).sum((-2, -1))

    def encode(self, z: Tensor, labels: Tensor) -> Tensor:
        """Turn `[B, C, L]` of classes `labels` into `[B, C + G, L]`; a shorter sound has the first frames."""
        (shape, gain), (attack, centre, below, above) = self.split(z), self._usual(labels, z.shape[-1])
        off = gain - centre
        return torch.cat([shape / self.size - attack, torch.where(off < 0, off / below, off / above)], dim=1)

    def decode(self, x: Tensor, labels: Tensor, rounds: int = ROUNDS) -> Tensor:
        """Undo `encode`; shapes that were made up are brought to agree with the gains in so many `rounds`."""
        shape, even = x[:, : -self.num_gains], x[:, -self.num_gains :]
        attack, centre, below, above = self._usual(labels, x.shape[-1])
        gain = centre + torch.where(even < 0, even * below, even * above)
        z = self.join((shape + attack) * self.size, gain)
        return self.agree(z, gain, rounds) if len(self.waves) and rounds else z

    def with_gains(self, x: Tensor, other: Tensor) -> Tensor:
        """Return encoded `x` with the gains of `other`: noisy shapes can be heard at a loudness foreseen."""
        return torch.cat([x[:, : -self.num_gains], other[:, -self.num_gains :]], dim=1)

    def variance_of(self, labels: Tensor) -> Tensor:
        """Return the mean square of every encoded place `[B, C + G, L]`; half way is half way in decibels."""
        if labels.ndim == 1:
            return self.variance[labels // self.components]
        return blend(self.variance, self._kinds(labels))

    def factors_of(self, labels: Tensor) -> Factors:
        """Return how the gains vary together; a blend has the factors of all its rows."""
        if labels.ndim == 1:
            return Factors(self.loadings[labels].float(), self.rest[labels // self.components])
        loadings = (labels.sqrt()[:, :, None, None, None] * self.loadings).flatten(1, 2)
        return Factors(loadings, torch.einsum("bk,kgl->bgl", self._kinds(labels), self.rest))

    def weight(self, t: Tensor) -> Tensor:
        """Return how much the loss counts each place at times `t` `[B]`: `[B, C + G, L]`.

        What can be learned counts, what cannot would only drown it. In deep noise nobody can tell a shape. Narrow low
        groups hold tones, wide high ones mostly noise, which has no better guess. How a tone begins follows from how
        loud its drum is where, so the first frame counts more. And of the gains the factors foretell most, so the
        little that is left for the network counts for more.
        """
        snr = log_snr(t).exp()[:, None, None]
        shapes = (self.emphasis.square() * snr / (snr + SHAPES_FROM)).repeat(1, 1, self.centre.shape[-1])
        shapes[:, self.waves, 0] *= ATTACKS_COUNT
        gains = (GAINS_COUNT / self.left_open(t))[:, None, None]
        return torch.cat([shapes, gains.expand(-1, self.num_gains, shapes.shape[-1])], dim=1)

    def left_open(self, t: Tensor) -> Tensor:
        """Return the variance of v in the gains that their factors leave open at times `t` `[B]`, on average, `[B]`."""
        alpha, sigma = alpha_sigma(t)
        factors = self.loadings.float().square().sum((-2, -1))  # variances [rows, K]; each is spread over G·L places

        def left(variance: Tensor) -> Tensor:
            alpha_2, sigma_2 = (x.square().reshape(-1, *[1] * variance.ndim) for x in (alpha, sigma))
            return (variance / (alpha_2 * variance + sigma_2)).flatten(1)

        per_place = len(factors) * self.centre[0].numel()
        return left(factors).sum(-1) / per_place + left(self.rest + UNFORESEEN).mean(-1)

    def _usual(self, labels: Tensor, frames: int) -> tuple[Tensor, ...]:
        """Return the attack, and centre, below and above of the gains; these are logarithms: half way is half way."""
        if labels.ndim == 1:
            kinds = labels // self.components
            attack, *tables = self.attack[labels], self.centre[labels], self.below[kinds], self.above[kinds]
        else:
            by_row = (labels, self.attack), (labels, self.centre)
            by_kind = ((self._kinds(labels), table) for table in (self.below, self.above))
            attack, *tables = (torch.einsum("bk,kgl->bgl", *each) for each in (*by_row, *by_kind))
        return pad(attack, (0, frames - 1)), *(table[..., :frames] for table in tables)

    def _kinds(self, shares: Tensor) -> Tensor:
        """Return the shares of classes `[B, classes]`, without components, in a blend `[B, rows]`."""
        return shares.unflatten(-1, (-1, self.components)).sum(-1)
