"""Exercises, predictions and quiz of lesson 07: loss, average, loop, two ways to judge, and a gate."""

import types

import torch
from torch import nn

from tad_course.lessons.check import SOLUTIONS, Wrong, as_array, as_number, as_signal, call, close, exercise, expect
from tad_course.lessons.lesson_03 import alpha_sigma, q_sample, t_from_snr_db
from tad_course.lessons.quiz import Answer, Question

# --- what the lesson goes on with where an answer is missing or wrong; only torch and answers of lesson 03 ---


def training_loss(net, x_0, t, eps, weight):
    alpha, sigma = alpha_sigma(t[:, None, None])
    x_t = q_sample(x_0, alpha, sigma, eps)
    v = alpha * eps - sigma * x_0
    return (weight * (net(x_t, t) - v).square()).mean()


def ema(average, weights, decay):
    return decay * average + (1 - decay) * weights


def training_steps(net, average, optimizer, draw, loss_of, rate, follow, steps):
    for step in steps:
        x_0, t, eps = draw(step)
        loss = loss_of(net, x_0, t, eps)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.param_groups[0]["lr"] = rate(step)
        optimizer.step()
        follow(average, net, step)
        yield loss.item()


def note_share(x, sample_rate, width_hz):
    power = torch.fft.rfft(x * torch.hann_window(len(x))).abs().square()
    hz = torch.fft.rfftfreq(len(x), 1 / sample_rate)
    near = (hz - hz[power.argmax()]).abs() <= width_hz
    return power[near].sum() / power.sum()


def losses_by_level(net, x_0, eps, snrs, weight):
    losses = []
    with torch.no_grad():
        for snr in snrs:
            t = torch.full((len(x_0),), t_from_snr_db(snr))
            losses.append(training_loss(net, x_0, t, eps, weight).item())
    return losses


def gated(net, x_t, t):
    sigma = alpha_sigma(t[:, None, None])[1]
    noise = (x_t / sigma).clamp(-3, 3)
    correction, gate = net(torch.cat([x_t, noise], dim=1), t).chunk(2, dim=1)
    return correction + torch.sigmoid(gate) * noise


SOLUTIONS |= {
    "07-loss": training_loss,
    "07-ema": ema,
    "07-steps": training_steps,
    "07-note": note_share,
    "07-levels": losses_by_level,
    "07-gate": gated,
}

# --- the checks ---


def _mixed(x_0, t, eps):
    """Return x_t and v by the formulas alone."""
    angle = t[:, None, None] * torch.pi / 2
    alpha, sigma = angle.cos(), angle.sin()
    return alpha * x_0 + sigma * eps, alpha * eps - sigma * x_0


@exercise("07-loss", why="Add noise, evaluate the network, compare: nothing else trains a diffusion model.")
def check_loss(answer):
    for shape in ((3, 4, 8), (5, 2, 7)):
        _one_loss(answer, *shape)


def _one_loss(answer, count, bands, frames):
    x_0, eps = torch.randn(2, count, bands, frames)
    t, weight = 0.1 + 0.3 * torch.rand(count), (0.3 + 2 * torch.rand(bands))[:, None]
    gain = torch.tensor(0.5, requires_grad=True)

    def net(x, time):  # a net like any other: its output depends on its input, on the time and on a parameter
        expect(torch.is_tensor(x) and x.shape == x_0.shape, "net takes x_t [B, C, L] first, then the time.")
        expect(torch.is_tensor(time) and time.numel() == count, "net takes the times t as they are, [B].")
        return gain * x + torch.as_tensor(time).reshape(-1, 1, 1)

    try:
        result = call(answer, net, x_0, t, eps, weight)
        again = call(answer, net, x_0, t, eps, weight)
    except RuntimeError as problem:
        if "must match the size" not in str(problem):
            raise
        raise Wrong(
            "Shapes do not fit. alpha and sigma must be [B, 1, 1] to multiply x_0 [B, C, L]: hand `t[:, None, None]` "
            "to alpha_sigma. And mind the order: q_sample(x_0, alpha, sigma, eps)."
        ) from None
    x_t, v = _mixed(x_0, t, eps)
    right = (weight * (net(x_t, t) - v).square()).mean()
    got = as_number(result, "loss")
    expect(close(got, as_number(again)), "Twice the same input gave two losses: use the eps and t given, draw none.")
    if not close(got, right):
        _meet_slips(got, net, x_0, t, eps, weight)
        raise Wrong("Make x_t, evaluate net(x_t, t), subtract v, square, multiply by weight, mean.")
    lost = "Right number, but no gradient comes through it: return the tensor, without item(), detach() or no_grad()."
    expect(torch.is_tensor(result) and result.requires_grad, lost)


