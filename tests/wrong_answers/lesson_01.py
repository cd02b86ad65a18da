"""Tempting mistakes of lesson 01: exercise -> title -> (what a learner writes, a part of the hint it must get)."""

WRONG_ANSWERS = {
    "01-count": {
        "one channel only": (
            "def count_numbers(duration_s):\n    return round(duration_s * SAMPLE_RATE)",
            "stereo has two",
        ),
        "always the drum": ("def count_numbers(duration_s):\n    return 2 * LENGTH_SAMPLES", "use `duration_s`"),
        "kilohertz": ("def count_numbers(duration_s):\n    return duration_s * 44.1 * 2", "k stands for thousand"),
        "channels cut in two": (
            "def count_numbers(duration_s):\n    return round(duration_s * SAMPLE_RATE * 2)",
            "two equal channels",
        ),
        "half a sample": ("def count_numbers(duration_s):\n    return duration_s * SAMPLE_RATE * 2", "no half sample"),
        "prints instead": ("def count_numbers(duration_s):\n    print(end='')", "`return`"),
    },
    "01-sine": {
        "peak for rms": ("tone = sine(440, 10 ** (-12 / 20))", "peak is at -12"),
        "divided, not multiplied": ("tone = sine(440, 10 ** (-12 / 20) / 2**0.5)", "so multiply"),
        "power for amplitude": ("tone = sine(440, 10 ** (-12 / 10))", "for power"),
        "not divided by the rate": (
            "tone = 0.3552 * torch.sin(2 * torch.pi * 440 * torch.arange(44_100).double() / 20_000)",
            "divided by the sample rate",
        ),
        "decibels as a factor": ("tone = sine(440, 12.0)", "past full scale"),
        "too short": ("tone = sine(440, 0.3552, duration_s=0.5)", "[44100]"),
    },
    "01-alias": {
        "as meant": ("alias_hz = 15_000", "cannot be in the samples"),
        "clipped at Nyquist": ("alias_hz = 11_025 / 2", "they fold"),
        "the wrong rate": ("alias_hz = 44_100 - 15_000", "11,025 times a second"),
        "a quarter": ("alias_hz = 15_000 / 4", "the frequency does not"),
        "in kilohertz": ("alias_hz = 15 - 11.025", "not in kHz"),
        "above Nyquist by": ("alias_hz = 15_000 - 11_025 / 2", "the next fold"),
    },
    "01-downsample": {
        "no filter": ("def downsample(x):\n    return x[::4]", "as loud as the tone"),
        "filter only": ("def downsample(x):\n    return synthesis.band(x, None, 4_000, 8)", "as many samples"),
        "filter too late": (
            "def downsample(x):\n    return synthesis.band(x[::4], None, 4_000, 8)",
            "before you drop",
        ),
        "cut-off too low": ("def downsample(x):\n    return synthesis.band(x, None, 500, 8)[::4]", "cut-off higher"),
        "cut-off at the new rate": (
            "def downsample(x):\n    return synthesis.band(x, None, 11_025, 8)[::4]",
            "half of the new rate",
        ),
        "high-pass": ("def downsample(x):\n    return synthesis.band(x, 5_000, None, 8)[::4]", "are gone"),
        "the first quarter": (
            "def downsample(x):\n    return synthesis.band(x, None, 4_000, 8)[:11_025]",
            "every fourth",
        ),
        "made up for the loss": ("def downsample(x):\n    return 4 * synthesis.band(x, None, 4_000, 8)[::4]", "louder"),
        "too gentle": ("def downsample(x):\n    return synthesis.band(x, None, 4_000, 1)[::4]", "steeper"),
    },
}
