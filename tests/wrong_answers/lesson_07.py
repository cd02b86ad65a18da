"""Mistakes that tempt in lesson 07: exercise -> title -> (source, a piece of the hint it must get)."""

DEF = "def training_loss(net, x_0, t, eps, weight):\n    "
MIX = "alpha, sigma = alpha_sigma(t[:, None, None])\n    x_t = q_sample(x_0, alpha, sigma, eps)\n    "
LOSS = DEF + MIX + "v = alpha * eps - sigma * x_0\n    return "
MEAN = "(weight * (net(x_t, t) - v).square()).mean()"
OWN_NOISE = LOSS.replace(DEF, DEF + "eps = torch.randn_like(x_0)\n    ") + MEAN
TURNED = LOSS.replace("alpha_sigma(t[", "alpha_sigma(1 - t[") + MEAN
SWAPPED = LOSS.replace("q_sample(x_0, alpha, sigma, eps)", "q_sample(eps, alpha, sigma, x_0)") + MEAN
STEPS = """def training_steps(net, average, optimizer, draw, loss_of, rate, follow, steps):
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
"""
LATE = STEPS.replace("        optimizer.step()\n", "").replace(
    "        yield", "        optimizer.step()\n        yield"
)
NOTE = """def note_share(x, sample_rate, width_hz):
    power = torch.fft.rfft(x * torch.hann_window(len(x))).abs().square()
    hz = torch.fft.rfftfreq(len(x), 1 / sample_rate)
    near = (hz - hz[power.argmax()]).abs() <= width_hz
    return power[near].sum() / power.sum()
"""
LEVELS = """def losses_by_level(net, x_0, eps, snrs, weight):
    losses = []
    for snr in snrs:
        t = torch.full((len(x_0),), t_from_snr_db(snr))
        losses.append(training_loss(net, x_0, t, eps, weight).item())
    return losses
"""
GATE = """def gated(net, x_t, t):
    alpha, sigma = alpha_sigma(t[:, None, None])
    noise = (x_t / sigma).clamp(-3, 3)
    correction, gate = net(torch.cat([x_t, noise], dim=1), t).chunk(2, dim=1)
    return correction + torch.sigmoid(gate) * noise
"""

