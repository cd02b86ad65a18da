"""Exercises, predictions and quiz of lesson 05: the parts of a U-Net, its receptive field, self-attention."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from tad_course.lessons.check import SOLUTIONS, as_number, as_signal, call, close, exercise, expect, expect_none_of
from tad_course.lessons.quiz import Answer, Question

# --- what the lesson goes on with where an answer is missing or wrong; torch and math only ---


def time_features(t, count):
    f = torch.linspace(0.5, 8, count // 2)
    angle = math.pi * f * t[:, None]
    return torch.cat([angle.sin(), angle.cos()], dim=1)


class Block(nn.Module):
    def __init__(self, channels, features=32):
        super().__init__()
        self.norm_1, self.norm_2 = nn.GroupNorm(4, channels), nn.GroupNorm(4, channels)
        self.conv_1 = nn.Conv1d(channels, channels, kernel_size=3, padding=1)
        self.conv_2 = nn.Conv1d(channels, channels, kernel_size=3, padding=1)
        self.to_scale_shift = nn.Linear(features, 2 * channels)

    def forward(self, x, embedding):
        scale, shift = self.to_scale_shift(embedding)[:, :, None].chunk(2, dim=1)
        h = self.conv_1(F.silu(self.norm_1(x)))
        h = self.norm_2(h) * (1 + scale) + shift
        return x + self.conv_2(F.silu(h))


def down(c_in, c_out, factor):
    return nn.Conv1d(c_in, c_out, kernel_size=2 * factor + 1, stride=factor, padding=factor)


def up(c_in, c_out, factor):
    return nn.ConvTranspose1d(c_in, c_out, kernel_size=factor, stride=factor)


class UNet(nn.Module):
    def __init__(
        self,
        channels_in,
        widths=(16, 32, 64),
        factors=(4, 4, 4),
        skips=True,
        middle=None,
        block=Block,
        down=down,
        up=up,
        features=time_features,
    ):
        super().__init__()
        steps = list(zip((channels_in, *widths), widths, factors, strict=False))
        self.features, self.skips, self.middle = features, skips, middle or nn.Identity()
        self.embed = nn.Sequential(nn.Linear(32, 32), nn.SiLU())
        self.downs = nn.ModuleList(down(above, width, factor) for above, width, factor in steps)
        self.blocks_down = nn.ModuleList(block(width) for width in widths)
        self.blocks_up = nn.ModuleList(block(width) for width in reversed(widths))
        self.ups = nn.ModuleList(up(width, above, factor) for above, width, factor in reversed(steps))

    def forward(self, x, t):
        embedding, kept = self.embed(self.features(t, 32)), []
        for go_down, block in zip(self.downs, self.blocks_down, strict=True):
            kept.append(x)
            x = block(go_down(x), embedding)
        x = self.middle(x)
        for block, go_up in zip(self.blocks_up, self.ups, strict=True):
            x = go_up(block(x, embedding))
            if self.skips:
                x = x + kept.pop()
        return x


def reach(net, x):
    x = x.clone().requires_grad_(True)
    y = net(x)
    y[0, 0, y.shape[-1] // 2].backward()
    return int((x.grad[0] != 0).any(dim=0).sum())


class SelfAttention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm, self.to_position = nn.LayerNorm(channels), nn.Linear(32, channels)
        self.to_qkv, self.to_out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)

    def positions(self, length):
        return self.to_position(time_features(torch.arange(length) / length, 32))

    def forward(self, x):
        h = self.norm(x.transpose(1, 2)) + self.positions(x.shape[-1])
        q, k, v = self.to_qkv(h).chunk(3, dim=-1)
        scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
        self.weights = scores.softmax(dim=-1)
        return x + self.to_out(self.weights @ v).transpose(1, 2)


SOLUTIONS |= {
    "05-time": time_features,
    "05-block": Block,
    "05-down": down,
    "05-up": up,
    "05-unet": UNet,
    "05-reach": reach,
    "05-attention": SelfAttention,
}

PREDICTIONS = {
    "05-skips": ("B", "section 3, *Without the skips*"),
    "05-far": ("A", "section 5, *How far one output sees*"),
    "05-memory": ("A", "section 6, *Self-attention (optional)*"),
    "05-repeat": ("C", "section 7, *A sound that needs a far look (optional)*"),
    "05-given": ("C", "section 8, *The wrong noise level (optional)*"),
}


# --- the checks ---


def module(answer, *args, **kwargs) -> nn.Module:
    """Return an instance of a learner's class with hidden random weights (those of norms too)."""
    expect(isinstance(answer, type) and issubclass(answer, nn.Module), "Hand over the class itself, by its name.")
    net = answer(*args, **kwargs)
    return randomized(net)


