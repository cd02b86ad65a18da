"""What lessons and the studio show: figures with a description, players of noisy sounds, still versions of widgets."""