def _meet_slips(got, net, x_0, t, eps, weight):
    def error(x, target, time=t):
        return weight * (net(x, time) - target).square()

    (x_t, v), (x_1, v_1) = _mixed(x_0, t, eps), _mixed(x_0, 1 - t, eps)
    (x_swapped, v_swapped), output = _mixed(eps, t, x_0), net(x_t, t)
    swapped = "x_0 and eps are swapped: x_t = alpha x_0 + sigma eps, and v = alpha eps - sigma x_0."
    turned = "1 - t is the time of another mixture: here t = 0 is clean, and net, x_t and v share one t."
    slips = {
        error(x_0, v).mean(): "The net got the clean sound: give it x_t, with the noise in.",
        error(x_t, eps).mean(): "That compares with eps; this net predicts v.",
        error(x_t, x_0).mean(): "That compares with x_0; this net predicts v.",
        error(x_t, -v).mean(): "That target is -v: v is alpha eps - sigma x_0, in this order.",
        (weight * (output - v)).mean().square(): "The mean came before the square: errors of opposite sign cancel.",
        (weight * (output - v)).square().mean(): "Weight the square, not the error: now each weight counts twice.",
        weight.mean() * (output - v).square().mean(): "The mean came first (`mse_loss` takes it): multiply before it.",
        (output - v).square().mean(): "The weight is missing: multiply the squares by it before the mean.",
        (weight * (output - v)).mean(): "The square is missing: errors of opposite sign cancel.",
        error(x_t, v).mean().sqrt(): "That is the root of the loss (RMSE); leave the root out.",
        error(x_t, v).mean() / 2: "That is half of the loss; leave the ½ out.",
        error(x_t, v).sum(): "That is the sum of the squares; the loss is their mean.",
        (weight * (output - v).abs()).mean(): "That is the mean distance; square it before the mean.",
        error(x_swapped, v).mean(): swapped,
        error(x_t, v_swapped).mean(): swapped,
        error(x_swapped, v_swapped).mean(): swapped,
        error(x_1, v).mean(): turned,
        error(x_1, v_1).mean(): turned,
        error(x_1, v_1, 1 - t).mean(): turned,
        error(x_t, v, 1 - t).mean(): turned,
        error(x_t, v_1).mean(): turned,
    }
    for value, hint in slips.items():
        expect(not close(got, value, rtol=3e-5), hint)  # random numbers may agree to a thousandth by chance


@exercise("07-ema", why="One line a step, and the average is calmer than any of the nets it was made from.")
def check_ema(answer):
    for shape in ((3,), (2, 4, 3)):
        average, weights = torch.randn(2, *shape)
        decay = float(0.6 + 0.3 * torch.rand(()))
        got = as_signal(call(answer, average, weights, decay), shape, "new average")
        swapped, summed = (1 - decay) * average + decay * weights, decay * average + weights
        expect(not close(got, swapped), "The wrong one is kept: `decay` is the share of the *old average* that stays.")
        expect(not close(got, summed), "The two shares must sum to 1, or the average grows: what is left for the new?")
        expect(not close(got, (average + weights) / 2), "That is a plain mean and forgets half each step; use `decay`.")
        expect(not close(got, decay * average), "The new weights are missing: they come in with the rest of the share.")
        expect(close(got, ema(average, weights, decay)), "Keep `decay` of the old average, add `1 - decay` of the new.")


class _Small(nn.Module):
    """A net of a few weights; its gradients are large enough to be clipped."""

    def __init__(self):
        super().__init__()
        self.conv, self.gain = nn.Conv1d(3, 3, 3, padding=1), nn.Parameter(torch.tensor(4.0))

    def forward(self, x, t):
        return self.gain * self.conv(x) + t[:, None, None]


FIRST, LAST, COUNT = 5, 9, 4  # a run that goes on from step 5