def randomized(net: nn.Module) -> nn.Module:
    """Give every parameter a new random value, so that one that is left out is missed."""
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.4)
    return net


def with_weights_of(net: nn.Module, ours: nn.Module) -> nn.Module:
    """Return `ours` with the weights of a learner's `net`."""
    fits = {name: p.shape for name, p in net.named_parameters()} == {n: p.shape for n, p in ours.named_parameters()}
    expect(fits, "Leave `__init__` as it was in the starter: its modules have other names or shapes now.")
    ours.load_state_dict(net.state_dict())
    return ours


def run_module(net: nn.Module, *inputs) -> torch.Tensor:
    """Return what a module that a learner wrote returns for copies of the inputs."""
    out = call(net, *inputs)
    expect(isinstance(out, torch.Tensor), f"`forward` should return a tensor, not a {type(out).__name__}.")
    return out


@exercise(
    "05-time", why="Slow and fast waves of t: a linear layer can now build any smooth function of the noise level."
)
def check_time(answer):
    for count in (8, 32, 6):
        t = torch.rand(int(torch.randint(2, 6, ())))
        got = as_signal(call(answer, t, count), (len(t), count), "answer")
        truth = time_features(t, count)
        half = count // 2
        expect(not close(got, truth.roll(half, 1)), "The sines come first, then the cosines.")
        expect(
            not close(got, truth.unflatten(1, (2, half)).transpose(1, 2).flatten(1)),
            "All sines first, then all cosines: here they alternate. Join with `torch.cat`.",
        )
        angle = torch.linspace(0.5, 8, half) * t[:, None]
        expect(not close(got, torch.cat([angle.sin(), angle.cos()], 1)), "The angle is pi · f · t; the pi is missing.")
        angle = 2 * math.pi * angle
        expect(not close(got, torch.cat([angle.sin(), angle.cos()], 1)), "The angle is pi · f · t, without a 2.")
        angle = math.pi * torch.arange(half) * t[:, None]
        expect(
            not close(got, torch.cat([angle.sin(), angle.cos()], 1)),
            "The frequencies go from 0.5 to 8 in equal steps: `torch.linspace(0.5, 8, count // 2)`.",
        )
        expect(close(got, truth, atol=1e-4), "Row b should be sin(pi f_i t_b) for all f_i, then cos(pi f_i t_b).")


def block_variants(b, x, embedding) -> dict:
    """Return what likely slips in the block's formula give, hint -> output."""
    a, c = b.to_scale_shift(embedding)[:, :, None].chunk(2, dim=1)
    h = b.conv_1(F.silu(b.norm_1(x)))
    normed = b.norm_2(h)
    end = b.conv_2(F.silu(normed * (1 + a) + c))
    return {
        "The block should refine x, not replace it: add x to the result.": end,
        "The gain is 1 + scale, so that a scale of 0 changes nothing.": x + b.conv_2(F.silu(normed * a + c)),
        "The first half of the numbers is the scale, the second the shift: they are exchanged.": x
        + b.conv_2(F.silu(normed * (1 + c) + a)),
        "The embedding is not used yet: scale and shift come from `self.to_scale_shift(embedding)`.": x
        + b.conv_2(F.silu(normed)),
        "The second SiLU is missing, between the shift and conv_2.": x + b.conv_2(normed * (1 + a) + c),
        "Scale and shift come after norm_2, or norm_2 would take them out again.": x
        + b.conv_2(F.silu(b.norm_2(h * (1 + a) + c))),
        "The order is norm, SiLU, convolution (not SiLU before the norm).": x
        + b.conv_2(F.silu(b.norm_2(b.conv_1(b.norm_1(F.silu(x)))) * (1 + a) + c)),
        "ReLU is close to SiLU, but not the same: `F.silu`.": x
        + b.conv_2(F.relu(b.norm_2(b.conv_1(F.relu(b.norm_1(x)))) * (1 + a) + c)),
    }


