"""Train the small classifier that judges generated drums: python benchmarks/train_classifier.py

Learns from sounds of the drum machine with seeds 2,000,000 and up, which no model is trained on, under random gain and
background noise so that it hears the instrument and not the noise floor. Prints its accuracy on further held-out seeds.
"""

import torch
from torch.nn import functional as F
from tqdm import tqdm

from tad_course.drums.voices import LABELS, render
from tad_course.evaluation.embeddings import Classifier, save_classifier

TRAIN, TEST, EPOCHS, BATCH = 500, 150, 8, 32
FIRST_SEED = 2_000_000


def sounds(first_seed: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    jobs = [(label, first_seed + i) for i in range(count) for label in LABELS]
    audio = torch.stack([render(*job).audio for job in tqdm(jobs, unit="sound")])
    return audio, torch.arange(len(LABELS)).repeat(count)


def disturb(audio: torch.Tensor) -> torch.Tensor:
    """Random gain from -12 to 0 dB, white noise from -90 to -40 dBFS."""
    gain = 10 ** (-12 * torch.rand(len(audio), 1, 1) / 20)
    noise = 10 ** ((-90 + 50 * torch.rand(len(audio), 1, 1)) / 20)
    return gain * audio + noise * torch.randn_like(audio)


def main() -> None:
    torch.manual_seed(0)
    audio, labels = sounds(FIRST_SEED, TRAIN)
    test_audio, test_labels = sounds(FIRST_SEED + TRAIN, TEST)
    model = Classifier()
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=1e-2)
    for epoch in range(EPOCHS):
        model.train()
        for batch in torch.randperm(len(audio)).split(BATCH):
            loss = F.cross_entropy(model(disturb(audio[batch])), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            guesses = torch.cat([model(part).argmax(-1) for part in test_audio.split(100)])
        accuracy = float((guesses == test_labels).float().mean())
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}, held-out accuracy {accuracy:.3f}")
    by_label = {n: float((guesses == i)[test_labels == i].float().mean()) for i, n in enumerate(LABELS)}
    save_classifier(model, {"held_out_sounds": len(test_labels), "accuracy": accuracy, "accuracy_by_label": by_label})


if __name__ == "__main__":
    main()