def _run(loop, seed):
    """Run a training loop for a few steps; return its losses, the weights, their average, and the steps it drew."""
    torch.manual_seed(seed)
    net, average = _Small(), _Small()
    average.load_state_dict(net.state_dict())
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.5, betas=(0.9, 0.99))
    drawn = []

    def draw(step):
        drawn.append(int(step))
        torch.manual_seed(1000 * seed + int(step))
        return torch.randn(4, 3, 8), torch.rand(4), torch.randn(4, 3, 8)

    def loss_of(net, x_0, t, eps):
        return training_loss(net, x_0, t, eps, torch.tensor([[1.5], [1.0], [0.5]]))

    @torch.no_grad()
    def follow(slow_net, fast_net, step):
        expect(slow_net is average and fast_net is net, "In this order: `follow(average, net, step)`.")
        for slow, fast in zip(average.parameters(), net.parameters(), strict=True):
            slow.copy_(ema(slow, fast, 1 - 3 / (step + 4)))

    steps = loop(net, average, optimizer, draw, loss_of, lambda step: 0.3 / (1 + step), follow, range(FIRST, LAST))
    expect(steps is not None, "The loop returns nothing: `yield loss.item()` at the end of each step.")
    expect(
        isinstance(steps, types.GeneratorType) or hasattr(steps, "__next__"),
        f"The loop gives back a {type(steps).__name__} at its end: `yield` each loss, so that others draw and stop.",
    )
    losses = []
    for loss in steps:
        losses.append(loss)
        expect(len(losses) <= COUNT, "It goes on after the last of the `steps` that it was given.")
    flat = [torch.cat([p.detach().flatten() for p in each.parameters()]) for each in (net, average)]
    return losses, *flat, drawn


def _slip(clear=True, clip=True, set_rate=True, early=False):
    """Return the training loop with one mistake in it."""

    def loop(net, average, optimizer, draw, loss_of, rate, follow, steps):
        for step in steps:
            loss = loss_of(net, *draw(step))
            if clear:
                optimizer.zero_grad()
            loss.backward()
            if clip:
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            if set_rate:
                optimizer.param_groups[0]["lr"] = rate(step)
            if early:
                follow(average, net, step)
            optimizer.step()
            if not early:
                follow(average, net, step)
            yield loss.item()

    return loop


@exercise("07-steps", why="Ten lines: this loop trains everything that you will hear in this lesson.")
def check_steps(answer):
    expect(callable(answer), f"Hand over the function itself, by its name, not a {type(answer).__name__}.")
    seed = int(torch.randint(1, 1000, ()))
    losses, net, average, drawn = _run(answer, seed)
    expect(not any(torch.is_tensor(x) and x.requires_grad for x in losses), "Yield `loss.item()`, a plain number.")
    expect(len(losses) == COUNT, f"It yielded {len(losses)} losses for {COUNT} steps; yield one at the end of each.")
    steps = list(range(FIRST, FIRST + COUNT))
    expect(drawn == steps, f"It drew at the steps {drawn}, but was given {steps}: draw once, with the step itself.")
    right_losses, right_net, right_average, _ = _run(training_steps, seed)
    torch.manual_seed(seed)
    start = torch.cat([p.detach().flatten() for p in _Small().parameters()])
    expect(not close(net, start), "The weights did not change at all: `loss.backward()`, then `optimizer.step()`.")
    if not close(net, right_net):
        for slip, hint in (
            (_slip(clear=False), "Gradients of all steps add up: call `optimizer.zero_grad()` before `backward`."),
            (_slip(clip=False), "The gradient is not clipped: `clip_grad_norm_`, after `backward` and before `step`."),
            (_slip(set_rate=False), "The learning rate stays as it was: set it to `rate(step)` in `param_groups[0]`."),
        ):
            expect(not close(net, _run(slip, seed)[1]), hint)
        raise Wrong("The weights differ from those of the steps above: zero_grad, backward, clip, rate, step.")
    if not close(average, right_average):
        expect(not close(average, start), "The average did not move: call `follow(average, net, step)` in each step.")
        early = _run(_slip(early=True), seed)[2]
        expect(not close(average, early), "The average is one step late: let it follow after `optimizer.step()`.")
        raise Wrong("The weights are right, the average is not: `follow(average, net, step)`, once a step.")
    expect(close([float(x) for x in losses], right_losses), "Weights are right; yield the loss of each step.")