@exercise("05-block", why="The block learns a correction to x, and the gradient passes through the sum unchanged.")
@torch.no_grad()
def check_block(answer):
    for channels, features, length in ((8, 6, 32), (12, 32, 17)):
        net = module(answer, channels, features)
        x, embedding = torch.randn(3, channels, length), torch.randn(3, features)
        got = run_module(net, x, embedding)
        ours = with_weights_of(net, Block(channels, features))
        truth = ours(x, embedding)
        as_signal(got, tuple(truth.shape), "output")
        expect_none_of(got, block_variants(ours, x, embedding), atol=1e-3)
        expect(
            close(got, truth, atol=1e-3),
            "h = conv_1(silu(norm_1(x))), then x + conv_2(silu(norm_2(h) · (1 + scale) + shift)).",
        )


def resampler(answer, c_in: int, c_out: int, factor: int) -> nn.Module:
    """Return the module that `down` or `up` makes."""
    net = call(answer, c_in, c_out, factor)
    expect(isinstance(net, nn.Module), "Return a module (`nn.Conv1d(...)` and the like), which runs later.")
    return net


@exercise("05-down", why="Fewer frames with more channels: each frame stands for more time.")
def check_down(answer):
    for c_in, c_out, factor in ((3, 8, 4), (2, 5, 2), (4, 4, 1), (2, 16, 8)):
        net, length = resampler(answer, c_in, c_out, factor), 16 * factor
        x = torch.randn(2, c_in, length, requires_grad=True)
        y = net(x)
        expect(y.shape[1] == c_out, f"It should map {c_in} channels to {c_out}, and returns {y.shape[1]}.")
        expect(y.shape[2] != length or factor == 1, "The length stays as it was: the stride is missing.")
        expect(
            y.shape[2] == length // factor,
            f"Of {length} samples with factor {factor}, {length // factor} frames should be left, not {y.shape[2]}: "
            "set the padding.",
        )
        y.square().sum().backward()
        expect(
            (x.grad.abs().sum((0, 1)) > 0).all(),
            "Some input samples reach no output: a kernel that is shorter than the stride leaves them out.",
        )
        expect(list(net.parameters()), "It has nothing to learn: use a convolution.")


@exercise(
    "05-up",
    why="Each of the output's samples in a frame has weights of its own, as each input sample had on the way down.",
)
def check_up(answer):
    for c_in, c_out, factor in ((8, 3, 4), (5, 2, 2), (4, 4, 1), (16, 2, 8)):
        net, length = resampler(answer, c_in, c_out, factor), 16
        x = torch.randn(2, c_in, length, requires_grad=True)
        y = net(x)
        expect(y.shape[1] == c_out, f"It should map {c_in} channels to {c_out}, and returns {y.shape[1]}.")
        expect(
            y.shape[2] >= length or factor == 1,
            "It became shorter: `nn.Conv1d` with a stride goes down; `nn.ConvTranspose1d` goes up.",
        )
        expect(
            y.shape[2] == length * factor,
            f"{length} frames with factor {factor} should give {length * factor} samples, not {y.shape[2]}: "
            "kernel and stride are both `factor`.",
        )
        y.square().sum().backward()
        expect((x.grad.abs().sum((0, 1)) > 0).all(), "Some frames reach no output sample.")
        expect(list(net.parameters()), "It has nothing to learn: use a (transposed) convolution.")


