"""The model: diffusion, transforms, the network, samplers, files (lessons 03 to 08)."""
