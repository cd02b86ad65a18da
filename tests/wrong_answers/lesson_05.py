"""Tempting mistakes in lesson 05, and the hint that each must get."""

TIME = "def time_features(t, count):\n    f = {f}\n    angle = {angle}\n    return {answer}"
LINSPACE = "torch.linspace(0.5, 8, count // 2)"
CAT = "torch.cat([angle.sin(), angle.cos()], dim=1)"

BLOCK = """class Block(nn.Module):
    def __init__(self, channels, features=32):
        super().__init__()
        self.norm_1, self.norm_2 = nn.GroupNorm(4, channels), nn.GroupNorm(4, channels)
        self.conv_1 = nn.Conv1d(channels, channels, kernel_size=3, padding=1)
        self.conv_2 = nn.Conv1d(channels, channels, kernel_size=3, padding=1)
        self.to_scale_shift = nn.Linear(features, 2 * channels)

    def forward(self, x, embedding):
        scale, shift = self.to_scale_shift(embedding)[:, :, None].chunk(2, dim=1)
        h = {first}
        h = {second}
        return {result}
"""
FIRST = "self.conv_1(F.silu(self.norm_1(x)))"
SECOND = "self.norm_2(h) * (1 + scale) + shift"
RESULT = "x + self.conv_2(F.silu(h))"

UNET = """class UNet(nn.Module):
    def __init__(self, channels_in, widths=(16, 32, 64), factors=(4, 4, 4), skips=True, middle=None,
                 block=Block, down=down, up=up, features=time_features):
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
        for go_down, block in zip(self.downs, self.blocks_down):
            {down}
        {middle}
        for block, go_up in zip(self.blocks_up, self.ups):
            {up}
            {skip}
        return x
"""
DOWN, MIDDLE, UP = (
    "kept.append(x); x = block(go_down(x), embedding)",
    "x = self.middle(x)",
    "x = go_up(block(x, embedding))",
)
SKIP = "x = x + kept.pop() if self.skips else x"

REACH = """def reach(net, x):
    x = x.clone().requires_grad_(True)
    y = net(x)
    {choose}.backward()
    return {count}
"""
MIDDLE_OUTPUT, POSITIONS = "y[0, 0, y.shape[-1] // 2]", "int((x.grad[0] != 0).any(dim=0).sum())"

ATTENTION = """class SelfAttention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm, self.to_position = nn.LayerNorm(channels), nn.Linear(32, channels)
        self.to_qkv, self.to_out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)

    def positions(self, length):
        return self.to_position(time_features(torch.arange(length) / length, 32))

    def forward(self, x):
        h = {h}
        {qkv} = self.to_qkv(h).chunk(3, dim=-1)
        scores = q @ k.transpose(1, 2){root}
        {keep} = scores.softmax(dim={dim})
        return {result}self.to_out({keep} @ v).transpose(1, 2)
"""
ATTEND = {
    "h": "self.norm(x.transpose(1, 2)) + self.positions(x.shape[-1])",
    "qkv": "q, k, v",
    "root": " / q.shape[-1] ** 0.5",
    "keep": "self.weights",
    "dim": "-1",
    "result": "x + ",
}

