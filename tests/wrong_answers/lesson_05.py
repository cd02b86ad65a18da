"""Tempting mistakes in lesson 05, and the hint that each must get."""

WRONG_ANSWERS = {
    "05-shapes": {
        "first factor forgotten": ("shapes = [(32, 2048), (64, 512), (128, 128)]", "first factor is 1"),
        "length first": ("shapes = [(8192, 32), (2048, 64), (512, 128)]", "channels before length"),
        "with the batch": ("shapes = [(1, 32, 8192), (1, 64, 2048), (1, 128, 512)]", "leave the batch"),
        "the way up": ("shapes = [(128, 512), (64, 2048), (32, 8192)]", "the way up"),
        "what goes in": ("shapes = [(2, 8192), (32, 8192), (64, 2048)]", "Those go in"),
        "divided once": ("shapes = [(32, 8192), (64, 2048), (128, 2048)]", "once more"),
    },
    "05-field": {
        "sum of kernels": ("def receptive_field(layers):\n    return sum(k for k, _ in layers)", "so 5"),
        "no strides": ("def receptive_field(layers):\n    return 1 + sum(k - 1 for k, _ in layers)", "strides so far"),
        "no first sample": ("def receptive_field(layers):\n    return sum(k - 1 for k, _ in layers)", "Start at 1"),
        "paths": ("def receptive_field(layers):\n    return math.prod(k for k, _ in layers)", "counts the paths"),
        "strides added": (
            "def receptive_field(layers):\n"
            "    field, jump = 1, 1\n"
            "    for kernel, stride in layers:\n"
            "        field = field + (kernel - 1) * jump\n"
            "        jump = jump + stride\n"
            "    return field",
            "if they are added",
        ),
        "own stride first": (
            "def receptive_field(layers):\n"
            "    field, jump = 1, 1\n"
            "    for kernel, stride in layers:\n"
            "        jump = jump * stride\n"
            "        field = field + (kernel - 1) * jump\n"
            "    return field",
            "own stride counts only",
        ),
    },
    "05-attention": {
        "one head": (
            "def attention_bytes(length_samples, factors, level, heads):\n"
            "    length = length_samples // math.prod(factors[: level + 1])\n"
            "    return 4 * length**2",
            "one head",
        ),
        "numbers, not bytes": (
            "def attention_bytes(length_samples, factors, level, heads):\n"
            "    length = length_samples // math.prod(factors[: level + 1])\n"
            "    return heads * length**2",
            "has 4 bytes",
        ),
        "every frame once": (
            "def attention_bytes(length_samples, factors, level, heads):\n"
            "    return 4 * heads * length_samples // math.prod(factors[: level + 1])",
            "length times length",
        ),
        "megabytes": (
            "def attention_bytes(length_samples, factors, level, heads):\n"
            "    return 4 * heads * (length_samples // math.prod(factors[: level + 1])) ** 2 / 1e6",
            "not in megabytes",
        ),
        "last factor only": (
            "def attention_bytes(length_samples, factors, level, heads):\n"
            "    return 4 * heads * (length_samples // factors[level]) ** 2",
            "over *all* factors",
        ),
    },
}
