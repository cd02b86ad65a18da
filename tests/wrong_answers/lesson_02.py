"""Tempting mistakes of lesson 02: exercise -> title -> (what a learner writes, a part of the hint it must get)."""

SHIFT = """def shift(x, samples):
    spectrum = torch.fft.rfft(x)
    angle = {angle}
    return torch.fft.irfft(spectrum * torch.exp(1j * angle), len(x))"""
SWAP = "def swap(a, b):\n    A, B = stft(a), stft(b)\n    return {result}"
ERROR = "def relative_error_db(estimate, reference):\n    return {result}"

WRONG_ANSWERS = {
    "02-shift": {
        "too early": (SHIFT.format(angle="2 * torch.pi * torch.arange(len(spectrum)) / len(x) * samples"), "earlier"),
        "all bins alike": (SHIFT.format(angle="torch.tensor(-2 * torch.pi / len(x) * samples)"), "k times as far"),
        "a turn is 1": (SHIFT.format(angle="-torch.arange(len(spectrum)) / len(x) * samples"), "2 pi"),
        "rolls": ("def shift(x, samples):\n    return torch.roll(x, samples)", "whole samples only"),
        "rolls and rounds": ("def shift(x, samples):\n    return torch.roll(x, int(samples))", "do not round"),
        "length forgotten": (
            SHIFT.format(angle="-2 * torch.pi * torch.arange(len(spectrum)) / len(x) * samples").replace(
                ", len(x))", ")"
            ),
            "65 samples in, 64 out",
        ),
        "no return": ("def shift(x, samples):\n    y = torch.roll(x, 1)", "`return`"),
    },
    "02-swap": {
        "the wrong way round": (
            SWAP.format(result="istft(torch.polar(B.abs(), A.angle()), LENGTH_SAMPLES)"),
            "wrong way",
        ),
        "magnitude only": (SWAP.format(result="istft(A.abs() + 0j, LENGTH_SAMPLES)"), "phase of b is missing"),
        "a filter": (SWAP.format(result="istft(A.abs() * B, LENGTH_SAMPLES)"), "keeps the magnitude of b"),
        "angle as a factor": (SWAP.format(result="istft(A.abs() * B.angle() + 0j, LENGTH_SAMPLES)"), "no direction"),
        "one spectrum of the whole": (
            "def swap(a, b):\n    A, B = torch.fft.rfft(a), torch.fft.rfft(b)\n"
            "    return torch.fft.irfft(torch.polar(A.abs(), B.angle()), LENGTH_SAMPLES)",
            "one spectrum of the whole sound",
        ),
        "phase first": (
            SWAP.format(result="istft(torch.polar(B.angle(), A.abs()), LENGTH_SAMPLES)"),
            "takes the magnitude first",
        ),
        "exp of the spectrum": (
            SWAP.format(result="istft(A.abs() * torch.exp(1j * B), LENGTH_SAMPLES)"),
            "the angle of B",
        ),
        "stops at the spectrum": (SWAP.format(result="torch.polar(A.abs(), B.angle())"), "[2, 513, 129]"),
    },
    "02-error": {
        "signal over error": (
            ERROR.format(result="20 * torch.log10(reference.norm() / (estimate - reference).norm())"),
            "turn the fraction round",
        ),
        "ten for twenty": (
            ERROR.format(result="10 * torch.log10((estimate - reference).norm() / reference.norm())"),
            "20 log10",
        ),
        "levels compared": (
            ERROR.format(result="20 * torch.log10(estimate.norm() / reference.norm())"),
            "Subtract the sounds first",
        ),
        "difference of levels": (
            ERROR.format(result="20 * torch.log10((estimate.norm() - reference.norm()).abs() / reference.norm())"),
            "You compare two levels",
        ),
        "mean of absolute values": (
            ERROR.format(result="20 * torch.log10((estimate - reference).abs().mean() / reference.abs().mean())"),
            "squares first",
        ),
        "peaks": (
            ERROR.format(result="20 * torch.log10((estimate - reference).abs().max() / reference.abs().max())"),
            "compares two peaks",
        ),
        "not relative": (ERROR.format(result="20 * torch.log10((estimate - reference).norm())"), "divide by the norm"),
        "no logarithm": (ERROR.format(result="(estimate - reference).norm() / reference.norm()"), "the ratio itself"),
    },
}