@exercise("07-note", why="A kick's body is one falling note; this measures how much of the sound is that note.")
def check_note(answer):
    for length, sample_rate in ((4000, 8000), (8192, 44_100)):
        step = sample_rate / length
        tone, other = float(20 + 30 * torch.rand(())) * step, float(90 + 40 * torch.rand(())) * step
        time, width = torch.arange(length) / sample_rate, 7.5 * step
        tones = ((3.0, tone), (1.5, tone + 5 * step), (1.2, tone + 11 * step), (1.0, other))
        x = 0.5 + 0.7 * torch.randn(length) + sum(a * torch.sin(2 * torch.pi * hz * time) for a, hz in tones)
        got = as_number(call(answer, x, sample_rate, width), "share")
        right = float(note_share(x, sample_rate, width))
        if close(got, right, rtol=5e-3):
            continue
        window = torch.hann_window(length)
        size, hz = torch.fft.rfft(x * window).abs(), torch.fft.rfftfreq(length, 1 / sample_rate)
        near = (hz - hz[size.argmax()]).abs() <= width
        bare = torch.fft.rfft(x).abs().square()
        close_bins = (torch.arange(len(hz)) - size.argmax()).abs() <= width
        half = (hz - hz[size.argmax()]).abs() <= width / 2
        for value, hint in (
            (size[near].sum() / size.sum(), "Those are magnitudes; energy is their square."),
            (bare[near].sum() / bare.sum(), "The window is missing: multiply x by `torch.hann_window(len(x))` first."),
            (size.square()[close_bins].sum() / size.square().sum(), "`width_hz` is in Hz, not in bins: compare `hz`."),
            (size.square()[half].sum() / size.square().sum(), "`width_hz` to *each* side, so twice that in all."),
            (size.square().max() / size.square().sum(), "That is one bin; the note has all bins within `width_hz`."),
            (size.square()[near].sum(), "That is an energy; divide by that of all bins."),
            (100 * right, "A share between 0 and 1, not per cent."),
            (1 - right, "That is the share of everything else."),
        ):
            expect(not close(got, value, rtol=5e-3), hint)
        raise Wrong("Energy within `width_hz` of the strongest bin, divided by the energy of all bins.")


@exercise("07-levels", why="A mean over noise levels hides where a net is good; this takes it apart.")
def check_levels(answer):
    count, bands, frames = 3, 4, 6
    x_0, eps = torch.randn(2, count, bands, frames)
    snrs, weight = [-20.0, float(5 * torch.rand(())), 13.0], (0.3 + torch.rand(bands))[:, None]

    def net(x, time):
        expect(torch.is_tensor(time) and time.numel() == count, "net takes one time a sound: t is a tensor [B].")
        return 0.4 * x + time.reshape(-1, 1, 1)

    def right(snr):
        return training_loss(net, x_0, torch.full((count,), t_from_snr_db(snr)), eps, weight)

    try:
        result = call(answer, net, x_0, eps, snrs, weight)
    except (TypeError, IndexError) as error:
        if "subscript" not in str(error) and "indices" not in str(error):
            raise
        raise Wrong("t must be a tensor [B]: `torch.full((len(x_0),), t_from_snr_db(snr))`.") from None
    got = as_array(result, "list of losses")
    expect(got.size == len(snrs), f"One loss for each SNR, {len(snrs)} of them, not {got.size}: append to a list.")
    got = as_signal(result, (len(snrs),), "list of losses")
    if close(got, [right(snr).item() for snr in snrs]):
        return
    turned = [right(-snr).item() for snr in snrs]
    expect(not close(got, turned), "The sign of the SNR is turned round: high SNR is little noise.")
    bare = [training_loss(net, x_0, torch.full((count,), t_from_snr_db(snr)), eps, 1.0).item() for snr in snrs]
    expect(not close(got, bare), "The weight is missing: hand it to training_loss.")
    swapped = [training_loss(net, eps, torch.full((count,), t_from_snr_db(snr)), x_0, weight).item() for snr in snrs]
    expect(not close(got, swapped), "x_0 and eps are swapped: training_loss(net, x_0, t, eps, weight).")
    expect(not close(got, got[0].repeat(len(snrs))), "All losses are alike: t must follow the SNR.")
    raise Wrong("For each SNR: its t, as a tensor [B], then training_loss with the eps and weight that were given.")


