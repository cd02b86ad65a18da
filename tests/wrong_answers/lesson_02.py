"""Tempting mistakes of lesson 02: exercise -> title -> (what a learner writes, a part of the hint it must get)."""

LINE = "-2 * torch.pi * torch.arange(len(spectrum)) / len(x) * samples"
SHIFT = """def shift(x, samples):
    spectrum = torch.fft.rfft(x)
    angle = {angle}
    return torch.fft.irfft(spectrum * torch.exp(1j * angle), len(x))"""
STFT = """def stft(x, block=1024, hop=256):
    window = torch.hann_window(block)
    padded = torch.nn.functional.pad(x, (block // 2, block // 2))
    frames = padded.unfold(-1, block, hop)
    return torch.fft.rfft(frames * window).T"""
ISTFT = """def istft(X, length, block=1024, hop=256):
    window = torch.hann_window(block)
    frames = torch.fft.irfft(X.T, block) * window
    total, weight = torch.zeros(2, block + hop * (len(frames) - 1))
    for m, frame in enumerate(frames):
        total[m * hop : m * hop + block] += frame
        weight[m * hop : m * hop + block] += window**2
    inside = slice(block // 2, block // 2 + length)
    return total[inside] / weight[inside]"""
SWAP = "def swap(a, b):\n    A, B = stft(a), stft(b)\n    return {result}"
ERROR = "def relative_error_db(estimate, reference):\n    return {result}"
GRIFFIN_LIM = """def griffin_lim(magnitude, phase, iterations, length):
    for _ in range(iterations):
        x = istft(torch.polar(magnitude, phase), length)
        phase = stft(x).angle()
    return istft(torch.polar(magnitude, phase), length)"""

