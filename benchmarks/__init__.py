"""Speed and memory, as ratios measured in one run: machines are shared and noisy."""
