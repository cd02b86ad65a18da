"""The drum machine: eleven synthesized voices, sounds by label and seed, folders of them, patterns (lesson 01)."""

from tad_course.drums.voices import LABELS, VOICES, Drum, family, render

__all__ = ["LABELS", "VOICES", "Drum", "family", "render"]
