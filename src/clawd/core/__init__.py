"""The nouns everything else speaks of. Imports nothing of ours."""