def unet_variants(net, x, t) -> dict:
    """Return what likely slips in the U-Net's forward give, hint -> output."""

    def way(keep="before", skip=True, middle=True, after="up", use_t=True):
        embedding = net.embed(net.features(t if use_t else torch.zeros_like(t), 32))
        kept, h = [], x
        for go_down, block in zip(net.downs, net.blocks_down, strict=True):
            kept += [h] if keep == "before" else []
            h = block(go_down(h), embedding)
            kept += [h] if keep == "after" else []
        h = net.middle(h) if middle else h
        for block, go_up in zip(net.blocks_up, net.ups, strict=True):
            if skip and after == "block":
                h = go_up(block(h + kept.pop(), embedding))
            else:
                h = go_up(block(h, embedding))
                h = h + kept.pop() if skip and after == "up" else h
        return h

    return {
        "Nothing is added on the way up: where are the skips?": way(skip=False),
        "`self.middle` is missing, between the way down and the way up.": way(middle=False),
        "Keep x before it goes down, and add it after `go_up`: this skips inside of the levels, not around them.": way(
            keep="after", after="block"
        ),
    }


@exercise(
    "05-unet",
    why="Down to see far, up again to every sample, and the details on the skips.",
)
def check_unet(answer):
    for widths, factors in (((8, 12), (2, 4)), ((4, 8, 8), (1, 2, 2))):
        settings = {"block": Block, "down": down, "up": up, "features": time_features}
        for skips in (True, False):
            net = module(
                answer, 3, widths, factors, skips=skips, middle=nn.Conv1d(widths[-1], widths[-1], 1), **settings
            )
            x, t = torch.randn(2, 3, 32), torch.rand(2)
            got = _forward(net, x, t)
            middle = nn.Conv1d(widths[-1], widths[-1], 1)
            ours = with_weights_of(net, UNet(3, widths, factors, skips=skips, middle=middle))
            with torch.no_grad():
                truth = ours(x, t)
                as_signal(got, tuple(truth.shape), "output")
                if skips:
                    expect_none_of(got, unet_variants(ours, x, t), atol=1e-3)
                else:
                    ours.skips = True
                    expect(
                        not close(got, ours(x, t), atol=1e-3),
                        "With `skips=False` nothing may be added: look at `self.skips` before you add.",
                    )
            expect(
                close(got, truth, atol=1e-3),
                "Right shape, wrong numbers: down through all levels, `self.middle`, up through all, and what was kept "
                "last is added first.",
            )


def _forward(net, x, t):
    try:
        with torch.no_grad():
            return run_module(net, x, t)
    except RuntimeError as error:
        fit = "size of tensor" in str(error) or "must match" in str(error)
        expect(
            not fit,
            "Two shapes do not fit. Add the skip after `go_up`, and take the one kept last: `kept.pop()` (no 0 in it).",
        )
        raise


