"""The calculus: chain rule, normal form of sums, proofs."""
