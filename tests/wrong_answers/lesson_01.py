"""Tempting mistakes of lesson 01: exercise -> title -> (what a learner writes, a part of the hint it must get)."""


def _sine(body: str) -> str:
    return f"def sine(frequency_hz, level_dbfs, duration_s=1.0):\n    {body}"


def _tone(amplitude: str, function: str = "torch.sin") -> str:
    return _sine(
        "n = torch.arange(round(duration_s * SAMPLE_RATE), dtype=torch.float64)\n"
        f"    return {amplitude} * {function}(2 * torch.pi * frequency_hz * n / SAMPLE_RATE)"
    )


RIGHT_AMPLITUDE = "2**0.5 * 10 ** (level_dbfs / 20)"


def _kick(
    f="pitch_hz * (1 + (sweep_ratio - 1) * torch.exp(-t / sweep_s))",
    body="sweep(f) * decay(decay_s)",
    noise="torch.randn(LENGTH_SAMPLES, generator=torch.Generator().manual_seed(0))",
    x="body + click * noise * decay(0.025)",
    result="torch.stack([y, y])",
    y="x * 10 ** (-3 / 20) / x.abs().max()",
) -> str:
    lines = [
        "t = torch.arange(LENGTH_SAMPLES) / SAMPLE_RATE",
        f"f = {f}",
        f"body = {body}",
        f"noise = {noise}",
        f"x = {x}",
        f"y = {y}",
        f"return {result}",
    ]
    head = "def kick(pitch_hz=50.0, sweep_ratio=4.0, sweep_s=0.025, decay_s=0.45, click=0.2):\n    "
    return head + "\n    ".join(lines)


def _downsample(expression: str) -> str:
    return f"def downsample(x):\n    return {expression}"


def _sweep(expression: str) -> str:
    return f"def sweep(frequency_hz):\n    n = torch.arange(len(frequency_hz))\n    return {expression}"


def _decay(expression: str) -> str:
    return f"def decay(t60_s):\n    t = torch.arange(LENGTH_SAMPLES) / SAMPLE_RATE\n    return {expression}"


def _mid_side(expression: str) -> str:
    return f"def mid_side(x):\n    left, right = x\n    return {expression}"


def _widen(expression: str) -> str:
    return f"def widen(x, amount):\n    mid, side = mid_side(x)\n    return {expression}"


