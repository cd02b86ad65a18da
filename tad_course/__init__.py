"""A hands-on course on audio waveform diffusion. Importing this module is cheap: it loads nothing else."""

__version__ = "0.2.0"
