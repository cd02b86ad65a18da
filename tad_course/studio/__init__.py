"""The studio of `Inference.ipynb`: one panel for each thing that can be done with a sound."""
