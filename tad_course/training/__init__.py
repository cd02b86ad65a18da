"""Training: folders of sounds, the loop, checkpoints that survive anything (lesson 07)."""
