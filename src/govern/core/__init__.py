"""Values: what everything in govern speaks of. Standard library only; no input, no output, no clock."""
