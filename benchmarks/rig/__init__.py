"""What measuring takes: bundles, fixed answers of AWS and Google, stacks, processes in turns."""