WRONG_ANSWERS = {
    "02-shift": {
        "too early": (SHIFT.format(angle=LINE.removeprefix("-")), "earlier"),
        "all bins alike": (SHIFT.format(angle="torch.tensor(-2 * torch.pi / len(x) * samples)"), "k times as far"),
        "a full rotation is 1": (SHIFT.format(angle=LINE.replace("2 * torch.pi * ", "")), "a full rotation is 2 pi"),
        "1 and no minus": (SHIFT.format(angle=LINE.removeprefix("-2 * torch.pi * ")), "and a delay needs a minus"),
        "rolls": ("def shift(x, samples):\n    return torch.roll(x, samples)", "whole samples only"),
        "rolls and rounds": ("def shift(x, samples):\n    return torch.roll(x, int(samples))", "do not round"),
        "length forgotten": (SHIFT.format(angle=LINE).replace(", len(x))", ")"), "65 samples in, 64 out"),
        "no 1j": (SHIFT.format(angle=LINE).replace("1j * ", ""), "`1j` is missing"),
        "N is the number of bins": (
            SHIFT.format(angle=LINE.replace("len(x)", "len(spectrum)")),
            "not the number of bins",
        ),
        "N is the sample rate": (SHIFT.format(angle=LINE.replace("len(x)", "44100")), "not the sample rate"),
        "no return": ("def shift(x, samples):\n    y = torch.roll(x, 1)", "`return`"),
    },
    "02-stft": {
        "no window": (STFT.replace("frames * window", "frames"), "The window is missing"),
        "window after the FFT": (
            STFT.replace("rfft(frames * window).T", "rfft(frames).T * torch.hann_window(block // 2 + 1)[:, None]"),
            "before the FFT",
        ),
        "not turned": (STFT.replace(".T", ""), "[frames, bins]"),
        "not padded": (STFT.replace("padded.unfold", "x.unfold"), "pad first"),
        "full FFT": (STFT.replace("rfft", "fft"), "half of them mirrored"),
        "magnitude only": (STFT + ".abs()", "the complex numbers themselves"),
        "symmetric window": (STFT.replace("(block)", "(block, periodic=False)"), "symmetric"),
        "mirrored ends": (
            "def stft(x, block=1024, hop=256):\n"
            "    return torch.stft(x, block, hop, window=torch.hann_window(block), return_complex=True)",
            "Pad with zeros",
        ),
        "window squared": (STFT.replace("frames * window", "frames * window**2"), "squared"),
        "block written out": (STFT.replace("block", "1024").replace("1024=1024", "block=1024"), "written out"),
    },
    "02-istft": {
        "not divided": (ISTFT.replace(" / weight[inside]", ""), "divide by the sum of the squared"),
        "windowed once": (ISTFT.replace("block) * window", "block)").replace(" / weight[inside]", ""), "faded once"),
        "windowed once, divided by the sum": (
            ISTFT.replace("block) * window", "block)").replace("window**2", "window"),
            "Exact for an unchanged STFT",
        ),
        "sum of windows": (ISTFT.replace("window**2", "window"), "squared windows."),
        "divided by 1.5": (ISTFT.replace("weight[inside]", "1.5"), "too soft at the ends"),
        "starts too early": (
            ISTFT.replace("slice(block // 2, block // 2 + length)", "slice(0, length)").replace(
                "weight[inside]", "weight[inside].clamp(min=1e-9)"
            ),
            "the wrong end",
        ),
        "padding kept": (
            ISTFT.replace("slice(block // 2, block // 2 + length)", "slice(0, None)").replace(
                "weight[inside]", "weight[inside].clamp(min=1e-9)"
            ),
            "still there",
        ),
        "hop written out": (ISTFT.replace("hop", "256").replace("256=256", "hop=256"), "not for block=256"),
    },
    "02-swap": {
        "the wrong way round": (SWAP.format(result="istft(torch.polar(B.abs(), A.angle()), len(a))"), "wrong way"),
        "magnitude only": (SWAP.format(result="istft(A.abs() + 0j, len(a))"), "phase of b is missing"),
        "a filter": (SWAP.format(result="istft(A.abs() * B, len(a))"), "keeps the magnitude of b"),
        "angle as a factor": (SWAP.format(result="istft(A.abs() * B.angle() + 0j, len(a))"), "no direction"),
        "one spectrum of the whole": (
            "def swap(a, b):\n    A, B = torch.fft.rfft(a), torch.fft.rfft(b)\n"
            "    return torch.fft.irfft(torch.polar(A.abs(), B.angle()), len(a))",
            "one spectrum of the whole sound",
        ),
        "phase first": (SWAP.format(result="istft(torch.polar(B.angle(), A.abs()), len(a))"), "magnitude first"),
        "complex for polar": (SWAP.format(result="istft(torch.complex(A.abs(), B.angle()), len(a))"), "torch.complex"),
        "exp of the spectrum": (SWAP.format(result="istft(A.abs() * torch.exp(1j * B), len(a))"), "the angle of B"),
        "stops at the spectrum": (SWAP.format(result="torch.polar(A.abs(), B.angle())"), "bring it back"),
        "another block": (
            SWAP.replace("stft(a), stft(b)", "stft(a, 2048, 512), stft(b, 2048, 512)").format(
                result="istft(torch.polar(A.abs(), B.angle()), len(a), 2048, 512)"
            ),
            "blocks of 1,024",
        ),
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
        "natural logarithm": (
            ERROR.format(result="20 * torch.log((estimate - reference).norm() / reference.norm())"),
            "need log10",
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
        "relative to the estimate": (
            ERROR.format(result="20 * torch.log10((estimate - reference).norm() / estimate.norm())"),
            "not of the estimate",
        ),
        "standard deviations": (
            ERROR.format(result="20 * torch.log10((estimate - reference).std() / reference.std())"),
            "constant offset",
        ),
        "not relative": (ERROR.format(result="20 * torch.log10((estimate - reference).norm())"), "divide by the norm"),
        "no logarithm": (ERROR.format(result="(estimate - reference).norm() / reference.norm()"), "the ratio itself"),
    },
    "02-griffin-lim": {
        "one more": (GRIFFIN_LIM.replace("range(iterations)", "range(iterations + 1)"), "one iteration more"),
        "new phase not used": (GRIFFIN_LIM.replace("phase = stft(x)", "angle = stft(x)"), "is the new phase used"),
        "keeps its own magnitude": (
            GRIFFIN_LIM.replace("phase = stft(x).angle()", "magnitude, phase = stft(x).abs(), stft(x).angle()"),
            "with the wanted magnitude",
        ),
        "only one iteration": (
            GRIFFIN_LIM.replace("range(iterations)", "range(min(1, iterations))"),
            "One iteration is right, eight are not",
        ),
    },
}
