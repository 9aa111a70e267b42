"""Speed as ratios: Okaeri beside the bare limit of the same machine, in the same run."""
