"""Gain and shape: how loud each group of bands is, beside what it does at that loudness (lesson 06)."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d

from tad_course.diffusion import alpha_sigma, log_snr
from tad_course.factors import Rows, halves, principal_components
from tad_course.front_ends import blend
from tad_course.wiener import UNFORESEEN, lowest_bands

QUIETEST = 3e-5  # rms of a band, -90 dB: what is softer counts as silence
LOUDEST = 3.0  # log of the rms of a band, 26 dB: no drum of full scale comes near
GAINS_COUNT = 4.0  # times as much in the loss as shapes do
SHAPES_FROM = 0.03  # SNR, -15 dB, below which shapes fade out of the loss
ROUNDS = 10  # in which made waves are brought to agree
MOMENTUM = 0.9  # of the rounds
LEAST_SPREAD = 0.3  # of the log levels, 2.6 dB: where all drums are alike, small differences are not blown up


class GainShape(nn.Module):
    """Split `[B, C, L]` of the lapped transform into shapes and gains, as audio codecs do.

    The *gain* is the logarithm of how loud a group of neighbouring bands is around a frame; the *shape* is what is
    left when every band is divided by it. Drums of one class differ by tens of decibels in level and length: as gains
    these are sums that diffusion can add noise to, and every shape is about equally loud (gain-shape quantisation:
    Gersho & Gray, "Vector Quantization and Signal Compression", 1992; in Opus: Valin et al., 2013).

    `encode` returns `[B, C + G, L]`: the shapes, then the gains of G groups, less the mean gain of that class at that
    place and divided by their spread. The way back is exact.

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
        tones: so many of the lowest bands have common factors, too: their shapes are waves that begin and hum alike.
        tone_factors: how many.
        waves: so many of the lowest bands hold waves: their gains do not depend on where in its swing a block meets a
            wave, and `agree` makes shapes fit them. 0: all gains are those of the bands alone.
        quadrature: of those bands, see `TiledTransform.quadrature`.
        components: of each class, a power of two. Where other methods speak of classes, they mean rows of the tables.

    Attributes:
        shape_variance: mean square of every shape, `[classes, C, L]`: components of a class have it in common.
        gain_variance: mean square of every encoded gain, `[classes, G, L]`.
        loadings: the strongest ways in which the gains of a class vary together, `[classes, factors, G, L]`: their
            principal components, each times its standard deviation (Tipping & Bishop, 1999).
        tone_loadings: the same for the shapes of the lowest bands, `[classes, tone_factors, 2 * tones, L]`.
    """

    def __init__(
        self,
        classes: int,
        groups: Tensor,
        length: int,
        frames: int,
        scale: float = 0.5,
        factors: int = 16,
        tones: int = 0,
        tone_factors: int = 64,
        waves: int = 0,
        quadrature: Callable[..., Tensor] | None = None,
        components: int = 1,
    ):
        super().__init__()
        self.quadrature, self.components = quadrature, components
        rows = classes * components
        self.frames, self.scale, (self.num_gains, channels) = frames, scale, groups.shape
        low = lowest_bands(channels, tones)
        self.register_buffer("low", low, persistent=False)  # which channels those are
        self.register_buffer("waves", lowest_bands(channels, waves), persistent=False)
        size = groups.sum(1, keepdim=True)
        self.register_buffer("mean_of", groups / size, persistent=False)  # [G, C]
        self.register_buffer("spread_to", groups.T.contiguous(), persistent=False)  # [C, G]
        # The few numbers of narrow low groups carry the tone of a drum: they weigh as if they were more.
        self.register_buffer("emphasis", groups.T @ (size.max() / size) ** 0.25, persistent=False)  # [C, 1]
        self.register_buffer("size", torch.ones(1))  # rms of all shapes
        self.register_buffer("mean", torch.zeros(rows, self.num_gains, length))
        self.register_buffer("spread", torch.ones(rows, self.num_gains, length))
        self.register_buffer("shape_variance", torch.ones(classes, channels, length))
        self.register_buffer("gain_variance", torch.ones(rows, self.num_gains, length))
        self.register_buffer("loadings", torch.zeros(rows, factors, self.num_gains, length))
        if tones:
            self.register_buffer("tone_loadings", torch.zeros(rows, tone_factors, len(low), length))

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
        low, some = z[:, self.waves], self.mean_of[:, self.waves].sum(1) > 0  # the groups of waves
        mean_of, spread_to = self.mean_of[some][:, self.waves], self.spread_to[self.waves][:, some]
        wanted = 2 * gain[:, some].clamp(max=LOUDEST)

        def factors(cosines: Tensor, sines: Tensor) -> Tensor:
            power = mean_of @ ((cosines.square() + sines.square()) / 2) + QUIETEST**2
            return spread_to @ ((wanted - power.log()) / 2).exp()

        before = low
        for _ in range(rounds):
            sines = self.quadrature(low)
            factor = factors(low, sines)
            now = (low * factor + self.quadrature(sines * factor, back=True)) / 2
            low, before = now + MOMENTUM * (now - before), now
        return z.index_copy(1, self.waves, low * factors(low, self.quadrature(low)))

    @torch.no_grad()
    def fit_to(self, sounds: Iterable[tuple[Tensor, Tensor]], count: int = 4000) -> None:
        """Set all tables from batches of sounds `[B, C, L]` and their classes `[B]`, counted without components.

        `count` is how many sounds there are, or a guess: memory for so many is taken at once.
        """
        classes, places = len(self.shape_variance), self.shape_variance.shape[-1]
        kept, found = Rows(count, (self.num_gains + len(self.low), places)), []
        power = torch.zeros_like(self.shape_variance)
        for z, labels in sounds:
            shape, gain = self.split(z)
            power.index_add_(0, labels, shape.square())
            kept.add(torch.cat([gain, shape[:, self.low]], dim=1))
            found.append(labels)
        found, kept = torch.cat(found), kept.all()
        power = power / torch.bincount(found, minlength=classes)[:, None, None]
        self.size.copy_(power.mean().sqrt())
        self.shape_variance.copy_(power / self.size**2)
        parts = [torch.where(found == label)[0] for label in range(classes)]
        parts = [part[leaf] for part in parts for leaf in halves(kept[part, : self.num_gains], self.components)]
        for row, part in enumerate(parts):
            gains, tones = kept[part].split([self.num_gains, len(self.low)], dim=1)
            self.mean[row] = gains.mean(0)
            self.spread[row] = gains.std(0, correction=0).clamp(min=LEAST_SPREAD) / self.scale
            even = (gains - self.mean[row]) / self.spread[row]
            self.loadings[row] = principal_components(even, self.loadings.shape[1])
            if len(self.low):
                self.tone_loadings[row] = principal_components(tones / self.size, self.tone_loadings.shape[1])
            self.gain_variance[row] = even.square().mean(0)

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
        mean, deviation = (table[rows][..., : gain.shape[-1]] for table in (self.mean, self.spread * self.scale))
        return (((gain - mean) / deviation).square() / 2 + deviation.log()).sum((-2, -1))

    def encode(self, z: Tensor, labels: Tensor) -> Tensor:
        """Turn `[B, C, L]` of classes `labels` into `[B, C + G, L]`; a shorter sound has the first frames."""
        shape, gain = self.split(z)
        return torch.cat(
            [shape / self.size, (gain - self._of(self.mean, z, labels)) / self._of(self.spread, z, labels)], dim=1
        )

    def decode(self, x: Tensor, labels: Tensor, rounds: int = ROUNDS) -> Tensor:
        """Undo `encode`; shapes that were made up are brought to agree with the gains in so many `rounds`."""
        shape, gain = x[:, : -self.num_gains], x[:, -self.num_gains :]
        gain = gain * self._of(self.spread, x, labels) + self._of(self.mean, x, labels)
        z = self.join(shape * self.size, gain)
        return self.agree(z, gain, rounds) if len(self.waves) and rounds else z

    def with_gains(self, x: Tensor, other: Tensor) -> Tensor:
        """Return encoded `x` with the gains of `other`: noisy shapes can be heard at a loudness foreseen."""
        return torch.cat([x[:, : -self.num_gains], other[:, -self.num_gains :]], dim=1)

    @property
    def variance(self) -> Tensor:
        """The mean square of every encoded place, `[classes, C + G, L]`."""
        return torch.cat([self.shape_variance.repeat_interleave(self.components, 0), self.gain_variance], dim=1)

    def variance_of(self, labels: Tensor) -> Tensor:
        """Return the mean square of every encoded place `[B, C + G, L]`; half way is half way in decibels."""
        if labels.ndim == 1:
            shapes, gains = self.shape_variance[labels // self.components], self.gain_variance[labels]
        else:
            classes = labels.unflatten(-1, (-1, self.components)).sum(-1)
            shapes, gains = blend(self.shape_variance, classes), blend(self.gain_variance, labels)
        return torch.cat([shapes, gains], dim=1)

    def loadings_of(self, labels: Tensor) -> tuple[Tensor, ...]:
        """Return the factors of the gains `[B, K, G, L]` and of the low shapes; a blend of classes has those of all."""
        tables = (self.loadings, self.tone_loadings) if len(self.low) else (self.loadings,)
        if labels.ndim == 1:
            return tuple(table[labels] for table in tables)
        return tuple((labels.sqrt()[:, :, None, None, None] * table).flatten(1, 2) for table in tables)

    def weight(self, t: Tensor) -> Tensor:
        """Return how much the loss counts each channel at times `t` `[B]`: `[B, C + G, 1]`.

        What can be learned counts, what cannot would only drown it. In deep noise nobody can tell a shape. Narrow low
        groups hold tones, wide high ones mostly noise, which has no better guess. And of the gains the factors foretell
        most, so the little that is left for the network counts for more.
        """
        snr = log_snr(t).exp()[:, None, None]
        shapes = self.emphasis.square() * snr / (snr + SHAPES_FROM)
        gains = (GAINS_COUNT / self.left_open(t))[:, None, None]
        return torch.cat([shapes, gains.expand(-1, self.num_gains, -1)], dim=1)

    def left_open(self, t: Tensor) -> Tensor:
        """Return the variance of v in the gains that their factors leave open at times `t` `[B]`, on average, `[B]`."""
        alpha, sigma = alpha_sigma(t)
        factors = self.loadings.square().sum((-2, -1))  # variances [classes, K]; each is spread over G·L places
        places = self.loadings[0, 0].numel()
        rest = self.gain_variance.mean((1, 2)) - factors.sum(1) / places + UNFORESEEN  # [classes]

        def left(variance: Tensor) -> Tensor:
            alpha_2, sigma_2 = (x.square().reshape(-1, *[1] * variance.ndim) for x in (alpha, sigma))
            return variance / (alpha_2 * variance + sigma_2)

        return (left(factors).sum(-1) / places + left(rest)).mean(-1)

    def _of(self, table: Tensor, x: Tensor, labels: Tensor) -> Tensor:
        """Return what a table `[classes, G, L]` says for `labels`; gains are logarithms, so half way is half way."""
        table = table[..., : x.shape[-1]]
        return table[labels] if labels.ndim == 1 else torch.einsum("bk,kgl->bgl", labels, table)
