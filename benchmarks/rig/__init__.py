"""What we measure with: bundles, fixed answers for AWS and Google, stacks, processes."""