WRONG_ANSWERS = {
    "05-time": {
        "no pi": (TIME.format(f=LINSPACE, angle="f * t[:, None]", answer=CAT), "the pi is missing"),
        "two pi": (TIME.format(f=LINSPACE, angle="2 * math.pi * f * t[:, None]", answer=CAT), "without a 2"),
        "cosines first": (
            TIME.format(
                f=LINSPACE,
                angle="math.pi * f * t[:, None]",
                answer="torch.cat([angle.cos(), angle.sin()], dim=1)",
            ),
            "sines come first",
        ),
        "alternating": (
            TIME.format(
                f=LINSPACE,
                angle="math.pi * f * t[:, None]",
                answer="torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)",
            ),
            "here they alternate",
        ),
        "counted": (
            TIME.format(f="torch.arange(count // 2)", angle="math.pi * f * t[:, None]", answer=CAT),
            "in equal steps",
        ),
        "features down": (
            TIME.format(
                f=LINSPACE,
                angle="math.pi * f[:, None] * t",
                answer="torch.cat([angle.sin(), angle.cos()], dim=0)",
            ),
            "has the shape",
        ),
    },
    "05-block": {
        "no addition": (BLOCK.format(first=FIRST, second=SECOND, result="self.conv_2(F.silu(h))"), "add x"),
        "no 1 +": (
            BLOCK.format(first=FIRST, second="self.norm_2(h) * scale + shift", result=RESULT),
            "The gain is 1 + scale",
        ),
        "exchanged": (
            BLOCK.format(first=FIRST, second="self.norm_2(h) * (1 + shift) + scale", result=RESULT),
            "they are exchanged",
        ),
        "no embedding": (BLOCK.format(first=FIRST, second="self.norm_2(h)", result=RESULT), "not used yet"),
        "one SiLU": (BLOCK.format(first=FIRST, second=SECOND, result="x + self.conv_2(h)"), "second SiLU is missing"),
        "before the norm": (
            BLOCK.format(first=FIRST, second="self.norm_2(h * (1 + scale) + shift)", result=RESULT),
            "come after norm_2",
        ),
        "relu": (
            BLOCK.format(
                first="self.conv_1(F.relu(self.norm_1(x)))", second=SECOND, result="x + self.conv_2(F.relu(h))"
            ),
            "ReLU is close",
        ),
    },
    "05-down": {
        "no stride": (
            "def down(c_in, c_out, factor):\n"
            "    return nn.Conv1d(c_in, c_out, kernel_size=2 * factor + 1, padding=factor)",
            "the stride is missing",
        ),
        "no padding": (
            "def down(c_in, c_out, factor):\n"
            "    return nn.Conv1d(c_in, c_out, kernel_size=2 * factor + 1, stride=factor)",
            "set the padding",
        ),
        "kernel of 1": (
            "def down(c_in, c_out, factor):\n    return nn.Conv1d(c_in, c_out, kernel_size=1, stride=factor)",
            "leaves them out",
        ),
        "pooling": ("def down(c_in, c_out, factor):\n    return nn.AvgPool1d(factor)", "It should map"),
        "a tensor": ("def down(c_in, c_out, factor):\n    return torch.randn(1, c_out, 8)", "Return a module"),
    },
    "05-up": {
        "no stride": (
            "def up(c_in, c_out, factor):\n    return nn.ConvTranspose1d(c_in, c_out, kernel_size=factor)",
            "kernel and stride are both",
        ),
        "down again": (
            "def up(c_in, c_out, factor):\n    return nn.Conv1d(c_in, c_out, kernel_size=factor, stride=factor)",
            "goes down",
        ),
        "only repeated": ("def up(c_in, c_out, factor):\n    return nn.Upsample(scale_factor=factor)", "It should map"),
    },
    "05-unet": {
        "no skips": (UNET.format(down=DOWN, middle=MIDDLE, up=UP, skip="pass"), "where are the skips"),
        "always skips": (
            UNET.format(down=DOWN, middle=MIDDLE, up=UP, skip="x = x + kept.pop()"),
            "With `skips=False`",
        ),
        "no middle": (UNET.format(down=DOWN, middle="pass", up=UP, skip=SKIP), "`self.middle` is missing"),
        "first kept, first added": (
            UNET.format(down=DOWN, middle=MIDDLE, up=UP, skip="x = x + kept.pop(0) if self.skips else x"),
            "do not fit",
        ),
        "kept too late": (
            UNET.format(
                down="x = block(go_down(x), embedding); kept.append(x)",
                middle=MIDDLE,
                up="x = go_up(block(x + kept.pop() if self.skips else x, embedding))",
                skip="pass",
            ),
            "inside of the levels",
        ),
        "the ends of the way down": (
            UNET.format(down="x = block(go_down(x), embedding); kept.append(x)", middle=MIDDLE, up=UP, skip=SKIP),
            "Two shapes do not fit",
        ),
    },
    "05-reach": {
        "both channels": (
            REACH.format(choose=MIDDLE_OUTPUT, count="int((x.grad != 0).sum())"),
            "count time positions",
        ),
        "all outputs": (REACH.format(choose="y.sum()", count=POSITIONS), "that of all outputs"),
        "the first output": (REACH.format(choose="y[0, 0, 0]", count=POSITIONS), "at the edge"),
    },
    "05-attention": {
        "no positions": (ATTENTION.format(**ATTEND | {"h": "self.norm(x.transpose(1, 2))"}), "positions are missing"),
        "no root": (ATTENTION.format(**ATTEND | {"root": ""}), "not divided"),
        "wrong axis": (ATTENTION.format(**ATTEND | {"dim": "1"}), "wrong axis"),
        "no addition": (ATTENTION.format(**ATTEND | {"result": ""}), "Add x at the end"),
        "key first": (ATTENTION.format(**ATTEND | {"qkv": "k, q, v"}), "are exchanged"),
        "weights not kept": (ATTENTION.format(**ATTEND | {"keep": "weights"}), "keep the weights"),
        "no norm": (
            ATTENTION.format(**ATTEND | {"h": "x.transpose(1, 2) + self.positions(x.shape[-1])"}),
            "LayerNorm is missing",
        ),
    },
}