WRONG_ANSWERS = {
    "07-loss": {
        "mse_loss": (
            "def training_loss(net, x_0, t, eps, weight):\n    alpha, sigma = alpha_sigma(t[:, None, None])\n"
            "    x_t, v = q_sample(x_0, alpha, sigma, eps), alpha * eps - sigma * x_0\n"
            "    return (weight * torch.nn.functional.mse_loss(net(x_t, t), v)).mean()",
            "`mse_loss` takes it",
        ),
        "clean input": (LOSS + MEAN.replace("x_t", "x_0"), "clean sound"),
        "target eps": (LOSS + MEAN.replace("- v", "- eps"), "compares with eps"),
        "target x_0": (LOSS + MEAN.replace("- v", "- x_0"), "compares with x_0"),
        "own noise": (OWN_NOISE, "draw none"),
        "x_0 and eps swapped": (SWAPPED, "are swapped"),
        "no axes": (LOSS.replace("[:, None, None]", "") + MEAN, "Shapes do not fit"),
        "mean before square": (LOSS + "(weight * (net(x_t, t) - v)).mean().square()", "before the square"),
        "time turned round": (TURNED, "another mixture"),
        "root": (LOSS + MEAN + ".sqrt()", "RMSE"),
        "half": (LOSS + "0.5 * " + MEAN, "leave the ½ out"),
        "sum": (LOSS + "(weight * (net(x_t, t) - v).square()).sum()", "sum of the squares"),
        "no square": (LOSS + "(weight * (net(x_t, t) - v).abs()).mean()", "mean distance"),
        "no weight": (LOSS + "(net(x_t, t) - v).square().mean()", "weight is missing"),
        "weight inside the square": (LOSS + "(weight * (net(x_t, t) - v)).square().mean()", "counts twice"),
        "no gradient": (LOSS + MEAN + ".item()", "no gradient"),
    },
    "07-ema": {
        "swapped": (
            "def ema(average, weights, decay):\n    return decay * weights + (1 - decay) * average",
            "old average",
        ),
        "shares above one": ("def ema(average, weights, decay):\n    return decay * average + weights", "sum to 1"),
        "plain mean": ("def ema(average, weights, decay):\n    return (average + weights) / 2", "plain mean"),
        "weights changed": (
            "def ema(average, weights, decay):\n    weights *= 1 - decay\n    return decay * average + weights",
            "changes what it is given",
        ),
    },
    "07-steps": {
        "no zero_grad": (STEPS.replace("        optimizer.zero_grad()\n", ""), "add up"),
        "no clipping": (STEPS.replace("        nn.utils.clip_grad_norm_(net.parameters(), 1.0)\n", ""), "not clipped"),
        "no rate": (STEPS.replace('        optimizer.param_groups[0]["lr"] = rate(step)\n', ""), "stays as it was"),
        "no backward": (STEPS.replace("        loss.backward()\n", ""), "did not change"),
        "no average": (STEPS.replace("        follow(average, net, step)\n", ""), "did not move"),
        "average before the step": (LATE, "one step late"),
        "average and net swapped": (STEPS.replace("(average, net, step)", "(net, average, step)"), "In this order"),
        "counts from 0": (STEPS.replace("for step in steps", "for step in range(len(steps))"), "It drew at the steps"),
        "returns": (STEPS.replace("yield loss.item()", "pass") + "    return [0.0]\n", "`yield` each loss"),
        "yields a tensor": (STEPS.replace("loss.item()", "loss"), "plain number"),
        "yields once": (STEPS.replace("        yield", "    yield"), "1 losses for 4"),
    },
    "07-note": {
        "magnitudes": (NOTE.replace(".square()", ""), "magnitudes"),
        "no window": (NOTE.replace(" * torch.hann_window(len(x))", ""), "window is missing"),
        "bins": (
            NOTE.replace("hz = torch.fft.rfftfreq(len(x), 1 / sample_rate)", "hz = torch.arange(len(power))"),
            "not in bins",
        ),
        "one bin": (NOTE.replace("power[near].sum()", "power.max()"), "one bin"),
        "energy": (NOTE.replace(" / power.sum()", ""), "divide by"),
        "the rest": (NOTE.replace("return ", "return 1 - "), "everything else"),
        "half the width": (NOTE.replace("<= width_hz", "<= width_hz / 2"), "*each* side"),
    },
    "07-levels": {
        "sign": (LEVELS.replace("(snr))", "(-snr))"), "turned round"),
        "no weight": (LEVELS.replace("eps, weight)", "eps, 1.0)"), "weight is missing"),
        "swapped": (LEVELS.replace("x_0, t, eps, weight", "eps, t, x_0, weight"), "are swapped"),
        "one number as t": (
            LEVELS.replace("torch.full((len(x_0),), t_from_snr_db(snr))", "t_from_snr_db(snr)"),
            "tensor [B]",
        ),
        "only the last": (LEVELS.replace("return losses", "return losses[-1]"), "One loss for each SNR"),
    },
    "07-gate": {
        "not limited": (GATE.replace(".clamp(-3, 3)", ""), "not limited"),
        "alpha": (GATE.replace("x_t / sigma", "x_t / alpha"), "not by alpha"),
        "no sigmoid": (GATE.replace("torch.sigmoid(gate)", "gate"), "between 0 and 1"),
        "halves swapped": (GATE.replace("correction, gate =", "gate, correction ="), "first half"),
        "gates x_t": (GATE.replace("(gate) * noise", "(gate) * x_t"), "not x_t itself"),
        "no correction": (GATE.replace("return correction + ", "return "), "correction is missing"),
        "no gate": (GATE.replace(" + torch.sigmoid(gate) * noise", ""), "gated part is missing"),
        "wrong axis": (GATE.replace("noise], dim=1", "noise], dim=0"), "along dim=1"),
        "no axes": (GATE.replace("[:, None, None]", ""), "Shapes do not fit"),
        "order": (GATE.replace("[x_t, noise]", "[noise, x_t]"), "order of the inputs"),
    },
}