@exercise("05-reach", why="Change an input sample: if the output does not change with it, the network cannot know it.")
def check_reach(answer):
    for _ in range(3):
        kernels = [3, 5, int(torch.randint(1, 4, ())) * 2 + 1]
        strides = [1, int(torch.randint(2, 5, ())), 1]
        field, jump, layers = 1, 1, []
        for kernel, stride in zip(kernels, strides, strict=True):
            field, jump = field + (kernel - 1) * jump, jump * stride
            layers.append(nn.Conv1d(2, 2, kernel, stride, padding=kernel // 2))
        net = nn.Sequential(*layers, nn.Upsample(scale_factor=jump))
        for layer in layers:
            nn.init.ones_(layer.weight)
        got = as_number(call(answer, net, torch.randn(1, 2, 64 * jump)), "number of samples")
        expect(got != 2 * field, "Both channels of a sample were counted: count time positions, not numbers.")
        expect(
            got != 64 * jump,
            "The gradient is that of all outputs. Take one number, `y[0, 0, middle]`, before `backward`.",
        )
        expect(
            got != (field - 1) // 2 + 1 and got < field + 1 or got == field,
            "That is at the edge, where half of the field lies outside. Take the output in the middle.",
        )
        expect(got == field, f"For this stack of convolutions it is {field} samples, and your function says {got:.0f}.")


def attention_variants(net, x) -> dict:
    """Return what likely slips in self-attention give, hint -> output."""

    def way(position=True, root=True, dim=-1, residual=True, norm=True, swap=False):
        h = x.transpose(1, 2)
        h = net.norm(h) if norm else h
        h = h + net.positions(x.shape[-1]) if position else h
        q, k, v = net.to_qkv(h).chunk(3, dim=-1)
        q, k = (k, q) if swap else (q, k)
        scores = q @ k.transpose(1, 2) / (q.shape[-1] ** 0.5 if root else 1)
        out = net.to_out(scores.softmax(dim=dim) @ v).transpose(1, 2)
        return x + out if residual else out

    return {
        "The frames' positions are missing: without them the order of the frames makes no difference.": way(
            position=False
        ),
        "The scores are not divided by the square root of the size of a query.": way(root=False),
        "The softmax goes over the wrong axis: each row, the weights of one query, should add up to 1 (`dim=-1`).": way(
            dim=1
        ),
        "Add x at the end, as the block does.": way(residual=False),
        "The LayerNorm is missing.": way(norm=False),
        "Query and key are exchanged: the first third of `to_qkv` is the query.": way(swap=True),
    }


@exercise("05-attention", why="Every frame reads every other in one layer, however far away, at a cost of L² weights.")
@torch.no_grad()
def check_attention(answer):
    for channels, length in ((8, 10), (12, 7)):
        net = module(answer, channels)
        x = torch.randn(2, channels, length)
        got = run_module(net, x)
        ours = with_weights_of(net, SelfAttention(channels))
        truth = ours(x)
        as_signal(got, tuple(truth.shape), "output")
        expect_none_of(got, attention_variants(ours, x), atol=1e-3)
        expect(close(got, truth, atol=1e-3), "softmax(q kᵀ / sqrt(C)) v, through `to_out`, transposed back, plus x.")
        kept = getattr(net, "weights", None)
        expect(kept is not None, "Right, but keep the weights as `self.weights`: a picture below needs them.")
        as_signal(kept, tuple(ours.weights.shape), "`self.weights`")
        expect(close(kept, ours.weights), "`self.weights` should be what the softmax returns, [B, L, L].")


QUIZ = (
    Question(
        "Two U-Nets, one with skips and one without, are trained on the same batches. What do the skips do?",
        (
            Answer(
                "They make it possible to remove the noise; without them it cannot pass the bottom.",
                "The bottom of this net holds more numbers than the input, and given more steps the net without skips "
                "learns to pass the noise through it.",
            ),
            Answer(
                "They give the network more parameters.",
                "No: an addition has no parameters. Both nets have the same number of them.",
            ),
            Answer(
                "They make learning faster: the details need not be coded into the bottom and decoded again.",
                "At an equal number of steps the loss is much lower, because the noise arrives sample by sample on the "
                "skips from the first step on.",
                right=True,
            ),
        ),
    ),
    Question(
        "Why does self-attention sit at the bottom of the U-Net?",
        (
            Answer(
                "There the signal is short, and memory goes with the square of the length.",
                "At the top, one head alone would need a matrix of 32,768 by 32,768 numbers, 4.3 GB.",
                right=True,
            ),
            Answer(
                "There the sound is least noisy.",
                "No: the bottom is computed from the same noisy sound as the top, at a lower frame rate.",
            ),
            Answer(
                "Convolutions do not work on short signals.",
                "They do; most of the bottom's parameters are convolutions.",
            ),
        ),
    ),
    Question(
        "You double every channel count of a U-Net made of convolutions. About how many parameters has it then?",
        (
            Answer(
                "Twice as many.",
                "That is true of the signals' size. A convolution has kernel · channels in · channels out weights.",
            ),
            Answer(
                "Four times as many.",
                "A convolution has kernel · channels in · channels out weights, and both counts double.",
                right=True,
            ),
            Answer(
                "As many as before, if the factors stay.",
                "The factors decide how many frames there are; the channels decide the number of weights.",
            ),
        ),
    ),
)