WRONG_ANSWERS = {
    "01-sine": {
        "peak for rms": (_tone("10 ** (level_dbfs / 20)"), "rms lies 3 dB lower"),
        "divided, not multiplied": (_tone("10 ** (level_dbfs / 20) / 2**0.5"), "so multiply"),
        "power for amplitude": (_tone("2**0.5 * 10 ** (level_dbfs / 10)"), "for power"),
        "not divided by the rate": (
            _sine(
                "n = torch.arange(round(duration_s * SAMPLE_RATE)).double()\n"
                f"    return {RIGHT_AMPLITUDE} * torch.sin(2 * torch.pi * frequency_hz * n / 20_000)"
            ),
            "divided by the sample rate",
        ),
        "decibels as a factor": (_tone("-level_dbfs"), "past full scale"),
        "always one second": (_tone(RIGHT_AMPLITUDE).replace("duration_s * ", ""), "should be ["),
        "a cosine": (_tone(RIGHT_AMPLITUDE, "torch.cos"), "a sine begins at 0"),
        "the end point included": (
            _sine(
                "t = torch.linspace(0, duration_s, round(duration_s * SAMPLE_RATE)).double()\n"
                f"    return {RIGHT_AMPLITUDE} * torch.sin(2 * torch.pi * frequency_hz * t)"
            ),
            "use `arange`",
        ),
    },
    "01-downsample": {
        "no filter": (_downsample("x[..., ::4]"), "as loud as the tone"),
        "filter only": (_downsample("synthesis.band(x, None, 4_000, 8)"), "as many samples"),
        "filter too late": (_downsample("synthesis.band(x[..., ::4], None, 4_000, 8)"), "before you drop"),
        "cut-off too low": (_downsample("synthesis.band(x, None, 1_300, 8)[..., ::4]"), "cut-off higher"),
        "cut-off above the new Nyquist frequency": (
            _downsample("synthesis.band(x, None, 7_000, 12)[..., ::4]"),
            "half of the new",
        ),
        "high-pass": (_downsample("synthesis.band(x, 5_000, None, 8)[..., ::4]"), "are gone"),
        "the first quarter": (_downsample("synthesis.band(x, None, 4_000, 8)[:11_025]"), "every fourth"),
        "made up for the loss": (_downsample("4 * synthesis.band(x, None, 4_000, 8)[..., ::4]"), "louder"),
        "too gentle": (_downsample("synthesis.band(x, None, 4_000, 1)[..., ::4]"), "steeper"),
        "drops channels": (_downsample("synthesis.band(x, None, 4_000, 8)[::4]"), "last axis"),
    },
    "01-sweep": {
        "frequency times time": (_sweep("torch.sin(2 * torch.pi * frequency_hz * n / SAMPLE_RATE)"), "the wrong one"),
        "no sample rate": (_sweep("torch.sin(2 * torch.pi * torch.cumsum(frequency_hz, 0))"), "divide the sum"),
        "no 2 pi": (_sweep("torch.sin(torch.cumsum(frequency_hz, 0) / SAMPLE_RATE)"), "2 pi is missing"),
        "the sum times time": (
            _sweep("torch.sin(2 * torch.pi * torch.cumsum(frequency_hz, 0) / SAMPLE_RATE * n / SAMPLE_RATE)"),
            "multiply by t again",
        ),
        "a cosine": (_sweep("torch.cos(2 * torch.pi * torch.cumsum(frequency_hz, 0) / SAMPLE_RATE)"), "begin near 0"),
        "the phase itself": (_sweep("2 * torch.pi * torch.cumsum(frequency_hz, 0) / SAMPLE_RATE"), "beyond 1"),
    },
    "01-decay": {
        "a linear fade": (
            "def decay(t60_s):\n    t = torch.arange(LENGTH_SAMPLES) / SAMPLE_RATE\n"
            "    return (1 - t / t60_s).clamp(min=0)",
            "straight line in amplitude",
        ),
        "the level, not the ratio": (
            "def decay(t60_s):\n    t = torch.arange(LENGTH_SAMPLES) / SAMPLE_RATE\n    return -60 * t / t60_s",
            "the level in dB",
        ),
        "to one e-th": (_decay("torch.exp(-t / t60_s)"), "8.7 dB"),
        "e for ten": (_decay("torch.exp(-3 * t / t60_s)"), "-26 dB"),
        "decibels as an exponent": (_decay("10.0 ** (-60 * t / t60_s)"), "1,200 dB"),
        "power for amplitude": (_decay("10.0 ** (-60 / 10 * t / t60_s)"), "for power"),
        "grows": (_decay("10.0 ** (3 * t / t60_s)"), "needs a minus"),
        "a straight line": (_decay("1 - t / t60_s"), "never negative"),
    },
    "01-kick": {
        "frequency times time": (_kick(body="torch.sin(2 * torch.pi * f * t) * decay(decay_s)"), "call your `sweep`"),
        "no fall": (_kick(f="pitch_hz + 0 * t"), "does not fall"),
        "one too many": (_kick(f="pitch_hz * (1 + sweep_ratio * torch.exp(-t / sweep_s))"), "sweep_ratio - 1"),
        "no envelope": (_kick(body="sweep(f)"), "never dies away"),
        "a fixed pitch": (_kick(f="50.0 * (1 + (sweep_ratio - 1) * torch.exp(-t / sweep_s))"), "`pitch_hz` makes no"),
        "no click": (_kick(x="body"), "`click` makes no difference"),
        "hiss to the end": (_kick(x="body + click * noise"), "on and on"),
        "another click each time": (_kick(noise="torch.randn(LENGTH_SAMPLES)"), "manual_seed"),
        "mono": (_kick(result="y"), "That is mono"),
        "at full scale": (_kick(y="x / x.abs().max()"), "full scale"),
        "not normalized": (_kick(y="0.5 * x"), "divide by `x.abs().max()`"),
        "the body normalized alone": (
            _kick(
                x="body * 10 ** (-3 / 20) / body.abs().max() + 0.7 * click * noise * decay(0.025)",
                y="x",
            ),
            "normalize the sum",
        ),
    },
    "01-mid-side": {
        "no half": (_mid_side("left + right, left - right"), "twice as large"),
        "right minus left": (_mid_side("(left + right) / 2, (right - left) / 2"), "not right minus left"),
        "side first": (_mid_side("(left - right) / 2, (left + right) / 2"), "Mid first"),
        "root of two": (_mid_side("(left + right) / 2**0.5, (left - right) / 2**0.5"), "not 1/sqrt(2)"),
    },
    "01-widen": {
        "both louder": (_widen("amount * x"), "the mid stays"),
        "swapped": (_widen("torch.stack([mid - amount * side, mid + amount * side])"), "swapped"),
        "halved again": (
            _widen("torch.stack([mid + amount * side, mid - amount * side]) / 2"),
            "already hold the half",
        ),
        "amount forgotten": (_widen("torch.stack([mid + side, mid - side])"), "makes no difference"),
    },
}