@exercise("07-gate", why="What the network had to learn before, a gain of 1/sigma, now stands in the formula.")
def check_gate(answer):
    for count, bands, frames in ((3, 4, 8), (2, 6, 5)):
        x_t, t = 2 * torch.randn(count, bands, frames), 0.05 + 0.8 * torch.rand(count)
        mix = torch.randn(2 * bands, 2 * bands)

        def net(x, time, shape=(count, 2 * bands, frames), mix=mix):
            wanted = f"net takes [B, 2C, L], here {list(shape)}: cat x_t and the noise along dim=1."
            expect(torch.is_tensor(x) and x.shape == shape, wanted)
            return torch.einsum("ij,bjl->bil", mix, x) + time.reshape(-1, 1, 1)

        try:
            got = as_signal(call(answer, net, x_t, t), x_t.shape, "v")
        except RuntimeError as problem:
            if "must match the size" not in str(problem):
                raise
            raise Wrong("Shapes do not fit: sigma must be [B, 1, 1], so hand `t[:, None, None]` to it.") from None
        right = gated(net, x_t, t)
        if close(got, right):
            continue
        _meet_gate_slips(got, net, x_t, t)
        raise Wrong("noise = clamp(x_t / sigma), two outputs of net, then v = correction + sigmoid(gate) noise.")


def _meet_gate_slips(got, net, x_t, t):
    alpha, sigma = alpha_sigma(t[:, None, None])

    def result(noise, first=True, squash=torch.sigmoid, times=None, order=(0, 1)):
        pair = [x_t, noise]
        out = net(torch.cat([pair[n] for n in order], 1), t).chunk(2, 1)
        correction, gate = out if first else out[::-1]
        return correction + squash(gate) * (noise if times is None else times)

    noise = (x_t / sigma).clamp(-3, 3)
    for value, hint in (
        (result(x_t / sigma), "x_t / sigma is not limited: loud coefficients become huge; clamp it to -3 … 3."),
        (result((x_t / alpha).clamp(-3, 3)), "Divide by sigma, not by alpha: it is the noise that should get size 1."),
        (result(noise, squash=lambda g: g), "The gate is between 0 and 1: put `torch.sigmoid` around it."),
        (result(noise, first=False), "The first half of the outputs is the correction, the second the gate."),
        (result(noise, times=x_t), "The gate multiplies the clamped x_t / sigma, not x_t itself."),
        (result(noise, times=0.0), "The gated part is missing: add sigmoid(gate) times the clamped x_t / sigma."),
        (result(noise) - result(noise, times=0.0), "The correction is missing: it is added to the gated part."),
        (result(noise, order=(1, 0)), "The order of the inputs: x_t first, then the clamped x_t / sigma."),
    ):
        expect(not close(got, value), hint)


PREDICTIONS = {
    "07-hiss": ("B", "section 5, *Watch it learn*"),
    "07-middle": ("A", "section 6, *Loss by noise level*"),
    "07-open": ("C", "section 7, *A gate for the noise*"),
    "07-heart": ("B", "section 8, *Learning by heart*"),
    "07-rate": ("A", "section 10, *One thing changed: the learning rate (optional)*"),
}


QUIZ = (
    Question(
        "Your loss has stood near 0.3 for a thousand steps. Is the model finished?",
        (
            Answer(
                "Yes: when the loss stands still, nothing is learned any more.",
                "The mean hides that some noise levels still improve. Look at the loss by noise level, and listen.",
            ),
            Answer(
                "No: a good model reaches 0.",
                "It cannot: where a sound is nearly all noise, nobody can know which drum is under it.",
            ),
            Answer(
                "One cannot tell from that number alone.",
                "It is a mean over noise levels and coefficients; listening and the loss by noise level tell more.",
                right=True,
            ),
        ),
    ),
    Question(
        "Why do we listen to the average (EMA) of the weights and not to the weights themselves?",
        (
            Answer(
                "Each step overshoots a little; the average of many steps lies nearer to their middle.",
                "Each step follows 8 sounds only; averaging over many steps cancels part of their errors.",
                right=True,
            ),
            Answer(
                "The average trains faster.",
                "It is not trained at all: it follows the weights, and nothing flows back into them.",
            ),
            Answer(
                "It makes the model smaller.",
                "It has exactly as many numbers; while training there are even two copies.",
            ),
        ),
    ),
    Question(
        "The net with the gate leaves far less hiss. Why?",
        (
            Answer(
                "It filters the finished sound.",
                "Nothing is done to the finished sound: decoding is one linear map. What changed is how the outputs of "
                "the network are used, in each step.",
            ),
            Answer(
                "Where a coefficient is all noise, it can pass on x_t / sigma, the right v, at the right size.",
                "Quiet coefficients need the gain 1/sigma, up to 1,000. It is hard to learn; now the formula has it.",
                right=True,
            ),
            Answer(
                "It has more weights, so it learned more.",
                "It has a little more, in its first and last layer. The loss at the clean end stood at that of always "
                "zero before: more weights of the same kind would not have changed that.",
            ),
        ),
    ),
)
