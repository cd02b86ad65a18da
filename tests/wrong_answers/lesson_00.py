"""Tempting mistakes of lesson 00."""

KIT = "def kit(seed):\n    return {label: %s for label in ('kick', 'snare', 'hihat', 'percussion')}"

WRONG_ANSWERS = {
    "00-same": {
        "another seed": ('label, seed = "snare", 1', "another seed"),
        "another instrument": ('label, seed = "percussion", 2', "Another instrument"),
        "right seed, another instrument": ('label, seed = "hihat", 3', "The seed is right"),
        "the other way round": ('label, seed = 3, "snare"', "First the label"),
        "a label that is none": ('label, seed = "tom", 3', "Answer with one of"),
        "a seed out of range": ('label, seed = "snare", 33', "one of 0, 1, 2, 3, 4, 5"),
    },
    "00-kit": {
        "the seed is not handed on": (KIT % "generate(model, Settings(label=label))", "hand the seed on"),
        "the label is not handed on": (KIT % 'generate(model, Settings(label="kick", seed=seed))', "use the label"),
        "noise": (
            KIT % "0.1 * torch.randn(2, 32768, generator=torch.Generator().manual_seed(seed + hash(label) % 99))",
            "is not what",
        ),
        "another seed": (KIT % "generate(model, Settings(label=label, seed=seed + 1))", "that very seed"),
        "a drum machine": (
            "from tad_course.drums import render\n" + KIT % "render(label, seed).audio",
            "is not what generate(model",
        ),
        "labels exchanged": (
            "def kit(seed):\n    a = {'kick': 'snare', 'snare': 'kick', 'hihat': 'hihat', 'percussion': 'percussion'}\n"
            "    return {key: generate(model, Settings(label=label, seed=seed)) for key, label in a.items()}",
            "Under kick lies the snare",
        ),
        "a list": (
            "def kit(seed):\n    return [generate(model, Settings(seed=seed))] * 4",
            "Return a dict",
        ),
        "half a kit": (
            "def kit(seed):\n    return {a: generate(model, Settings(label=a, seed=seed)) for a in ('kick', 'snare')}",
            "no hihat and no percussion",
        ),
        "nothing comes back": (
            "def kit(seed):\n    sounds = {'kick': generate(model, Settings(seed=seed))}",
            "`return` missing",
        ),
    },
}
